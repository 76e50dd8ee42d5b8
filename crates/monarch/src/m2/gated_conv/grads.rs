//! The gradients of the operation, and each channel's share of them, which its thread has yet to write.

use subquad_backend::fft_conv::rows_by_channel;
use subquad_backend::kernel::{Array, Part, Saved, Unwritten, View};

use super::Inputs;
use crate::m2::short::ShortGrad;

/// The gradient of each input, row-major; empty if there is no such input.
pub(super) struct Grads([Unwritten; 6]);

/// The share of one channel.
pub(super) struct ChannelGrads<'a> {
    /// One row per part and sequence.
    pub(super) projected: [Rows<'a>; 3],
    /// One per part.
    pub(super) short: [ShortGrad<'a>; 3],
    /// One row per side.
    pub(super) lags: Rows<'a>,
    /// One row per sequence.
    pub(super) x: Rows<'a>,
    /// One row per side.
    pub(super) residual_lags: Rows<'a>,
}

/// Rows of one channel that have yet to be written.
pub(super) type Rows<'a> = std::vec::IntoIter<Part<'a>>;

/// The row of the next sequence, filled with zeros.
pub(super) fn next_row<'a>(rows: &mut Rows<'a>) -> &'a mut [f32] {
    rows.next().expect("a row a sequence").zeros()
}

impl Grads {
    pub(super) fn new(inputs: &[View<'_>]) -> Self {
        let len = |i: usize| inputs.get(i).map_or(0, |input| input.data.len());
        Self(std::array::from_fn(|i| Unwritten::new(len(i))))
    }

    pub(super) fn by_channel(&mut self, inputs: &Inputs<'_>) -> Vec<ChannelGrads<'_>> {
        let ([_, d_model, seq], [_, width]) = (inputs.sizes(), inputs.short_weight.dims());
        let [projected, short_weight, short_bias, lags, x, residual_lags] = &mut self.0;
        let projected = thirds(rows(projected, 3 * d_model, seq).collect());
        let short = short_weight.parts(width).into_iter().zip(short_bias.parts(1));
        let short = short.map(|(taps, bias)| ShortGrad { taps: taps.zeros(), bias: &mut bias.zeros()[0] });
        let mut rows = [lags, x, residual_lags].map(|all| rows(all, d_model, seq));
        let channels = projected.zip(thirds(short.collect()));
        let channel = |(projected, short)| {
            let [lags, x, residual_lags] = rows.each_mut().map(|rows| rows.next().expect("one a channel"));
            ChannelGrads { projected, short, lags, x, residual_lags }
        };
        channels.map(channel).collect()
    }

    pub(super) fn into_arrays(self, saved: &Saved<'_>) -> Vec<Option<Array>> {
        let inputs = self.0.into_iter().zip(saved.inputs).zip(saved.wanted);
        let array = |grad: Unwritten, shape: &[usize]| Array::new(grad.into_vec(), shape);
        inputs.map(|((grad, input), wanted)| wanted.then(|| array(grad, input.shape))).collect()
    }
}

/// The rows of each channel.
fn rows(values: &mut Unwritten, channels: usize, seq: usize) -> impl Iterator<Item = Rows<'_>> {
    rows_by_channel(values.parts(seq), channels).into_iter().map(Vec::into_iter)
}

/// The items of the three parts, channel by channel.
fn thirds<T>(mut items: Vec<T>) -> impl Iterator<Item = [T; 3]> {
    let third = items.len() / 3;
    let v = items.split_off(2 * third);
    let x2 = items.split_off(third);
    items.into_iter().zip(x2).zip(v).map(|((x1, x2), v)| [x1, x2, v])
}

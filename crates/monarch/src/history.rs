//! What causal convolutions keep: the short one its last inputs, and a filter as long as the sequence everything that it has
//! read.

use std::ops::Range;

use burn::module::Param;
use burn::tensor::Tensor;
use subquad_backend::{Form, short_conv::short_conv};
use subquad_mixer::{Contract, Kept, MixerError, MixerState, Origin};

use crate::ConvAlgorithm;

/// State of a causal [`M2`](crate::M2) or [`Hyena`](crate::Hyena): what each long filter has read, because it is as long as the
/// sequence, and the last projected inputs of the short convolution. It belongs to the parameters that made it.
#[derive(Debug, Clone)]
pub struct LongConvState {
    origin: Origin,
    /// `[batch, short_filter - 1, width of the projection]`
    pub(crate) projected: Tensor<3>,
    /// Of the filters in the order in which they run.
    pub(crate) histories: Vec<History>,
}

impl LongConvState {
    pub(crate) fn new(origin: Origin, projected: Tensor<3>, filters: usize) -> Self {
        Self { origin, projected, histories: vec![History::default(); filters] }
    }

    pub(crate) fn tokens(&self) -> usize {
        self.histories.first().map_or(0, History::tokens)
    }
}

impl MixerState for LongConvState {
    fn floats(&self) -> usize {
        let [_, rows, width] = self.projected.dims();
        rows * width + self.histories.iter().map(History::floats).sum::<usize>()
    }

    fn origin(&self) -> Option<&Origin> {
        Some(&self.origin)
    }

    fn check_like(&self, contract: &Contract, batch: usize, state: &Self) -> Result<(), MixerError> {
        let kept = Kept { name: "projected", tensor: &state.projected, of_one: self.projected.dims() };
        contract.check_state(batch, state.origin(), &self.origin, &[kept])
    }
}

/// A causal filter.
pub(crate) struct LongFilter<'a> {
    /// From a number of taps to `[d_model, taps]`, the bias at lag 0.
    pub(crate) taps: &'a dyn Fn(usize) -> Tensor<2>,
    pub(crate) l_max: usize,
    pub(crate) conv: ConvAlgorithm,
    pub(crate) form: Form,
}

/// How a history continues: [`History::chunk`] or [`History::token`].
pub(crate) type Advance = fn(&mut History, Tensor<3>, LongFilter<'_>) -> Tensor<3>;

/// What one long filter has read.
#[derive(Debug, Clone, Default)]
pub(crate) struct History {
    /// `[batch, d_model, tokens]`; `None` before the first token.
    past: Option<Tensor<3>>,
    /// The whole filter with the newest token's tap last: `[d_model, l_max]`. Derived from the parameters at the first
    /// step, so that a step does not run the filter's network over all positions; not counted as state.
    taps: Option<Tensor<2>>,
}

impl History {
    pub(crate) fn tokens(&self) -> usize {
        self.past.as_ref().map_or(0, |past| past.dims()[2])
    }

    /// What it has read, `[batch, d_model, tokens]`; `None` before the first token.
    pub(crate) fn past(&self) -> Option<Tensor<3>> {
        self.past.clone()
    }

    pub(crate) fn floats(&self) -> usize {
        self.past.as_ref().map_or(0, |past| past.dims()[1] * past.dims()[2])
    }

    /// Filters a chunk `[batch, d_model, seq]` that comes after the past, as a whole sequence.
    pub(crate) fn chunk(&mut self, x: Tensor<3>, filter: LongFilter<'_>) -> Tensor<3> {
        let (before, [_, _, seq]) = (self.tokens(), x.dims());
        let kernel = (filter.taps)(before + seq);
        filter.conv.convolve(self.append(x), kernel, None, filter.form).narrow(2, before, seq)
    }

    /// Filters one token `[batch, d_model, 1]` by the definition: `sum over s <= t of k_{t-s} x_s`.
    pub(crate) fn token(&mut self, x: Tensor<3>, filter: LongFilter<'_>) -> Tensor<3> {
        let (inputs, LongFilter { taps, l_max, .. }) = (self.append(x), filter);
        let [_, _, tokens] = inputs.dims();
        let taps = self.taps.get_or_insert_with(|| taps(l_max).flip([1]));
        let taps = taps.clone().narrow(1, l_max - tokens, tokens);
        (inputs * taps.unsqueeze::<3>()).sum_dim(2)
    }

    fn append(&mut self, x: Tensor<3>) -> Tensor<3> {
        let all = append(self.past.take(), x, 2);
        self.past.insert(all).clone()
    }
}

/// What a short convolution remembers before the first token: zeros, `[batch, width - 1, channels]`.
pub(crate) fn no_past(batch: usize, weight: &Param<Tensor<2>>) -> Tensor<3> {
    let weight = weight.val();
    let [channels, width] = weight.dims();
    Tensor::zeros([batch, width - 1, channels], &weight.device())
}

/// The short convolution of a chunk that follows `past`; `past` is advanced.
pub(crate) fn short_conv_after(
    past: &mut Tensor<3>,
    x: Tensor<3>,
    weight: Tensor<2>,
    bias: Tensor<1>,
    form: Form,
) -> Tensor<3> {
    let ([_, rows, _], [_, seq, _]) = (past.dims(), x.dims());
    if rows == 0 {
        return short_conv(x, weight, bias, form);
    }
    let all = Tensor::cat(vec![past.clone(), x], 1);
    *past = copied(&all, seq..seq + rows);
    short_conv(all, weight, bias, form).narrow(1, rows, seq)
}

/// Joins `past`, if there is one, and `x` along `axis`.
pub(crate) fn append(past: Option<Tensor<3>>, x: Tensor<3>, axis: usize) -> Tensor<3> {
    match past {
        Some(past) => Tensor::cat(vec![past, x], axis),
        None => x,
    }
}

/// A copy of some tokens of `x [batch, tokens, width]`: a view would keep all of them in memory.
pub(crate) fn copied(x: &Tensor<3>, tokens: Range<usize>) -> Tensor<3> {
    Tensor::cat(tokens.map(|t| x.clone().narrow(1, t, 1)).collect(), 1)
}

//! The fused form: one thread per channel, gradients by recomputing the spectra.
//!
//! The kernel's spectrum is computed once per channel and used for the whole batch. The backward pass keeps only `u`
//! and the kernels.

use burn::tensor::Tensor;
use rayon::prelude::*;

use super::{Convolver, Filter, rows_by_channel};
use crate::kernel::{Array, CpuKernel, Operand, Part, Saved, Unwritten, View, apply};

pub(super) fn conv(u: Tensor<3>, kernel: Tensor<2>, reverse: Option<Tensor<2>>) -> Tensor<3> {
    let reverse = reverse.map(Operand::from);
    apply(FftConv, [u.into(), kernel.into()].into_iter().chain(reverse))
}

/// Inputs: `u [batch, channels, seq]`, `kernel [channels, len]` and, if two-sided, `reverse [channels, len]`.
#[derive(Debug)]
struct FftConv;

impl CpuKernel for FftConv {
    fn forward(&self, inputs: &[View<'_>]) -> Array {
        let [batch, channels, seq] = inputs[0].dims();
        let mut y = Unwritten::new(batch * channels * seq);
        rows_by_channel(y.parts(seq), channels).into_par_iter().enumerate().for_each_init(
            || Work::new(seq),
            |work, (channel, rows)| {
                work.load(inputs, channel);
                for (b, row) in rows.into_iter().enumerate() {
                    let u = inputs[0].row(b * channels + channel);
                    work.convolver.convolve(&work.filter, u, row.zeros());
                }
            },
        );
        Array::new(y.into_vec(), [batch, channels, seq])
    }

    fn backward(&self, saved: &Saved<'_>) -> Vec<Option<Array>> {
        let [_, channels, seq] = saved.inputs[0].dims();
        let mut grads: Vec<_> = saved.inputs.iter().map(|input| Unwritten::new(input.data.len())).collect();
        let (du, kernels) = grads.split_at_mut(1);
        let rows = rows_by_channel(du[0].parts(seq), channels);
        rows.into_par_iter().zip(by_kernel(kernels, &saved.inputs[1..])).enumerate().for_each_init(
            || Work::new(seq),
            |work, (channel, (rows, taps))| work.channel_grads(saved, channel, rows, taps),
        );
        let grads = grads.into_iter().zip(saved.inputs).zip(saved.wanted);
        grads
            .map(|((grad, input), wanted)| wanted.then(|| Array::new(grad.into_vec(), input.shape)))
            .collect()
    }
}

/// The taps of each channel: of its kernel and, if two-sided, of the reverse one.
fn by_kernel<'a>(grads: &'a mut [Unwritten], kernels: &[View<'_>]) -> Vec<Vec<Part<'a>>> {
    let [channels, _] = kernels[0].dims();
    let taps = grads.iter_mut().zip(kernels).flat_map(|(grad, kernel)| grad.parts(kernel.dims::<2>()[1]));
    rows_by_channel(taps, channels)
}

/// One thread's buffers.
struct Work {
    convolver: Convolver,
    filter: Filter,
}

impl Work {
    fn new(seq: usize) -> Self {
        let convolver = Convolver::new(seq);
        let filter = convolver.filter();
        Self { convolver, filter }
    }

    fn load(&mut self, inputs: &[View<'_>], channel: usize) {
        let reverse = inputs.get(2).map_or(&[][..], |reverse| reverse.row(channel));
        self.convolver.load(&mut self.filter, inputs[1].row(channel), reverse);
    }

    /// Writes the rows of `du` and the taps' gradients of one channel, each if wanted.
    fn channel_grads(&mut self, saved: &Saved<'_>, channel: usize, rows: Vec<Part<'_>>, taps: Vec<Part<'_>>) {
        let [_, channels, _] = saved.inputs[0].dims();
        self.load(saved.inputs, channel);
        let learns = saved.wanted[1..].contains(&true);
        for (b, row) in rows.into_iter().enumerate() {
            let at = b * channels + channel;
            let u = learns.then(|| saved.inputs[0].row(at));
            let du = saved.wanted[0].then(|| row.zeros());
            self.convolver.grads(&mut self.filter, u, saved.grad.row(at), du);
        }
        if learns {
            let mut taps = taps.into_iter().map(Part::zeros);
            let (taps, reverse) = (taps.next().expect("a kernel"), taps.next().unwrap_or_default());
            self.convolver.tap_grads(&mut self.filter, taps, reverse);
        }
    }
}

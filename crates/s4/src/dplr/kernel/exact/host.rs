//! The exact frequencies of every channel as a burn operation: one thread per channel, only the inputs kept.

use std::sync::Arc;

use rayon::prelude::*;
use subquad_backend::kernel::{Array, CpuKernel, Saved, View};

use super::super::fused::{by_part, rows};
use super::Frequencies;
use super::channel::{Channel, Sizes};

/// Inputs: the steps in two parts, `[2, d_model, 1 or pairs]`; then `[2 (2 + rank + kernels) + 1, d_model, pairs]`, real and imaginary
/// parts of `a`, of `b`, of every row of `P` and of every `C~`, and the second part of `Re a`. Output: `[kernels, d_model, 2 most]`.
#[derive(Debug)]
pub(super) struct ExactKernel {
    pub(super) frequencies: Arc<Frequencies>,
    pub(super) kernels: usize,
    pub(super) rank: usize,
}

impl ExactKernel {
    fn channel(&self, inputs: &[View<'_>], h: usize) -> Channel {
        let sizes = Sizes { kernels: self.kernels, rank: self.rank, l_max: self.frequencies.l_max() };
        Channel::new(sizes, &rows(&inputs[0], h), &rows(&inputs[1], h))
    }
}

impl CpuKernel for ExactKernel {
    fn forward(&self, inputs: &[View<'_>]) -> Array {
        let ([_, d_model, _], most) = (inputs[1].dims(), self.frequencies.most());
        let mut spectra = vec![0.0; self.kernels * d_model * 2 * most];
        let by_channel: Vec<_> = (0..d_model)
            .into_par_iter()
            .map(|h| self.channel(inputs, h).spectra(self.frequencies.channel(h)))
            .collect();
        for (i, row) in spectra.chunks_exact_mut(2 * most).enumerate() {
            let (re, im) = row.split_at_mut(most);
            let (kernel, h) = (i / d_model, i % d_model);
            for (j, point) in by_channel[h][kernel].iter().enumerate() {
                (re[j], im[j]) = (point.re as f32, point.im as f32);
            }
        }
        Array::new(spectra, [self.kernels, d_model, 2 * most])
    }

    fn backward(&self, saved: &Saved<'_>) -> Vec<Option<Array>> {
        let [_, d_model, _] = saved.inputs[1].dims();
        let grads: Vec<[Vec<f32>; 2]> = (0..d_model)
            .into_par_iter()
            .map(|h| {
                let of_spectra = rows(&saved.grad, h);
                self.channel(saved.inputs, h).grads(self.frequencies.channel(h), &of_spectra)
            })
            .collect();
        let inputs = saved.inputs.iter().zip(saved.wanted).enumerate();
        inputs.map(|(i, (input, wanted))| wanted.then(|| by_part(input.shape, &grads, i))).collect()
    }
}

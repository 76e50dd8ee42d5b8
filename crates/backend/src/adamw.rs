//! One step of AdamW (Loshchilov, Hutter 2019, algorithm 2) on one parameter, in parallel passes.
//!
//! ```text
//! m_t = beta_1 m_{t-1} + (1 - beta_1) g        v_t = beta_2 v_{t-1} + (1 - beta_2) g^2
//! w_t = (1 - rate decay) w_{t-1} - rate (m_t / (1 - beta_1^t)) / (sqrt(v_t / (1 - beta_2^t)) + epsilon)
//! ```
//! Every number is rounded as burn's own optimiser rounds it, so the two give the same bits.

use burn::tensor::Tensor;
use rayon::prelude::*;

use crate::kernel::{Array, CpuKernel, Saved, Unwritten, View, apply};
use crate::simd::{self, Lockstep};

/// Elements that one thread takes at a time.
const CHUNK: usize = 1 << 14;

/// What one step depends on besides the gradient.
#[derive(Debug, Clone, Copy)]
pub struct AdamWStep {
    /// Decay of the first and the second moment.
    pub betas: [f32; 2],
    /// Added to the root of the second moment.
    pub epsilon: f32,
    /// Decay of the weights, times the learning rate.
    pub weight_decay: f32,
    /// Learning rate.
    pub rate: f64,
    /// Number of this step, counted from 1.
    pub time: usize,
}

impl AdamWStep {
    /// The moments after the gradient `grad`; before the first step they are zero and need not be given.
    ///
    /// # Panics
    /// If a tensor is not f32 on the `cpu` device.
    pub fn moments<const D: usize>(
        &self,
        grad: Tensor<D>,
        moments: Option<[Tensor<D>; 2]>,
    ) -> [Tensor<D>; 2] {
        let [first, second] = self.betas.map(|beta| move |square| Moment { beta, square });
        match moments {
            Some([m, v]) => [
                apply(first(false), [grad.clone().into(), m.into()]),
                apply(second(true), [grad.into(), v.into()]),
            ],
            None => [apply(first(false), [grad.clone().into()]), apply(second(true), [grad.into()])],
        }
    }

    /// The weights after a step with these moments.
    ///
    /// # Panics
    /// As [`moments`](Self::moments).
    pub fn weights<const D: usize>(&self, weights: Tensor<D>, [m, v]: [Tensor<D>; 2]) -> Tensor<D> {
        apply(Update(*self), [weights.into(), m.into(), v.into()])
    }
}

/// Runs `f` on chunks of the output and of every input, in all threads.
fn in_chunks<const N: usize>(inputs: [&[f32]; N], f: impl Fn(&mut [f32], [&[f32]; N]) + Sync) -> Vec<f32> {
    let mut out = Unwritten::new(inputs[0].len());
    out.parts(CHUNK).into_par_iter().enumerate().for_each(|(index, out)| {
        let first = index * CHUNK;
        let inputs = inputs.map(|input| &input[first..first + out.len()]);
        let out = out.copied(inputs[0]);
        simd::run(
            #[inline(always)]
            || f(out, inputs),
        );
    });
    out.into_vec()
}

/// Inputs: the gradient and, after the first step, the moment.
#[derive(Debug)]
struct Moment {
    beta: f32,
    /// Whether it is of the gradient's square.
    square: bool,
}

impl CpuKernel for Moment {
    fn forward(&self, inputs: &[View<'_>]) -> Array {
        let Self { beta, square } = *self;
        let data = match *inputs {
            [grad, moment] => in_chunks([grad.data, moment.data], |out, [_, moment]| {
                for (out, moment) in out.iter_mut().lockstep(moment) {
                    let grad = if square { *out * *out } else { *out };
                    *out = moment * beta + grad * (1.0 - beta);
                }
            }),
            _ => in_chunks([inputs[0].data], |out, _| {
                for out in out {
                    let grad = if square { *out * *out } else { *out };
                    *out = grad * (1.0 - beta);
                }
            }),
        };
        Array::new(data, inputs[0].shape)
    }

    fn backward(&self, _: &Saved<'_>) -> Vec<Option<Array>> {
        unreachable!("an optimiser is not differentiated")
    }
}

/// Inputs: weights, first and second moment.
#[derive(Debug)]
struct Update(AdamWStep);

impl CpuKernel for Update {
    fn forward(&self, inputs: &[View<'_>]) -> Array {
        let AdamWStep { betas, epsilon, weight_decay, rate, time } = self.0;
        let [first, second] = betas.map(|beta| 1.0 - beta.powi(time as i32));
        let decay = (1.0 - rate * f64::from(weight_decay)) as f32;
        let rate = rate as f32;
        let [weights, m, v] = [0, 1, 2].map(|input| inputs[input].data);
        let data = in_chunks([weights, m, v], |weights, [_, m, v]| {
            for ((weight, m), v) in weights.iter_mut().lockstep(m).lockstep(v) {
                let change = (m / first) / ((v / second).sqrt() + epsilon);
                *weight = *weight * decay - change * rate;
            }
        });
        Array::new(data, inputs[0].shape)
    }

    fn backward(&self, _: &Saved<'_>) -> Vec<Option<Array>> {
        unreachable!("an optimiser is not differentiated")
    }
}

#[cfg(test)]
mod tests {
    use burn::optim::{AdamWConfig, Optimizer};
    use burn::tensor::Device;

    use super::*;
    use crate::seeded_tensor;

    #[test]
    fn steps_are_burns_bit_for_bit() {
        for (shape, weight_decay) in [([1, 1], 0.1), ([3, 7], 0.0), ([130, 257], 0.01)] {
            let theirs = AdamWConfig::new().with_epsilon(1e-8).with_weight_decay(weight_decay).build();
            let tensor = |seed| seeded_tensor::<2>(shape, seed, &Device::flex());
            let (mut expected, mut state) = (tensor(1), None);
            let (mut weights, mut moments) = (tensor(1), None);
            for time in 1..=4 {
                let (grad, rate) = (tensor(1 + time as u64), 0.003 * time as f64);
                (expected, state) = theirs.step(rate, expected, grad.clone(), state);
                let step = AdamWStep { betas: [0.9, 0.999], epsilon: 1e-8, weight_decay, rate, time };
                let next = step.moments(grad, moments);
                weights = step.weights(weights, next.clone());
                moments = Some(next);
                assert_eq!(weights.to_data(), expected.to_data(), "{shape:?}, step {time}");
            }
        }
    }
}

//! The options that every layer of the family has, and the parameters that they give.

use burn::module::Param;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Distribution, Tensor, TensorData};
use subquad_backend::Form;

use super::with_shared_options;
use crate::init::Mode;
use crate::layer::{Drops, Rules};
use crate::taps::MaxTaps;
use crate::{Modes, S4dInit, SsmLayer, StateSpace};

macro_rules! ssm_options {
    ({} $($(#[$about:meta])* pub $option:ident: $type:ty,)*) => {
        /// The options of a state space on `d_model` channels, and of the rest of its layer.
        pub(super) struct SsmOptions {
            pub(super) d_model: usize,
            pub(super) d_state: usize,
            $(pub(super) $option: $type,)*
        }
    };
}
with_shared_options!(ssm_options! {});

impl SsmOptions {
    /// Floats kept per float of the input in training.
    pub(super) fn kept(&self) -> f64 {
        7.0 + 2.0 * self.channels as f64
    }

    /// Floats of kernels as long as the sequence.
    pub(super) fn kernel_floats(&self, seq_len: usize) -> f64 {
        let (rows, seq, d_state) = (self.d_model * self.channels, seq_len as f64, self.d_state as f64);
        rows as f64 * (2.0 * seq + 10.0 * d_state)
    }

    pub(super) fn systems(&self) -> usize {
        self.n_ssm.unwrap_or(self.d_model)
    }

    pub(super) fn pairs(&self) -> usize {
        self.d_state / 2
    }

    /// How many numbers the state space learns.
    pub(super) fn n_modes_parameters(&self) -> usize {
        let Self { d_model, dt_tie, .. } = *self;
        let (pairs, complex) = (self.pairs(), 2);
        let steps = d_model * if dt_tie { 1 } else { pairs };
        steps + complex * pairs * (2 * self.systems() + self.kernels() * d_model)
    }

    /// How many numbers the skip and the output layer learn.
    pub(super) fn n_tail_parameters(&self) -> usize {
        let rows = self.channels * self.d_model;
        rows + self.output.width(self.d_model).map_or(0, |width| (rows + 1) * width)
    }

    /// Kernels per channel, in both directions.
    pub(super) fn kernels(&self) -> usize {
        self.channels * if self.bidirectional { 2 } else { 1 }
    }

    /// `A` and `B` of every system, from the formulas of `init`.
    pub(super) fn diagonal_systems(&self, init: S4dInit, device: &Device) -> Vec<Vec<Mode>> {
        let mut normal = || draws([1], Distribution::Normal(0.0, 1.0), device)[0];
        init.systems(self.d_state, self.systems(), self.b_clip, &mut normal)
    }

    /// The pairs: `A` and `B` as given for every system, steps and `C` drawn.
    pub(super) fn modes(&self, systems: &[Vec<Mode>], device: &Device) -> Modes {
        let c_shape = [self.kernels(), self.d_model, self.pairs()];
        // A complex standard normal: real and imaginary part share the variance of 1.
        let half_normal = Distribution::Normal(0.0, 0.5f64.sqrt());
        let stored = |decay| self.real_transform.invert(decay);
        Modes {
            inv_dt: self.steps(device),
            inv_a_re: per_system(systems, |mode| stored(mode.decay), device),
            a_im: per_system(systems, |mode| mode.frequency, device),
            b_re: per_system(systems, |mode| mode.b_re, device),
            b_im: per_system(systems, |mode| mode.b_im, device),
            c_re: random(c_shape, half_normal, device),
            c_im: random(c_shape, half_normal, device),
            dt_transform: self.dt_transform,
            real_transform: self.real_transform,
        }
    }

    /// Logarithms that are uniform between those of the two limits, which may be equal.
    fn steps(&self, device: &Device) -> Param<Tensor<2>> {
        let (low, high) = (self.dt_min.ln(), self.dt_max.ln());
        let shape = [self.d_model, if self.dt_tie { 1 } else { self.pairs() }];
        let unit: Vec<f64> = draws(shape, Distribution::Uniform(0.0, 1.0), device);
        let stored = |u: f64| self.dt_transform.invert((low + u * (high - low)).exp()) as f32;
        let values: Vec<f32> = unit.into_iter().map(stored).collect();
        Param::from_tensor(Tensor::from_data(TensorData::new(values, shape), device))
    }

    /// The layer on a state space.
    pub(super) fn layer<S: StateSpace>(&self, ssm: S, device: &Device) -> SsmLayer<S> {
        let output_width = self.output.width(self.d_model);
        SsmLayer {
            ssm,
            d: random([self.channels, self.d_model], Distribution::Normal(0.0, 1.0), device),
            output: output_width.map(|width| drawn_linear(self.channels * self.d_model, width, device)),
            rules: Rules {
                bidirectional: self.bidirectional,
                activation: self.activation,
                output: self.output,
                drops: Drops { rate: self.dropout, tied: self.tie_dropout, of_kernel: self.kernel_dropout },
                ssm_lr: self.ssm_lr,
                max_taps: MaxTaps::default(),
            },
            form: Form::for_device(device),
        }
    }
}

/// One number of every pair of every system, in f32: `[n_ssm, pairs]`.
pub(super) fn per_system<T>(
    systems: &[Vec<T>],
    value: impl Fn(&T) -> f64,
    device: &Device,
) -> Param<Tensor<2>> {
    let shape = [systems.len(), systems[0].len()];
    let values: Vec<f32> = systems.iter().flatten().map(|mode| value(mode) as f32).collect();
    Param::from_tensor(Tensor::from_data(TensorData::new(values, shape), device))
}

/// Numbers from the device's generator, on the host.
pub(super) fn draws<const D: usize>(shape: [usize; D], values: Distribution, device: &Device) -> Vec<f64> {
    let drawn: Tensor<D> = Tensor::random(shape, values, device);
    subquad_backend::read(drawn).iter::<f64>().collect()
}

/// A parameter from the device's generator, drawn at once.
pub(super) fn random<const D: usize>(
    shape: [usize; D],
    values: Distribution,
    device: &Device,
) -> Param<Tensor<D>> {
    Param::from_tensor(Tensor::random(shape, values, device))
}

/// Drawn at once: burn would draw at first use, and the values would depend on what is used first.
pub(super) fn drawn_linear(d_input: usize, d_output: usize, device: &Device) -> Linear {
    let linear = LinearConfig::new(d_input, d_output).init(device);
    linear.weight.val();
    linear.bias.as_ref().map(Param::val);
    linear
}

//! The options that every layer of the family has: their check, and the parameters they give.

use burn::module::Param;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Distribution, Tensor, TensorData};
use subquad_backend::Form;
use subquad_backend::pointwise::Activation;

use super::S4ConfigError;
use crate::init::Mode;
use crate::layer::{Drops, Rules};
use crate::taps::MaxTaps;
use crate::{Modes, OutputMix, RealTransform, S4dInit, SsmLayer, StateSpace, StepTransform};

/// All that the configs share.
pub(super) struct Options {
    pub(super) d_model: usize,
    pub(super) d_state: usize,
    pub(super) bidirectional: bool,
    pub(super) channels: usize,
    pub(super) n_ssm: Option<usize>,
    pub(super) dt_min: f64,
    pub(super) dt_max: f64,
    pub(super) dt_tie: bool,
    pub(super) dt_transform: StepTransform,
    pub(super) real_transform: RealTransform,
    pub(super) b_clip: Option<f64>,
    pub(super) ssm_lr: f64,
    pub(super) activation: Activation,
    pub(super) output: OutputMix,
    pub(super) dropout: f64,
    pub(super) tie_dropout: bool,
    pub(super) kernel_dropout: f64,
}

/// Initial steps that f32 formulas stand, far beyond any use: times of 1e12 tokens and of a millionth of one.
const LEAST_STEP: f64 = 1e-12;
const LARGEST_STEP: f64 = 1e6;

impl Options {
    pub(super) fn check(&self) -> Result<(), S4ConfigError> {
        let Self { d_model, d_state, channels, .. } = *self;
        if d_model == 0 {
            return Err(S4ConfigError::NoWidth);
        }
        if d_state < 2 || !d_state.is_multiple_of(2) {
            return Err(S4ConfigError::OddState { d_state });
        }
        let n_ssm = self.systems();
        if n_ssm == 0 || !d_model.is_multiple_of(n_ssm) {
            return Err(S4ConfigError::UnevenSharing { n_ssm, d_model });
        }
        if channels == 0 {
            return Err(S4ConfigError::Zero { name: "channels" });
        }
        if channels > 1 && self.output == OutputMix::None {
            return Err(S4ConfigError::WideOutput { channels });
        }
        self.check_numbers()
    }

    fn check_numbers(&self) -> Result<(), S4ConfigError> {
        let Self { dt_min, dt_max, ssm_lr, .. } = *self;
        if !(0.0 < dt_min && dt_min <= dt_max && dt_max.is_finite()) {
            return Err(S4ConfigError::StepRange { dt_min, dt_max });
        }
        if dt_min < LEAST_STEP || dt_max > LARGEST_STEP {
            return Err(S4ConfigError::StepBeyondF32 { dt_min, dt_max });
        }
        if let Some(value) = self.b_clip.filter(|clip| !(*clip > 0.0 && clip.is_finite())) {
            return Err(S4ConfigError::NotPositive { name: "b_clip", value });
        }
        if !(ssm_lr >= 0.0 && ssm_lr.is_finite()) {
            return Err(S4ConfigError::Negative { name: "ssm_lr", value: ssm_lr });
        }
        let rates = [("dropout", self.dropout), ("kernel_dropout", self.kernel_dropout)];
        match rates.into_iter().find(|(_, rate)| !(0.0..1.0).contains(rate)) {
            Some((name, value)) => Err(S4ConfigError::NotARate { name, value }),
            None => Ok(()),
        }
    }

    /// Whether `n_ssm` systems hold as many of each of the `parts` kinds of `init`.
    pub(super) fn check_mixture(&self, init: &str, parts: usize) -> Result<(), S4ConfigError> {
        let n_ssm = self.systems();
        match n_ssm.is_multiple_of(parts) {
            true => Ok(()),
            false => Err(S4ConfigError::UnevenMixture { init: init.into(), parts, n_ssm }),
        }
    }

    /// Whether decays start above the floor of the transform, where they have a gradient.
    pub(super) fn check_floor(&self, init: &str, at_floor: bool) -> Result<(), S4ConfigError> {
        match self.real_transform == RealTransform::Relu && at_floor {
            true => Err(S4ConfigError::DecayAtFloor { init: init.into() }),
            false => Ok(()),
        }
    }

    /// Whether the transform reaches a decay as large as the init's largest.
    pub(super) fn check_decay(&self, init: &str, decay: f64) -> Result<(), S4ConfigError> {
        match self.real_transform == RealTransform::Sigmoid && decay >= 1.0 {
            true => Err(S4ConfigError::DecayRange { init: init.into(), decay }),
            false => Ok(()),
        }
    }

    pub(super) fn systems(&self) -> usize {
        self.n_ssm.unwrap_or(self.d_model)
    }

    pub(super) fn pairs(&self) -> usize {
        self.d_state / 2
    }

    /// Learned numbers of the state space.
    pub(super) fn n_modes_parameters(&self) -> usize {
        let Self { d_model, dt_tie, .. } = *self;
        let (pairs, complex) = (self.pairs(), 2);
        let steps = d_model * if dt_tie { 1 } else { pairs };
        steps + complex * pairs * (2 * self.systems() + self.kernels() * d_model)
    }

    /// Those of the skip and the output layer.
    pub(super) fn n_tail_parameters(&self) -> usize {
        let rows = self.channels * self.d_model;
        rows + self.output.width(self.d_model).map_or(0, |width| (rows + 1) * width)
    }

    /// Kernels of a channel, in both directions.
    fn kernels(&self) -> usize {
        self.channels * if self.bidirectional { 2 } else { 1 }
    }

    /// `A` and `B` of every system, from the formulas of `init`.
    pub(super) fn diagonal_systems(&self, init: S4dInit, device: &Device) -> Vec<Vec<Mode>> {
        let mut normal = || draws([1], Distribution::Normal(0.0, 1.0), device)[0];
        init.systems(self.d_state, self.systems(), self.b_clip, &mut normal)
    }

    /// The pairs, `A` and `B` as given for every system, steps and `C` drawn.
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

    /// Logarithms uniform between those of both limits, which may be equal.
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
        SsmLayer {
            ssm,
            d: random([self.channels, self.d_model], Distribution::Normal(0.0, 1.0), device),
            output: output(self.channels * self.d_model, self.output, self.d_model, device),
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

fn output(width: usize, kind: OutputMix, d_model: usize, device: &Device) -> Option<Linear> {
    Some(drawn_linear(width, kind.width(d_model)?, device))
}

/// Drawn at once: burn would draw at first use, so that the values depended on what is used first.
pub(super) fn drawn_linear(d_input: usize, d_output: usize, device: &Device) -> Linear {
    let linear = LinearConfig::new(d_input, d_output).init(device);
    linear.weight.val();
    linear.bias.as_ref().map(Param::val);
    linear
}

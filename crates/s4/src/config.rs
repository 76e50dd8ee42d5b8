//! What an S4D layer can be built with.

use burn::config::Config;
use burn::module::Param;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Distribution, Tensor, TensorData};
use subquad_backend::Form;

use crate::init::Mode;
use crate::{Discretization, S4d, S4dInit};

/// Configuration of an [`S4d`] layer.
#[derive(Config, Debug)]
pub struct S4dConfig {
    /// Width of input and output.
    pub d_model: usize,
    /// Real state size of a channel, even: half as many conjugate pairs are kept. Memory and kernel cost grow linearly
    /// with it.
    #[config(default = 64)]
    pub d_state: usize,
    /// Where the eigenvalues start.
    #[config(default = "S4dInit::Lin")]
    pub init: S4dInit,
    /// How the continuous system becomes a recurrence.
    #[config(default = "Discretization::Zoh")]
    pub discretization: Discretization,
    /// Whether every output sees the whole sequence, through a second kernel that runs backwards.
    #[config(default = false)]
    pub bidirectional: bool,
    /// How many different `A` and `B` there are; channel `h` uses number `h mod n_ssm`. `None` is one a channel.
    #[config(default = "None")]
    pub n_ssm: Option<usize>,
    /// Smallest initial step, in token intervals: about 1 / (longest memory wanted).
    #[config(default = 1e-3)]
    pub dt_min: f64,
    /// Largest initial step. The logarithms of the steps start uniform between the two.
    #[config(default = 0.1)]
    pub dt_max: f64,
    /// Bound on the imaginary part of the initial `B`, which only `legs` exceeds. The published layer uses 2; without
    /// it `legs` is exact HiPPO.
    #[config(default = "Some(2.0)")]
    pub b_clip: Option<f64>,
    /// Upper limit of the learning rate of steps, `A` and `B`, which train without weight decay.
    #[config(default = 1e-3)]
    pub ssm_lr: f64,
}

/// Why an [`S4dConfig`] is no layer.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum S4dConfigError {
    /// The width is zero.
    #[error("d_model must be at least 1, got 0")]
    NoWidth,
    /// The state does not come in conjugate pairs.
    #[error(
        "d_state counts both members of each conjugate pair, so it must be even and at least 2, got {d_state}"
    )]
    OddState {
        /// State size asked for.
        d_state: usize,
    },
    /// The channels cannot share the systems equally.
    #[error(
        "{n_ssm} systems cannot be shared equally by d_model = {d_model} channels; choose a divisor of {d_model}"
    )]
    UnevenSharing {
        /// Systems asked for.
        n_ssm: usize,
        /// Width of the layer.
        d_model: usize,
    },
    /// The range of initial steps is empty or not positive.
    #[error("initial steps need 0 < dt_min <= dt_max < infinity, got dt_min = {dt_min}, dt_max = {dt_max}")]
    StepRange {
        /// Smallest step.
        dt_min: f64,
        /// Largest step.
        dt_max: f64,
    },
    /// A number that must be positive is not.
    #[error("{name} must be positive and finite, got {value}")]
    NotPositive {
        /// The option.
        name: &'static str,
        /// Its value.
        value: f64,
    },
}

impl S4dConfig {
    /// Whether [`init`](Self::init) would succeed.
    ///
    /// # Errors
    /// If an option is out of its range, or two do not fit together.
    pub fn check(&self) -> Result<(), S4dConfigError> {
        let Self { d_model, d_state, dt_min, dt_max, .. } = *self;
        if d_model == 0 {
            return Err(S4dConfigError::NoWidth);
        }
        if d_state < 2 || !d_state.is_multiple_of(2) {
            return Err(S4dConfigError::OddState { d_state });
        }
        let n_ssm = self.systems();
        if n_ssm == 0 || !d_model.is_multiple_of(n_ssm) {
            return Err(S4dConfigError::UnevenSharing { n_ssm, d_model });
        }
        if !(0.0 < dt_min && dt_min <= dt_max && dt_max.is_finite()) {
            return Err(S4dConfigError::StepRange { dt_min, dt_max });
        }
        self.b_clip.map_or(Ok(()), |b_clip| check_positive("b_clip", b_clip))?;
        check_positive("ssm_lr", self.ssm_lr)
    }

    fn systems(&self) -> usize {
        self.n_ssm.unwrap_or(self.d_model)
    }

    /// The layer, with `A` and `B` as [`S4dInit`] says and everything else drawn from the device's generator.
    ///
    /// # Panics
    /// If [`check`](Self::check) fails.
    pub fn init(&self, device: &Device) -> S4d {
        self.check().unwrap_or_else(|e| panic!("S4dConfig: {e}"));
        let modes = self.init.modes(self.d_state, self.b_clip);
        let kernels = if self.bidirectional { 2 } else { 1 };
        let c_shape = [kernels, self.d_model, self.d_state / 2];
        // A complex standard normal: real and imaginary part share the variance of 1.
        let half_normal = Distribution::Normal(0.0, 0.5f64.sqrt());
        S4d {
            log_dt: self.log_steps(device),
            log_a_re: self.copies(&modes, |mode| mode.decay.ln(), device),
            a_im: self.copies(&modes, |mode| mode.frequency, device),
            b_re: self.copies(&modes, |mode| mode.b_re, device),
            b_im: self.copies(&modes, |mode| mode.b_im, device),
            c_re: random(c_shape, half_normal, device),
            c_im: random(c_shape, half_normal, device),
            d: random([self.d_model], Distribution::Normal(0.0, 1.0), device),
            output: output(self.d_model, device),
            discretization: self.discretization,
            ssm_lr: self.ssm_lr,
            form: Form::for_device(device),
        }
    }

    /// Uniform between the logarithms of both limits, which may be equal.
    fn log_steps(&self, device: &Device) -> Param<Tensor<1>> {
        let (low, high) = (self.dt_min.ln(), self.dt_max.ln());
        let unit = Tensor::random([self.d_model], Distribution::Uniform(0.0, 1.0), device);
        Param::from_tensor(unit * (high - low) + low)
    }

    /// One value of every pair, in f32, once for every system: `[n_ssm, pairs]`.
    fn copies(&self, modes: &[Mode], value: impl Fn(&Mode) -> f64, device: &Device) -> Param<Tensor<2>> {
        let row: Vec<f32> = modes.iter().map(|mode| value(mode) as f32).collect();
        let values = TensorData::new(row.repeat(self.systems()), [self.systems(), modes.len()]);
        Param::from_tensor(Tensor::from_data(values, device))
    }
}

fn check_positive(name: &'static str, value: f64) -> Result<(), S4dConfigError> {
    match value > 0.0 && value.is_finite() {
        true => Ok(()),
        false => Err(S4dConfigError::NotPositive { name, value }),
    }
}

fn random<const D: usize>(shape: [usize; D], values: Distribution, device: &Device) -> Param<Tensor<D>> {
    Param::from_tensor(Tensor::random(shape, values, device))
}

/// Drawn at once: burn would draw at first use, so that the values depended on what is used first.
pub(crate) fn output(d_model: usize, device: &Device) -> Linear {
    let linear = LinearConfig::new(d_model, 2 * d_model).init(device);
    linear.weight.val();
    linear.bias.as_ref().map(Param::val);
    linear
}

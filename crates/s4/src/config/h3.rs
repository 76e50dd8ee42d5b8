//! Options of H3.

use burn::config::Config;
use burn::tensor::{Device, Distribution};
use subquad_backend::Form;
use subquad_backend::pointwise::Activation;

use super::S4ConfigError;
use super::options::{Options, drawn_linear, random};
use crate::taps::MaxTaps;
use crate::{Diagonal, Discretization, H3, OutputMix, RealTransform, S4dInit, Shift, StepTransform};

/// Configuration of an [`H3`] layer.
#[derive(Config, Debug)]
pub struct H3Config {
    /// Width of input and output.
    pub d_model: usize,
    /// Features of a head. Of 1, keys meet values one by one; of more, every key of a head meets every value, and all
    /// these products share the head's kernel. State and cost grow linearly with it.
    #[config(default = 1)]
    pub head_dim: usize,
    /// Keys that the shift state space sees, the present one among them; and real state size of a product, even.
    #[config(default = 64)]
    pub d_state: usize,
    /// Where the eigenvalues and input weights of the diagonal state space start.
    #[config(default = "S4dInit::Lin")]
    pub init: S4dInit,
    /// How that continuous system becomes a recurrence; bilinear is the published layer's.
    #[config(default = "Discretization::Bilinear")]
    pub discretization: Discretization,
    /// How many different `A` and `B` there are; head `h` uses number `h mod n_ssm`. `None` is one a head.
    #[config(default = "None")]
    pub n_ssm: Option<usize>,
    /// Smallest initial step, in token intervals: about 1 / (longest memory wanted).
    #[config(default = 1e-3)]
    pub dt_min: f64,
    /// Largest initial step. The logarithms of the steps start uniform between the two.
    #[config(default = 0.1)]
    pub dt_max: f64,
    /// How a step is stored.
    #[config(default = "StepTransform::Exp")]
    pub dt_transform: StepTransform,
    /// How a decay is stored.
    #[config(default = "RealTransform::Exp")]
    pub real_transform: RealTransform,
    /// Bound on the imaginary part of the initial `B`, which HiPPO's exceeds.
    #[config(default = "Some(2.0)")]
    pub b_clip: Option<f64>,
    /// Whether the input weights of the shift state space train, as in the published implementation, or stay `e_0`, as
    /// in the paper. Both start as the same map.
    #[config(default = false)]
    pub train_shift_b: bool,
    /// Upper limit of the learning rate of steps, `A`, and `B` of either state space, which train without weight decay;
    /// 0 freezes them.
    #[config(default = 1e-3)]
    pub ssm_lr: f64,
}

impl H3Config {
    /// Whether [`init`](Self::init) would succeed.
    ///
    /// # Errors
    /// If an option is out of its range, or two do not fit together.
    pub fn check(&self) -> Result<(), S4ConfigError> {
        self.check_heads()?;
        let options = self.options();
        options.check()?;
        options.check_mixture(self.init.as_str(), self.init.parts().len())?;
        options.check_floor(self.init.as_str(), self.init.hardly_decays())?;
        options.check_decay(self.init.as_str(), self.init.largest_decay(self.d_state))
    }

    fn check_heads(&self) -> Result<(), S4ConfigError> {
        let Self { d_model, head_dim, .. } = *self;
        if d_model == 0 {
            return Err(S4ConfigError::NoWidth);
        }
        if head_dim == 0 || !d_model.is_multiple_of(head_dim) {
            return Err(S4ConfigError::UnevenHeads { head_dim, d_model });
        }
        let (n_heads, n_ssm) = (self.n_heads(), self.options().systems());
        match n_ssm != 0 && n_heads.is_multiple_of(n_ssm) {
            true => Ok(()),
            false => Err(S4ConfigError::UnevenHeadSharing { n_ssm, n_heads }),
        }
    }

    /// How many numbers the layer learns, without building it. The config must pass [`check`](Self::check).
    pub fn n_parameters(&self) -> usize {
        let Self { d_model, d_state, .. } = *self;
        let shift = d_model * d_state * if self.train_shift_b { 2 } else { 1 } + d_model;
        4 * (d_model + 1) * d_model + shift + self.options().n_modes_parameters() + self.n_heads()
    }

    /// The layer, with `A` and `B` as [`S4dInit`] says and everything else drawn from the device's generator.
    ///
    /// # Panics
    /// If [`check`](Self::check) fails.
    pub fn init(&self, device: &Device) -> H3 {
        self.check().unwrap_or_else(|e| panic!("H3Config: {e}"));
        let Self { d_model, head_dim, ssm_lr, .. } = *self;
        let linear = || drawn_linear(d_model, d_model, device);
        H3 {
            q: linear(),
            k: linear(),
            v: linear(),
            shift: self.shift(device),
            ssm: self.diagonal(device),
            d: random([self.n_heads()], Distribution::Normal(0.0, 1.0), device),
            output: linear(),
            head_dim,
            ssm_lr,
            max_taps: MaxTaps::default(),
            form: Form::for_device(device),
        }
    }

    /// `C` as the weights of a convolution of `d_state` taps start.
    fn shift(&self, device: &Device) -> Shift {
        let Self { d_model, d_state, .. } = *self;
        let bound = 1.0 / (d_state as f64).sqrt();
        Shift {
            c: random([d_model, d_state], Distribution::Uniform(-bound, bound), device),
            b: self.train_shift_b.then(|| Shift::first_place(d_model, d_state, device)),
            d: random([d_model], Distribution::Normal(0.0, 1.0), device),
        }
    }

    fn diagonal(&self, device: &Device) -> Diagonal {
        let options = self.options();
        let systems = options.diagonal_systems(self.init, device);
        Diagonal { modes: options.modes(&systems, device), discretization: self.discretization }
    }

    fn n_heads(&self) -> usize {
        self.d_model / self.head_dim
    }

    /// Of the state space on the products: a channel a head. It has no tail and drops nothing.
    fn options(&self) -> Options {
        let Self { d_state, n_ssm, dt_min, dt_max, dt_transform, real_transform, b_clip, ssm_lr, .. } = *self;
        Options {
            d_model: self.n_heads(),
            d_state,
            bidirectional: false,
            channels: 1,
            n_ssm,
            dt_min,
            dt_max,
            dt_tie: true,
            dt_transform,
            real_transform,
            b_clip,
            ssm_lr,
            activation: Activation::Identity,
            output: OutputMix::None,
            dropout: 0.0,
            tie_dropout: true,
            kernel_dropout: 0.0,
        }
    }
}

//! Options of H3.

use burn::config::Config;
use burn::tensor::{Device, Distribution};
use subquad_backend::Form;
use subquad_backend::pointwise::Activation;
use subquad_mixer::{Context, Options, Refusal};
use subquad_options::range;

use super::options::{SsmOptions, drawn_linear, random};
use super::rules::{HEADS, STEPS};
use super::{S4dConfig, builds};
use crate::taps::MaxTaps;
use crate::{Diagonal, Discretization, H3, OutputMix, RealTransform, S4dInit, Shift, StepTransform};

/// Configuration of an [`H3`] layer.
#[derive(Config, Options, Debug)]
pub struct H3Config {
    /// Width of input and output.
    #[option(given, range = 1..)]
    pub d_model: usize,
    /// Number of keys that the shift state space sees, including the present one; and of states per product. Even,
    /// because states come in conjugate pairs.
    #[config(default = 64)]
    #[option(range = 2..=65536)]
    pub d_state: usize,
    /// Channels of a head; must divide d_model. With 1, keys and values are multiplied element by element; with more,
    /// every key of a head is multiplied by every value, and all these products share the head's kernel. State and
    /// cost grow linearly with it.
    #[config(default = 1)]
    #[option(range = 1..=8192)]
    pub head_dim: usize,
    /// Which published system A and B of the diagonal state space start from, as for s4d.
    #[config(default = "S4dInit::Lin")]
    pub init: S4dInit,
    /// How continuous time becomes steps: zero-order hold or bilinear, as published.
    #[config(default = "Discretization::Bilinear")]
    pub discretization: Discretization,
    /// Distinct sets of A and B; head h uses set h mod n_ssm. Must divide the number of heads, d_model / head_dim. 0:
    /// one per head.
    #[config(default = "None")]
    #[option(range = 1..=8192, none = 0)]
    pub n_ssm: Option<usize>,
    /// Smallest initial step, in token intervals: about 1 / (longest memory wanted).
    #[config(default = 1e-3)]
    #[option(range = STEPS)]
    pub dt_min: f64,
    /// Largest initial step, in token intervals: about 1 / (shortest memory wanted). The logarithms of the initial
    /// steps are uniform between the two.
    #[config(default = 0.1)]
    #[option(range = STEPS)]
    pub dt_max: f64,
    /// The function that turns the learned number into the step.
    #[config(default = "StepTransform::Exp")]
    pub dt_transform: StepTransform,
    /// The function that turns the learned number into the decay, -Re A; sigmoid keeps decays below 1.
    #[config(default = "RealTransform::Exp")]
    pub real_transform: RealTransform,
    /// Bound on Im B at the start, which HiPPO inits (legs, hippo) exceed; 0 clips nothing, which is exact HiPPO. 2
    /// as published.
    #[config(default = "Some(2.0)")]
    #[option(range = range::POSITIVE, none = 0.0)]
    pub b_clip: Option<f64>,
    /// The input weights of the shift state space train, as in the published implementation. False: they stay the first unit
    /// vector, as in the paper. Both start as the same map.
    #[config(default = false)]
    pub train_shift_b: bool,
    /// Upper limit of the learning rate of the steps, A, and B of either state space, which train without weight
    /// decay; 0 freezes them.
    #[config(default = 1e-3)]
    #[option(range = range::NOT_NEGATIVE)]
    pub ssm_lr: f64,
}
builds!(H3Config, H3);

impl H3Config {
    /// Everything that keeps the layer from being built: an option out of its range, or options that do not go together.
    pub fn refusals(&self) -> Vec<Refusal> {
        self.refused_by(|| {
            let (options, init) = (self.options(), self.init.demands());
            let sharing = match self.uneven_heads() {
                Some(refusal) => vec![refusal],
                None => options.sharing_refusals(&HEADS, &init),
            };
            [sharing, options.refusals(&init)].concat()
        })
    }

    fn uneven_heads(&self) -> Option<Refusal> {
        let Self { d_model, head_dim, .. } = *self;
        Refusal::when(!d_model.is_multiple_of(head_dim), &["head_dim", "d_model"], || {
            format!(
                "heads of head_dim = {head_dim} channels cannot share d_model = {d_model} equally; choose head_dim among the \
                 divisors of {d_model}"
            )
        })
    }

    fn fit_to(&mut self, context: &Context) -> Option<Refusal> {
        self.d_model = context.d_model;
        context.only_causal()
    }

    fn kept(&self) -> f64 {
        12.0 + 2.3 * self.head_dim as f64
    }

    /// Both state spaces have one row per channel.
    fn kernels(&self, seq_len: usize) -> f64 {
        2.0 * self.d_model as f64 * (2.0 * seq_len as f64 + 10.0 * self.d_state as f64)
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

    /// `C` starts like the weights of a convolution of `d_state` taps.
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

    pub(super) fn n_heads(&self) -> usize {
        self.d_model / self.head_dim
    }

    /// The options of the state space on the products: one channel per head. It has no tail and drops nothing.
    pub(super) fn options(&self) -> SsmOptions {
        let Self { d_state, n_ssm, dt_min, dt_max, dt_transform, real_transform, b_clip, ssm_lr, .. } = *self;
        let bare =
            S4dConfig::new(self.n_heads()).with_activation(Activation::Identity).with_output(OutputMix::None);
        SsmOptions {
            d_state,
            n_ssm,
            dt_min,
            dt_max,
            dt_transform,
            real_transform,
            b_clip,
            ssm_lr,
            ..bare.options()
        }
    }
}

//! The options of the published block.

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use subquad_backend::pointwise::Activation;
use subquad_mixer::published::{Case, CaseError};

use crate::{Discretization, OutputMix, RealTransform, S4Config, S4dConfig, StepTransform};

/// Which kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kernel {
    S4d,
    S4,
}

/// The published options. `init` only says how parameters began: it is read and not used.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Block {
    pub(super) d_model: usize,
    pub(super) d_state: usize,
    pub(super) kernel: Kernel,
    #[serde(rename = "init", default)]
    _init: Option<String>,
    #[serde(default)]
    pub(super) bidirectional: bool,
    l_max: Option<usize>,
    #[serde(default = "glu", deserialize_with = "final_act")]
    pub(super) final_act: OutputMix,
    #[serde(default = "gelu")]
    activation: Activation,
    disc: Option<Discretization>,
    pub(super) n_ssm: Option<usize>,
    #[serde(default = "one")]
    pub(super) channels: usize,
    #[serde(default = "one")]
    pub(super) rank: usize,
    #[serde(default = "yes")]
    pub(super) dt_tie: bool,
    #[serde(default = "exp_step")]
    dt_transform: StepTransform,
    #[serde(default = "exp")]
    real_transform: RealTransform,
    #[serde(rename = "imag_transform", default)]
    _imag_transform: ImagTransform,
}

/// Frequencies are stored as they are.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ImagTransform {
    #[default]
    None,
}

/// `glu`, `id` (a linear layer), or `null` (none).
fn final_act<'de, D: Deserializer<'de>>(source: D) -> Result<OutputMix, D::Error> {
    match Option::<String>::deserialize(source)?.as_deref() {
        Some("glu") => Ok(OutputMix::Glu),
        Some("id") => Ok(OutputMix::Linear),
        None => Ok(OutputMix::None),
        Some(other) => {
            Err(D::Error::custom(format!("unknown final_act `{other}`, expected `glu`, `id` or null")))
        }
    }
}

fn glu() -> OutputMix {
    OutputMix::Glu
}

fn gelu() -> Activation {
    Activation::Gelu
}

pub(super) fn exp() -> RealTransform {
    RealTransform::Exp
}

fn exp_step() -> StepTransform {
    StepTransform::Exp
}

pub(super) fn one() -> usize {
    1
}

pub(super) fn states() -> usize {
    64
}

fn yes() -> bool {
    true
}

/// The options that both kernels have, on either config.
macro_rules! shared {
    ($block:ident, $config:expr) => {
        $config
            .with_d_state($block.d_state)
            .with_bidirectional($block.bidirectional)
            .with_n_ssm($block.n_ssm)
            .with_channels($block.channels)
            .with_dt_tie($block.dt_tie)
            .with_dt_transform($block.dt_transform)
            .with_real_transform($block.real_transform)
            .with_activation($block.activation)
            .with_output($block.final_act)
    };
}

impl Block {
    /// The options of `case`, with every size confirmed by a parameter.
    pub(super) fn read(case: &Case) -> Result<Self, CaseError> {
        if case.layer != "s4_block" {
            return Err(unsupported(case, "any layer other than `s4_block`"));
        }
        let block: Self = case.parse_config()?;
        block.check_shapes(case)?;
        Ok(block)
    }

    /// The config of a layer with the kernel `s4d`.
    pub(super) fn diagonal(&self, case: &Case) -> Result<S4dConfig, CaseError> {
        if self.kernel != Kernel::S4d {
            return Err(unsupported(case, "the low-rank kernel `s4` in an S4D layer (S4 has it)"));
        }
        let config = shared!(self, S4dConfig::new(self.d_model))
            .with_discretization(self.disc.unwrap_or(Discretization::Zoh));
        config.check().map_err(|e| wrong(case, e))?;
        Ok(config)
    }

    /// The config of a layer with the kernel `s4`.
    pub(super) fn dplr(&self, case: &Case) -> Result<S4Config, CaseError> {
        if self.kernel != Kernel::S4 {
            return Err(unsupported(case, "the diagonal kernel `s4d` in an S4 layer (S4D has it)"));
        }
        if self.disc.is_some_and(|disc| disc != Discretization::Bilinear) {
            return Err(unsupported(case, "the kernel `s4` with a rule other than `bilinear`"));
        }
        let config =
            shared!(self, S4Config::new(self.d_model, self.length(case)?)).with_rank(Some(self.rank));
        config.check().map_err(|e| wrong(case, e))?;
        Ok(config)
    }

    /// The length at which `C` of the kernel `s4` was made.
    pub(super) fn length(&self, case: &Case) -> Result<usize, CaseError> {
        let missing = "the kernel `s4` needs `l_max`, the length at which its `C` was made";
        self.l_max.ok_or_else(|| wrong(case, missing))
    }

    /// Taps of a kernel at most.
    pub(super) fn max_taps(&self, case: &Case) -> Result<Option<usize>, CaseError> {
        max_taps(case, self.l_max)
    }
}

/// The published convolution cuts its kernels after `l_max` taps.
pub(super) fn max_taps(case: &Case, l_max: Option<usize>) -> Result<Option<usize>, CaseError> {
    match l_max {
        Some(0) => Err(wrong(case, "l_max = 0, but kernels have at least 1 tap")),
        l_max => Ok(l_max),
    }
}

pub(super) fn unsupported(case: &Case, what: &str) -> CaseError {
    CaseError::Unsupported { layer: case.layer.clone(), what: what.into() }
}

/// An error in the case's config.
pub(super) fn wrong(case: &Case, message: impl ToString) -> CaseError {
    CaseError::Config { layer: case.layer.clone(), message: message.to_string() }
}

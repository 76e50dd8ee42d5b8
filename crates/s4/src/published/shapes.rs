//! Checks every size of a published config against a tensor of the file before a layer is built from it.

use subquad_mixer::published::{Axis, Case, CaseError};

use super::block::{Block, Kernel};
use crate::OutputMix;

impl Block {
    /// Whether the parameters have the shapes that the config asks for.
    ///
    /// # Errors
    /// If one is missing or has another shape, or the kernel `s4` is longer than a replay takes.
    pub(super) fn check_shapes(&self, case: &Case) -> Result<(), CaseError> {
        if self.kernel == Kernel::S4 {
            case.check_unseen_length("l_max", self.length(case)?)?;
            case.check_parameter(
                "layer.kernel.P",
                &[("rank", self.rank), self.n_ssm(), self.pairs(), RE_IM],
            )?;
        }
        let steps = if self.dt_tie { ("1", 1) } else { self.pairs() };
        case.check_parameter("layer.kernel.A_real", &[self.n_ssm(), self.pairs()])?;
        case.check_parameter("layer.kernel.A_imag", &[self.n_ssm(), self.pairs()])?;
        case.check_parameter("layer.kernel.B", &[("1", 1), self.n_ssm(), self.pairs(), RE_IM])?;
        case.check_parameter("layer.kernel.C", &[self.kernels(), self.d_model(), self.pairs(), RE_IM])?;
        case.check_parameter("layer.kernel.inv_dt", &[self.d_model(), steps])?;
        case.check_parameter("layer.D", &[("channels", self.channels), self.d_model()])?;
        self.check_output(case)
    }

    fn check_output(&self, case: &Case) -> Result<(), CaseError> {
        let width = match self.final_act {
            OutputMix::Glu => ("2 d_model", self.d_model.saturating_mul(2)),
            OutputMix::Linear => self.d_model(),
            OutputMix::None => return Ok(()),
        };
        let rows = ("channels d_model", self.channels.saturating_mul(self.d_model));
        case.check_parameter("output_linear.0.weight", &[width, rows])?;
        case.check_parameter("output_linear.0.bias", &[width])
    }

    /// Whether a replay of `tokens` tokens fits into a machine's memory, given sizes that the file confirms one by
    /// one: a number per kernel, pair and tap and, if it runs token by token, the inverse of the dense system of
    /// every channel.
    pub(super) fn check_amount(&self, case: &Case, tokens: usize) -> Result<(), CaseError> {
        let taps = match self.kernel {
            Kernel::S4d => ("tokens", tokens),
            Kernel::S4 => ("l_max", self.length(case)?.max(tokens)),
        };
        case.check_amount("the kernel", &[self.kernels(), self.d_model(), self.pairs(), taps])?;
        match self.kernel == Kernel::S4 && case.tensors.contains_key("step_output") {
            true => {
                let states = ("d_state", self.d_state);
                case.check_amount("going token by token", &[self.d_model(), states, states, states])
            }
            false => Ok(()),
        }
    }

    fn d_model(&self) -> Axis<'static> {
        ("d_model", self.d_model)
    }

    fn n_ssm(&self) -> Axis<'static> {
        self.n_ssm.map_or(self.d_model(), |n_ssm| ("n_ssm", n_ssm))
    }

    fn pairs(&self) -> Axis<'static> {
        ("d_state / 2", self.d_state / 2)
    }

    fn kernels(&self) -> Axis<'static> {
        match self.bidirectional {
            true => ("2 channels", self.channels.saturating_mul(2)),
            false => ("channels", self.channels),
        }
    }
}

/// A complex number.
const RE_IM: Axis<'static> = ("2", 2);

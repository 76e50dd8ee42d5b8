//! The published minimal `S4D`, a file of its own there: other names, `B` of ones that does not train, and the member of each
//! pair with the positive frequency.

use std::collections::BTreeMap;

use burn::module::Param;
use burn::tensor::{Device, Gradients, Tensor, TensorData};
use serde::Deserialize;
use subquad_backend::pointwise::Activation;
use subquad_backend::{Form, read};
use subquad_mixer::SequenceMixer;
use subquad_mixer::published::{Case, CaseError, Replay};

use super::block::wrong;
use super::names::{Member, Names, Slopes, Stored, Visit, load, save};
use super::replay::of_space;
use crate::modes::replace;
use crate::{Discretization, OutputMix, RealTransform, S4d, S4dConfig, StepTransform};

pub(super) const LAYER: &str = "s4d";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Minimal {
    d_model: usize,
    #[serde(default = "super::block::states")]
    d_state: usize,
}

impl Minimal {
    fn check_shapes(&self, case: &Case) -> Result<(), CaseError> {
        let (width, pairs) = (("d_model", self.d_model), ("d_state / 2", self.d_state / 2));
        let twice = ("2 d_model", self.d_model.saturating_mul(2));
        case.check_parameter("kernel.C", &[width, pairs, ("2", 2)])?;
        case.check_parameter("kernel.log_dt", &[width])?;
        case.check_parameter("kernel.log_A_real", &[width, pairs])?;
        case.check_parameter("kernel.A_imag", &[width, pairs])?;
        case.check_parameter("D", &[width])?;
        case.check_parameter("output_linear.0.weight", &[twice, width, ("1", 1)])?;
        case.check_parameter("output_linear.0.bias", &[twice])
    }
}

/// The layer with the parameters of `case`.
pub(super) fn from_case(case: &mut Case, device: &Device) -> Result<S4d, CaseError> {
    let minimal: Minimal = case.parse_config_beside(&[("dropout", 0.0.into())])?;
    minimal.check_shapes(case)?;
    let config = S4dConfig::new(minimal.d_model).with_d_state(minimal.d_state);
    config.check().map_err(|e| wrong(case, e))?;
    let mut layer = config.init(device);
    let modes = &mut layer.ssm.modes;
    modes.b_re = fixed(&modes.b_re, 1.0);
    modes.b_im = fixed(&modes.b_im, 0.0);
    load::<MinimalNames, _>(&mut layer, case, device)?;
    Ok(layer)
}

/// The same number in every entry, not trained.
fn fixed(param: &Param<Tensor<2>>, number: f64) -> Param<Tensor<2>> {
    replace(param.clone(), |old| old.full_like(number)).set_require_grad(false)
}

pub(super) fn replay(case: &mut Case, form: Form, device: &Device) -> Result<Replay, CaseError> {
    let layer = from_case(case, device)?.with_form(form);
    let [_, d_model, pairs] = layer.ssm.modes.dims();
    let [_, tokens, _] = case.tensor_of_width::<3>("input", d_model, device)?.dims();
    case.check_amount("the kernel", &[("d_model", d_model), ("d_state / 2", pairs), ("length", tokens)])?;
    of_space::<MinimalNames, _>(layer, case, device)
}

impl S4d {
    /// The parameters under the names of the published minimal `S4D`, and in its layout.
    ///
    /// # Errors
    /// If the layer has an option that the minimal one lacks, or a `B` other than 1.
    pub fn to_published_minimal(&self) -> Result<BTreeMap<String, TensorData>, CaseError> {
        self.check_minimal()?;
        Ok(save::<MinimalNames, _>(self, Stored))
    }

    /// The gradients of the parameters from a backward pass, under the names of
    /// [`to_published_minimal`](Self::to_published_minimal).
    ///
    /// # Errors
    /// As there.
    ///
    /// # Panics
    /// If the loss does not depend on the layer.
    pub fn published_minimal_gradients(
        &self,
        grads: &Gradients,
    ) -> Result<BTreeMap<String, TensorData>, CaseError> {
        self.check_minimal()?;
        Ok(save::<MinimalNames, _>(self, Slopes(grads)))
    }

    fn check_minimal(&self) -> Result<(), CaseError> {
        let (modes, rules) = (&self.ssm.modes, &self.rules);
        let [kernels, d_model, _] = modes.dims();
        let is = |param: &Param<Tensor<2>>, number: f64| read(param.val()).iter::<f64>().all(|b| b == number);
        let foreign = [
            ("B other than 1", !(is(&modes.b_re, 1.0) && is(&modes.b_im, 0.0))),
            ("n_ssm other than d_model", modes.b_re.lazy_shape()[0] != d_model),
            ("bidirectional = true, or channels above 1", kernels != 1),
            ("dt_tie = false", modes.inv_dt.lazy_shape()[1] != 1),
            ("a dt_transform other than exp", modes.dt_transform != StepTransform::Exp),
            ("a real_transform other than exp", modes.real_transform != RealTransform::Exp),
            ("a discretization other than zoh", self.ssm.discretization != Discretization::Zoh),
            ("an activation other than gelu", rules.activation != Activation::Gelu),
            ("an output other than glu", rules.output != OutputMix::Glu),
        ];
        match foreign.into_iter().find(|(_, found)| *found) {
            Some((what, _)) => Err(CaseError::Unsupported { layer: LAYER.into(), what: what.into() }),
            None => Ok(()),
        }
    }
}

struct MinimalNames;

impl Names<S4d> for MinimalNames {
    const MEMBER: Member = Member::Positive;

    fn walk(layer: &mut S4d, visit: &mut impl Visit) -> Result<(), CaseError> {
        let modes = &mut layer.ssm.modes;
        let [_, d_model, pairs] = modes.dims();
        visit.real("kernel.log_dt", [d_model], false, &mut modes.inv_dt)?;
        visit.real("kernel.log_A_real", [d_model, pairs], false, &mut modes.inv_a_re)?;
        visit.real("kernel.A_imag", [d_model, pairs], false, &mut modes.a_im)?;
        visit.complex("kernel.C", [d_model, pairs, 2], &mut modes.c_re, &mut modes.c_im)?;
        visit.real("D", [d_model], false, &mut layer.d)?;
        let Some(output) = &mut layer.output else { return Ok(()) };
        let [d_input, d_output] = output.weight.dims();
        visit.real("output_linear.0.weight", [d_output, d_input, 1], true, &mut output.weight)?;
        match &mut output.bias {
            Some(bias) => visit.real("output_linear.0.bias", [d_output], false, bias),
            None => Ok(()),
        }
    }
}

//! A recorded run of the published layer, by ours.

use std::collections::BTreeMap;

use burn::module::{Module, Param};
use burn::tensor::{Device, Gradients, Tensor};
use subquad_backend::{Form, read};
use subquad_mixer::SequenceMixer;
use subquad_mixer::published::{Case, CaseError, Replay};

use super::block::{Block, Kernel};
use super::names::{Named, Save, Values, walk};
use crate::{S4, S4d, SsmLayer};

/// Runs the published layer of `case` as an [`S4d`] or an [`S4`]: output, kernel, the output token by token where the case
/// has one, and every gradient.
///
/// # Errors
/// As for [`S4d::from_published`], or if the case has no input.
pub fn replay(case: &mut Case, form: Form, device: &Device) -> Result<Replay, CaseError> {
    let block = Block::read(case)?;
    let [_, tokens, _] = case.tensor_of_width::<3>("input", block.d_model, device)?.dims();
    block.check_amount(case, tokens)?;
    match block.kernel {
        Kernel::S4d => run(S4d::from_published(case, device)?.with_form(form), case, device),
        Kernel::S4 => run(S4::from_published(case, device)?.with_form(form), case, device),
    }
}

fn run<S: Named>(layer: SsmLayer<S>, case: &Case, device: &Device) -> Result<Replay, CaseError> {
    let input: Tensor<3> = case.tensor("input", device)?;
    if let Err(too_long) = layer.clone().train().check_length(input.dims()[1]) {
        return Err(CaseError::Config { layer: case.layer.clone(), message: too_long.to_string() });
    }
    let mut replay = inside(&layer, &input, case);
    let device = device.clone().autodiff();
    let (layer, input) = (layer.train(), case.tensor("input", &device)?.require_grad());
    let output = layer.forward(input.clone());
    replay.insert("output".into(), read(output.clone()));
    let grad_output = case.grad_output(&output, &device)?;
    let grads = (output * grad_output).sum().backward();
    replay.insert("grad.input".into(), read(grad(&input, &grads)));
    replay.extend(gradients(layer, grads));
    Ok(replay)
}

/// The kernel, and the output token by token, where the case has recorded them.
fn inside<S: Named>(layer: &SsmLayer<S>, input: &Tensor<3>, case: &Case) -> Replay {
    let mut replay = Replay::new();
    if case.tensors.contains_key("kernel") {
        replay.insert("kernel".into(), read(layer.kernel(input.dims()[1])));
    }
    if case.tensors.contains_key("step_output") {
        replay.extend(stepped(layer, input).map(|output| ("step_output".into(), read(output))));
    }
    replay
}

/// `None` for a bidirectional layer.
fn stepped<S: Named>(layer: &SsmLayer<S>, input: &Tensor<3>) -> Option<Tensor<3>> {
    let [batch, seq, _] = input.dims();
    let mut state = layer.init_state(batch).ok()?;
    let token = |t| input.clone().narrow(1, t, 1).squeeze_dim::<2>(1);
    let outputs: Result<Vec<_>, _> = (0..seq).map(|t| layer.step(token(t), &mut state)).collect();
    Some(Tensor::stack(outputs.ok()?, 1))
}

/// Gradients of the parameters, in published layout.
fn gradients<S: Named>(mut layer: SsmLayer<S>, grads: Gradients) -> Replay {
    let mut save = Save { values: Slopes(grads), found: BTreeMap::new() };
    walk(&mut layer, &mut save).expect("saving does not fail");
    save.found.into_iter().map(|(name, data)| (format!("grad.{name}"), data)).collect()
}

struct Slopes(Gradients);

impl Values for Slopes {
    fn of<const D: usize>(&self, param: &Param<Tensor<D>>) -> Tensor<D> {
        grad(&param.val(), &self.0)
    }
}

fn grad<const D: usize>(tensor: &Tensor<D>, grads: &Gradients) -> Tensor<D> {
    tensor.grad(grads).expect("the loss depends on every parameter and on the input")
}

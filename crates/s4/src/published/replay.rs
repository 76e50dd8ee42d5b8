//! Replays a recorded run of the published layer with ours.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use subquad_backend::{Form, read};
use subquad_mixer::SequenceMixer;
use subquad_mixer::published::{Case, CaseError, Replay};

use super::block::{Block, Kernel};
use super::names::{BlockNames, Named, Names, Slopes, save};
use crate::{S4, S4d, SsmLayer};

/// Runs the `s4_block` of `case` as an [`S4d`] or an [`S4`].
pub(super) fn block(case: &mut Case, form: Form, device: &Device) -> Result<Replay, CaseError> {
    let block = Block::read(case)?;
    let [_, tokens, _] = case.tensor_of_width::<3>("input", block.d_model, device)?.dims();
    block.check_amount(case, tokens)?;
    match block.kernel {
        Kernel::S4d => {
            of_space::<BlockNames, _>(S4d::from_published(case, device)?.with_form(form), case, device)
        }
        Kernel::S4 => {
            of_space::<BlockNames, _>(S4::from_published(case, device)?.with_form(form), case, device)
        }
    }
}

/// A layer on a state space, with its kernel if the case has recorded it.
pub(super) fn of_space<N: Names<SsmLayer<S>>, S: Named>(
    layer: SsmLayer<S>,
    case: &Case,
    device: &Device,
) -> Result<Replay, CaseError> {
    let width = layer.ssm.modes().d_model();
    run::<N, _>(layer, width, case, device, |layer, seq| {
        let recorded = case.tensors.contains_key("kernel");
        recorded.then(|| ("kernel".into(), read(layer.kernel(seq)))).into_iter().collect()
    })
}

/// Output, the output token by token if the case has one, every gradient, and what `inside` computes, of the layer on
/// this many tokens.
pub(super) fn run<N: Names<L>, L: SequenceMixer + Module>(
    layer: L,
    width: usize,
    case: &Case,
    device: &Device,
    inside: impl Fn(&L, usize) -> Replay,
) -> Result<Replay, CaseError> {
    let input: Tensor<3> = case.tensor_of_width("input", width, device)?;
    if let Err(too_long) = layer.clone().train().check_length(input.dims()[1]) {
        return Err(CaseError::Config { layer: case.layer.clone(), message: too_long.to_string() });
    }
    let mut replay = inside(&layer, input.dims()[1]);
    replay.extend(case.steps(&layer, &input).map(|(name, output)| (name, read(output))));
    let device = device.clone().autodiff();
    let (layer, input) = (layer.train(), case.tensor("input", &device)?.require_grad());
    let output = layer.forward(input.clone());
    replay.insert("output".into(), read(output.clone()));
    let grad_output = case.grad_output(&output, &device)?;
    let grads = (output * grad_output).sum().backward();
    let of_input = input.grad(&grads).expect("the loss depends on the input");
    replay.insert("grad.input".into(), read(of_input));
    let of_parameters = save::<N, _>(&layer, Slopes(&grads)).into_iter();
    replay.extend(of_parameters.map(|(name, data)| (format!("grad.{name}"), data)));
    Ok(replay)
}

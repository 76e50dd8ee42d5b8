//! Replays a recorded run of a published classifier with ours.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use subquad_backend::{Form, read};
use subquad_mixer::published::{Case, CaseError, Replay};

use super::ClassifierNames;
use super::config::{Published, Sizes};
use super::names::{Layout, Save, Wanted, load};
use crate::{Dropout, Input, SequenceModel};

/// The output, the vectors after the encoder and after every part, and all gradients.
pub(in super::super) fn replay(case: &mut Case, form: Form, device: &Device) -> Result<Replay, CaseError> {
    let published = Published::read(case)?;
    let input: Tensor<3> = case.tensor_of_width("input", published.sizes.d_input, device)?;
    let model = load(&published, case, device)?.with_form(form);
    check_amount(case, &published, input.dims())?;
    if let Err(too_long) = model.clone().train().check_length(input.dims()[1]) {
        return Err(CaseError::Config { layer: case.layer.clone(), message: too_long.to_string() });
    }
    let mut replay = hidden(&model, published.names, input);
    let (model, device) = (model.train(), device.clone().autodiff());
    let input: Tensor<3> = case.tensor("input", &device)?.require_grad();
    let output = model.forward(Input::Reals(input.clone()), &Dropout::Off).squeeze_dim::<2>(1);
    replay.insert("output".into(), read(output.clone()));
    let grads = (output.clone() * case.grad_output(&output, &device)?).sum().backward();
    let of_input = input.grad(&grads).expect("the loss depends on the input");
    replay.insert("grad.input".into(), read(of_input));
    let mut save = Save::new(Wanted::Gradients(&grads), published.mixers);
    Layout(published.names).walk(&mut model.clone(), &mut save)?;
    replay.extend(save.found);
    Ok(replay)
}

/// The file confirms width and tokens only separately: an input may be narrow.
fn check_amount(case: &Case, published: &Published, [batch, length, _]: [usize; 3]) -> Result<(), CaseError> {
    let Sizes { d_model, d_hidden, .. } = published.sizes;
    let kernel = [("d_model", d_model), ("d_state", published.d_state()), ("length", length)];
    case.check_amount("a layer's kernel", &kernel)?;
    let width = ("the larger of 2 d_model and ffn_expand d_model", d_hidden.unwrap_or(0).max(2 * d_model));
    case.check_amount("a layer's vectors", &[("batch", batch), ("length", length), width])
}

/// The output of every part: a layer of the backbone is two parts.
fn hidden(model: &SequenceModel, names: ClassifierNames, input: Tensor<3>) -> Replay {
    let mut h = model.encode(Input::Reals(input), 0, &Dropout::Off);
    let mut found: Replay = [("hidden.encoder".into(), read(h.clone()))].into();
    for (layer, block) in model.blocks.iter().enumerate() {
        let mixed = block.mix_tokens(h.clone());
        h = block.forward(h, &Dropout::Off, layer);
        let parts = match names {
            ClassifierNames::Example => vec![(layer, h.clone())],
            ClassifierNames::Backbone => vec![(2 * layer, mixed), (2 * layer + 1, h.clone())],
        };
        found.extend(parts.into_iter().map(|(part, h)| (format!("hidden.{part}"), read(h))));
    }
    found
}

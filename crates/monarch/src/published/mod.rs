//! The layers under their published names: the M2-BERT repository's `MonarchMixerSequenceMixing`, `BlockdiagLinear` and
//! `MonarchLinear`.

mod block_diagonal;
mod m2;
mod monarch;
mod shapes;

use burn::module::Param;
use burn::nn::Linear;
use burn::tensor::{Device, Gradients, Tensor};
use subquad_backend::{Form, read};
use subquad_mixer::published::{Case, CaseError, Replay};

/// Runs our layer with the parameters of a published one, in `form`: its output, everything it computes inside that the
/// case may hold, and the gradients of `sum(output * grad_output)`.
///
/// # Errors
/// If the layer is not one of ours, the config does not fit it, or a parameter is missing or of another shape.
pub fn replay(case: &mut Case, form: Form, device: &Device) -> Result<Replay, CaseError> {
    let device = device.clone().autodiff();
    match case.layer.as_str() {
        "m2_sequence_mixer" => m2::replay(case, form, &device),
        "block_diagonal_linear" => block_diagonal::replay(case, form, &device),
        "monarch_linear" => monarch::replay(case, form, &device),
        layer => Err(CaseError::Unsupported { layer: layer.into(), what: "this layer".into() }),
    }
}

fn invalid(case: &Case, error: impl ToString) -> CaseError {
    CaseError::Config { layer: case.layer.clone(), message: error.to_string() }
}

/// Whether `grad_output` of a linear layer has a row for each of `input`, so that the file holds as many outputs as the layer
/// computes.
fn check_rows(case: &Case, in_features: usize, out_features: usize) -> Result<(), CaseError> {
    let rows = case.tensor_axes::<2>("input")?[0];
    case.check_tensor("input", &[("batch", rows), ("in_features", in_features)])?;
    case.check_tensor("grad_output", &[("batch", rows), ("out_features", out_features)])
}

/// Whether the case has recorded the dense matrix, which is what the layer makes of the identity.
fn records_dense(case: &Case, in_features: usize, out_features: usize) -> Result<bool, CaseError> {
    let (inputs, outputs) = (("in_features", in_features), ("out_features", out_features));
    let recorded = case.records("dense_weight", &[outputs, inputs])?;
    if recorded {
        case.check_amount("the identity", &[inputs, inputs])?;
    }
    Ok(recorded)
}

/// A dense layer, which PyTorch keeps as `[d_output, d_input]`.
fn linear(
    case: &mut Case,
    name: &str,
    [d_input, d_output]: [usize; 2],
    bias: bool,
    device: &Device,
) -> Result<Linear, CaseError> {
    let weight = case.take_tensor(&format!("{name}.weight"), [d_output, d_input], device)?.transpose();
    let bias = match bias {
        true => Some(Param::from_tensor(case.take_tensor(&format!("{name}.bias"), [d_output], device)?)),
        false => None,
    };
    Ok(Linear { weight: Param::from_tensor(weight), bias })
}

/// What belongs to a layer's parameters, collected under published names.
struct Gathered {
    source: Source,
    replay: Replay,
}

/// What is collected of a parameter.
enum Source {
    /// Its gradient of one backward pass, under `grad.` and its name.
    Gradients(Gradients),
    /// Itself.
    Values,
}

impl Gathered {
    /// Backward pass of `sum(output * grad_output)`, then `output` and the input's gradient.
    fn new<const D: usize>(
        case: &Case,
        input: Tensor<D>,
        output: Tensor<D>,
        device: &Device,
    ) -> Result<Self, CaseError> {
        let grad_output = case.grad_output(&output, device)?;
        let grads = (output.clone() * grad_output).sum().backward();
        let mut gathered = Self { source: Source::Gradients(grads), replay: Replay::new() };
        gathered.value("output", output);
        gathered.parameter("input", input);
        Ok(gathered)
    }

    /// Collects the parameters themselves.
    fn values() -> Self {
        Self { source: Source::Values, replay: Replay::new() }
    }

    fn value<const D: usize>(&mut self, name: &str, tensor: Tensor<D>) {
        self.replay.insert(name.into(), read(tensor));
    }

    fn parameter<const D: usize>(&mut self, name: &str, of: Tensor<D>) {
        self.parameter_as(name, of, |values| values);
    }

    /// `shape` takes the values to the published layout. Where the output does not depend on `of` (a reverse filter and
    /// a single token) there is no gradient to tell.
    fn parameter_as<const D: usize, const E: usize>(
        &mut self,
        name: &str,
        of: Tensor<D>,
        shape: impl FnOnce(Tensor<D>) -> Tensor<E>,
    ) {
        match &self.source {
            Source::Gradients(grads) => {
                let grad = of.grad(grads).unwrap_or_else(|| of.zeros_like().without_autodiff());
                self.value(&format!("grad.{name}"), shape(grad));
            }
            Source::Values => self.value(name, shape(of)),
        }
    }

    fn linear(&mut self, name: &str, layer: &Linear) {
        self.parameter_as(&format!("{name}.weight"), layer.weight.val(), Tensor::transpose);
        if let Some(bias) = &layer.bias {
            self.parameter(&format!("{name}.bias"), bias.val());
        }
    }
}

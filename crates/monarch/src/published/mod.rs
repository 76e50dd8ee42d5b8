//! The layers under their published names: the M2-BERT repository's `MonarchMixerSequenceMixing`, `BlockdiagLinear` and
//! `MonarchLinear`.

mod block_diagonal;
mod filter_layout;
mod hyena;
mod m2;
mod monarch;
mod shapes;

pub use filter_layout::FilterLayout;

use burn::module::Param;
use burn::nn::Linear;
use burn::tensor::{Device, Gradients, Tensor, TensorData};
use subquad_backend::{Form, read};
use subquad_mixer::published::{Case, CaseError, Replay};

/// Runs the layer of a case, on a device with autodiff.
type ReplayLayer = fn(&mut Case, Form, &Device) -> Result<Replay, CaseError>;

const REPLAYS: &[(&str, ReplayLayer)] = &[
    ("m2_sequence_mixer", m2::replay),
    ("hyena", hyena::replay),
    ("block_diagonal_linear", block_diagonal::replay),
    ("monarch_linear", monarch::replay),
];

/// The published layers that [`replay`] knows.
pub fn layers() -> impl Iterator<Item = &'static str> {
    REPLAYS.iter().map(|(name, _)| *name)
}

/// Runs our layer with the parameters of a published one, in `form`: its output, everything it computes inside that the
/// case may hold, and the gradients of `sum(output * grad_output)`.
///
/// # Errors
/// If the layer is not one of [`layers`], the config does not fit it, or a parameter is missing or of another shape.
pub fn replay(case: &mut Case, form: Form, device: &Device) -> Result<Replay, CaseError> {
    match REPLAYS.iter().find(|(name, _)| case.layer == *name) {
        Some((_, replay)) => replay(case, form, &device.clone().autodiff()),
        None => Err(unsupported(case, "this layer")),
    }
}

fn unsupported(case: &Case, what: &str) -> CaseError {
    CaseError::Unsupported { layer: case.layer.clone(), what: what.into() }
}

fn invalid(case: &Case, error: impl ToString) -> CaseError {
    CaseError::Config { layer: case.layer.clone(), message: error.to_string() }
}

/// A published default.
fn number<const N: usize>() -> usize {
    N
}

/// Whether the bias of a linear layer, if there is one, and `input` have its widths, and `grad_output` has a row for each of
/// `input`, so that the file holds as many outputs as the layer computes.
fn check_linear(case: &Case, in_features: usize, out_features: usize) -> Result<(), CaseError> {
    if case.parameters.contains_key("bias") {
        case.check_parameter("bias", &[("out_features", out_features)])?;
    }
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

/// Takes a dense layer, which PyTorch keeps as `[d_output, d_input]`.
///
/// # Errors
/// If a tensor is missing or has another shape.
pub fn linear(
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
pub struct Gathered {
    /// The gradients of one backward pass, of which each parameter's is collected, under `grad.` and its name. Without them,
    /// parameters are.
    gradients: Option<Gradients>,
    /// The prefix of every name.
    prefix: String,
    replay: Replay,
}

impl Gathered {
    /// Runs the backward pass of `sum(output * grad_output)`, then collects `output` and the input's gradient.
    fn new<const D: usize>(
        case: &Case,
        input: Tensor<D>,
        output: Tensor<D>,
        device: &Device,
    ) -> Result<Self, CaseError> {
        let grad_output = case.grad_output(&output, device)?;
        let mut gathered = Self::gradients((output.clone() * grad_output).sum().backward());
        gathered.value("output", output);
        gathered.parameter("input", input);
        Ok(gathered)
    }

    /// Collects the gradients of parameters, each under `grad.` and its first name.
    pub fn gradients(gradients: Gradients) -> Self {
        Self { gradients: Some(gradients), ..Self::values() }
    }

    /// Collects the parameters themselves, under all their names, and buffers.
    pub fn values() -> Self {
        Self { gradients: None, prefix: String::new(), replay: Replay::new() }
    }

    /// What has been collected.
    pub fn into_replay(self) -> Replay {
        self.replay
    }

    /// Collects what `gather` finds, with `prefix` before the names.
    pub fn part(&mut self, prefix: &str, gather: impl FnOnce(&mut Self)) {
        let outside = self.prefix.len();
        self.prefix.push_str(prefix);
        gather(self);
        self.prefix.truncate(outside);
    }

    /// Collects a tensor that is not a parameter, such as an output.
    pub fn value<const D: usize>(&mut self, name: &str, tensor: Tensor<D>) {
        self.replay.insert(format!("{}{name}", self.prefix), read(tensor));
    }

    /// Collects what belongs to a parameter that has its published layout.
    pub fn parameter<const D: usize>(&mut self, name: &str, of: Tensor<D>) {
        self.parameter_as(name, of, |values| values);
    }

    /// `shape` takes the values to the published layout. If the output does not depend on `of` (a reverse filter with a
    /// single token), there is no gradient to collect.
    pub fn parameter_as<const D: usize, const E: usize>(
        &mut self,
        name: &str,
        of: Tensor<D>,
        shape: impl FnOnce(Tensor<D>) -> Tensor<E>,
    ) {
        self.shared_parameter(&[name], of, shape);
    }

    /// As [`parameter_as`](Self::parameter_as), for a parameter with several names.
    pub fn shared_parameter<const D: usize, const E: usize>(
        &mut self,
        names: &[impl AsRef<str>],
        of: Tensor<D>,
        shape: impl FnOnce(Tensor<D>) -> Tensor<E>,
    ) {
        let prefix = &self.prefix;
        match &self.gradients {
            Some(grads) => {
                let grad = of.grad(grads).unwrap_or_else(|| of.zeros_like().without_autodiff());
                self.replay.insert(format!("grad.{prefix}{}", names[0].as_ref()), read(shape(grad)));
            }
            None => {
                let values = read(shape(of));
                let named = names.iter().map(|name| (format!("{prefix}{}", name.as_ref()), values.clone()));
                self.replay.extend(named);
            }
        }
    }

    /// Collects what is part of a published state dict but not a parameter; it has no gradient.
    pub fn buffer(&mut self, name: &str, values: TensorData) {
        if self.gradients.is_none() {
            self.replay.insert(format!("{}{name}", self.prefix), values);
        }
    }

    /// Collects a dense layer, which PyTorch keeps as `[d_output, d_input]`.
    pub fn linear(&mut self, name: &str, layer: &Linear) {
        self.parameter_as(&format!("{name}.weight"), layer.weight.val(), Tensor::transpose);
        if let Some(bias) = &layer.bias {
            self.parameter(&format!("{name}.bias"), bias.val());
        }
    }
}

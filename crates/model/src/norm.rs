//! Layer normalisation as a module.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};
use subquad_backend::row_norm::RowNorm;
use subquad_backend::{Form, layer_norm::layer_norm};
use subquad_mixer::Choice;

/// The value of PyTorch and the published models.
const EPS: f64 = 1e-5;

/// The kind of every norm of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Choice)]
#[serde(rename_all = "snake_case")]
pub enum NormKind {
    /// A [`Norm`].
    Layer,
    /// Nothing.
    None,
}

impl NormKind {
    pub(crate) fn init(self, d_model: usize, eps: f64, device: &Device) -> Option<Norm> {
        match self {
            Self::Layer => Some(Norm::new(d_model, device).with_eps(eps)),
            Self::None => None,
        }
    }

    pub(crate) fn n_parameters(self, d_model: usize) -> usize {
        match self {
            Self::Layer => Norm::n_parameters(d_model),
            Self::None => 0,
        }
    }
}

/// `x` after the norm, if there is one.
pub(crate) fn normed(norm: &Option<Norm>, x: Tensor<3>) -> Tensor<3> {
    match norm {
        Some(norm) => norm.forward(x),
        None => x,
    }
}

/// Layer normalisation over features, with a learned scale and shift.
#[derive(Module, Debug)]
pub struct Norm {
    pub(crate) gamma: Param<Tensor<1>>,
    pub(crate) beta: Param<Tensor<1>>,
    #[module(skip)]
    eps: f64,
    #[module(skip)]
    form: Form,
}

impl Norm {
    /// How many numbers a norm of this width learns.
    pub fn n_parameters(d_model: usize) -> usize {
        2 * d_model
    }

    /// Scale 1, shift 0; 1e-5 is added to the variance.
    pub fn new(d_model: usize, device: &Device) -> Self {
        Self {
            gamma: Param::from_tensor(Tensor::ones([d_model], device)),
            beta: Param::from_tensor(Tensor::zeros([d_model], device)),
            eps: EPS,
            form: Form::for_device(device),
        }
    }

    /// The same norm with this number added to the variance.
    pub fn with_eps(mut self, eps: f64) -> Self {
        self.eps = eps;
        self
    }

    /// The same norm in another form.
    pub fn with_form(mut self, form: Form) -> Self {
        self.form = form;
        self
    }

    /// A copy of the present weights that norms one token at a time, over plain slices.
    ///
    /// # Panics
    /// If they are not f32.
    pub fn rows(&self) -> RowNorm {
        RowNorm::new(self.gamma.val(), self.beta.val(), self.eps)
    }

    /// # Shapes
    /// - `x`: `[batch, seq, d_model]`
    /// - output: the same
    pub fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        layer_norm(x, self.gamma.val(), self.beta.val(), self.eps, self.form)
    }
}

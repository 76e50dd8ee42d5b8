//! Layer normalisation as a module.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use subquad_backend::{Form, layer_norm::layer_norm};

/// PyTorch's and the published models' value.
const EPS: f64 = 1e-5;

/// What stands in front of every mixer and of the head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NormKind {
    /// A [`Norm`] each.
    Layer,
    /// Nothing.
    None,
}

impl NormKind {
    pub(crate) fn init(self, d_model: usize, device: &Device) -> Option<Norm> {
        match self {
            Self::Layer => Some(Norm::new(d_model, device)),
            Self::None => None,
        }
    }
}

/// `x` behind the norm, where there is one.
pub(crate) fn normed(norm: &Option<Norm>, x: Tensor<3>) -> Tensor<3> {
    match norm {
        Some(norm) => norm.forward(x),
        None => x,
    }
}

/// Layer normalisation over features, with a learned scale and shift.
#[derive(Module, Debug)]
pub struct Norm {
    gamma: Param<Tensor<1>>,
    beta: Param<Tensor<1>>,
    #[module(skip)]
    form: Form,
}

impl Norm {
    /// Scale 1, shift 0.
    pub fn new(d_model: usize, device: &Device) -> Self {
        Self {
            gamma: Param::from_tensor(Tensor::ones([d_model], device)),
            beta: Param::from_tensor(Tensor::zeros([d_model], device)),
            form: Form::for_device(device),
        }
    }

    /// The same norm in another form.
    pub fn with_form(mut self, form: Form) -> Self {
        self.form = form;
        self
    }

    /// # Shapes
    /// - `x`: `[batch, seq, d_model]`
    /// - output: the same
    pub fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        layer_norm(x, self.gamma.val(), self.beta.val(), EPS, self.form)
    }
}

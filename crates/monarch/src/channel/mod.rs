//! Channel mixers: two linear layers around a GELU, or around a gate.
//!
//! ```text
//! plain   y = D2 gelu(D1 x + b1) + b2                      D1: d_hidden rows
//! gated   [a, b] = D1 x;  y = D2 (gelu(a) * b) + b2        D1: 2 d_hidden rows, without a bias
//! swiglu  [a, b] = D1 x;  y = D2 (silu(a) * b)             D1: 2 d_hidden rows; no biases at all
//! ```
//! `D1` and `D2` are both dense, both block-diagonal or both Monarch matrices; all kinds have biases in the same
//! places, so that with equal options only the matrices differ. Those of swiglu are dense. The norm and the residual around a
//! channel mixer belong to the model. `gelu` is exact, `silu(a) = a sigmoid(a)`. The gates: Shazeer 2020, *GLU Variants*,
//! <https://arxiv.org/abs/2002.05202>, whose `W` and `V` are the halves of `D1`.

mod between;
mod config;
mod row;

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::{Device, Tensor};
use subquad_backend::pointwise::{Activation, gelu};
use subquad_backend::row_linear::RowLinear;
use subquad_backend::{Form, linear::linear, mlp::mlp};
use subquad_mixer::ChannelMixer;

use crate::{BlockDiagonalLinear, MonarchLinear};
use row::RowLayer;

pub(crate) use between::Between;
pub use config::{BlockDiagonalMlpConfig, DenseMlpConfig, MonarchMlpConfig, SwigluConfig};
pub use row::RowMlp;

/// Two dense layers: see [`DenseMlpConfig`] and [`SwigluConfig`].
pub type DenseMlp = Mlp<Linear>;

/// Two block-diagonal layers: see [`BlockDiagonalMlpConfig`].
pub type BlockDiagonalMlp = Mlp<BlockDiagonalLinear>;

/// Two layers with Monarch matrices: see [`MonarchMlpConfig`].
pub type MonarchMlp = Mlp<MonarchLinear>;

/// Two linear layers of one kind around a GELU or a gate.
#[derive(Module, Debug)]
pub struct Mlp<L> {
    pub(crate) expand: L,
    pub(crate) reduce: L,
    #[module(skip)]
    between: Between,
    #[module(skip)]
    form: Form,
}

impl<L: MlpLayer> Mlp<L> {
    pub(crate) fn new([expand, reduce]: [L; 2], between: Between, device: &Device) -> Self {
        Self { expand, reduce, between, form: Form::for_device(device) }
    }

    /// The first layer and the last.
    pub fn layers_mut(&mut self) -> [&mut L; 2] {
        [&mut self.expand, &mut self.reduce]
    }

    /// The same layer in another form.
    pub fn with_form(self, form: Form) -> Self {
        let [expand, reduce] = [self.expand, self.reduce].map(|layer| layer.with_form(form));
        Self { expand, reduce, between: self.between, form }
    }

    /// A copy of the present weights that maps one token at a time, over plain slices.
    ///
    /// # Panics
    /// If the weights are not f32.
    pub fn rows(&self) -> RowMlp {
        RowMlp::new([self.expand.rows(), self.reduce.rows()], self.between)
    }

    /// [`forward`](ChannelMixer::forward) with `dropped` applied to the hidden numbers before the second layer,
    /// `[batch, seq, d_hidden]`.
    pub fn forward_with(&self, x: Tensor<3>, dropped: impl FnOnce(Tensor<3>) -> Tensor<3>) -> Tensor<3> {
        let hidden = self.expand.apply(x, self.form);
        self.reduce.apply(dropped(self.between.apply(hidden, self.form)), self.form)
    }
}

impl<L: MlpLayer> ChannelMixer for Mlp<L> {
    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        match self.between {
            Between::Gelu => L::around_gelu([&self.expand, &self.reduce], x, self.form),
            Between::GeluGate | Between::SiluGate => self.forward_with(x, |hidden| hidden),
        }
    }
}

/// A linear layer that an [`Mlp`] can consist of.
pub trait MlpLayer: Module {
    /// The same layer in another form.
    fn with_form(self, form: Form) -> Self;

    /// `[batch, seq, d_input]` to `[batch, seq, d_output]`, in the MLP's form.
    fn apply(&self, x: Tensor<3>, form: Form) -> Tensor<3>;

    /// Both layers, with a GELU between them.
    fn around_gelu([expand, reduce]: [&Self; 2], x: Tensor<3>, form: Form) -> Tensor<3> {
        reduce.apply(gelu(expand.apply(x, form), form), form)
    }

    /// A copy of the present weights that maps one token at a time, over plain slices.
    #[doc(hidden)]
    fn rows(&self) -> RowLayer;
}

/// burn's layer has no form of its own.
impl MlpLayer for Linear {
    fn with_form(self, _: Form) -> Self {
        self
    }

    fn apply(&self, x: Tensor<3>, form: Form) -> Tensor<3> {
        linear(self, x, form)
    }

    fn around_gelu(layers: [&Self; 2], x: Tensor<3>, form: Form) -> Tensor<3> {
        mlp(layers, Activation::Gelu, x, form)
    }

    fn rows(&self) -> RowLayer {
        RowLayer::Dense(RowLinear::new(self))
    }
}

impl MlpLayer for BlockDiagonalLinear {
    fn with_form(self, form: Form) -> Self {
        self.with_form(form)
    }

    fn apply(&self, x: Tensor<3>, _: Form) -> Tensor<3> {
        self.forward(x)
    }

    fn rows(&self) -> RowLayer {
        RowLayer::Factors(self.row_factors())
    }
}

impl MlpLayer for MonarchLinear {
    fn with_form(self, form: Form) -> Self {
        self.with_form(form)
    }

    fn apply(&self, x: Tensor<3>, _: Form) -> Tensor<3> {
        self.forward(x)
    }

    fn rows(&self) -> RowLayer {
        RowLayer::Factors(self.row_factors())
    }
}

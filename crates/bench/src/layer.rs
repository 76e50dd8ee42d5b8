//! Layers of any family, in the form that the bench needs.

use std::fmt::Debug;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Gradients, Tensor};
use subquad_mixer::published::to_f64;
use subquad_mixer::{MeasuredMixer, SequenceMixer};

use crate::Decoder;
use crate::decode::decoders;

/// A layer that can be measured.
pub trait Layer: Debug {
    /// The whole layer, on an input of the shape that its [`Subject`](super::Subject) names.
    fn forward(&self, x: Tensor<3>) -> Tensor<3>;

    /// Number of floats that one sequence keeps to decode one more token; `None` for a layer that cannot decode.
    fn state_floats(&self, seq_len: usize) -> Option<usize>;

    /// Its ways of decoding after a `context`, `[1, seq, d_model]`, each repeating `token`, `[1, d_model]`; none for a layer
    /// that has no steps.
    fn decoders(&self, context: Tensor<3>, token: Tensor<2>) -> Vec<Box<dyn Decoder>>;

    /// A layer with the same weights that autodiff tracks.
    fn tracked(&self) -> Box<dyn Layer>;

    /// Draws the parameters that are drawn at first use, in field order.
    fn draw(&self);

    /// The values of every parameter tensor, in field order.
    fn parameters(&self) -> Vec<Vec<f64>>;

    /// The gradient of every parameter tensor, in field order; empty for a tensor without one.
    fn gradients(&self, gradients: &Gradients) -> Vec<Vec<f64>>;

    /// Number of parameters of the layer.
    fn count(&self) -> usize;
}

/// A sequence mixer as a [`Layer`].
pub(super) fn sequence<C: MeasuredMixer>(module: C::Mixer) -> Box<dyn Layer> {
    let (forward, state_floats) = (C::Mixer::forward, C::Mixer::state_size);
    Box::new(ModuleLayer { module, forward, state_floats, decoders: decoders::<C> })
}

type Decoders<M> = fn(&M, Tensor<3>, Tensor<2>) -> Vec<Box<dyn Decoder>>;

/// A layer that keeps no state, such as a channel mixer, as a [`Layer`].
pub(super) fn operation<M: Module + Debug + 'static>(
    module: M,
    forward: fn(&M, Tensor<3>) -> Tensor<3>,
) -> Box<dyn Layer> {
    Box::new(ModuleLayer { module, forward, state_floats: |_, _| None, decoders: |_, _, _| vec![] })
}

#[derive(Debug)]
struct ModuleLayer<M> {
    module: M,
    forward: fn(&M, Tensor<3>) -> Tensor<3>,
    state_floats: fn(&M, usize) -> Option<usize>,
    decoders: Decoders<M>,
}

impl<M: Module + Debug + 'static> Layer for ModuleLayer<M> {
    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        (self.forward)(&self.module, x)
    }

    fn state_floats(&self, seq_len: usize) -> Option<usize> {
        (self.state_floats)(&self.module, seq_len)
    }

    fn decoders(&self, context: Tensor<3>, token: Tensor<2>) -> Vec<Box<dyn Decoder>> {
        (self.decoders)(&self.module, context, token)
    }

    fn tracked(&self) -> Box<dyn Layer> {
        Box::new(Self { module: self.module.clone().train(), ..*self })
    }

    fn draw(&self) {
        self.module.visit(&mut DrawParameters);
    }

    fn parameters(&self) -> Vec<Vec<f64>> {
        visit(&self.module, None)
    }

    fn gradients(&self, gradients: &Gradients) -> Vec<Vec<f64>> {
        visit(&self.module, Some(gradients))
    }

    fn count(&self) -> usize {
        self.module.num_params()
    }
}

fn visit(module: &impl Module, gradients: Option<&Gradients>) -> Vec<Vec<f64>> {
    let mut visitor = Collect { gradients, tensors: vec![] };
    module.visit(&mut visitor);
    visitor.tensors
}

/// Uses every parameter once.
struct DrawParameters;

impl ModuleVisitor for DrawParameters {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        drop(param.val());
    }
}

/// Gathers the parameters' gradients or, without gradients, their values.
struct Collect<'a> {
    gradients: Option<&'a Gradients>,
    tensors: Vec<Vec<f64>>,
}

impl ModuleVisitor for Collect<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let value = param.val();
        self.tensors.push(match self.gradients {
            None => to_f64(value),
            Some(gradients) => value.grad(gradients).map(to_f64).unwrap_or_default(),
        });
    }
}

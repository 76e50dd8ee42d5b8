//! The memory of a state-space layer.

use std::sync::Arc;

use burn::tensor::{Device, Tensor};
use subquad_mixer::{Kept, MixerState, Origin};

use crate::complex::Pair;

/// Complex state of every channel and pair.
///
/// A state of [`S4`](crate::S4) also carries the output weights `C`, which its layer stores in another form. The
/// first call that needs them computes them from the layer's parameters at that time; later calls use what the state
/// carries. So a state continues with the output weights that it began with. After a change of the parameters,
/// [`new`](Self::new) makes a state of the same numbers that uses the new ones. Under autodiff nothing is carried:
/// every call uses the present parameters.
#[derive(Debug, Clone)]
pub struct S4State {
    /// Real part, `[batch, d_model, d_state / 2]`.
    pub re: Tensor<3>,
    /// Imaginary part, the same shape.
    pub im: Tensor<3>,
    pub(crate) seq: usize,
    /// `None` for numbers from elsewhere.
    pub(crate) origin: Option<Origin>,
    pub(crate) recovered: Option<Recovered>,
}

impl S4State {
    /// A state of these numbers, `[batch, d_model, d_state / 2]` each. Any layer of these sizes can continue from it.
    ///
    /// # Panics
    /// If the shapes differ.
    pub fn new(re: Tensor<3>, im: Tensor<3>) -> Self {
        assert_eq!(re.dims(), im.dims(), "real and imaginary part of a state");
        Self { re, im, seq: 0, origin: None, recovered: None }
    }

    /// Tokens seen since [`init_state`](subquad_mixer::SequenceMixer::init_state) or [`new`](Self::new).
    pub fn seq(&self) -> usize {
        self.seq
    }

    /// Before the first token: zeros of this shape, made by `origin`.
    pub(crate) fn first(shape: [usize; 3], origin: Origin, device: &Device) -> Self {
        let zeros = Tensor::zeros(shape, device);
        Self { origin: Some(origin), ..Self::new(zeros.clone(), zeros) }
    }

    /// Both parts, and their shape for one sequence in a layer of these sizes.
    pub(crate) fn kept(&self, of_one: [usize; 3]) -> [Kept<'_, 3>; 2] {
        [("re", &self.re), ("im", &self.im)].map(|(name, tensor)| Kept { name, tensor, of_one })
    }

    pub(crate) fn pair(&self) -> Pair<3> {
        Pair { re: self.re.clone(), im: self.im.clone() }
    }

    /// After `tokens` more.
    pub(crate) fn after(self, tokens: usize, Pair { re, im }: Pair<3>) -> Self {
        Self { re, im, seq: self.seq + tokens, ..self }
    }
}

impl MixerState for S4State {
    fn floats(&self) -> usize {
        let [_, d_model, pairs] = self.re.dims();
        2 * d_model * pairs
    }

    fn origin(&self) -> Option<&Origin> {
        self.origin.as_ref()
    }
}

/// `C` of the state space with which a state continues. Computing it from `C~` takes many products of dense matrices.
#[derive(Debug, Clone)]
pub(crate) struct Recovered(Arc<OutputWeights>);

#[derive(Debug)]
struct OutputWeights {
    exact: Tensor<3>,
    rounded: Pair<3>,
}

impl Recovered {
    /// `exact` is in f64 on the host, `[d_model, kernels, n]`; `rounded` in f32 on the layer's device, `[kernels, d_model, pairs]`.
    pub(crate) fn new(exact: Tensor<3>, rounded: Pair<3>) -> Self {
        Self(Arc::new(OutputWeights { exact, rounded }))
    }

    /// In f64 on the host: `[d_model, kernels, n]`.
    pub(crate) fn exact(&self) -> Tensor<3> {
        self.0.exact.clone()
    }

    /// In f32 on the layer's device: `[kernels, d_model, pairs]`.
    pub(crate) fn rounded(&self) -> Pair<3> {
        self.0.rounded.clone()
    }
}

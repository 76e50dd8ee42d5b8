//! `C` itself, which a state of S4 carries: to work it out of `C~` takes many products of dense matrices.

use std::sync::Arc;

use burn::tensor::Tensor;

use crate::complex::Pair;

/// `C` of the state space that a state goes on with.
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

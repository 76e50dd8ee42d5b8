//! `C` itself, kept beside a state: to work it out of `C~` takes many products of dense matrices.

use std::sync::Arc;

use burn::tensor::{Device, Tensor};
use subquad_backend::parameter::are_untracked;

use super::Dplr;
use super::dense::pairs;
use crate::StateSpace;
use crate::complex::Pair;

/// `C` of a state space, or nothing yet. Answers for the very same parameters alone.
#[derive(Debug, Clone, Default)]
pub struct Recovered(Option<Arc<Kept>>);

#[derive(Debug)]
struct Kept {
    of: Dplr,
    /// On the host, in f64: `[d_model, kernels, n]`.
    c: Tensor<3>,
    /// In f32 on the layer's device: `[kernels, d_model, pairs]`.
    rounded: Pair<3>,
}

impl Recovered {
    pub(super) fn c(&self, of: &Dplr) -> Option<Tensor<3>> {
        self.kept(of).map(|kept| kept.c.clone())
    }

    pub(super) fn rounded(&self, of: &Dplr) -> Option<Pair<3>> {
        self.kept(of).map(|kept| kept.rounded.clone())
    }

    fn kept(&self, of: &Dplr) -> Option<&Kept> {
        self.0.as_deref().filter(|kept| kept.of.is_same(of))
    }

    /// Keeps `c`, unless gradients may flow through it to the parameters: each pass has a graph of its own.
    pub(super) fn keep(&mut self, of: &Dplr, c: &Tensor<3>) {
        self.0 = are_untracked(of).then(|| {
            let rounded = on(pairs(c.clone()), &of.modes.c_re.device());
            Arc::new(Kept { of: of.clone(), c: c.clone(), rounded })
        });
    }
}

/// The same numbers on `device`.
pub(super) fn on(pair: Pair<3>, device: &Device) -> Pair<3> {
    pair.map(|part| part.to_device(device))
}

//! The conjugate pairs that both kinds of state space are made of.

use burn::module::{Module, Param, ParamId};
use burn::tensor::Tensor;

use crate::complex::Pair;
use crate::precision::Precision;
use crate::{RealTransform, StepTransform};

/// A diagonal continuous system for every channel, one member of each conjugate pair, and what it reads and writes.
///
/// `pairs` is `d_state / 2`. Channel `h` uses row `h mod n_ssm` of `A` and `B`. Row `c d_model + h` of what the layer makes
/// comes from kernel `c`; a bidirectional layer has the kernels of the past first, then as many of the future.
#[derive(Module, Debug)]
pub struct Modes {
    /// Step before its transform: `[d_model, 1]`, or `[d_model, pairs]` if every state has its own.
    pub inv_dt: Param<Tensor<2>>,
    /// Decay `-Re A` before its transform: `[n_ssm, pairs]`.
    pub inv_a_re: Param<Tensor<2>>,
    /// Frequency `Im A`: `[n_ssm, pairs]`.
    pub a_im: Param<Tensor<2>>,
    /// Input weights, real part: `[n_ssm, pairs]`.
    pub b_re: Param<Tensor<2>>,
    /// Input weights, imaginary part: `[n_ssm, pairs]`.
    pub b_im: Param<Tensor<2>>,
    /// Output weights, real part: `[kernels, d_model, pairs]`.
    pub c_re: Param<Tensor<3>>,
    /// Output weights, imaginary part: `[kernels, d_model, pairs]`.
    pub c_im: Param<Tensor<3>>,
    #[module(skip)]
    pub(crate) dt_transform: StepTransform,
    #[module(skip)]
    pub(crate) real_transform: RealTransform,
}

impl Modes {
    /// `[d_model, 1]` or `[d_model, pairs]`.
    pub(crate) fn dt(&self, of: Precision) -> Tensor<2> {
        self.dt_transform.apply(of.value(&self.inv_dt))
    }

    pub(crate) fn a(&self, of: Precision) -> Pair<2> {
        let decay = self.real_transform.apply(of.value(&self.inv_a_re));
        Pair { re: decay.neg(), im: of.value(&self.a_im) }.map(|rows| self.shared(rows))
    }

    pub(crate) fn b(&self, of: Precision) -> Pair<2> {
        Pair { re: of.value(&self.b_re), im: of.value(&self.b_im) }.map(|rows| self.shared(rows))
    }

    pub(crate) fn c(&self, of: Precision) -> Pair<3> {
        Pair { re: of.value(&self.c_re), im: of.value(&self.c_im) }
    }

    /// One row per channel, from one per system.
    pub(crate) fn shared(&self, rows: Tensor<2>) -> Tensor<2> {
        let copies = self.d_model() / rows.dims()[0];
        if copies == 1 { rows } else { rows.repeat_dim(0, copies) }
    }

    /// `[kernels, d_model, pairs]`.
    pub(crate) fn dims(&self) -> [usize; 3] {
        let shape = self.c_re.lazy_shape();
        [shape[0], shape[1], shape[2]]
    }

    pub(crate) fn d_model(&self) -> usize {
        self.dims()[1]
    }

    /// All parameters except the output weights: those that train slowly and without weight decay.
    pub(crate) fn ids(&self) -> Vec<ParamId> {
        vec![self.inv_dt.id, self.inv_a_re.id, self.a_im.id, self.b_re.id, self.b_im.id]
    }

    /// The same system with every step `rate` times as long.
    pub(crate) fn with_rate(mut self, rate: f64) -> Self {
        let transform = self.dt_transform;
        self.inv_dt = replace(self.inv_dt, |stored| transform.longer(stored, rate));
        self
    }
}

/// The parameter with another value. Optimisers and groups see the same parameter, and no gradient flows back to the
/// old value.
pub(crate) fn replace<const D: usize>(
    param: Param<Tensor<D>>,
    value: impl FnOnce(Tensor<D>) -> Tensor<D>,
) -> Param<Tensor<D>> {
    param.map(|old| {
        let trains = old.is_require_grad();
        value(old.detach()).detach().set_require_grad(trains)
    })
}

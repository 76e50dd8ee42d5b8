//! The state space of S4: diagonal plus low rank.
//!
//! ```text
//! x'(t) = (Lambda - P P*) x(t) + B u(t)      Lambda diagonal; P P* couples the pairs with each other
//! y(t)  = 2 Re(C x(t))                       inner products run over the full state: 2 Re of a sum over pairs
//!
//! a_bar = (I - dt A / 2)^-1 (I + dt A / 2),   b_bar = (I - dt A / 2)^-1 dt B        (bilinear)
//! K_l   = C a_bar^l b_bar                     for l < l_max from C~ = C (I - a_bar^l_max), see `kernel`
//! ```
//! Gu, Goel, Re 2021, <https://arxiv.org/abs/2111.00396>, sections 3.2 and 3.3; `P P*` with one `P` instead of two:
//! Goel, Gu, Donahue, Re 2022, <https://arxiv.org/abs/2202.09729>, section 4.2.

mod chunk;
mod dense;
mod kernel;
mod step;

use burn::module::{Module, Param, ParamId};
use burn::tensor::Tensor;
use subquad_backend::Form;
use subquad_mixer::MixerError;

use crate::complex::Pair;
use crate::lines::Lines;
use crate::modes::replace;
use crate::precision::Precision;
use crate::state::Recovered;
use crate::{Modes, S4State, StateSpace};

use dense::Dense;
use kernel::kernel;

/// State space with a low-rank part. Built by [`S4Config`](crate::S4Config) as part of a layer.
///
/// The output weights `c_re`, `c_im` of `modes` hold `C~ = C (I - a_bar^l_max)`, as in the published code: the kernel
/// needs it, and it is what is learned. Where `C` itself is needed, for states and other lengths, it is computed in
/// f64.
#[derive(Module, Debug)]
pub struct Dplr {
    /// The conjugate pairs.
    pub modes: Modes,
    /// Low-rank part, real part: `[rank, n_ssm, pairs]`.
    pub p_re: Param<Tensor<3>>,
    /// Low-rank part, imaginary part: `[rank, n_ssm, pairs]`.
    pub p_im: Param<Tensor<3>>,
    #[module(skip)]
    pub(crate) l_max: usize,
}

/// The continuous system and its steps, one row per channel.
#[derive(Clone)]
pub(crate) struct System {
    /// `[d_model, 1]` or `[d_model, pairs]`
    pub(crate) dt: Tensor<2>,
    /// `[d_model, pairs]`
    pub(crate) a: Pair<2>,
    /// `[d_model, pairs]`
    pub(crate) b: Pair<2>,
    /// `[rank, d_model, pairs]`
    pub(crate) p: Pair<3>,
}

/// The system with the steps multiplied in, so that a step is one unit of time: `x' = a x - p (q . x) + b u`, where
/// `q` is the conjugate of `P` and `a`, `p` and `b` are `dt Lambda`, `dt P` and `dt B`.
pub(crate) struct Scaled {
    /// `[d_model, pairs]`
    pub(crate) a: Pair<2>,
    /// `[d_model, pairs]`
    pub(crate) b: Pair<2>,
    /// `[rank, d_model, pairs]`
    pub(crate) p: Pair<3>,
    /// `[rank, d_model, pairs]`
    pub(crate) q: Pair<3>,
}

/// Decay per token that a state has at least: anything less vanishes next to 1 even in f64.
const LEAST_DECAY: f64 = 1e-12;
/// The same in f32. If a state does not oscillate either, the generating function divides by its square at frequency
/// 0, and the gradient by the square of that square, which must not underflow in f32. `kernel::exact` corrects the
/// error there in f64.
const LEAST_DECAY_IN_F32: f64 = 1e-8;

impl Dplr {
    /// Length at which the output weights are learned.
    pub fn l_max(&self) -> usize {
        self.l_max
    }

    /// The same map with its output weights at another length: `C (I - a_bar^l_max)` in f64, from the present ones.
    ///
    /// # Panics
    /// If `l_max` is 0.
    pub fn with_l_max(self, l_max: usize) -> Self {
        assert!(l_max > 0, "l_max must be at least 1, got 0");
        let dense = self.dense();
        let c = dense.truncated(l_max);
        Self { l_max, ..self.with_c(c) }
    }

    /// Takes the present output weights as `C` itself.
    pub(crate) fn with_plain_c(self) -> Self {
        let c = self.dense_of_stored_c().truncated(self.l_max);
        self.with_c(c)
    }

    fn with_c(mut self, Pair { re, im }: Pair<3>) -> Self {
        let device = self.modes.c_re.val().device();
        self.modes.c_re = replace(self.modes.c_re, |_| re.to_device(&device));
        self.modes.c_im = replace(self.modes.c_im, |_| im.to_device(&device));
        self
    }

    /// The dense system with `C` itself.
    fn dense(&self) -> Dense {
        self.dense_of_stored_c().recovered(self.l_max)
    }

    /// The dense system with the output weights as they are stored.
    fn dense_of_stored_c(&self) -> Dense {
        Dense::of(&self.scaled(Precision::Host), self.modes.c(Precision::Host))
    }

    /// The `C` that `state` carries. If it carries none, `C` is worked out of the dense system as it is `stored`, and unless gradients
    /// may flow through it the state carries it from then on.
    fn recovered(&self, state: &mut S4State, stored: impl FnOnce() -> Dense) -> Recovered {
        if let Some(carried) = state.recovered.as_ref().filter(|_| !self.trains()) {
            return carried.clone();
        }
        let (dense, device) = (stored().recovered(self.l_max), self.modes.c_re.val().device());
        let rounded = dense.c().map(|part| part.to_device(&device));
        let recovered = Recovered::new(dense.c, rounded);
        state.recovered = (!self.trains()).then(|| recovered.clone());
        recovered
    }

    pub(crate) fn system(&self, of: Precision) -> System {
        let copies = self.modes.d_model() / self.p_re.lazy_shape()[1];
        let p = Pair { re: of.value(&self.p_re), im: of.value(&self.p_im) };
        let p = p.map(|part| part.repeat_dim(1, copies));
        System { dt: self.modes.dt(of), a: self.modes.a(of), b: self.modes.b(of), p }
    }

    pub(crate) fn scaled(&self, of: Precision) -> Scaled {
        let System { dt, a, b, p } = self.system(of);
        let long = |part: Tensor<2>| part * dt.clone();
        let a = a.map(long);
        let least = match of {
            Precision::Layer => LEAST_DECAY_IN_F32,
            Precision::Host => LEAST_DECAY,
        };
        Scaled {
            a: Pair { re: a.re.clamp_max(-least), im: a.im },
            b: b.map(long),
            p: p.clone().map(|part| part * dt.clone().unsqueeze_dim(0)),
            q: Pair { re: p.re, im: p.im.neg() },
        }
    }

    fn trains(&self) -> bool {
        self.modes.c_re.val().is_autodiff()
    }
}

impl StateSpace for Dplr {
    const NAME: &'static str = "s4";

    fn modes(&self) -> &Modes {
        &self.modes
    }

    fn slow_parameters(&self) -> Vec<ParamId> {
        let mut ids = self.modes.ids();
        ids.extend([self.p_re.id, self.p_im.id]);
        ids
    }

    fn kernel(&self, seq: usize, form: Form) -> Tensor<3> {
        if seq > self.l_max {
            return self.clone().with_l_max(seq).kernel(seq, form);
        }
        kernel(self, form).narrow(2, 0, seq)
    }

    fn run(&self, u: Tensor<3>, mut state: S4State, form: Form) -> (Tensor<4>, S4State) {
        let (stored, seq) = (self.dense_of_stored_c(), u.dims()[2]);
        let c = self.recovered(&mut state, || stored.clone()).exact();
        let (y, next) = chunk::run(&Dense { c, ..stored }, u, state.pair(), form);
        (y, state.after(seq, next))
    }

    fn advance(&self, u: Tensor<2>, mut state: S4State) -> (Tensor<3>, S4State) {
        let c = self.recovered(&mut state, || self.dense_of_stored_c()).rounded();
        let (next, y) = step::advance(&self.scaled(Precision::Layer), c, state.pair(), u);
        (y, state.after(1, next))
    }

    fn lines(&self) -> Lines {
        step::lines(&self.scaled(Precision::Host), self.dense().c)
    }

    fn check_length(&self, seq: usize) -> Result<(), MixerError> {
        match self.trains() && seq > self.l_max {
            true => Err(MixerError::TooLongToTrain { mixer: Self::NAME, l_max: self.l_max, seq }),
            false => Ok(()),
        }
    }

    fn with_rate(self, rate: f64) -> Self {
        let c = self.dense().c();
        let mut other = self;
        other.modes = other.modes.with_rate(rate);
        other.with_c(c).with_plain_c()
    }
}

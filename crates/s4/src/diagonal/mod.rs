//! The diagonal state space of S4D.
//!
//! ```text
//! x'(t) = A x(t) + B u(t)        A diagonal: every pair runs by itself
//! y(t)  = 2 Re(C x(t))           kernel K_l = 2 Re(sum over pairs of C a_bar^l b_bar)
//! ```
//! Gu, Gupta, Goel, Re 2022, <https://arxiv.org/abs/2206.11893>.

mod discrete;
mod discretization;
mod kernel;

use burn::module::{Module, ParamId};
use burn::tensor::Tensor;
use subquad_backend::Form;
use subquad_backend::fft_conv::causal_conv;
use subquad_mixer::MixerError;

use crate::lines::{Lines, complex, numbers};
use crate::number::Complex;
use crate::precision::{Precision, rounded};
use crate::{Modes, S4State, StateSpace};
use discretization::{Continuous, Discrete};

use kernel::kernel;

pub use discretization::Discretization;

/// Diagonal state space. Built by [`S4dConfig`](crate::S4dConfig) as part of a layer.
#[derive(Module, Debug)]
pub struct Diagonal {
    /// The conjugate pairs.
    pub modes: Modes,
    #[module(skip)]
    pub(crate) discretization: Discretization,
}

impl Diagonal {
    fn discrete(&self) -> Discrete {
        let (modes, host) = (&self.modes, Precision::Host);
        let continuous = Continuous { dt: modes.dt(host), a: modes.a(host), b: modes.b(host) };
        let Discrete { log_a, b } = self.discretization.apply(continuous);
        let device = modes.c_re.val().device();
        Discrete { log_a, b: b.map(|part| rounded(part, &device)) }
    }

    fn kernel_of(&self, discrete: &Discrete, seq: usize, form: Form) -> Tensor<3> {
        let c = self.modes.c(Precision::Layer) * discrete.b.clone().unsqueeze_dim(0);
        kernel(c, discrete.log_a.clone(), seq, form)
    }
}

impl StateSpace for Diagonal {
    const NAME: &'static str = "s4d";

    fn modes(&self) -> &Modes {
        &self.modes
    }

    fn slow_parameters(&self) -> Vec<ParamId> {
        self.modes.ids()
    }

    fn kernel(&self, seq: usize, form: Form) -> Tensor<3> {
        self.kernel_of(&self.discrete(), seq, form)
    }

    fn run(&self, u: Tensor<3>, state: S4State, form: Form) -> (Tensor<4>, S4State) {
        let (discrete, [batch, d_model, seq]) = (self.discrete(), u.dims());
        let kernels = self.modes.dims()[0];
        let taps = self.kernel_of(&discrete, seq, form).reshape([kernels * d_model, seq]);
        let y = causal_conv(u.clone().repeat_dim(1, kernels), taps, form);
        let remembered = discrete.read(self.modes.c(Precision::Layer), state.pair(), seq, form);
        let next = discrete.write(state.pair(), u);
        (y.reshape([batch, kernels, d_model, seq]) + remembered, state.after(seq, next))
    }

    fn advance(&self, u: Tensor<2>, state: S4State) -> (Tensor<3>, S4State) {
        let next = self.discrete().advance(state.pair(), u);
        let read = self.modes.c(Precision::Layer).unsqueeze_dim::<4>(0) * next.clone().unsqueeze_dim(1);
        (read.re.sum_dim(3).squeeze_dim::<3>(3) * 2.0, state.after(1, next))
    }

    fn lines(&self) -> Lines {
        let (modes, host) = (&self.modes, Precision::Host);
        let [kernels, d_model, pairs] = modes.dims();
        let (dt, [a, b]) = (modes.dt(host), [modes.a(host), modes.b(host)].map(complex));
        let c = complex(modes.c(host));
        let steps = dt.dims()[1];
        let dt = numbers(dt);
        let mut lines = Lines::new([kernels, d_model, pairs], 0);
        for h in 0..d_model {
            let step = |n: usize| {
                let (at, dt) = (h * pairs + n, dt[h * steps + n % steps]);
                self.discretization.step(dt, a[at], b[at])
            };
            let (decay, input): (Vec<Complex>, Vec<Complex>) =
                (0..pairs).map(step).map(<(_, _)>::from).unzip();
            lines.push(&decay);
            lines.push(&input);
            for k in 0..kernels {
                lines.push_reading(&c[(k * d_model + h) * pairs..][..pairs]);
            }
        }
        lines
    }

    fn check_length(&self, _seq: usize) -> Result<(), MixerError> {
        Ok(())
    }

    fn with_rate(mut self, rate: f64) -> Self {
        self.modes = self.modes.with_rate(rate);
        self
    }
}

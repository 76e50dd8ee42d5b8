//! The shift state space: its state is a list that every token moves on by one place.
//!
//! ```text
//! s_t = shift(s_{t-1}) + B k_t         place n moves to n + 1, the last is forgotten
//! y_t = C s_t + D k_t                  so y = K * k with K_l = sum over n of B_n C_{n+l} for l < d_state
//! ```
//! With `B = e_0` the state is the last `d_state` inputs and the kernel is `C`: section 3.1 of the paper. The published
//! implementation starts there and trains `B` too. Either way the past that counts is `d_state - 1` inputs, which is what
//! [`run`](Shift::run) carries.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use subquad_backend::Form;
use subquad_backend::fft_conv::causal_conv;

use crate::layer::with_skip;
use crate::taps::MaxTaps;

/// A shift state space on every channel.
#[derive(Module, Debug)]
pub struct Shift {
    /// Output weights: `[d_model, d_state]`.
    pub c: Param<Tensor<2>>,
    /// Input weights, `[d_model, d_state]`; `None` is `e_0`.
    pub b: Option<Param<Tensor<2>>>,
    /// Weight of the token itself: `[d_model]`.
    pub d: Param<Tensor<1>>,
}

impl Shift {
    /// A whole sequence, `[batch, d_model, seq]`.
    pub(super) fn convolve(&self, k: Tensor<3>, most: MaxTaps, form: Form) -> Tensor<3> {
        causal_conv(k, with_skip(self.kernel(most, form), self.d.val()), form)
    }

    /// A chunk after the inputs `past`, `[batch, d_model, d_state]`, oldest first; and the inputs to continue with.
    pub(super) fn run(&self, k: Tensor<3>, past: Tensor<3>, form: Form) -> (Tensor<3>, Tensor<3>) {
        let (d_state, seq) = (self.d_state(), k.dims()[2]);
        let all = Tensor::cat(vec![past, k], 2);
        let y = causal_conv(all.clone(), self.taps(form), form).narrow(2, d_state, seq);
        (y, all.narrow(2, seq, d_state))
    }

    /// One token, `[batch, d_model, 1]`.
    pub(super) fn advance(&self, k: Tensor<3>, past: &mut Tensor<3>, form: Form) -> Tensor<3> {
        let kept = past.clone().narrow(2, 1, self.d_state() - 1);
        *past = Tensor::cat(vec![kept, k], 2);
        (past.clone() * self.taps(form).flip([1]).unsqueeze()).sum_dim(2)
    }

    /// `B = e_0`.
    pub(crate) fn first_place(d_model: usize, d_state: usize, device: &Device) -> Param<Tensor<2>> {
        let first = Tensor::ones([d_model, 1], device);
        Param::from_tensor(Tensor::cat(vec![first, Tensor::zeros([d_model, d_state - 1], device)], 1))
    }

    pub(super) fn d_state(&self) -> usize {
        self.c.lazy_shape()[1]
    }

    /// The kernel with the weight of the token itself: `[d_model, d_state]`.
    pub(crate) fn taps(&self, form: Form) -> Tensor<2> {
        with_skip(self.kernel(MaxTaps::default(), form), self.d.val())
    }

    /// The kernel without that weight: `[d_model, d_state]`, or as many taps as are left of it.
    pub(super) fn kernel(&self, most: MaxTaps, form: Form) -> Tensor<2> {
        let c = self.c.val();
        let kernel = match &self.b {
            None => c,
            Some(b) => correlation(b.val(), c, form),
        };
        let ([_, d_state], taps) = (kernel.dims(), most.of(self.d_state()));
        if taps == d_state { kernel } else { kernel.narrow(1, 0, taps) }
    }
}

/// `K_l = sum over n of b_n c_{n+l}`: a convolution of `c` from its end.
fn correlation(b: Tensor<2>, c: Tensor<2>, form: Form) -> Tensor<2> {
    causal_conv(c.flip([1]).unsqueeze(), b, form).squeeze_dim::<2>(0).flip([1])
}

//! The frequencies for which f32 is not enough, in f64 on the host, for both forms.
//!
//! Near the frequency of a mode that hardly decays, its term of every `h` is many times what the low-rank part leaves
//! of it: the spectrum loses the digits that cancel, the gradient by `a` twice as many. There the resolvent is not
//! split into terms. With `d_m = 2 i s - c a_m` for every member `m` of the conjugate pairs (letters as in [`super`])
//!
//! ```text
//! x_m = (b_m - c p_m . z) / d_m,    (1 + c sum of q_m p_m^T / d_m) z = sum of q_m b_m / d_m          the resolvent on b
//! y_m = (C~_m - c q_m . w) / d_m,   (1 + c sum of p_m q_m^T / d_m) w = sum of p_m C~_m / d_m         and under C~
//! K^_j = e^(i theta) sum of C~_m x_m
//! ```
//! and with `E = e^(i theta) E_K^` as in `adjoint.rs` the gradients are products of numbers that are no larger than the result:
//!
//! ```text
//! C~_m: E x_m     b_m: E y_m     a_m: c E x_m y_m     p_m: -c E y_m z     q_m: -c E x_m w
//! ```
//! Products with the step are made here too, so that nothing is rounded before it is differentiated.

mod channel;
mod frequencies;
mod gradients;
mod host;
mod resolvent;

use std::sync::Arc;

use burn::tensor::{FloatDType, Tensor};
use subquad_backend::kernel::apply;

use super::super::{Dplr, System};
use crate::precision::{Precision, in_two, lost};
use host::ExactKernel;

pub(super) use frequencies::Frequencies;

/// The spectrum at the frequencies that are computed here.
pub(super) struct Exact {
    pub(super) frequencies: Arc<Frequencies>,
    /// `[kernels, d_model, 2 most]`, real parts then imaginary parts, on the host; none if there are no such frequencies.
    pub(super) spectra: Option<Tensor<3>>,
}

impl Exact {
    pub(super) fn of(dplr: &Dplr) -> Self {
        let (system, l_max) = (dplr.system(Precision::Host), dplr.l_max);
        let frequencies = Arc::new(Frequencies::of(&system, l_max));
        let [kernels, _, _] = dplr.modes.dims();
        let kernel = || {
            let [rank, _, _] = system.p.re.dims();
            let numbers = numbers(dplr, system.clone());
            let kernel = ExactKernel { frequencies: frequencies.clone(), kernels, rank };
            apply(kernel, [in_two(system.dt.clone()).into(), numbers.into()])
        };
        let spectra = (frequencies.most() > 0).then(kernel);
        Self { frequencies, spectra }
    }
}

/// Real and imaginary parts of `a`, `b`, every row of `P` and every `C~`, all except the decays stored in f32, and
/// then the remainder of the decays that f32 cannot hold: `[2 (2 + rank + kernels) + 1, d_model, pairs]`.
fn numbers(dplr: &Dplr, System { a, b, p, .. }: System) -> Tensor<3> {
    let c = dplr.modes.c(Precision::Host);
    let one = |part: Tensor<2>| part.unsqueeze_dim::<3>(0);
    let left = lost(a.re.clone());
    let parts = vec![one(a.re), one(a.im), one(b.re), one(b.im), p.re, p.im, c.re, c.im, one(left)];
    Tensor::cat(parts, 0).cast(FloatDType::F32)
}

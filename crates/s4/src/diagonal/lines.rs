//! One token's recurrence of a diagonal system as plain numbers.

use super::Diagonal;
use crate::lines::{Lines, complex, numbers};
use crate::number::Complex;
use crate::precision::Precision;

pub(super) fn lines(diagonal: &Diagonal) -> Lines {
    let (modes, host) = (&diagonal.modes, Precision::Host);
    let [kernels, d_model, pairs] = modes.dims();
    let (dt, [a, b]) = (modes.dt(host), [modes.a(host), modes.b(host)].map(complex));
    let c = complex(modes.c(host));
    let steps = dt.dims()[1];
    let dt = numbers(dt);
    let mut lines = Lines::new([kernels, d_model, pairs], 0);
    for h in 0..d_model {
        let step = |n: usize| {
            let (at, dt) = (h * pairs + n, dt[h * steps + n % steps]);
            diagonal.discretization.step(dt, a[at], b[at])
        };
        let (decay, input): (Vec<Complex>, Vec<Complex>) = (0..pairs).map(step).map(<(_, _)>::from).unzip();
        lines.push(&decay);
        lines.push(&input);
        for k in 0..kernels {
            lines.push_reading(&c[(k * d_model + h) * pairs..][..pairs]);
        }
    }
    lines
}

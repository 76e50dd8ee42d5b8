//! What measured costs say about growth: exponents with intervals, local slopes, and where two curves cross. Pure
//! functions of measured points; all of them look at logarithms, where a power law is a straight line.

mod bands;
mod crossover;
mod power_law;
mod slopes;
mod student;

pub use crossover::{Comparison, Crossover, End, Which, crossovers};
pub use power_law::{LEAST_POINTS, PowerLaw, power_law};
pub use slopes::local_slopes;

/// Whether the value has a logarithm.
fn positive(value: f64) -> bool {
    value > 0.0 && value.is_finite()
}

/// Whole from 100 on, else three digits: 512, 33.3, 64; with a power of ten where that would be long.
pub(crate) fn short(value: f64) -> String {
    if !(1e-6..1e15).contains(&value) {
        return format!("{value:.2e}");
    }
    if value >= 100.0 {
        return format!("{value:.0}");
    }
    let decimals = (2 - value.log10().floor() as i32).max(0) as usize;
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

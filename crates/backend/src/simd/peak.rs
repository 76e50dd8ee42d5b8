//! The machine's peak rate of multiply-adds, of which a kernel's speed is a share.

use std::hint::black_box;
use std::time::{Duration, Instant};

use super::{Simd, WithSimd, dispatch, mul_add};

/// Long enough for a clock, short enough to find moments in which nothing else runs.
const ONCE: Duration = Duration::from_millis(2);
const TIMES: usize = 25;

/// Billions of floating-point operations per second (a multiply-add is two) that all of rayon's threads do together
/// in the [instruction set](super::instruction_set) in use: the best of 25 measurements of 2 ms, of chains of
/// multiply-adds that never leave the registers.
///
/// It varies with the clock and with whatever else runs: measure it together with what it is compared with.
pub fn fma_peak_gflops() -> f64 {
    let once = || rayon::broadcast(|_| dispatch(Chains(ONCE))).into_iter().sum::<f64>();
    (0..TIMES).map(|_| once()).fold(0.0, f64::max)
}

/// Billions of operations per second of one thread, measured in about this time.
struct Chains(Duration);

/// Multiply-adds of a chain between two readings of the clock.
const LENGTH: u32 = 1000;

impl WithSimd for Chains {
    type Output = f64;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f64 {
        // As many as the registers hold besides the two operands: more than the multipliers' latency needs.
        match S::REGISTER_COUNT >= 32 {
            true => chains::<S, 24>(simd, self.0),
            false => chains::<S, 12>(simd, self.0),
        }
    }
}

#[inline(always)]
fn chains<S: Simd, const N: usize>(simd: S, time: Duration) -> f64 {
    // x = 0.999 x + 0.001 stays 1.
    let (a, b) = (simd.splat_f32s(black_box(0.999)), simd.splat_f32s(black_box(0.001)));
    let mut sums = [simd.splat_f32s(black_box(1.0)); N];
    let (start, mut turns) = (Instant::now(), 0);
    while start.elapsed() < time {
        for _ in 0..LENGTH {
            for sum in &mut sums {
                *sum = mul_add(simd, *sum, a, b);
            }
        }
        turns += u64::from(LENGTH);
    }
    let seconds = start.elapsed().as_secs_f64();
    let mut total = a;
    for sum in sums {
        total = simd.add_f32s(total, sum);
    }
    black_box(simd.reduce_sum_f32s(total));
    2.0 * (turns * (N * S::F32_LANES) as u64) as f64 / seconds / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_a_speed() {
        let peak = fma_peak_gflops();
        assert!(peak.is_finite() && peak > 0.0, "{peak}");
    }
}

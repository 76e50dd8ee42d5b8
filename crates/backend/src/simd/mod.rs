//! Loops and vectors compiled for several instruction sets; the best that the machine has is chosen at run time.

mod complex;
pub(crate) mod functions;
mod instruction_set;
mod lanes;
mod lockstep;
mod peak;

pub(crate) use complex::{complex_add_mul_conj, complex_mul, complex_mul_conj};
pub use instruction_set::{
    INSTRUCTION_SETS, InstructionSet, SimdError, dispatch, instruction_set, use_instruction_set,
};
pub use lanes::{abs, exp2, load, mul_add, neg, save, sin_cos};
pub use lockstep::{Counted, Lockstep, Pairs, array, copy, total};
pub use peak::fma_peak_gflops;
pub use pulp::{Simd, WithSimd};

/// Runs `work`, and all that is inlined into it, compiled for the machine's instruction set.
#[inline(always)]
pub fn run<R>(work: impl FnOnce() -> R) -> R {
    struct Inlined<F>(F);
    impl<R, F: FnOnce() -> R> WithSimd for Inlined<F> {
        type Output = R;
        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) -> R {
            (self.0)()
        }
    }
    dispatch(Inlined(work))
}

/// Floats of a vector.
pub(crate) fn f32_lanes() -> usize {
    struct Ask;
    impl WithSimd for Ask {
        type Output = usize;
        fn with_simd<S: Simd>(self, _: S) -> usize {
            S::F32_LANES
        }
    }
    dispatch(Ask)
}

/// `sum += a`.
#[inline(always)]
pub fn add(sum: &mut [f32], a: &[f32]) {
    for (sum, a) in sum.iter_mut().lockstep(a) {
        *sum += a;
    }
}

/// `sum += factor a`.
#[inline(always)]
pub fn add_scaled(sum: &mut [f32], factor: f32, a: &[f32]) {
    for (sum, a) in sum.iter_mut().lockstep(a) {
        *sum += factor * a;
    }
}

/// `out = a b`, element by element.
#[inline(always)]
pub fn multiply(out: &mut [f32], a: &[f32], b: &[f32]) {
    for ((out, a), b) in out.iter_mut().lockstep(a).lockstep(b) {
        *out = a * b;
    }
}

/// `sum += a b`, element by element.
#[inline(always)]
pub fn add_product(sum: &mut [f32], a: &[f32], b: &[f32]) {
    for ((sum, a), b) in sum.iter_mut().lockstep(a).lockstep(b) {
        *sum += a * b;
    }
}

/// Partial sums that run side by side, so that the compiler may use whole vectors.
const LANES: usize = 16;

/// Sum of `f(a)`, in an order that depends only on the length.
#[inline(always)]
pub fn sum(a: &[f32], f: impl Fn(f32) -> f32) -> f32 {
    let (chunks, rest) = a.as_chunks::<LANES>();
    let mut lanes = [0.0; LANES];
    for chunk in chunks {
        for (lane, a) in lanes.iter_mut().lockstep(chunk) {
            *lane += f(*a);
        }
    }
    total(lanes.iter()) + total(rest.iter().map(|a| f(*a)))
}

/// Sum of `a b`, in an order that depends only on the length.
#[inline(always)]
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    let mut lanes = [0.0; LANES];
    for (a, b) in a.iter().lockstep(b) {
        for ((lane, a), b) in lanes.iter_mut().lockstep(a).lockstep(b) {
            *lane += a * b;
        }
    }
    total(lanes.iter()) + total(a_rest.iter().lockstep(b_rest).map(|(a, b)| a * b))
}

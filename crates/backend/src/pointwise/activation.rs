//! Activations: functions of one number, between layers.

use serde::{Deserialize, Serialize};
use subquad_options::Choice;

use crate::simd::{Lockstep, Simd, functions, load, save};

/// Makes a pass with the function of `$activation`. It is a closure that is always inlined: the name of a function in its place makes a
/// shim that is compiled without the instruction set, in which every intrinsic becomes a call.
macro_rules! pass {
    ($activation:expr, $pass:ident($($argument:expr),*), $identity:expr) => {
        match $activation {
            Self::Gelu => pass!($pass($($argument),*), gelu_with_slope),
            Self::Silu => pass!($pass($($argument),*), silu_with_slope),
            Self::Relu => pass!($pass($($argument),*), relu_with_slope),
            Self::Tanh => pass!($pass($($argument),*), tanh_with_slope),
            Self::Sigmoid => pass!($pass($($argument),*), sigmoid_with_slope),
            Self::Identity => $identity,
        }
    };
    ($pass:ident($($argument:expr),*), $function:ident) => {
        $pass(
            $($argument,)*
            #[inline(always)]
            |simd, x| functions::$function(simd, x),
        )
    };
}

/// A function of every element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Choice)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// `x Phi(x)`, exact.
    Gelu,
    /// `x sigmoid(x)`, also called swish.
    Silu,
    /// `max(x, 0)`.
    Relu,
    /// Hyperbolic tangent.
    Tanh,
    /// `1 / (1 + e^-x)`.
    Sigmoid,
    /// `x`.
    Identity,
}

impl Activation {
    /// Applied to every element, in place.
    #[inline(always)]
    pub(crate) fn apply<S: Simd>(self, simd: S, x: &mut [f32]) {
        pass!(self, each(simd, x), {});
    }

    /// [`Self::apply`], and the derivatives.
    #[inline(always)]
    pub(crate) fn apply_with_slopes<S: Simd>(self, simd: S, x: &mut [f32], slopes: &mut [f32]) {
        pass!(self, each_with_slope(simd, x, slopes), slopes.fill(1.0));
    }

    /// `d` times the derivatives at `x`.
    #[inline(always)]
    pub(crate) fn times_slopes<S: Simd>(self, simd: S, d: &mut [f32], x: &[f32]) {
        pass!(self, times_slope(simd, d, x), {});
    }
}

/// What only the slope needs is left out by the compiler.
#[inline(always)]
fn each<S: Simd>(simd: S, x: &mut [f32], f: impl Fn(S, S::f32s) -> (S::f32s, S::f32s)) {
    for x in x.chunks_mut(S::F32_LANES) {
        let (value, _) = f(simd, load(simd, x));
        save(simd, x, value);
    }
}

#[inline(always)]
fn each_with_slope<S: Simd>(
    simd: S,
    x: &mut [f32],
    slopes: &mut [f32],
    f: impl Fn(S, S::f32s) -> (S::f32s, S::f32s),
) {
    for (x, slopes) in x.chunks_mut(S::F32_LANES).lockstep(slopes.chunks_mut(S::F32_LANES)) {
        let (value, slope) = f(simd, load(simd, x));
        save(simd, x, value);
        save(simd, slopes, slope);
    }
}

#[inline(always)]
fn times_slope<S: Simd>(simd: S, d: &mut [f32], x: &[f32], f: impl Fn(S, S::f32s) -> (S::f32s, S::f32s)) {
    for (d, x) in d.chunks_mut(S::F32_LANES).lockstep(x.chunks(S::F32_LANES)) {
        let (_, slope) = f(simd, load(simd, x));
        save(simd, d, simd.mul_f32s(load(simd, d), slope));
    }
}

#[cfg(test)]
mod tests {
    use pulp::Scalar;

    use super::*;
    use crate::pointwise::reference;
    use crate::simd::{WithSimd, dispatch};

    const ALL: [Activation; 6] = [
        Activation::Gelu,
        Activation::Silu,
        Activation::Relu,
        Activation::Tanh,
        Activation::Sigmoid,
        Activation::Identity,
    ];
    /// Roundings of f32 (6e-8 each) and, for the error function, a rational approximation that is off by 4.5e-7. Of `x`
    /// where that is larger than 1.
    const TOL: f64 = 6e-7;

    struct WithSlopes(Activation, Vec<f32>);

    impl WithSimd for WithSlopes {
        /// Values, slopes, and slopes times 2.
        type Output = [Vec<f32>; 3];

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) -> [Vec<f32>; 3] {
            let Self(activation, mut x) = self;
            let (mut slopes, mut doubled) = (vec![0.0; x.len()], vec![2.0; x.len()]);
            activation.times_slopes(simd, &mut doubled, &x);
            let mut alone = x.clone();
            activation.apply(simd, &mut alone);
            activation.apply_with_slopes(simd, &mut x, &mut slopes);
            assert!(alone.iter().zip(&x).all(|(a, b)| a.to_bits() == b.to_bits()), "{activation:?}");
            [x, slopes, doubled]
        }
    }

    fn on_every_machine(activation: Activation, x: &[f32]) -> Vec<[Vec<f32>; 3]> {
        let work = || WithSlopes(activation, x.to_vec());
        let mut results = vec![Scalar.vectorize(work()), dispatch(work())];
        #[cfg(target_arch = "x86_64")]
        if let Some(simd) = pulp::x86::V3::try_new() {
            results.push(Simd::vectorize(simd, work()));
        }
        results
    }

    #[test]
    fn values_and_slopes_are_right_to_f32() {
        let x: Vec<f32> = (-9001..=9001).map(|i| i as f32 / 750.0).collect();
        for activation in ALL {
            for [values, slopes, doubled] in on_every_machine(activation, &x) {
                for (i, x) in x.iter().enumerate() {
                    let x = f64::from(*x);
                    let value = reference::activate(x, activation);
                    let slope = reference::activate_slope(x, activation);
                    let found = [(values[i], value), (slopes[i], slope), (doubled[i], 2.0 * slope)];
                    for (got, expected) in found {
                        let error = (f64::from(got) - expected).abs() / x.abs().max(1.0);
                        assert!(error < TOL, "{activation:?} at {x}: {got} for {expected}");
                    }
                }
            }
        }
    }

    #[test]
    fn no_number_stays_none_and_infinities_are_ends() {
        for activation in ALL {
            for [values, ..] in on_every_machine(activation, &[f32::NAN; 19]) {
                assert!(values.iter().all(|value| value.is_nan()), "{activation:?}");
            }
        }
        for [values, slopes, _] in on_every_machine(Activation::Sigmoid, &[f32::NEG_INFINITY, f32::INFINITY])
        {
            assert!((0.0..1e-38).contains(&values[0]) && (0.0..1e-38).contains(&slopes[0]));
            assert_eq!((values[1], slopes[1]), (1.0, 0.0));
        }
    }
}

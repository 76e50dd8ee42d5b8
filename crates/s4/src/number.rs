//! Complex numbers in f64, on the host.

/// A complex number.
pub type Complex = rustfft::num_complex::Complex<f64>;

/// A real number.
pub fn real(re: f64) -> Complex {
    Complex { re, im: 0.0 }
}

/// One half, followed by its conjugates.
pub fn complete(half: &[Complex]) -> Vec<Complex> {
    half.iter().copied().chain(half.iter().map(|z| z.conj())).collect()
}

/// `e^z - 1`, exact for small `z` too.
pub fn exp_m1(z: Complex) -> Complex {
    let half_sine = (0.5 * z.im).sin();
    let re = z.re.exp_m1() * z.im.cos() - 2.0 * half_sine * half_sine;
    Complex { re, im: z.re.exp() * z.im.sin() }
}

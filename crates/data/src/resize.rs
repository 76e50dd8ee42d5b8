//! Bilinear upsampling of square images.
//!
//! Pixel centres are at half-integers and the picture's edge is clamped: output pixel `i` of `n` reads input position
//! `(i + 1/2) * side / n - 1/2`, clamped to `0..side - 1`. This is PyTorch's `interpolate(mode="bilinear",
//! align_corners=False)`.

/// `image`, `[side, side]` row-major, as `[out_side, out_side]`.
pub(crate) fn bilinear(image: &[f32], side: usize, out_side: usize) -> Vec<f32> {
    let taps: Vec<Tap> = (0..out_side).map(|i| Tap::new(i, side, out_side)).collect();
    let mut out = Vec::with_capacity(out_side * out_side);
    for y in &taps {
        let (above, below) = (&image[y.low * side..][..side], &image[y.high * side..][..side]);
        out.extend(taps.iter().map(|x| y.mix(x.read(above), x.read(below))));
    }
    out
}

/// The two input pixels around an output pixel, along one axis.
struct Tap {
    low: usize,
    high: usize,
    weight: f32,
}

impl Tap {
    fn new(i: usize, side: usize, out_side: usize) -> Self {
        let place = (i as f64 + 0.5) * side as f64 / out_side as f64 - 0.5;
        let place = place.clamp(0.0, (side - 1) as f64);
        let low = place as usize;
        Self { low, high: (low + 1).min(side - 1), weight: (place - low as f64) as f32 }
    }

    fn read(&self, row: &[f32]) -> f32 {
        self.mix(row[self.low], row[self.high])
    }

    // This form keeps equal neighbours exactly.
    fn mix(&self, low: f32, high: f32) -> f32 {
        low + self.weight * (high - low)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rounding of a handful of f32 operations on values up to 16.
    const ABS_TOL: f32 = 1e-5;

    fn ramp(x_slope: f32, y_slope: f32) -> Vec<f32> {
        (0..64).map(|i| x_slope * (i % 8) as f32 + y_slope * (i / 8) as f32).collect()
    }

    #[test]
    fn the_original_side_gives_the_original_image() {
        let image: Vec<f32> = (0..64).map(|i| ((i * 37) % 17) as f32 / 16.0).collect();
        assert_eq!(bilinear(&image, 8, 8), image);
    }

    #[test]
    fn a_constant_image_stays_constant() {
        for side in [8, 9, 13, 16, 32] {
            assert_eq!(bilinear(&[0.3; 64], 8, side), vec![0.3; side * side], "side = {side}");
        }
    }

    #[test]
    fn a_linear_ramp_stays_linear_in_the_interior() {
        for side in [9, 16, 31] {
            let out = bilinear(&ramp(1.0, 0.5), 8, side);
            let place = |i: usize| (i as f32 + 0.5) * 8.0 / side as f32 - 0.5;
            let inside: Vec<usize> = (0..side).filter(|&i| (0.0..=7.0).contains(&place(i))).collect();
            for (&y, &x) in inside.iter().flat_map(|y| inside.iter().map(move |x| (y, x))) {
                let wanted = place(x) + 0.5 * place(y);
                let got = out[y * side + x];
                assert!((got - wanted).abs() < ABS_TOL, "side {side}, ({y}, {x}): {got} for {wanted}");
            }
        }
    }

    #[test]
    fn doubling_a_row_gives_quarters_and_repeats_the_edge() {
        // By hand: positions -0.25, 0.25, 0.75, 1.25 between the values 0 and 4.
        assert_eq!(bilinear(&[0.0, 4.0, 0.0, 4.0], 2, 4)[..4], [0.0, 1.0, 3.0, 4.0]);
    }
}

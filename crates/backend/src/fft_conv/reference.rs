//! The definition: f64, loops, quadratic. Tests compare against it.

/// `y_t = sum over s <= t of k_{t-s} u_s`, one channel.
pub fn causal_conv(u: &[f64], kernel: &[f64]) -> Vec<f64> {
    two_sided_conv(u, kernel, &[])
}

/// [`causal_conv`] plus `sum over s > t of r_{s-t-1} u_s`, one channel.
pub fn two_sided_conv(u: &[f64], kernel: &[f64], reverse: &[f64]) -> Vec<f64> {
    let tap = |t: usize, s: usize| match s <= t {
        true => kernel.get(t - s).copied().unwrap_or(0.0),
        false => reverse.get(s - t - 1).copied().unwrap_or(0.0),
    };
    (0..u.len()).map(|t| (0..u.len()).map(|s| tap(t, s) * u[s]).sum()).collect()
}

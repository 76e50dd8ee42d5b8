//! What one token's recurrence reads, in the order in which it is read.

use burn::tensor::Tensor;
use subquad_backend::read;

use crate::number::{Complex, real};

/// The recurrence of every channel as plain numbers, for `pairs` complex states each:
///
/// ```text
/// w  = s + decay s + input u        decay = a_bar - 1 of the diagonal part
/// s' = w - write_r (read_r (s + w)) for every r below the rank, all of the same s and w
/// y  = output s'                    for every kernel
/// ```
/// A read gives a real number: `2 Re` of a sum over the pairs, with the 2 and the sign included in the weights.
#[derive(Debug, Clone)]
pub struct Lines {
    pub(crate) d_model: usize,
    pub(crate) pairs: usize,
    pub(crate) rank: usize,
    pub(crate) kernels: usize,
    /// Line by line, a line being `pairs` real parts and as many imaginary ones: decay, input, then read and write of every
    /// row of the low-rank part, then the outputs. `[d_model, 2 + 2 rank + kernels, 2 pairs]`.
    pub(crate) values: Vec<f32>,
}

impl Lines {
    pub(crate) fn new([kernels, d_model, pairs]: [usize; 3], rank: usize) -> Self {
        let room = d_model * (2 + 2 * rank + kernels) * 2 * pairs;
        Self { d_model, pairs, rank, kernels, values: Vec::with_capacity(room) }
    }

    /// The next line, rounded once.
    pub(crate) fn push(&mut self, line: &[Complex]) {
        debug_assert_eq!(line.len(), self.pairs);
        self.values.extend(line.iter().map(|z| z.re as f32));
        self.values.extend(line.iter().map(|z| z.im as f32));
    }

    /// The next line, for reading `2 Re(sum of c s)`.
    pub(crate) fn push_reading(&mut self, line: &[Complex]) {
        let line: Vec<_> = line.iter().map(|z| real(2.0) * z.conj()).collect();
        self.push(&line);
    }

    /// The next lines, already in the form in which they are read.
    pub(crate) fn push_rows(&mut self, rows: &[f64]) {
        debug_assert_eq!(rows.len(), self.kernels * 2 * self.pairs);
        self.values.extend(rows.iter().map(|value| *value as f32));
    }

    /// Length of a channel.
    #[inline]
    pub(crate) fn channel(&self) -> usize {
        (2 + 2 * self.rank + self.kernels) * 2 * self.pairs
    }
}

/// The values of an f64 tensor on the host.
pub(crate) fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    read(tensor).try_into_vec().expect("it was cast to f64")
}

/// Real and imaginary parts, one after another.
pub(crate) fn complex<const D: usize>(pair: crate::complex::Pair<D>) -> Vec<Complex> {
    let parts = numbers(pair.re).into_iter().zip(numbers(pair.im));
    parts.map(|(re, im)| Complex { re, im }).collect()
}

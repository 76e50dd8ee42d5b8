//! The tail of a state-space layer by its definition: f64, loops.

use subquad_backend::pointwise::{Activation, reference};
use subquad_backend::tail::Output;

/// A problem of `y [batch, channels, seq]`.
#[derive(Debug, Clone)]
pub(crate) struct Problem<'a> {
    /// `[batch, channels, seq]`
    pub(crate) sizes: [usize; 3],
    /// Before the linear layer.
    pub(crate) activation: Activation,
    /// After it.
    pub(crate) output: Output,
    /// The sequences.
    pub(crate) y: &'a [f64],
    /// `[channels, parts d_out]`
    pub(crate) weight: &'a [f64],
    /// `[parts d_out]`, zeros for none.
    pub(crate) bias: &'a [f64],
}

/// Of `y`, `weight` and `bias`, shaped as they are.
pub(crate) type Gradients = [Vec<f64>; 3];

impl Problem<'_> {
    /// `[batch, seq, d_out]`
    pub(crate) fn mix_channels(&self) -> Vec<f64> {
        let d_out = self.bias.len() / self.output.parts();
        let one = |z: &[f64], o: usize| match self.output {
            Output::Glu => reference::glu(z[o], z[d_out + o]),
            Output::Linear => z[o],
        };
        self.tokens()
            .flat_map(|(b, t)| {
                let z = self.linear(b, t);
                (0..d_out).map(move |o| one(&z, o)).collect::<Vec<_>>()
            })
            .collect()
    }

    /// By the chain rule, of the sum of the output times `grad [batch, seq, d_out]`.
    pub(crate) fn gradients(&self, grad: &[f64]) -> Gradients {
        let [_, channels, _] = self.sizes;
        let width = self.bias.len();
        let mut grads = [self.y, self.weight, self.bias].map(|input| vec![0.0; input.len()]);
        for ((b, t), grad) in self.tokens().zip(grad.chunks(width / self.output.parts())) {
            let dz = self.linear_grad(&self.linear(b, t), grad);
            for c in 0..channels {
                let (y, weight) = (self.y[self.at(b, c, t)], &self.weight[c * width..][..width]);
                let inner: f64 = weight.iter().zip(&dz).map(|(w, dz)| w * dz).sum();
                grads[0][self.at(b, c, t)] = inner * reference::activate_slope(y, self.activation);
                let hidden = reference::activate(y, self.activation);
                grads[1][c * width..].iter_mut().zip(&dz).for_each(|(dw, dz)| *dw += hidden * dz);
            }
            grads[2].iter_mut().zip(&dz).for_each(|(sum, dz)| *sum += dz);
        }
        grads
    }

    fn tokens(&self) -> impl Iterator<Item = (usize, usize)> {
        let [batch, _, seq] = self.sizes;
        (0..batch).flat_map(move |b| (0..seq).map(move |t| (b, t)))
    }

    fn at(&self, b: usize, c: usize, t: usize) -> usize {
        let [_, channels, seq] = self.sizes;
        (b * channels + c) * seq + t
    }

    /// What the linear layer makes of a token.
    fn linear(&self, b: usize, t: usize) -> Vec<f64> {
        let [_, channels, _] = self.sizes;
        let hidden = |c| reference::activate(self.y[self.at(b, c, t)], self.activation);
        let hidden: Vec<f64> = (0..channels).map(hidden).collect();
        let width = self.bias.len();
        let term = |c: usize, o: usize| hidden[c] * self.weight[c * width + o];
        (0..width).map(|o| self.bias[o] + (0..channels).map(|c| term(c, o)).sum::<f64>()).collect()
    }

    /// Gradient of a token's `z` by that of its outputs.
    fn linear_grad(&self, z: &[f64], grad: &[f64]) -> Vec<f64> {
        let (a, b) = z.split_at(grad.len());
        match self.output {
            Output::Linear => grad.to_vec(),
            Output::Glu => {
                let s: Vec<f64> = b.iter().map(|b| reference::glu(1.0, *b)).collect();
                let first = grad.iter().zip(&s).map(|(grad, s)| grad * s);
                let second = grad.iter().zip(&s).zip(a).map(|((grad, s), a)| grad * a * s * (1.0 - s));
                first.chain(second).collect()
            }
        }
    }
}

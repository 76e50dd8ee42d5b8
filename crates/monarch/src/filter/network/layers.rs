//! Where the numbers of a network's layers are stored.

use std::ops::Range;

/// Number of tokens that go through all layers together: their numbers stay in a core's cache.
pub(super) const TOKENS: usize = 64;

/// Layer `i` up to `sine_layers` is a sine layer, and the last one, number `sine_layers`, is linear.
///
/// All weights and biases lie one after the other: `W0 [emb_dim, order]`, `b0 [order]`, `W1 [order, order]`, `b1`, .., and last
/// the linear layer's weight, `[order, d_model]`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    pub(super) emb_dim: usize,
    pub(super) order: usize,
    pub(super) d_model: usize,
    pub(super) sine_layers: usize,
}

impl Sizes {
    /// Number of weights and biases.
    pub(super) fn numbers(self) -> usize {
        self.weight(self.sine_layers).end
    }

    /// `[inputs, outputs]` of a layer.
    pub(super) fn widths(self, layer: usize) -> [usize; 2] {
        let inputs = if layer == 0 { self.emb_dim } else { self.order };
        [inputs, if layer == self.sine_layers { self.d_model } else { self.order }]
    }

    pub(super) fn weight(self, layer: usize) -> Range<usize> {
        let [inputs, outputs] = self.widths(layer);
        let before: usize = match layer {
            0 => 0,
            _ => (self.emb_dim + 1 + (layer - 1) * (self.order + 1)) * self.order,
        };
        before..before + inputs * outputs
    }

    /// Where a sine layer's bias is.
    pub(super) fn bias(self, layer: usize) -> Range<usize> {
        let start = self.weight(layer).end;
        start..start + self.order
    }

    /// Number of floats kept of a token for the backward pass.
    pub(super) fn notes(self) -> usize {
        self.sine_layers * self.order
    }
}

/// A network's numbers.
#[derive(Clone, Copy)]
pub(super) struct Network<'a> {
    pub(super) sizes: Sizes,
    /// `[sine layers, order]`, or `[1, order]` for all layers.
    pub(super) frequencies: &'a [f32],
    /// Weights and biases.
    pub(super) numbers: &'a [f32],
}

impl<'a> Network<'a> {
    pub(super) fn weight(self, layer: usize) -> &'a [f32] {
        &self.numbers[self.sizes.weight(layer)]
    }

    pub(super) fn bias(self, layer: usize) -> &'a [f32] {
        &self.numbers[self.sizes.bias(layer)]
    }

    /// Where a layer's frequencies are.
    pub(super) fn row(self, layer: usize) -> Range<usize> {
        let order = self.sizes.order;
        let start = (layer * order).min(self.frequencies.len() - order);
        start..start + order
    }

    pub(super) fn frequency(self, layer: usize) -> &'a [f32] {
        &self.frequencies[self.row(layer)]
    }
}

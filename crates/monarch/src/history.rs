//! What a filter as long as the sequence must keep: everything that it has read.

use burn::tensor::Tensor;
use subquad_backend::Form;

use crate::ConvAlgorithm;

/// A causal filter with its bias at lag 0, as a function from a number of taps to `[d_model, taps]`.
pub(crate) type Taps<'a> = &'a dyn Fn(usize) -> Tensor<2>;

/// How a history continues: [`History::chunk`] or [`History::token`].
pub(crate) type Advance = fn(&mut History, Taps<'_>, usize, Tensor<3>, (ConvAlgorithm, Form)) -> Tensor<3>;

/// What one long filter has read.
#[derive(Debug, Clone, Default)]
pub(crate) struct History {
    /// `[batch, d_model, tokens]`; `None` before the first token.
    past: Option<Tensor<3>>,
    /// The whole filter with the newest token's tap last: `[d_model, l_max]`. Derived from the parameters at the first
    /// step, so that a step does not run the filter's network over all positions; not counted as state.
    taps: Option<Tensor<2>>,
}

impl History {
    pub(crate) fn tokens(&self) -> usize {
        self.past.as_ref().map_or(0, |past| past.dims()[2])
    }

    pub(crate) fn floats(&self) -> usize {
        self.past.as_ref().map_or(0, |past| past.dims()[1] * past.dims()[2])
    }

    /// Filters a chunk `[batch, d_model, seq]` that comes after the past, as a whole sequence.
    pub(crate) fn chunk(
        &mut self,
        taps: Taps<'_>,
        _: usize,
        x: Tensor<3>,
        (conv, form): (ConvAlgorithm, Form),
    ) -> Tensor<3> {
        let (before, [_, _, seq]) = (self.tokens(), x.dims());
        conv.convolve(self.append(x), taps(before + seq), None, form).narrow(2, before, seq)
    }

    /// Filters one token `[batch, d_model, 1]` by the definition: `sum over s <= t of k_{t-s} x_s`.
    pub(crate) fn token(
        &mut self,
        taps: Taps<'_>,
        l_max: usize,
        x: Tensor<3>,
        _: (ConvAlgorithm, Form),
    ) -> Tensor<3> {
        let inputs = self.append(x);
        let [_, _, tokens] = inputs.dims();
        let taps = self.taps.get_or_insert_with(|| taps(l_max).flip([1]));
        let taps = taps.clone().narrow(1, l_max - tokens, tokens);
        (inputs * taps.unsqueeze::<3>()).sum_dim(2)
    }

    fn append(&mut self, x: Tensor<3>) -> Tensor<3> {
        let all = match self.past.take() {
            Some(past) => Tensor::cat(vec![past, x], 2),
            None => x,
        };
        self.past.insert(all).clone()
    }
}

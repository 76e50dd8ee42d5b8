//! A filter as long as the sequence, token by token: a direct sum over the past, `sum over s <= t of k_{t-s} x_s`.

use burn::tensor::Tensor;
use subquad_backend::floats;
use subquad_backend::simd::{self, Lockstep};

/// Room for this many tokens is the least that is made.
const LEAST_ROOM: usize = 16;

/// The taps of one filter per channel.
#[derive(Debug)]
pub(super) struct LongTaps {
    l_max: usize,
    /// `[d_model, l_max]`, the newest token's tap last, so that the taps of any past lie next to each other.
    taps: Vec<f32>,
}

impl LongTaps {
    /// Taps by lag, `[d_model, l_max]`.
    pub(super) fn new(taps: Tensor<2>) -> Self {
        let [_, l_max] = taps.dims();
        Self { l_max, taps: floats(taps.flip([1])) }
    }
}

/// What a filter has read.
#[derive(Debug, Clone)]
pub(super) struct LongPast {
    d_model: usize,
    tokens: usize,
    /// Tokens that `values` has room for.
    room: usize,
    /// `[d_model, room]`
    values: Vec<f32>,
}

impl LongPast {
    /// The past of a state, `[1, d_model, tokens]`, if there is one, with room for `more` tokens after it.
    pub(super) fn new(past: Option<Tensor<3>>, d_model: usize, more: usize, taps: &LongTaps) -> Self {
        let tokens = past.as_ref().map_or(0, |past| past.dims()[2]);
        let mut new = Self { d_model, tokens, room: tokens, values: past.map_or_else(Vec::new, floats) };
        new.make_room((tokens + more).min(taps.l_max));
        new
    }

    /// Reads a token, `[d_model]`.
    ///
    /// # Panics
    /// If there are more tokens than taps.
    pub(super) fn push(&mut self, taps: &LongTaps, x: &[f32]) {
        assert!(self.tokens < taps.l_max, "a filter of {} taps takes no more tokens than that", taps.l_max);
        if self.tokens == self.room {
            self.make_room((2 * self.room).max(LEAST_ROOM).min(taps.l_max));
        }
        let newest = self.values.iter_mut().skip(self.tokens).step_by(self.room);
        newest.lockstep(x).for_each(|(to, x)| *to = *x);
        self.tokens += 1;
    }

    /// The filtered newest token.
    pub(super) fn filter(&self, taps: &LongTaps, y: &mut [f32]) {
        let (tokens, l_max) = (self.tokens, taps.l_max);
        simd::run(
            #[inline(always)]
            || {
                let rows = taps.taps.chunks_exact(l_max).lockstep(self.values.chunks_exact(self.room));
                for (y, (taps, past)) in y.iter_mut().lockstep(rows) {
                    *y = simd::dot(&taps[l_max - tokens..], &past[..tokens]);
                }
            },
        );
    }

    fn make_room(&mut self, room: usize) {
        let mut values = vec![0.0; self.d_model * room];
        if self.tokens > 0 {
            for (to, from) in values.chunks_exact_mut(room).zip(self.values.chunks_exact(self.room)) {
                to[..self.tokens].copy_from_slice(&from[..self.tokens]);
            }
        }
        (self.room, self.values) = (room, values);
    }

    pub(super) fn tokens(&self) -> usize {
        self.tokens
    }

    /// Number of floats, without room for more.
    pub(super) fn floats(&self) -> usize {
        self.tokens * self.d_model
    }

    pub(super) fn clear(&mut self) {
        self.tokens = 0;
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Tensor, TensorData};

    use super::*;

    /// Two channels; taps 1, 2, 4 and 10, 20, 40 by lag.
    #[test]
    fn a_token_is_the_sum_over_the_past_also_when_room_runs_out() {
        let taps = [1.0f32, 2.0, 4.0, 10.0, 20.0, 40.0];
        let data = TensorData::new(taps.to_vec(), [2, 3]);
        let taps = LongTaps::new(Tensor::from_data(data, &Device::flex()));
        let mut past = LongPast::new(None, 2, 1, &taps);
        let mut answers = vec![];
        for x in [[1.0, 3.0], [5.0, 0.0], [0.0, 7.0]] {
            let mut y = [f32::NAN; 2];
            past.push(&taps, &x);
            past.filter(&taps, &mut y);
            answers.push(y);
        }
        assert_eq!(answers, [[1.0, 30.0], [7.0, 60.0], [14.0, 190.0]]);
        assert_eq!((past.tokens(), past.floats()), (3, 6));
    }
}

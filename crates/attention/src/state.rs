//! The key-value cache.

use std::ops::Range;

use burn::tensor::{Device, Tensor};
use subquad_mixer::{MixerState, Origin};

use crate::score_row::Slots;

/// Capacity that a cache starts with if the caller does not say how long the sequence gets.
pub(crate) const FIRST_CAPACITY: usize = 64;

/// Keys and values of the tokens seen so far; keys are kept already rotated by their position.
///
/// They are in buffers with room for more tokens, which double when they are full. A new token is written in place,
/// unless a clone of the state shares the buffers (branching from a prompt) or autodiff still needs them: then they
/// are copied first. With a sliding window the buffers are a ring: they never have more than `window` slots, and the
/// token at position `t` takes slot `t % window`.
#[derive(Debug, Clone)]
pub struct AttentionState {
    /// `[batch, kv_heads, capacity, d_head]`
    k: Tensor<4>,
    /// `[batch, kv_heads, capacity, d_head]`
    v: Tensor<4>,
    seq: usize,
    window: Option<usize>,
    origin: Origin,
}

impl AttentionState {
    /// A cache without tokens, with room for `capacity` of them or for a whole window.
    pub(crate) fn empty(
        [batch, kv_heads, capacity, d_head]: [usize; 4],
        origin: Origin,
        window: Option<usize>,
        device: &Device,
    ) -> Self {
        let slots = capacity.max(1).min(window.unwrap_or(usize::MAX));
        let buffer = || Tensor::zeros([batch, kv_heads, slots, d_head], device);
        Self { k: buffer(), v: buffer(), seq: 0, window, origin }
    }

    /// Tokens seen so far.
    pub fn seq(&self) -> usize {
        self.seq
    }

    /// Tokens whose keys and values are kept: all of them, or the last `window`.
    pub fn held(&self) -> usize {
        self.seq.min(self.ring())
    }

    /// Tokens that the buffers have room for before they grow.
    pub fn capacity(&self) -> usize {
        self.k.dims()[2]
    }

    /// The keys that are kept, in the order of their tokens: `[batch, kv_heads, held, d_head]`.
    pub fn keys(&self) -> Tensor<4> {
        self.last(&self.k, self.held())
    }

    /// The values that are kept, in the order of their tokens: `[batch, kv_heads, held, d_head]`.
    pub fn values(&self) -> Tensor<4> {
        self.last(&self.v, self.held())
    }

    /// The buffers and their names.
    pub(crate) fn tensors(&self) -> [(&'static str, &Tensor<4>); 2] {
        [("keys", &self.k), ("values", &self.v)]
    }

    /// Adds a chunk. Returns the keys and values that its queries may see, in the order of their tokens.
    ///
    /// # Shapes
    /// - `k`, `v`: `[batch, kv_heads, seq, d_head]`
    pub(crate) fn extend(&mut self, k: Tensor<4>, v: Tensor<4>) -> [Tensor<4>; 2] {
        // If new tokens overwrite the slots of old ones, the chunk's first queries may still see the old ones.
        let wraps = self.seq + k.dims()[2] > self.ring();
        let seen = wraps.then(|| [self.seen(&self.k, &k), self.seen(&self.v, &v)]);
        self.put(k, v);
        seen.unwrap_or_else(|| [self.keys(), self.values()])
    }

    /// Adds a chunk, as [`extend`](Self::extend) does, and returns nothing.
    pub(crate) fn put(&mut self, k: Tensor<4>, v: Tensor<4>) {
        self.reserve(k.dims()[2]);
        self.write(k, v);
    }

    /// Keys and values in slot order: `[batch, kv_heads, capacity, d_head]`.
    pub(crate) fn buffers(&self) -> [Tensor<4>; 2] {
        [self.k.clone(), self.v.clone()]
    }

    /// Which slots hold tokens, once there is at least one.
    pub(crate) fn slots_in_use(&self) -> Slots {
        Slots { held: self.held(), newest: (self.seq - 1) % self.ring() }
    }

    fn ring(&self) -> usize {
        self.window.unwrap_or(usize::MAX)
    }

    /// What is kept in `buffer` and visible to the next token, followed by the chunk.
    fn seen(&self, buffer: &Tensor<4>, chunk: &Tensor<4>) -> Tensor<4> {
        match self.held().min(self.ring() - 1) {
            0 => chunk.clone(),
            old => Tensor::cat(vec![self.last(buffer, old), chunk.clone()], 2),
        }
    }

    /// The last `count` tokens in `buffer`, in order.
    fn last(&self, buffer: &Tensor<4>, count: usize) -> Tensor<4> {
        let [batch, kv_heads, _, d_head] = buffer.dims();
        match self.slots(self.seq - count..self.seq) {
            // burn cannot take a slice of length 0.
            [run, _] if run.is_empty() => Tensor::empty([batch, kv_heads, 0, d_head], &buffer.device()),
            [run, rest] if rest.is_empty() => buffer.clone().narrow(2, run.start, run.len()),
            runs => Tensor::cat(runs.map(|run| buffer.clone().narrow(2, run.start, run.len())).into(), 2),
        }
    }

    /// The slots of at most `window` consecutive tokens: one run, and another where the ring starts again.
    fn slots(&self, tokens: Range<usize>) -> [Range<usize>; 2] {
        let first = tokens.start % self.ring();
        let run = tokens.len().min(self.ring() - first);
        [first..first + run, 0..tokens.len() - run]
    }

    /// Makes room for `new` more tokens.
    fn reserve(&mut self, new: usize) {
        let ([batch, kv_heads, capacity, d_head], needed) =
            (self.k.dims(), (self.seq + new).min(self.ring()));
        if needed > capacity {
            let more = needed.max(2 * capacity).min(self.ring()) - capacity;
            let longer = |buffer: Tensor<4>| {
                let room = Tensor::zeros([batch, kv_heads, more, d_head], &buffer.device());
                Tensor::cat(vec![buffer, room], 2)
            };
            self.k.inplace(longer);
            self.v.inplace(longer);
        }
    }

    /// Puts those tokens of a chunk that will be kept into their slots.
    fn write(&mut self, k: Tensor<4>, v: Tensor<4>) {
        let [batch, kv_heads, new, d_head] = k.dims();
        let mut from = new - new.min(self.ring());
        for slots in self.slots(self.seq + from..self.seq + new) {
            if slots.is_empty() {
                continue;
            }
            let part = |chunk: &Tensor<4>| chunk.clone().narrow(2, from, slots.len());
            let at = [0..batch, 0..kv_heads, slots.clone(), 0..d_head];
            self.k.inplace(|buffer| buffer.slice_assign(at.clone(), part(&k)));
            self.v.inplace(|buffer| buffer.slice_assign(at, part(&v)));
            from += slots.len();
        }
        self.seq += new;
    }
}

impl MixerState for AttentionState {
    /// Counts the tokens that are kept, not the room for more.
    fn floats(&self) -> usize {
        let [_, kv_heads, _, d_head] = self.k.dims();
        2 * kv_heads * self.held() * d_head
    }

    fn origin(&self) -> Option<&Origin> {
        Some(&self.origin)
    }
}

//! Keys and values of one head, laid out for one query at a time.

use crate::score_row::BLOCK;
use subquad_backend::simd::{Counted, Lockstep};

/// Rows of values are padded to whole vectors of every instruction set.
const LANES: usize = 16;

/// Keys and values by slot. The buffers grow by doubling; what fits into them needs no allocation.
#[derive(Debug)]
pub(super) struct HeadCache {
    d_head: usize,
    /// `[blocks, d_head, BLOCK]`: feature by feature, so that lanes are keys and no sum runs across a vector. A block
    /// has enough sums to hide the latency of a multiplier.
    keys: Vec<f32>,
    /// `[blocks * BLOCK, d_value]`
    pub(super) values: Vec<f32>,
}

impl HeadCache {
    /// An empty cache with room for `slots` tokens.
    pub(super) fn new(d_head: usize, slots: usize) -> Self {
        let mut cache = Self { d_head, keys: vec![], values: vec![] };
        let slots = slots.next_multiple_of(BLOCK);
        cache.keys.reserve_exact(slots * d_head);
        cache.values.reserve_exact(slots * cache.d_value());
        cache
    }

    /// Width of a row of values.
    #[inline]
    pub(super) fn d_value(&self) -> usize {
        self.d_head.next_multiple_of(LANES)
    }

    /// Puts a token into a slot: one that was used before, or the first that was not.
    pub(super) fn put(&mut self, slot: usize, key: &[f32], value: &[f32]) {
        let (d_head, d_value) = (self.d_head, self.d_value());
        let (block, lane) = (slot / BLOCK, slot % BLOCK);
        if block * BLOCK * d_head == self.keys.len() {
            self.keys.resize((block + 1) * BLOCK * d_head, 0.0);
            self.values.resize((block + 1) * BLOCK * d_value, 0.0);
        }
        let lanes = self.keys[block * BLOCK * d_head..].iter_mut().skip(lane).step_by(BLOCK);
        lanes.lockstep(key).for_each(|(to, feature)| *to = *feature);
        self.values[slot * d_value..][..d_head].copy_from_slice(value);
    }

    pub(super) fn clear(&mut self) {
        self.keys.clear();
        self.values.clear();
    }

    /// The blocks of keys, `[d_head, BLOCK]` each.
    #[inline]
    pub(super) fn blocks(&self) -> impl Counted<Item = &[f32]> {
        self.keys.chunks_exact(self.d_head * BLOCK)
    }
}

impl Clone for HeadCache {
    fn clone(&self) -> Self {
        Self { d_head: self.d_head, keys: with_room(&self.keys), values: with_room(&self.values) }
    }
}

/// A copy with the same capacity: a plain clone would have no spare room, and the next token would have to allocate.
pub(super) fn with_room(values: &Vec<f32>) -> Vec<f32> {
    let mut copy = Vec::with_capacity(values.capacity());
    copy.extend_from_slice(values);
    copy
}

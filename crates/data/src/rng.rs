//! Random numbers as a pure function of (seed, purpose, counters): Philox4x32-10.
//!
//! ```text
//! numbers of (a, b) = philox(counter 0, 1, 2, .. | key and counter half from philox((a, b) | stream's key))
//! stream's key      = philox((seed, hash of purpose) | 0)
//! ```
//! Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3" (Random123). There is no shared state
//! and no hidden counter: step 1000 needs no steps before it.

use std::ops::Range;

use crate::epochs::Epochs;

const ROUNDS: usize = 10;
const MULTIPLIERS: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
const KEY_STEPS: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];

/// One block of Philox4x32-10: four numbers that look random, the same for the same counter and key.
fn philox4x32_10(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for _ in 0..ROUNDS {
        let (high0, low0) = wide_product(MULTIPLIERS[0], counter[0]);
        let (high1, low1) = wide_product(MULTIPLIERS[1], counter[2]);
        counter = [high1 ^ counter[1] ^ key[0], low1, high0 ^ counter[3] ^ key[1], low0];
        key = [key[0].wrapping_add(KEY_STEPS[0]), key[1].wrapping_add(KEY_STEPS[1])];
    }
    counter
}

fn wide_product(a: u32, b: u32) -> (u32, u32) {
    let product = u64::from(a) * u64::from(b);
    ((product >> 32) as u32, product as u32)
}

fn low_high(x: u64) -> [u32; 2] {
    [x as u32, (x >> 32) as u32]
}

/// FNV-1a, 64 bits.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xCBF2_9CE4_8422_2325, |h, byte| (h ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3))
}

/// All random numbers of one purpose under one seed.
///
/// Two streams that differ in seed or purpose share no numbers for practical purposes: their 64-bit keys collide
/// with probability 2^-64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stream {
    key: [u32; 2],
}

impl Stream {
    /// The stream of `purpose`, for example `"digits/shuffle"`, under `seed`.
    pub fn new(seed: u64, purpose: &str) -> Self {
        let ([s0, s1], [p0, p1]) = (low_high(seed), low_high(hash(purpose)));
        let [k0, k1, _, _] = philox4x32_10([s0, s1, p0, p1], [0; 2]);
        Self { key: [k0, k1] }
    }

    /// The numbers at one place of the stream, for example `(step, layer)`.
    ///
    /// ```
    /// use subquad_data::Stream;
    /// let dropout = Stream::new(0, "dropout");
    /// assert_eq!(dropout.at(7, 2).next_u64(), dropout.at(7, 2).next_u64());
    /// assert_ne!(dropout.at(7, 2).next_u64(), dropout.at(2, 7).next_u64());
    /// ```
    pub fn at(&self, a: u64, b: u64) -> Draws {
        let ([a0, a1], [b0, b1]) = (low_high(a), low_high(b));
        let [k0, k1, c2, c3] = philox4x32_10([a0, a1, b0, b1], self.key);
        Draws { key: [k0, k1], place: [c2, c3], block: 0, ready: [0; 4], left: 0 }
    }
}

/// The numbers at one place of a [`Stream`], one after the other.
#[derive(Clone, Debug)]
pub struct Draws {
    key: [u32; 2],
    place: [u32; 2],
    block: u64,
    ready: [u32; 4],
    left: usize,
}

impl Draws {
    /// Any 32 bits.
    pub fn next_u32(&mut self) -> u32 {
        if self.left == 0 {
            self.refill();
        }
        self.left -= 1;
        self.ready[3 - self.left]
    }

    fn refill(&mut self) {
        let ([b0, b1], [p0, p1]) = (low_high(self.block), self.place);
        self.ready = philox4x32_10([b0, b1, p0, p1], self.key);
        self.left = 4;
        self.block += 1;
    }

    /// Any 64 bits, low half first.
    pub fn next_u64(&mut self) -> u64 {
        let low = u64::from(self.next_u32());
        low | (u64::from(self.next_u32()) << 32)
    }

    /// Uniform in [0, 1), a multiple of 2^-24: every value is exact in f32.
    pub fn uniform(&mut self) -> f32 {
        (self.next_u32() >> 8) as f32 / (1 << 24) as f32
    }

    /// Uniform among `0..n`, each with the same probability.
    ///
    /// # Panics
    /// If `n` is 0.
    pub fn below(&mut self, n: usize) -> usize {
        assert!(n > 0, "no number lies below 0");
        // The high half of x * n is the result. For each result, the x whose low half is below 2^64 mod n are drawn again
        // (Lemire 2019, "Fast random integer generation in an interval").
        let n = n as u64;
        let left_over = n.wrapping_neg() % n;
        loop {
            let product = u128::from(self.next_u64()) * u128::from(n);
            if product as u64 >= left_over {
                return (product >> 64) as usize;
            }
        }
    }

    /// Shuffles `items` uniformly among all orders (Fisher-Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }

    /// `count` different numbers below `n`, in random order (the start of a Fisher-Yates shuffle).
    ///
    /// # Panics
    /// If there are not so many.
    pub fn distinct(&mut self, count: usize, n: usize) -> Vec<usize> {
        let mut all: Vec<usize> = (0..n).collect();
        for i in 0..count {
            all.swap(i, i + self.below(n - i));
        }
        all.truncate(count);
        all
    }

    /// Mean 0, variance 1 (Box-Muller). Its last bits may differ between platforms, because `ln` and `cos` do.
    pub fn normal(&mut self) -> f32 {
        let (u, v) = (1.0 - f64::from(self.uniform()), f64::from(self.uniform()));
        ((-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()) as f32
    }
}

/// The random numbers of a task's examples. Training examples are fresh, or those of a fixed set in epochs. Validation and test examples are part of the task: they
/// are the same for every seed of a run.
#[derive(Clone, Debug)]
pub(crate) struct Examples {
    pub(crate) train: Stream,
    /// The order of a fixed training set.
    pub(crate) epochs: Option<Epochs>,
    pub(crate) validation: Stream,
    pub(crate) test: Stream,
}

impl Examples {
    /// The streams `<task>/train` under `seed`, and `<task>/validation` and `<task>/test` under 0. A fixed training set has `train_len`
    /// examples; 0: all are fresh.
    pub(crate) fn new(task: &str, seed: u64, train_len: usize) -> Self {
        let stream = |seed, part| Stream::new(seed, &format!("{task}/{part}"));
        Self {
            train: stream(seed, "train"),
            epochs: (train_len > 0).then(|| Epochs::new(stream(seed, "shuffle"), train_len)),
            validation: stream(0, "validation"),
            test: stream(0, "test"),
        }
    }

    /// The number of examples of a fixed training set.
    pub(crate) fn train_len(&self) -> Option<usize> {
        self.epochs.as_ref().map(Epochs::len)
    }

    pub(crate) fn train(&self, step: usize, batch: usize) -> impl ExactSizeIterator<Item = Draws> {
        let examples = match &self.epochs {
            Some(epochs) => epochs.batch(step, batch),
            None => (step * batch..(step + 1) * batch).collect(),
        };
        examples.into_iter().map(|example| self.train.at(example as u64, 0))
    }

    pub(crate) fn validation(&self, range: Range<usize>) -> impl ExactSizeIterator<Item = Draws> {
        range.map(move |example| self.validation.at(example as u64, 0))
    }

    pub(crate) fn test(&self, range: Range<usize>) -> impl ExactSizeIterator<Item = Draws> {
        self.test_at(range, 0)
    }

    /// The test examples of a condition that has a place of its own.
    pub(crate) fn test_at(&self, range: Range<usize>, place: u64) -> impl ExactSizeIterator<Item = Draws> {
        range.map(move |example| self.test.at(example as u64, place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn philox_gives_the_published_known_answers() {
        let cases = [
            ([0; 4], [0; 2], [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]),
            ([u32::MAX; 4], [u32::MAX; 2], [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]),
            (
                [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
                [0xa4093822, 0x299f31d0],
                [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
            ),
        ];
        for (counter, key, answer) in cases {
            assert_eq!(philox4x32_10(counter, key), answer, "counter {counter:x?}");
        }
    }

    #[test]
    fn fnv_gives_the_published_known_answers() {
        assert_eq!(hash(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(hash("a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(hash("foobar"), 0x8594_4171_f739_67e8);
    }
}

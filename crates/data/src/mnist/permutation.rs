//! The order of pixels.

use serde::Deserialize;
use subquad_options::Choice;

use super::PIXELS;
use crate::Stream;

/// The permutation is part of the task: it is the same for every seed of a run.
const PERMUTATION_SEED: u64 = 0;

/// The order in which pixels are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Choice)]
#[serde(rename_all = "snake_case")]
pub enum Permutation {
    /// Row by row.
    None,
    /// Token t is the t-th of the numbers below 784 among the bit reversals of 0, 1, .., 1023.
    BitReversal,
    /// One order, drawn once by this crate's generator with seed 0, the same in every run. It is not that of other works, which
    /// each draw their own.
    Random,
}

impl Permutation {
    /// The pixel, row by row, that each token is.
    ///
    /// ```
    /// use subquad_data::Permutation;
    /// assert_eq!(Permutation::None.order()[..4], [0, 1, 2, 3]);
    /// // 0, 1, 2, 3, 4, 5, 6, 7 with their ten bits reversed: 0, 512, 256, 768, 128, 640, 384, 896, the last of which is no pixel.
    /// assert_eq!(Permutation::BitReversal.order()[..7], [0, 512, 256, 768, 128, 640, 384]);
    /// ```
    pub fn order(self) -> Vec<usize> {
        match self {
            Self::None => (0..PIXELS).collect(),
            Self::BitReversal => {
                let bits = PIXELS.next_power_of_two().trailing_zeros();
                (0..1_u32 << bits)
                    .map(|i| (i.reverse_bits() >> (32 - bits)) as usize)
                    .filter(|&i| i < PIXELS)
                    .collect()
            }
            Self::Random => {
                let mut order: Vec<usize> = (0..PIXELS).collect();
                Stream::new(PERMUTATION_SEED, "mnist/permutation").at(0, 0).shuffle(&mut order);
                order
            }
        }
    }
}

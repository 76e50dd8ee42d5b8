//! Ranges of numbers, and those that several options have: Rust has no syntax for a range without its lower end.

use std::ops::Bound::{self, Excluded, Included, Unbounded};
use std::ops::RangeBounds;

/// The two ends of a range.
pub type Ends = (Bound<f64>, Bound<f64>);

/// Above 0.
pub const POSITIVE: Ends = (Excluded(0.0), Unbounded);
/// 0 and above.
pub const NOT_NEGATIVE: Ends = (Included(0.0), Unbounded);
/// Shares that are not empty: above 0, at most 1.
pub const SHARE: Ends = (Excluded(0.0), Included(1.0));
/// Shares that are dropped: at least 0, below 1.
pub const DROPPED: Ends = (Included(0.0), Excluded(1.0));

/// 16 million tokens: far beyond what one machine trains on, and small enough for every product of lengths.
pub const LONGEST_SEQ: usize = 1 << 24;

/// A type of number in which a range can be written.
pub trait Number: Copy {
    /// As a whole number.
    fn whole(self) -> i64;
    /// As a number.
    fn real(self) -> f64;
}

macro_rules! number {
    ($($type:ty),*) => {$(
        impl Number for $type {
            fn whole(self) -> i64 {
                self as i64
            }

            fn real(self) -> f64 {
                self as f64
            }
        }
    )*};
}
number!(i32, i64, u64, usize, f64);

/// The ends of a range of whole numbers; `min` and `max` if it has none.
pub(crate) fn whole_ends<T: Number>(range: &impl RangeBounds<T>, min: i64, max: i64) -> (i64, i64) {
    let start = match range.start_bound() {
        Included(start) => start.whole(),
        Excluded(start) => start.whole() + 1,
        Unbounded => min,
    };
    let end = match range.end_bound() {
        Included(end) => end.whole(),
        Excluded(end) => end.whole() - 1,
        Unbounded => max,
    };
    (start, end)
}

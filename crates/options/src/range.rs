//! Ranges that several options have. Rust has no syntax for a range without its lower end.

use std::ops::Bound::{self, Excluded, Included, Unbounded};

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

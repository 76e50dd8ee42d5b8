//! Test tools for sequence mixers: relative errors, published cases, the mixer battery, finite differences.

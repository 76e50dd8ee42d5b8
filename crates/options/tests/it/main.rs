//! What options allow, and what is said about it.

#![allow(clippy::unwrap_used)]

mod before;
mod kinds;
mod numbers;

//! The tasks as their users see them.

#![allow(clippy::unwrap_used)]

mod bytes;
mod digits;
mod mnist;
mod mqar;
mod registry;

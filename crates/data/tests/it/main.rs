//! The tasks as their users see them.

#![allow(clippy::unwrap_used)]

mod bytes;
mod digits;
mod registry;

//! The tasks as their users see them.

#![allow(clippy::unwrap_used)]

mod digits;
mod registry;

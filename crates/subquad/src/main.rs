//! The `subquad` program.
fn main() {}

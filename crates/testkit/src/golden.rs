//! Published cases: one recorded run of a published layer in a `.safetensors` file.

use std::path::Path;

use subquad_backend::with_seed;
use subquad_mixer::published::{Case, CaseError, Replay};

use crate::cpu;

pub use subquad_mixer::published::{
    Comparison, FileError, GRADIENT_LIMIT, OUTPUT_LIMIT, compare, read_case as read,
};

/// Replays the case in `path` and asserts that every tensor agrees and every parameter was used.
///
/// # Panics
/// If the case cannot be read or replayed, a tensor differs, or a parameter is not used.
pub fn check(path: impl AsRef<Path>, replay: impl Fn(&mut Case) -> Result<Replay, CaseError>) {
    let path = path.as_ref();
    let mut case = read(path).unwrap_or_else(|e| panic!("{e}"));
    // A layer may draw its parameters before it gets those of the case.
    let ours = with_seed(&cpu(), 0, || replay(&mut case));
    let ours = ours.unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let wrong: Vec<_> = compare(&case, &ours).into_iter().filter(|c| !c.agrees()).collect();
    assert!(wrong.is_empty(), "{}: {wrong:#?}", path.display());
    let left: Vec<_> = case.parameters.keys().collect();
    assert!(left.is_empty(), "{}: parameters not used: {left:?}", path.display());
}

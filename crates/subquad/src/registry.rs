//! What a registry of mixers says about itself, whatever the types of its mixers.

use subquad_bench::Subjects;
use subquad_config::{Combination, Complaint, Solved};
use subquad_mixer::Entry;

use crate::config::Schemas;

/// What is needed from a registry of mixers to read configs and choose layers.
pub trait Registry: Sync {
    /// The keys of configs.
    fn schemas(&self) -> Schemas;

    /// The layers that can be measured.
    fn subjects(&self) -> &'static Subjects;

    /// The mixers.
    fn mixers(&self) -> &[Entry];

    /// Everything wrong with a run.
    fn complaints(&self, run: &Combination<'_>) -> Vec<Complaint>;

    /// The value that makes a run meet its budget, if it has one.
    ///
    /// # Errors
    /// If the budget cannot be met.
    fn solve(&self, run: &Combination<'_>) -> Result<Option<Solved>, Complaint>;
}

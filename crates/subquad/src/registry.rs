//! What a registry of mixers says about itself, whatever the types of its mixers.

use subquad_bench::Subjects;
use subquad_config::{Combination, Complaint};
use subquad_mixer::Entry;

use crate::config::Schemas;

/// What reading configs and choosing layers asks of a registry of mixers.
pub trait Registry: Sync {
    /// The keys of configs.
    fn schemas(&self) -> Schemas;

    /// The layers that can be measured.
    fn subjects(&self) -> &'static Subjects;

    /// The mixers.
    fn mixers(&self) -> &[Entry];

    /// Everything wrong with a run.
    fn complaints(&self, run: &Combination<'_>) -> Vec<Complaint>;
}

//! The program with the mixers of a registry. The commands know mixers by name only: whatever needs to know their types is a function
//! that was made for them.

use std::io::Write;

use subquad_bench::Subjects;
use subquad_config::{Combination, Complaint, Run, Solved};
use subquad_mixer::{Entry, Mixers};
use subquad_record::RunSummary;

use crate::budget::{describe, solve};
use crate::commands::generate;
use crate::config::{Schemas, complaints};
use crate::execute::{RunError, execute};
use crate::model::{Facts, facts, smoke};
use crate::registry::Registry;
use crate::session::Session;
use crate::study::{PlannedRun, Study};
use crate::{Failure, Stop};

/// The program with the mixers of a registry. A crate with mixers of its own calls [`main`](crate::main) with a registry of its own.
#[derive(Debug)]
pub struct Program {
    schemas: Schemas,
    subjects: &'static Subjects,
    mixers: Vec<Entry>,
    complaints: fn(&Combination<'_>) -> Vec<Complaint>,
    solve: fn(&Combination<'_>) -> Result<Option<Solved>, Complaint>,
    /// What a budget found for a run, in words.
    pub(crate) of_budget: fn(&Run) -> Option<String>,
    /// What is known about a run's model without its weights.
    pub(crate) facts: fn(&PlannedRun) -> Facts,
    /// Trains and evaluates one run: see [`execute`].
    pub(crate) execute: Execute,
    /// Trains a run for some steps, keeping nothing.
    pub(crate) smoke: fn(&PlannedRun, usize) -> Result<(), Failure>,
    /// The command `generate`.
    pub(crate) generate: Generate,
}

type Execute = fn(&PlannedRun, &Study, &Session<'_>, &str) -> Result<RunSummary, RunError>;
type Generate = fn(&dyn Registry, &generate::Args, Stop, &mut dyn Write) -> Result<(), Failure>;

impl Program {
    /// The program with these mixers, which lives as long as the process.
    pub fn of<C: Mixers>() -> &'static Self {
        let subjects: &'static Subjects = Box::leak(Box::new(Subjects::of::<C>()));
        Box::leak(Box::new(Self {
            schemas: Schemas::of::<C>(subjects),
            subjects,
            mixers: C::entries(),
            complaints: complaints::<C>,
            solve: solve::<C>,
            of_budget: describe::<C>,
            facts: facts::<C>,
            execute: execute::<C>,
            smoke: smoke::<C>,
            generate: generate::run_with::<C>,
        }))
    }
}

impl Registry for Program {
    fn schemas(&self) -> Schemas {
        self.schemas
    }

    fn subjects(&self) -> &'static Subjects {
        self.subjects
    }

    fn mixers(&self) -> &[Entry] {
        &self.mixers
    }

    fn complaints(&self, run: &Combination<'_>) -> Vec<Complaint> {
        (self.complaints)(run)
    }

    fn solve(&self, run: &Combination<'_>) -> Result<Option<Solved>, Complaint> {
        (self.solve)(run)
    }
}

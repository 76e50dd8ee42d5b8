//! A program: the commands with the mixers of a registry.
//!
//! Commands know mixers by name only. What has to know their types stands behind [`Program`], which is generic over the registry
//! once: [`Registered`]. A crate with mixers of its own calls [`main`](crate::main) with a registry of its own.

use std::io::Write;

use subquad_bench::Subjects;
use subquad_config::{Combination, Complaint};
use subquad_mixer::{Entry, Mixers};
use subquad_record::RunSummary;

use crate::commands::generate;
use crate::config::{Schemas, complaints};
use crate::execute::{RunError, Session, execute};
use crate::model::{Facts, facts, smoke};
use crate::plan::{PlannedRun, Study};
use crate::{Failure, Stop};

/// What the commands ask of a registry of mixers.
pub trait Program: Sync {
    /// The keys of configs.
    fn schemas(&self) -> Schemas;

    /// The layers that can be measured.
    fn subjects(&self) -> &'static Subjects;

    /// The mixers.
    fn mixers(&self) -> &[Entry];

    /// Everything wrong with a run.
    fn complaints(&self, run: &Combination<'_>) -> Vec<Complaint>;

    /// What is known of a run's model without its weights.
    fn facts(&self, run: &PlannedRun) -> Facts;

    /// Trains and evaluates one run and writes its folder. `place` is the run's place among all, such as `[3/18]`.
    ///
    /// # Errors
    /// See [`RunError`]. The folder then says how the run ended.
    fn execute(
        &self,
        run: &PlannedRun,
        study: &Study,
        session: &Session<'_>,
        place: &str,
    ) -> Result<RunSummary, RunError>;

    /// Trains a run for `steps` steps, keeping nothing.
    ///
    /// # Errors
    /// What went wrong.
    fn smoke(&self, run: &PlannedRun, steps: usize) -> Result<(), Failure>;

    /// The command `generate`.
    ///
    /// # Errors
    /// Wrong input before anything is written; else what went wrong on the way.
    fn generate(&self, args: &generate::Args, stop: Stop, out: &mut dyn Write) -> Result<(), Failure>;
}

/// The program with the mixers of `C`.
#[derive(Debug)]
pub struct Registered<C> {
    schemas: Schemas,
    subjects: &'static Subjects,
    mixers: Vec<Entry>,
    of: std::marker::PhantomData<fn() -> C>,
}

impl<C: Mixers> Registered<C> {
    /// The program, which lives as long as the process.
    pub fn program() -> &'static Self {
        let subjects: &'static Subjects = Box::leak(Box::new(Subjects::of::<C>()));
        let schemas = Schemas::of::<C>(subjects);
        Box::leak(Box::new(Self { schemas, subjects, mixers: C::entries(), of: std::marker::PhantomData }))
    }
}

impl<C: Mixers> Program for Registered<C> {
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
        complaints::<C>(run)
    }

    fn facts(&self, run: &PlannedRun) -> Facts {
        facts::<C>(run)
    }

    fn execute(
        &self,
        run: &PlannedRun,
        study: &Study,
        session: &Session<'_>,
        place: &str,
    ) -> Result<RunSummary, RunError> {
        execute::<C>(run, study, session, place)
    }

    fn smoke(&self, run: &PlannedRun, steps: usize) -> Result<(), Failure> {
        smoke::<C>(run, steps)
    }

    fn generate(&self, args: &generate::Args, stop: Stop, out: &mut dyn Write) -> Result<(), Failure> {
        generate::run_with::<C>(self, args, stop, out)
    }
}

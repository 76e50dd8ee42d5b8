//! The program with the mixers of a registry, behind traits that do not name their types.
//!
//! [`Registered`] is generic over the registry once. A crate with mixers of its own calls [`main`](crate::main) with a registry of its
//! own.

use std::io::Write;
use std::marker::PhantomData;

use subquad_bench::Subjects;
use subquad_config::{Combination, Complaint};
use subquad_mixer::{Entry, Mixers};
use subquad_record::RunSummary;

use crate::commands::generate;
use crate::config::{Schemas, complaints};
use crate::execute::execute;
use crate::model::{Facts, facts, smoke};
use crate::program::{Program, RunError};
use crate::registry::Registry;
use crate::session::Session;
use crate::study::{PlannedRun, Study};
use crate::{Failure, Stop};

/// The program with the mixers of `C`.
#[derive(Debug)]
pub struct Registered<C> {
    schemas: Schemas,
    subjects: &'static Subjects,
    mixers: Vec<Entry>,
    registry: PhantomData<fn() -> C>,
}

impl<C: Mixers> Registered<C> {
    /// The program, which lives as long as the process.
    pub fn program() -> &'static Self {
        let subjects: &'static Subjects = Box::leak(Box::new(Subjects::of::<C>()));
        let schemas = Schemas::of::<C>(subjects);
        Box::leak(Box::new(Self { schemas, subjects, mixers: C::entries(), registry: PhantomData }))
    }
}

impl<C: Mixers> Registry for Registered<C> {
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
}

impl<C: Mixers> Program for Registered<C> {
    fn facts(&self, run: &PlannedRun) -> Facts {
        facts::<C>(run)
    }

    fn execute(
        &self,
        run: &PlannedRun,
        study: &Study,
        session: &Session<'_>,
        position: &str,
    ) -> Result<RunSummary, RunError> {
        execute::<C>(run, study, session, position)
    }

    fn smoke(&self, run: &PlannedRun, steps: usize) -> Result<(), Failure> {
        smoke::<C>(run, steps)
    }

    fn generate(&self, args: &generate::Args, stop: Stop, out: &mut dyn Write) -> Result<(), Failure> {
        generate::run_with::<C>(self, args, stop, out)
    }
}

//! The child's side: measures one size for its parent.

use serde::{Deserialize, Serialize};
use subquad_bench::scaling::Point;
use subquad_bench::{BenchConfig, Subjects};
use subquad_record::Cell;

use super::BenchStudy;
use super::run::open;
use crate::Failure;
use crate::child_process::follow_parent;
use crate::session::Session;

/// Which size.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct OneSize {
    /// The study.
    pub(crate) slug: String,
    /// The config's place in the study.
    pub(crate) config: usize,
    /// Such as `length 256`.
    pub(crate) title: String,
}

/// Measures it and keeps its cells. The parent holds the study's lock.
///
/// # Errors
/// What could not be measured; or if a file cannot be written, or the configs no longer ask for the size.
pub(crate) fn measure_one(
    subjects: &'static Subjects,
    studies: &[BenchStudy],
    size: &OneSize,
    session: &Session<'_>,
) -> Result<(), Failure> {
    follow_parent(session.stop.clone());
    let changed = || Failure::failed("its config was changed after the command started; start it again");
    let (study, config, point) = size.find(studies, subjects).ok_or_else(changed)?;
    let site = session.site();
    let mut log = open(study, config, (session.results, &site), session.messages)?;
    let cells = log.measure(&point, &site, &session.stop.flag())?;
    if !cells.is_empty() {
        session.messages.say(format!("    {}", in_short(&cells)));
    }
    match session.should_stop() {
        true => Err(session.interrupted()),
        false => Failure::unless_empty(log.failed),
    }
}

impl OneSize {
    fn find<'a>(
        &self,
        studies: &'a [BenchStudy],
        subjects: &'static Subjects,
    ) -> Option<(&'a BenchStudy, &'a BenchConfig, Point)> {
        let study = studies.iter().find(|study| study.slug == self.slug)?;
        let config = study.configs.get(self.config)?;
        let mut points = Point::all(&config.options, subjects).into_iter();
        Some((study, config, points.find(|point| point.title() == self.title)?))
    }
}

fn in_short(cells: &[Cell]) -> String {
    let one = |cell: &Cell| format!("{} {:.1} ms", cell.mixer, cell.forward_backward_ms);
    format!("forward+backward: {}", cells.iter().map(one).collect::<Vec<_>>().join(", "))
}

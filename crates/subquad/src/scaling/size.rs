//! The child's side: measures one size for its parent.

use serde::{Deserialize, Serialize};
use subquad_bench::scaling::{Measured, Point};
use subquad_bench::{BenchConfig, Subjects};

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
    let measured = log.measure(&point, &site, &session.stop.flag())?;
    if let Some(words) = in_short(&measured) {
        session.messages.say(format!("    {words}"));
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

/// `None` if nothing was measured.
fn in_short(Measured { cells, models }: &Measured) -> Option<String> {
    let layers = cells.iter().map(|cell| format!("{} {:.1} ms", cell.mixer, cell.forward_backward_ms));
    let models = models
        .iter()
        .map(|cell| format!("{} over {} {:.0} us", cell.decode.mixer, cell.decode.path, cell.decode.step_us));
    let (layers, models): (Vec<_>, Vec<_>) = (layers.collect(), models.collect());
    match (layers.is_empty(), models.is_empty()) {
        (true, true) => None,
        (true, false) => Some(format!("a token: {}", models.join(", "))),
        (false, _) => Some(format!("forward+backward: {}", layers.join(", "))),
    }
}

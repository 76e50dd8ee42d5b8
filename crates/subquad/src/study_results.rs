//! What a command finally knows about the runs of a study.

use std::collections::BTreeMap;

use subquad_record::{Outcome, RunSummary, timestamp};

use crate::program::Program;
use crate::report::{Failed, Finished, StudyResults};
use crate::scheduler::Ended;
use crate::session::Session;
use crate::study::{PlannedRun, Study};
use crate::summary::{manifest, summary};

/// The results of every run of the study. `before` holds the results that were there already. A run that has neither such a result nor an
/// end was interrupted.
pub(crate) fn collect(
    program: &Program,
    study: &Study,
    session: &Session<'_>,
    mut before: BTreeMap<usize, RunSummary>,
    mut ended: BTreeMap<usize, Ended>,
) -> StudyResults {
    let mut results = StudyResults::default();
    for (index, run) in study.runs.iter().enumerate() {
        let dir = run.dir(study, session.results);
        // A run that Ctrl-C stopped has lost the result that it had.
        let mut earlier = || before.remove(&index).filter(|_| dir.is_done());
        let finished =
            |summary| Finished { label: study.label(run), over: run.over(), summary, dir: dir.path().into() };
        let without = |outcome| without_numbers(program, run, study, session, outcome);
        match ended.remove(&index) {
            Some(Ended::Done(summary)) => results.finished.push(finished(*summary)),
            Some(Ended::Failed(why)) => {
                let summary = without(Outcome::Failed(why.clone()));
                results.failed.push(Failed { label: study.label(run), over: run.over(), why, summary });
            }
            None => match earlier() {
                Some(summary) => results.finished.push(finished(summary)),
                None => results.interrupted.push(without(Outcome::Interrupted)),
            },
        }
    }
    results
}

/// The summary, without numbers, of a run that has failed or was interrupted. What is known only once a mixer has
/// been built is in the summaries of runs that began.
fn without_numbers(
    program: &Program,
    run: &PlannedRun,
    study: &Study,
    session: &Session<'_>,
    outcome: Outcome,
) -> RunSummary {
    let facts = (program.facts)(run);
    let dir = run.dir(study, session.results);
    let manifest = dir.read_manifest().unwrap_or_else(|_| manifest(run, study, session));
    let ended = manifest.ended.clone().unwrap_or_else(timestamp);
    let began = dir.read_rows().is_ok();
    let state_floats = if began { (facts.state_floats)(run) } else { None };
    RunSummary { ended, outcome, ..summary(run, session, &manifest, facts.parameters, state_floats) }
}

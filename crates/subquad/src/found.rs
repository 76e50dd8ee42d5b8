//! What a command found of a study.

use std::collections::BTreeMap;

use subquad_record::{Outcome, RunSummary};

use crate::crew::Ended;
use crate::plan::Study;
use crate::report::{Failed, Finished, Found};
use crate::session::Session;
use crate::summary::without_numbers;

/// Every run of the study. `before`: the results that were there already. A run that has neither such a result nor an end was interrupted.
pub(crate) fn of(
    study: &Study,
    session: &Session<'_>,
    mut before: BTreeMap<usize, RunSummary>,
    mut ended: BTreeMap<usize, Ended>,
) -> Found {
    let mut found = Found::default();
    for (index, run) in study.runs.iter().enumerate() {
        let dir = run.dir(study, session.results);
        // One that Ctrl-C stopped has lost the result that it had.
        let mut result = || before.remove(&index).filter(|_| dir.is_done());
        let finished = |summary| Finished { label: study.label(run), summary, dir: dir.path().into() };
        let without = |outcome| without_numbers(run, study, session, outcome);
        match ended.remove(&index) {
            Some(Ended::Done(summary)) => found.finished.push(finished(*summary)),
            Some(Ended::Failed(why)) => {
                let summary = without(Outcome::Failed(why.clone()));
                found.failed.push(Failed { why, summary });
            }
            None => match result() {
                Some(summary) => found.finished.push(finished(summary)),
                None => found.interrupted.push(without(Outcome::Interrupted)),
            },
        }
    }
    found
}

//! Scores of runs whose sweep varies the size of the state: one line for each other setting.

use subquad_plot::summary::Sample;
use subquad_record::RunSummary;

use super::figures::{length_title, sample, task_title};
use super::{Finished, distinct};

/// A sample a run; none unless the sweep varies `d_state`.
pub(super) fn by_state(runs: &[Finished], y: fn(&RunSummary) -> Option<f64>) -> Vec<Sample> {
    let varied: Vec<(usize, Finished)> = runs.iter().filter_map(varied).collect();
    if distinct(varied.iter().map(|(d_state, _)| *d_state)).len() < 2 {
        return vec![];
    }
    let several_lengths = distinct(varied.iter().map(|(_, run)| run.summary.seq_len)).len() > 1;
    let panel = |run: &Finished| {
        let length = several_lengths.then(|| length_title(run));
        let parts = [task_title(runs, run), length.unwrap_or_default()];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
    };
    let point =
        |(d_state, run): &(usize, Finished)| Some(sample(run, panel(run), *d_state as f64, y(&run.summary)?));
    varied.iter().filter_map(point).collect()
}

/// The run's states a channel, and the run without them in its label; `None` where the sweep does not vary them.
fn varied(run: &Finished) -> Option<(usize, Finished)> {
    let d_state = run.summary.settings.get(&format!("mixer.{}.d_state", run.summary.mixer))?.as_u64()?;
    let own = format!("d_state={d_state}");
    let others: Vec<&str> = run.label.split(' ').filter(|word| *word != own).collect();
    Some((usize::try_from(d_state).ok()?, Finished { label: others.join(" "), ..run.clone() }))
}

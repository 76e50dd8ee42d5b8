//! `[select]`: the axes of which only the best value is compared.

use subquad_config::{Combination, Complaint, Run, suggest};
use subquad_options::Options;

/// Section `[select]`.
#[derive(Options, Clone, Debug, PartialEq)]
pub(crate) struct SelectOptions {
    /// Axes of [sweep] that are tuned, such as ["optim.lr"]: for each mixer, length and other axis, their value with the best score on the
    /// validation examples, as the mean over seeds, is compared on the test examples. All runs stay on record.
    #[config(default = "vec![]")]
    #[option(bookkeeping, most = 16)]
    over: Vec<String>,
}

const OVER: &str = "select.over";

/// What is wrong with the selection that a run belongs to; `unvalidated` is its task if that has no validation examples.
pub(crate) fn complaints(run: &Combination<'_>, unvalidated: Option<&'static str>) -> Vec<Complaint> {
    let Some(SelectOptions { over }) = SelectOptions::from_values(&run.section("select")) else {
        return vec![];
    };
    // The config of a single run, which a run leaves behind, has no axes.
    let unknown = over.iter().filter(|key| !run.is_axis(key) && !run.is_alone());
    let unknown: Vec<Complaint> = unknown.map(|key| complaint(no_axis(run, key))).collect();
    let unjudged = unvalidated.filter(|_| !over.is_empty()).map(|task| {
        complaint(format!(
            "over needs validation examples; set task.{task}.validation above 0, such as to 0.1"
        ))
    });
    unknown.into_iter().chain(unjudged).collect()
}

fn complaint(reason: String) -> Complaint {
    Complaint { reason, keys: vec![OVER.to_owned()] }
}

fn no_axis(run: &Combination<'_>, key: &str) -> String {
    let axes: Vec<&str> = run.axes().collect();
    let meant = suggest::hint(suggest::nearest(key, axes.iter().copied()));
    let known = match axes.is_empty() {
        true => "which has none besides mixer, seq_len and seed".to_owned(),
        false => format!("which has {}", axes.join(", ")),
    };
    format!("over must name axes of [sweep], {known}; got {key:?}{meant}")
}

/// The keys that are tuned for a run.
pub(crate) fn over(run: &Run) -> Vec<String> {
    SelectOptions::from_values(&run.section("select")).map_or(vec![], |options| options.over)
}

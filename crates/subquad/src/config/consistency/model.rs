//! Whether the structure of a model goes together, and with the task.

use super::{Complaint, Context, Draft, Origin, Problem, schema};

const POSITIONS: &str = "model.positions";
const NORM: &str = "model.norm";
const TIED: &str = "model.tied_head";
/// Tasks whose answers are tokens that they also read.
const TELLERS_OF_TOKENS: &[&str] = &["mqar", "bytes", "masked_bytes"];

/// Everything wrong with the structure of one run's model, and where it was written.
pub(super) fn complaints(draft: &Draft<'_>, context: &Context<'_>) -> Vec<(Problem, Option<Origin>)> {
    let own = [few_positions(draft, context), nothing_to_tie(draft)].into_iter().flatten();
    let idle = [idle_order(draft), idle_last_norm(draft), idle_eps(draft), idle_embedding_norm(draft)];
    let idle = idle.into_iter().flatten();
    own.chain(idle).map(|(problem, blamed)| (problem, draft.origin(blamed))).collect()
}

fn few_positions(draft: &Draft<'_>, context: &Context<'_>) -> Option<Complaint> {
    let (positions, longest) = (draft.integer(POSITIONS)?, context.longest);
    let few = positions > 0 && positions < longest;
    few.then_some((Problem::FewPositions { positions, longest }, &[POSITIONS]))
}

fn nothing_to_tie(draft: &Draft<'_>) -> Option<Complaint> {
    let task = draft.value("task.name")?.to_string();
    let wrong = is_true(draft, TIED)? && !TELLERS_OF_TOKENS.contains(&task.as_str());
    wrong.then_some((Problem::NothingToTie { task }, &[TIED]))
}

fn is_true(draft: &Draft<'_>, key: &str) -> Option<bool> {
    Some(draft.value(key)?.to_string() == "true")
}

/// The order of what is not there.
fn idle_order(draft: &Draft<'_>) -> Option<Complaint> {
    let moves_nothing = draft.value("model.block")?.to_string() == "post_norm";
    if moves_nothing { idle_norm(draft, "model.block", &["model.block", NORM]) } else { None }
}

fn idle_eps(draft: &Draft<'_>) -> Option<Complaint> {
    // The transform always has a norm.
    if is_true(draft, "model.head_transform")? {
        return None;
    }
    idle_norm(draft, "model.norm_eps", &["model.norm_eps", NORM])
}

fn idle_embedding_norm(draft: &Draft<'_>) -> Option<Complaint> {
    idle_norm(draft, "model.embedding_norm", &["model.embedding_norm", NORM])
}

fn idle_norm(draft: &Draft<'_>, key: &'static str, blamed: &'static [&'static str]) -> Option<Complaint> {
    let (value, default) = (draft.value(key)?, schema::find(key)?.default.value()?);
    let idle = draft.value(NORM)?.to_string() == "none" && value != &default;
    let (value, default) = (value.to_toml_text(), default.to_toml_text());
    idle.then_some((Problem::IdleNorm { key, value, default }, blamed))
}

/// Where blocks end with norms, or there are none.
fn idle_last_norm(draft: &Draft) -> Option<Complaint> {
    let (block, keys) = (draft.value("model.block")?.to_string(), &["model.last_norm", "model.block"]);
    match is_true(draft, "model.last_norm")? || block == "pre_norm" {
        true => idle_norm(draft, "model.last_norm", &["model.last_norm", NORM]),
        false => Some((Problem::IdleLastNorm { block }, keys)),
    }
}

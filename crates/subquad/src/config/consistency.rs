//! Do the keys of one run go together? A check stays silent where a key it needs is missing or in doubt.

use super::draft::Draft;
use super::{CheckLength, Problem, Value};

/// What one run's keys are compared with.
pub(super) struct Context<'a> {
    pub(super) longest: i64,
    pub(super) check_length: CheckLength<'a>,
}

/// A check's complaint, and the keys to blame: the first of them that was set.
pub(super) type Complaint = (Problem, &'static [&'static str]);

const HEADS: &[&str] = &["mixer.attention.n_heads", "model.d_model"];
const ROPE: &[&str] = &["mixer.attention.n_heads", "model.d_model", "mixer.attention.position"];
const N_SSM: &[&str] = &["mixer.s4d.n_ssm", "model.d_model"];
const STEPS: &[&str] = &["mixer.s4d.dt_min", "mixer.s4d.dt_max"];

/// Everything wrong with the combination of one run's keys.
pub(super) fn complaints(draft: &Draft, context: &Context<'_>) -> Vec<Complaint> {
    let own = [uneven_heads, odd_head, odd_state, uneven_ssm, crossed_steps, even_embedding];
    let own = own.iter().filter_map(|check| check(draft));
    own.chain(short_filter(draft, context)).chain(bad_length(draft, context)).collect()
}

fn uneven_heads(draft: &Draft) -> Option<Complaint> {
    let (n_heads, d_model) = (draft.integer(HEADS[0])?, draft.integer(HEADS[1])?);
    (d_model % n_heads != 0).then_some((Problem::UnevenHeads { n_heads, d_model }, HEADS))
}

fn odd_head(draft: &Draft) -> Option<Complaint> {
    let (n_heads, d_model) = (draft.integer(HEADS[0])?, draft.integer(HEADS[1])?);
    let rope = draft.value("mixer.attention.position")? == &Value::Text("rope".to_owned());
    let odd = d_model % n_heads == 0 && (d_model / n_heads) % 2 != 0;
    (rope && odd).then_some((Problem::OddHead { n_heads, d_model }, ROPE))
}

fn odd_state(draft: &Draft) -> Option<Complaint> {
    let d_state = draft.integer("mixer.s4d.d_state")?;
    (d_state % 2 != 0).then_some((Problem::OddState { d_state }, &["mixer.s4d.d_state"]))
}

fn uneven_ssm(draft: &Draft) -> Option<Complaint> {
    let (n_ssm, d_model) = (draft.integer(N_SSM[0])?, draft.integer(N_SSM[1])?);
    (d_model % n_ssm != 0).then_some((Problem::UnevenSsm { n_ssm, d_model }, N_SSM))
}

fn crossed_steps(draft: &Draft) -> Option<Complaint> {
    let (dt_min, dt_max) = (draft.real(STEPS[0])?, draft.real(STEPS[1])?);
    (dt_min > dt_max).then_some((Problem::StepsCrossed { dt_min, dt_max }, STEPS))
}

fn even_embedding(draft: &Draft) -> Option<Complaint> {
    let emb_dim = draft.integer("mixer.m2.emb_dim")?;
    (emb_dim % 2 == 0).then_some((Problem::EvenEmbedding { emb_dim }, &["mixer.m2.emb_dim"]))
}

fn short_filter(draft: &Draft, context: &Context<'_>) -> Option<Complaint> {
    let (l_max, longest) = (draft.integer("mixer.m2.l_max")?, context.longest);
    (l_max < longest).then_some((Problem::ShortFilter { l_max, longest }, &["mixer.m2.l_max"]))
}

/// Blames no key of the run: the length is the sweep's.
fn bad_length(draft: &Draft, context: &Context<'_>) -> Option<Complaint> {
    let task = draft.value("task.name")?.to_string();
    let seq_len = usize::try_from(draft.seq_len.value.as_integer()?).ok()?;
    let reason = (context.check_length)(&task, seq_len).err()?;
    Some((Problem::Length { task, seq_len, reason }, &[]))
}

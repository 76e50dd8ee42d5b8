//! Do the keys of one run go together? A check stays silent where a key it needs is missing or in doubt.

mod channel;
mod gated;
mod model;
mod monarch;
mod state_space;

use super::draft::Draft;
use super::study::TaskProblem;
use super::{CheckTask, Origin, Problem, Value, schema};

/// What one run's keys are compared with.
pub(super) struct Context<'a> {
    pub(super) longest: i64,
    pub(super) check_task: CheckTask<'a>,
}

/// A check's complaint, and the keys to blame: the first of them that was set.
type Complaint = (Problem, &'static [&'static str]);

const HEADS: &[&str] = &["mixer.attention.n_heads", "model.d_model"];
const KV_HEADS: &[&str] = &["mixer.attention.n_kv_heads", "mixer.attention.n_heads"];
const POSITION: &str = "mixer.attention.position";
const ROPE: &[&str] = &["mixer.attention.n_heads", "model.d_model", POSITION];
const ROPE_FRACTION: &[&str] =
    &["mixer.attention.rope_fraction", "mixer.attention.n_heads", "model.d_model", POSITION];
const ROPE_BASE: &[&str] = &["mixer.attention.rope_base", POSITION];
const PATH: &str = "task.path";
/// Tasks that read files of the user's.
const READERS: &[&str] = &["mnist", "bytes", "masked_bytes"];
const POOL: &str = "model.pool";
/// Tasks with an answer at every token, or at some.
const TELLERS: &[&str] = &["mqar", "bytes", "masked_bytes", "delay"];

/// Everything wrong with the combination of one run's keys, and where it was written.
pub(super) fn complaints(draft: &Draft<'_>, context: &Context<'_>) -> Vec<(Problem, Option<Origin>)> {
    let attention =
        [uneven_heads, uneven_kv_heads, odd_head, unturned_head, idle_rope_fraction, idle_rope_base];
    let others = [idle_path, idle_pool];
    let own = attention.iter().chain(&others).filter_map(|check| check(draft));
    let own = own.chain(gated::complaints(draft, context)).chain(monarch::complaints(draft, context));
    let own = own.chain(channel::complaints(draft));
    let placed = own.map(|(problem, blamed)| (problem, draft.origin(blamed)));
    placed.chain(model::complaints(draft, context)).chain(state_space::complaints(draft)).collect()
}

fn uneven_heads(draft: &Draft<'_>) -> Option<Complaint> {
    let (n_heads, d_model) = (draft.integer(HEADS[0])?, draft.integer(HEADS[1])?);
    (d_model % n_heads != 0).then_some((Problem::UnevenHeads { n_heads, d_model }, HEADS))
}

fn uneven_kv_heads(draft: &Draft<'_>) -> Option<Complaint> {
    let (n_kv_heads, n_heads) = (draft.integer(KV_HEADS[0])?, draft.integer(KV_HEADS[1])?);
    (n_heads % n_kv_heads != 0).then_some((Problem::UnevenKvHeads { n_kv_heads, n_heads }, KV_HEADS))
}

fn is_rope(draft: &Draft<'_>) -> Option<bool> {
    Some(draft.value(POSITION)? == &Value::Text("rope".to_owned()))
}

fn odd_head(draft: &Draft<'_>) -> Option<Complaint> {
    let (n_heads, d_model) = (draft.integer(HEADS[0])?, draft.integer(HEADS[1])?);
    let whole = is_rope(draft)? && draft.real(ROPE_FRACTION[0])? == 1.0;
    let odd = d_model % n_heads == 0 && (d_model / n_heads) % 2 != 0;
    (whole && odd).then_some((Problem::OddHead { n_heads, d_model }, ROPE))
}

fn unturned_head(draft: &Draft<'_>) -> Option<Complaint> {
    let (n_heads, d_model) = (draft.integer(HEADS[0])?, draft.integer(HEADS[1])?);
    let (rope_fraction, d_head) = (draft.real(ROPE_FRACTION[0])?, d_model / n_heads);
    let partial = is_rope(draft)? && rope_fraction < 1.0 && d_model % n_heads == 0;
    // As the layer counts: a product that rounding left just below 2 is a pair.
    let pairs = (rope_fraction * d_head as f64 / 2.0 + 1e-9) as i64;
    (partial && pairs == 0).then_some((Problem::UnturnedHead { rope_fraction, d_head }, ROPE_FRACTION))
}

fn idle_rope_fraction(draft: &Draft<'_>) -> Option<Complaint> {
    idle_rope(draft, ROPE_FRACTION[0], ROPE_FRACTION)
}

fn idle_rope_base(draft: &Draft<'_>) -> Option<Complaint> {
    idle_rope(draft, ROPE_BASE[0], ROPE_BASE)
}

fn idle_rope(draft: &Draft<'_>, key: &'static str, blamed: &'static [&'static str]) -> Option<Complaint> {
    let (value, default) = (draft.real(key)?, schema::find(key)?.default.value()?.as_real()?);
    let idle = !is_rope(draft)? && value != default;
    idle.then_some((Problem::IdleRope { key, value, default }, blamed))
}

fn idle_path(draft: &Draft<'_>) -> Option<Complaint> {
    let (path, task) = (draft.value(PATH)?.to_string(), draft.value("task.name")?.to_string());
    let idle = !path.is_empty() && !READERS.contains(&task.as_str());
    idle.then_some((Problem::IdlePath { task }, &[PATH]))
}

fn idle_pool(draft: &Draft<'_>) -> Option<Complaint> {
    let (pool, task) = (draft.value(POOL)?.to_string(), draft.value("task.name")?.to_string());
    let idle = pool != "auto" && TELLERS.contains(&task.as_str());
    idle.then_some((Problem::IdlePool { pool, task }, &[POOL]))
}

/// What the task says about the length and its options; where no option was set, the length is to blame.
pub(super) fn task_complaint(draft: &Draft<'_>, context: &Context<'_>) -> Option<(Problem, Option<Origin>)> {
    let (task, settings) = (draft.value("task.name")?.to_string(), draft.task()?);
    let seq_len = usize::try_from(draft.seq_len.value.as_integer()?).ok()?;
    let TaskProblem { reason, keys } = (context.check_task)(&settings, seq_len).err()?;
    let problem = match keys.is_empty() {
        true => Problem::Length { task, seq_len, reason },
        false => Problem::Task { task, reason },
    };
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    Some((problem, draft.origin(&keys).or_else(|| draft.seq_len.origin.clone())))
}

//! Do the keys of one run go together? A check stays silent where a key it needs is missing or in doubt.

use super::draft::Draft;
use super::study::TaskProblem;
use super::{CheckTask, Origin, Problem, Value, schema};

/// What one run's keys are compared with.
pub(super) struct Context<'a> {
    pub(super) longest: i64,
    pub(super) check_task: CheckTask<'a>,
}

/// A check's complaint, and the keys to blame: the first of them that was set.
pub(super) type Complaint = (Problem, &'static [&'static str]);

const HEADS: &[&str] = &["mixer.attention.n_heads", "model.d_model"];
const KV_HEADS: &[&str] = &["mixer.attention.n_kv_heads", "mixer.attention.n_heads"];
const POSITION: &str = "mixer.attention.position";
const ROPE: &[&str] = &["mixer.attention.n_heads", "model.d_model", POSITION];
const ROPE_FRACTION: &[&str] =
    &["mixer.attention.rope_fraction", "mixer.attention.n_heads", "model.d_model", POSITION];
const ROPE_BASE: &[&str] = &["mixer.attention.rope_base", POSITION];
const N_SSM: &[&str] = &["mixer.s4d.n_ssm", "model.d_model"];
const STEPS: &[&str] = &["mixer.s4d.dt_min", "mixer.s4d.dt_max"];
const PATH: &str = "task.path";
/// Tasks that read files of the user's.
const READERS: &[&str] = &["mnist", "bytes"];
const POOL: &str = "model.pool";
/// Tasks with an answer at every token, or at some.
const TELLERS: &[&str] = &["mqar", "bytes", "delay"];

/// Everything wrong with the combination of one run's keys.
pub(super) fn complaints(draft: &Draft, context: &Context<'_>) -> Vec<Complaint> {
    let attention =
        [uneven_heads, uneven_kv_heads, odd_head, unturned_head, idle_rope_fraction, idle_rope_base];
    let others = [odd_state, uneven_ssm, crossed_steps, even_embedding, idle_path, idle_pool];
    let own = attention.iter().chain(&others).filter_map(|check| check(draft));
    own.chain(short_filter(draft, context)).collect()
}

fn uneven_heads(draft: &Draft) -> Option<Complaint> {
    let (n_heads, d_model) = (draft.integer(HEADS[0])?, draft.integer(HEADS[1])?);
    (d_model % n_heads != 0).then_some((Problem::UnevenHeads { n_heads, d_model }, HEADS))
}

fn uneven_kv_heads(draft: &Draft) -> Option<Complaint> {
    let (n_kv_heads, n_heads) = (draft.integer(KV_HEADS[0])?, draft.integer(KV_HEADS[1])?);
    (n_heads % n_kv_heads != 0).then_some((Problem::UnevenKvHeads { n_kv_heads, n_heads }, KV_HEADS))
}

fn is_rope(draft: &Draft) -> Option<bool> {
    Some(draft.value(POSITION)? == &Value::Text("rope".to_owned()))
}

fn odd_head(draft: &Draft) -> Option<Complaint> {
    let (n_heads, d_model) = (draft.integer(HEADS[0])?, draft.integer(HEADS[1])?);
    let whole = is_rope(draft)? && draft.real(ROPE_FRACTION[0])? == 1.0;
    let odd = d_model % n_heads == 0 && (d_model / n_heads) % 2 != 0;
    (whole && odd).then_some((Problem::OddHead { n_heads, d_model }, ROPE))
}

fn unturned_head(draft: &Draft) -> Option<Complaint> {
    let (n_heads, d_model) = (draft.integer(HEADS[0])?, draft.integer(HEADS[1])?);
    let (rope_fraction, d_head) = (draft.real(ROPE_FRACTION[0])?, d_model / n_heads);
    let partial = is_rope(draft)? && rope_fraction < 1.0 && d_model % n_heads == 0;
    // As the layer counts: a product that rounding left just below 2 is a pair.
    let pairs = (rope_fraction * d_head as f64 / 2.0 + 1e-9) as i64;
    (partial && pairs == 0).then_some((Problem::UnturnedHead { rope_fraction, d_head }, ROPE_FRACTION))
}

fn idle_rope_fraction(draft: &Draft) -> Option<Complaint> {
    idle_rope(draft, ROPE_FRACTION[0], ROPE_FRACTION)
}

fn idle_rope_base(draft: &Draft) -> Option<Complaint> {
    idle_rope(draft, ROPE_BASE[0], ROPE_BASE)
}

fn idle_rope(draft: &Draft, key: &'static str, blamed: &'static [&'static str]) -> Option<Complaint> {
    let (value, default) = (draft.real(key)?, schema::find(key)?.default.value()?.as_real()?);
    let idle = !is_rope(draft)? && value != default;
    idle.then_some((Problem::IdleRope { key, value, default }, blamed))
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

fn idle_path(draft: &Draft) -> Option<Complaint> {
    let (path, task) = (draft.value(PATH)?.to_string(), draft.value("task.name")?.to_string());
    let idle = !path.is_empty() && !READERS.contains(&task.as_str());
    idle.then_some((Problem::IdlePath { task }, &[PATH]))
}

fn idle_pool(draft: &Draft) -> Option<Complaint> {
    let (pool, task) = (draft.value(POOL)?.to_string(), draft.value("task.name")?.to_string());
    let idle = pool != "auto" && TELLERS.contains(&task.as_str());
    idle.then_some((Problem::IdlePool { pool, task }, &[POOL]))
}

/// What the task says about the length and its options; where no option was set, the length is to blame.
pub(super) fn task_complaint(draft: &Draft, context: &Context<'_>) -> Option<(Problem, Option<Origin>)> {
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

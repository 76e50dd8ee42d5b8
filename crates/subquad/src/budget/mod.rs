//! `[budget]`: what every run may spend, and the size that is found so that it does.

mod quantity;
mod search;

use std::ops::RangeInclusive;

use subquad_config::{Combination, Complaint, Key, Run, Solved, suggest};
use subquad_mixer::Mixers;
use subquad_options::number::grouped;
use subquad_options::{Kind, Options, Value};

use crate::config::complaints;
use quantity::Quantity;
use search::{Found, nearest};

/// Section `[budget]`: one quantity, and the key that is varied to reach it.
#[derive(Options, Clone, Debug, PartialEq)]
pub(crate) struct BudgetOptions {
    /// Parameters that the model of every run has, as nearly as vary can reach them. 0: they are not held equal.
    #[option(range = 1.., none = 0)]
    parameters: Option<usize>,
    /// Floats that decoding keeps of one sequence as long as those of the training. 0: they are not held equal.
    #[option(range = 1.., none = 0)]
    state_floats: Option<usize>,
    /// Floating-point operations of a training step. 0: they are not held equal.
    #[option(range = 1.., none = 0)]
    flops: Option<usize>,
    /// The key that is found for every run, a whole number of [model] or of its mixer, such as "model.d_hidden". A run that does not
    /// come within 2 % of the budget is an error. [override] can name another key for one mixer.
    #[config(default = "String::new()")]
    vary: String,
}

/// How far a run may be from its budget.
const TOLERANCE: f64 = 0.02;

const VARY: &str = "budget.vary";

/// What runs may spend of a quantity.
#[derive(Debug, Clone, Copy)]
struct Budget {
    quantity: Quantity,
    target: usize,
}

impl BudgetOptions {
    /// The budget and the key to vary; `None` without a budget.
    fn read(&self) -> Result<Option<(Budget, &str)>, Complaint> {
        let all = Quantity::ALL.map(|quantity| Some(Budget { quantity, target: quantity.target(self)? }));
        let budgets: Vec<Budget> = all.into_iter().flatten().collect();
        match (&budgets[..], self.vary.as_str()) {
            ([], "") => Ok(None),
            ([], _) => Err(complaint(
                "vary finds nothing without a budget; set parameters, state_floats or flops, or remove vary"
                    .into(),
                VARY,
            )),
            ([budget], "") => Err(complaint(
                format!(
                    "a budget of {} needs vary, the key that is found for every run, such as \"model.d_hidden\"",
                    budget.quantity.name()
                ),
                budget.quantity.key(),
            )),
            ([budget], vary) => Ok(Some((*budget, vary))),
            ([one, other, ..], _) => Err(complaint(
                format!(
                    "one key cannot meet two budgets, {} and {}; keep one of them",
                    one.quantity.name(),
                    other.quantity.name()
                ),
                other.quantity.key(),
            )),
        }
    }
}

fn complaint(reason: String, key: &str) -> Complaint {
    Complaint { reason, keys: vec![key.to_owned()] }
}

/// The value that makes a run of a program with these mixers meet its budget; nothing if it has none, or something else is wrong
/// with it.
///
/// # Errors
/// If `[budget]` does not say enough, or cannot be met.
pub(crate) fn solve<C: Mixers>(run: &Combination<'_>) -> Result<Option<Solved>, Complaint> {
    let Some(options) = BudgetOptions::from_values(&run.section("budget")) else { return Ok(None) };
    let Some((budget, vary)) = options.read()? else { return Ok(None) };
    let (key, ends) = varied(run, vary)?;
    let found = nearest(&ends, budget.target as f64, |number| {
        let candidate = run.with(key, Value::Integer(number), VARY);
        complaints::<C>(&candidate).is_empty().then(|| budget.quantity.of::<C>(&candidate.run()))?
    });
    let Some(best) = found.first() else { return unmeasured::<C>(run, budget, key) };
    check_distance(run, budget, key, &found)?;
    check_set(run, key, best.0)?;
    Ok(Some(Solved { key: key.name.to_owned(), value: Value::Integer(best.0), asked_by: VARY }))
}

/// The key to vary, and the whole numbers that it may be.
fn varied<'k>(run: &'k Combination<'_>, vary: &str) -> Result<(&'k Key, RangeInclusive<i64>), Complaint> {
    let known = || run.keys().iter().filter(|key| is_size(key));
    let Some(key) = known().find(|key| key.name == vary) else {
        let meant = suggest::nearest(vary, known().map(|key| key.name));
        let wanted = "must be a whole number of [model] or of a mixer's section, such as \"model.d_hidden\"";
        return Err(complaint(format!("vary {wanted}; got {vary:?}{}", suggest::hint(meant)), VARY));
    };
    match whole_numbers(&key.kind) {
        Some(ends) if run.value(vary).is_some() => Ok((key, ends)),
        _ => Err(complaint(
            format!("{} has no {vary}, which vary names; name another key in {}", run.subject, section(run)),
            VARY,
        )),
    }
}

/// The section for keys of only this run's mixer.
fn section(run: &Combination<'_>) -> String {
    match run.subject.contains(['+', '*']) {
        true => format!("[override.{:?}]", run.subject),
        false => format!("[override.{}]", run.subject),
    }
}

/// Whether a key is a size that a budget may vary.
fn is_size(key: &Key) -> bool {
    ["model.", "mixer."].iter().any(|section| key.name.starts_with(section))
        && whole_numbers(&key.kind).is_some()
}

fn whole_numbers(kind: &Kind) -> Option<RangeInclusive<i64>> {
    match kind {
        Kind::Integer { min, max } | Kind::Share { min, max } => Some(*min.max(&1)..=*max),
        Kind::Or { kind, .. } => whole_numbers(kind),
        _ => None,
    }
}

/// Nothing, if the run is wrong anyway: that is then reported.
fn unmeasured<C: Mixers>(
    run: &Combination<'_>,
    budget: Budget,
    key: &Key,
) -> Result<Option<Solved>, Complaint> {
    let is_wrong = !complaints::<C>(run).is_empty();
    let reason = || {
        let name = budget.quantity.name();
        format!(
            "the {name} of {} cannot be counted with any {}, so that no budget can be met",
            run.subject, key.name
        )
    };
    if is_wrong { Ok(None) } else { Err(complaint(reason(), budget.quantity.key())) }
}

fn check_distance(
    run: &Combination<'_>,
    budget: Budget,
    key: &Key,
    found: &[Found],
) -> Result<(), Complaint> {
    let Budget { quantity, target } = budget;
    let off = |measured: f64| (measured - target as f64).abs() / target as f64;
    match found {
        [best, ..] if off(best.1) > TOLERANCE => {
            let each = |(number, measured): &Found| {
                let percent = 100.0 * off(*measured);
                format!("{number} gives {} ({percent:.1} % off)", grouped(*measured as u128))
            };
            let each: Vec<String> = found.iter().map(each).collect();
            let reason = format!(
                "{} at {} tokens cannot have {} {} within 2 % by varying {}: {}",
                run.subject,
                run.size(),
                grouped(target as u128),
                quantity.name(),
                key.name,
                each.join(", ")
            );
            Err(complaint(reason, quantity.key()))
        }
        _ => Ok(()),
    }
}

/// A config that sets the key anyway must agree, as one does that was written from a run.
fn check_set(run: &Combination<'_>, key: &Key, found: i64) -> Result<(), Complaint> {
    let set = run.value(key.name).filter(|value| run.is_set(key.name) && value.as_integer() != Some(found));
    set.map_or(Ok(()), |set| {
        let reason = format!(
            "{} = {set} is not what [budget] finds for {} at {} tokens, {found}; remove one of the two",
            key.name,
            run.subject,
            run.size()
        );
        Err(complaint(reason, key.name))
    })
}

/// What was found for a run and what it reaches, for a list of runs; `None` without a budget.
pub(crate) fn describe<C: Mixers>(run: &Run) -> Option<String> {
    let options = BudgetOptions::from_values(&run.section("budget"))?;
    let (Budget { quantity, target }, vary) = options.read().ok()??;
    let measured = quantity.of::<C>(run)?;
    let off = 100.0 * (measured - target as f64) / target as f64;
    let off = if off.abs() < 0.05 { String::new() } else { format!(" ({off:+.1} %)") };
    let reached = grouped(measured as u128);
    Some(format!("{vary} = {}: {reached} {}{off}", run.value(vary)?, quantity.name()))
}

/// The key of a run's budget and the key that was found; none without a budget.
pub(crate) fn keys(run: &Run) -> Vec<String> {
    let options = BudgetOptions::from_values(&run.section("budget"));
    let read = |options: BudgetOptions| {
        let (budget, vary) = options.read().ok()??;
        Some(vec![budget.quantity.key().to_owned(), vary.to_owned()])
    };
    options.and_then(read).unwrap_or_default()
}

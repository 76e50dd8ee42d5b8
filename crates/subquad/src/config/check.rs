//! Do the keys of one run go together? Every struct of options says what it refuses; the keys to blame get their sections here.

use subquad_config::{Combination, Complaint};
use subquad_data::{InputKind, Lengths, TargetKind, TaskConfig};
use subquad_mixer::Mixers;
use subquad_model::{ModelOptions, Pool, left_out};
use subquad_options::{Options, Refusal};
use subquad_train::{LoopConfig, OptimConfig};

use crate::select;

use super::run::{context, mixer, model, names, task};

/// Everything wrong with a run of a program with these mixers.
pub fn complaints<C: Mixers>(run: &Combination<'_>) -> Vec<Complaint> {
    let value = |key: &str| run.value(key).cloned();
    let task = task(&value);
    let mut complaints = vec![];
    if let Some((task, path)) = &task {
        let name = task.info().name;
        complaints.extend(path.iter().map(|refusal| complaint(run, "task", refusal)));
        complaints.extend(task.refusals(run.size()).iter().map(|refusal| of_task(run, name, refusal)));
    }
    let unjudged = task.as_ref().filter(|(task, _)| !task.validates()).map(|(task, _)| task.info().name);
    complaints.extend(select::complaints(run, unjudged));
    let Some(model) = model(run) else { return complaints };
    let together = task.iter().flat_map(|(task, _)| of_model_and_task(&model, task, run.size()));
    let refusals: Vec<Refusal> = model.refusals(run.largest).into_iter().chain(together).collect();
    complaints.extend(refusals.iter().map(|refusal| complaint(run, "model", refusal)));
    let optim = OptimConfig::from_values(&run.section("optim"));
    let refusals = optim.iter().flat_map(OptimConfig::refusals);
    complaints.extend(refusals.map(|refusal| complaint(run, "optim", &refusal)));
    let training_loop = LoopConfig::from_values(&run.section("train"));
    let refusals = training_loop.iter().flat_map(LoopConfig::refusals);
    complaints.extend(refusals.map(|refusal| complaint(run, "train", &refusal)));
    let pair = task.as_ref().zip(training_loop.as_ref());
    let together = pair.map(|((task, _), training)| of_task_and_training(run, task, training));
    complaints.extend(together.iter().flatten().map(|refusal| complaint(run, "train", refusal)));
    let Some(mixers) = names::<C>(&run.subject) else { return complaints };
    let left_out = left_out(("mixer", &format!("the mixer {:?}", run.subject)), &mixers, model.n_layers);
    complaints.extend(left_out.iter().map(|refusal| complaint(run, "model", refusal)));
    complaints.extend(mixers.parts().iter().flat_map(|name| of_mixer::<C>(run, &model, name)));
    complaints
}

fn of_mixer<C: Mixers>(run: &Combination<'_>, model: &ModelOptions, name: &'static str) -> Vec<Complaint> {
    let Some(mut mixer) = mixer::<C>(name, &|key| run.value(key).cloned()) else { return vec![] };
    let misfits = mixer.fit(&context(name, model, run.size(), run.largest));
    let refusals = misfits.into_iter().chain(mixer.refusals());
    refusals.map(|refusal| complaint(run, &format!("mixer.{name}"), &refusal)).collect()
}

fn complaint(run: &Combination<'_>, section: &str, refusal: &Refusal) -> Complaint {
    let keys = refusal.fields.iter().map(|field| run.key_of(section, field)).collect();
    Complaint { reason: refusal.reason.clone(), keys }
}

/// If no option is to blame, the length is.
fn of_task(run: &Combination<'_>, task: &str, refusal: &Refusal) -> Complaint {
    let Complaint { reason, mut keys } = complaint(run, &format!("task.{task}"), refusal);
    keys.push("seq_len".to_owned());
    let reason = match refusal.fields.is_empty() {
        true => format!("seq_len = {} does not suit task {task}: {reason}", run.size()),
        false => format!("task {task}: {reason}"),
    };
    Complaint { reason, keys }
}

/// Ways of training that this task does not have.
fn of_task_and_training(run: &Combination<'_>, task: &TaskConfig, training: &LoopConfig) -> Vec<Refusal> {
    let (name, lengths) = (task.info().name, training.lengths(run.size()));
    let option = if training.curriculum.is_empty() { "mixed_lengths" } else { "curriculum" };
    let others = lengths.iter().flat_map(Lengths::others);
    let unsuited = others.filter_map(|length| {
        let why = unsuited(run, task, length)?;
        Some(Refusal::new(format!("{length} in {option} does not suit task {name}: {why}"), &[option]))
    });
    let unjudged = Refusal::when(training.stop_at.is_some() && !task.validates(), &["stop_at"], || {
        format!("stop_at needs validation examples; set task.{name}.validation above 0, such as to 0.1")
    });
    let stages = training.curriculum.iter().filter(|stage| stage.seq_len < run.size());
    let before: usize = stages.map(|stage| stage.steps).sum();
    let endless = Refusal::when(before >= training.steps, &["curriculum", "steps"], || {
        format!(
            "curriculum takes {before} steps before {} tokens, which leaves none of steps = {} for them",
            run.size(),
            training.steps
        )
    });
    unsuited.chain(unjudged).chain(endless).collect()
}

/// Why a run cannot also train at this length.
fn unsuited(run: &Combination<'_>, own: &TaskConfig, length: usize) -> Option<String> {
    let (other, _) = task(&|key| run.value_at(key, length))?;
    let refused = other.refusals(length).into_iter().next().map(|refusal| refusal.reason);
    let other_answers = || "the number of answers would be another one".to_owned();
    refused.or_else(|| (other.target(length) != own.target(run.size())).then(other_answers))
}

/// Options that a model cannot have on this task.
fn of_model_and_task(model: &ModelOptions, task: &TaskConfig, seq_len: usize) -> Vec<Refusal> {
    let (name, target) = (task.info().name, task.target(seq_len));
    let answers_at_tokens = matches!(target, TargetKind::Tokens { .. } | TargetKind::TokenReals { .. });
    let pool = subquad_options::word(&model.pool);
    let idle_pool = Refusal::when(model.pool != Pool::Auto && answers_at_tokens, &["pool"], || {
        format!(
            "task {name} has answers at single tokens, so pool = \"{pool}\" would do nothing; leave it at \"auto\""
        )
    });
    let has_table = match (task.input(), target) {
        (InputKind::Tokens { vocab }, TargetKind::Tokens { classes }) => vocab == classes,
        _ => false,
    };
    let untied = Refusal::when(model.structure.tied_head && !has_table, &["tied_head"], || {
        format!(
            "task {name} does not answer with the tokens that it reads, so tied_head = true has no table to share; set it to false"
        )
    });
    idle_pool.into_iter().chain(untied).collect()
}

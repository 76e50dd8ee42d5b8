//! Do the keys of one run go together? Every struct of options says what it refuses; the keys to blame get their sections here.

use subquad_config::{Combination, Complaint};
use subquad_data::{InputKind, TargetKind, TaskConfig};
use subquad_mixer::Mixers;
use subquad_model::{ModelOptions, Pool, left_out};
use subquad_options::{Options, Refusal};
use subquad_train::{LoopConfig, OptimConfig};

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

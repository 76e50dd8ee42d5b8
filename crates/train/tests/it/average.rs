//! The average of the weights over the steps.

use burn::module::{Module, ModuleVisitor, Param};
use burn::store::ModuleRecord;
use burn::tensor::{Bytes, Tensor};
use subquad_data::{HeldOut, Metric};
use subquad_model::SequenceModel;
use subquad_record::{Checkpoint, Memory};
use subquad_testkit::cpu;
use subquad_train::{Decay, LoopConfig, OptimConfig, TrainConfig, Training, evaluate, train};

use crate::tasks::{Retold, SEQ, Sequences};
use crate::{attention, looping, plain_loop, plain_optim, sequence_model, token_model};

const STEPS: usize = 12;
const DECAY: f64 = 0.4;

fn config(ema: Option<f64>) -> TrainConfig {
    let optim = OptimConfig { schedule: Decay::Constant, ..plain_optim() };
    let training_loop = LoopConfig { ema, checkpoint_every: Some(1), ..plain_loop(STEPS, 4) };
    TrainConfig { optim, ..looping(training_loop) }
}

struct Values(Vec<f64>);

impl ModuleVisitor for Values {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.extend(param.val().into_data().iter::<f32>().map(f64::from));
    }
}

fn values(model: &SequenceModel) -> Vec<f64> {
    let mut values = Values(vec![]);
    model.visit(&mut values);
    values.0
}

fn model_of(checkpoint: &Checkpoint, file: &str) -> SequenceModel {
    load(sequence_model(attention()), checkpoint, file)
}

fn load(model: SequenceModel, checkpoint: &Checkpoint, file: &str) -> SequenceModel {
    let bytes = Bytes::from_bytes_vec(checkpoint.files[file].clone());
    model.load_record(ModuleRecord::from_bytes(bytes).unwrap())
}

/// The average after every step, from the weights after every step.
fn by_hand(start: Vec<f64>, steps: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let next = |average: &mut Vec<f64>, (t, weights): (f64, &Vec<f64>)| {
        let keep = DECAY.min((1.0 + t) / (10.0 + t));
        average
            .iter_mut()
            .zip(weights)
            .for_each(|(average, w)| *average = keep * *average + (1.0 - keep) * w);
        Some(average.clone())
    };
    (1..).map(f64::from).zip(steps).scan(start, next).collect()
}

fn largest_difference(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).fold(0.0, |largest: f64, (a, b)| largest.max((a - b).abs()))
}

#[test]
fn the_average_is_that_of_its_formula_after_every_step_and_the_training_goes_on_as_without_it() {
    let task = Sequences::new(8, 5);
    let [mut plain, mut averaging] = [Memory::default(), Memory::default()];
    let build = || sequence_model(attention());
    let last = train(build(), &task, &config(None), &cpu(), &mut plain).unwrap();
    let kept = train(build(), &task, &config(Some(DECAY)), &cpu(), &mut averaging).unwrap();
    for (one, other) in plain.checkpoints.iter().zip(&averaging.checkpoints) {
        let [one, other] = [one, other].map(|checkpoint| values(&model_of(checkpoint, "model.bpk")));
        assert!(one == other);
    }
    let steps: Vec<_> =
        plain.checkpoints.iter().map(|checkpoint| values(&model_of(checkpoint, "model.bpk"))).collect();
    let averages = by_hand(values(&build()), &[steps, vec![values(&last.model)]].concat());
    let got = averaging.checkpoints.iter().map(|checkpoint| values(&model_of(checkpoint, "average.bpk")));
    for (step, (got, expected)) in got.chain([values(&kept.model)]).zip(&averages).enumerate() {
        // Roundings of f32 at weights up to 1.
        assert!(
            largest_difference(&got, expected) < 3e-7,
            "step {}: {}",
            step + 1,
            largest_difference(&got, expected)
        );
    }
    assert!(
        largest_difference(&values(&kept.model), &values(&last.model)) > 1e-3,
        "it is not the last weights"
    );
}

#[test]
fn the_average_is_what_is_evaluated() {
    let (task, mut sink) = (Sequences::validated(8, 6, 5), Memory::default());
    let kept = train(sequence_model(attention()), &task, &config(Some(DECAY)), &cpu(), &mut sink).unwrap();
    for (split, tally) in [(HeldOut::Validation, kept.validation.unwrap()), (HeldOut::Test(0), kept.test)] {
        assert_eq!(evaluate(&kept.model, &task, split, 4 * SEQ, &cpu()), tally);
    }
}

#[test]
fn a_checkpoint_without_the_average_or_with_a_damaged_one_is_refused() {
    let task = Sequences::new(8, 5);
    let refusal = |kept: Option<f64>, change: &dyn Fn(&mut Checkpoint)| {
        let mut sink = Memory::default();
        train(sequence_model(attention()), &task, &config(kept), &cpu(), &mut sink).unwrap();
        let mut checkpoint = sink.checkpoints.remove(0);
        change(&mut checkpoint);
        let (model, config) = (sequence_model(attention()), config(Some(DECAY)));
        Training::resume(model, &task, &config, &cpu(), checkpoint).err().unwrap().to_string()
    };
    let start = "the checkpoint of step 1 does not fit: ";
    assert_eq!(refusal(None, &|_| ()), format!("{start}it has no average.bpk"));
    let empty = refusal(Some(DECAY), &|checkpoint| checkpoint.files.get_mut("average.bpk").unwrap().clear());
    assert!(empty.starts_with(start), "{empty}");
}

#[test]
fn it_is_the_score_of_the_average_that_ends_a_training() {
    let (task, build) = (Retold::validated(40, 5), || token_model(attention()));
    let config = |stop_at| {
        let every = LoopConfig { eval_every: Some(1), checkpoint_every: Some(1), ..plain_loop(40, 8) };
        looping(LoopConfig { stop_at, ema: Some(0.9), ..every })
    };
    let mut sink = Memory::default();
    train(build(), &task, &config(None), &cpu(), &mut sink).unwrap();
    let score = |checkpoint: &Checkpoint, file| {
        let model = load(build(), checkpoint, file);
        Metric::Accuracy.of(&evaluate(&model, &task, HeldOut::Validation, 8 * SEQ, &cpu())).value
    };
    let of = |file| sink.checkpoints.iter().map(|checkpoint| score(checkpoint, file)).collect::<Vec<_>>();
    let [averages, weights] = ["average.bpk", "model.bpk"].map(of);
    let first = |scores: &[f64], goal| scores.iter().position(|score| *score >= goal).unwrap() + 1;
    let goal = averages.iter().copied().fold(0.0, f64::max);
    assert!(first(&weights, goal) < first(&averages, goal), "{weights:?} {averages:?}");
    let trained = train(build(), &task, &config(Some(goal)), &cpu(), &mut Memory::default()).unwrap();
    assert_eq!(trained.steps, first(&averages, goal));
}

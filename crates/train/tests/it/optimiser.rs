//! Training steps against AdamW by the definition, in f64.

use std::collections::HashMap;

use burn::module::{Module, ParamId};
use burn::tensor::activation::log_softmax;
use burn::tensor::{Int, Tensor};
use subquad_data::{Batch, Targets, Task};
use subquad_model::{Dropout, Input, MixerConfig, SequenceModel, named_parameters};
use subquad_monarch::M2Config;
use subquad_record::Memory;
use subquad_testkit::{Parameter, assert_rel_close, cpu, every_gradient, to_f64, with_changes};
use subquad_train::{OptimConfig, TrainConfig, train};

use crate::evaluation::input;
use crate::tasks::Sequences;
use crate::{m2, plain, plain_optim, sequence_model};

/// Moments and updates are f32 in burn, and a gradient near zero passes its rounding error on to the update, which does
/// not depend on the gradient's size: measured 2e-5; ten times that.
const UPDATE: f64 = 2e-4;

const BATCH: usize = 4;
const STEPS: usize = 3;

/// All rates differ, so that a parameter in a wrong group shows.
fn mixer() -> M2Config {
    m2().with_filter_lr(1e-2).with_filter_weight_decay(0.9).with_position_lr(5e-3)
}

fn config() -> TrainConfig {
    TrainConfig { optim: OptimConfig { lr: 2e-2, weight_decay: 0.3, ..plain_optim() }, ..plain(STEPS, BATCH) }
}

/// What [`config`] and [`mixer`] say about a parameter: peak learning rate and weight decay.
fn rule(path: &str) -> (f64, f64) {
    match path {
        path if path.contains(".filter.network.") || path.ends_with(".filter.frequency") => (1e-2, 0.9),
        path if path.ends_with(".filter.z") => (5e-3, 0.0),
        path if path.ends_with("bias") || path.ends_with("gamma") || path.ends_with("beta") => (2e-2, 0.0),
        _ => (2e-2, 0.3),
    }
}

/// One parameter under AdamW.
struct Reference {
    rule: (f64, f64),
    values: Vec<f64>,
    first: Vec<f64>,
    second: Vec<f64>,
}

impl Reference {
    fn new(path: &str, values: Vec<f64>) -> Self {
        let zeros = vec![0.0; values.len()];
        Self { rule: rule(path), values, first: zeros.clone(), second: zeros }
    }

    /// Loshchilov and Hutter 2019, algorithm 2, with the decay scaled by the learning rate, as in all common
    /// implementations. `t` counts from 1.
    fn step(&mut self, gradient: &[f64], schedule: f64, t: i32) {
        let (peak, decay) = self.rule;
        let rate = peak * schedule;
        for (i, g) in gradient.iter().enumerate() {
            self.first[i] = 0.9 * self.first[i] + 0.1 * g;
            self.second[i] = 0.999 * self.second[i] + 0.001 * g * g;
            let first = self.first[i] / (1.0 - 0.9f64.powi(t));
            let second = self.second[i] / (1.0 - 0.999f64.powi(t));
            self.values[i] -= rate * decay * self.values[i] + rate * first / (second.sqrt() + 1e-8);
        }
    }
}

#[test]
fn training_is_adamw_with_each_groups_rate_and_decay() {
    let (start, task) = (sequence_model(MixerConfig::M2(mixer())), Sequences::new(3 * BATCH, 1));
    let expected = by_hand(&start, &task);
    let trained = train(start.clone(), &task, &config(), &cpu(), &mut Memory::default()).unwrap().model;
    for (before, after) in named_parameters(&start).into_iter().zip(named_parameters(&trained)) {
        let start = to_f64(before.data);
        let update = |after: &[f64]| -> Vec<f64> { after.iter().zip(&start).map(|(a, b)| a - b).collect() };
        let expected = update(&expected[&before.id].values);
        assert_rel_close(update(&to_f64(after.data)), expected, UPDATE, format!("update of {}", before.path));
    }
}

fn by_hand(start: &SequenceModel, task: &Sequences) -> HashMap<ParamId, Reference> {
    let named = named_parameters(start).into_iter();
    let mut parameters: HashMap<_, _> =
        named.map(|p| (p.id, Reference::new(&p.path, to_f64(p.data)))).collect();
    // Half a cosine over three steps.
    for (i, schedule) in [1.0, 0.75, 0.25].into_iter().enumerate() {
        let model = with_changes(start.clone(), |parameter| Some(parameters[&parameter.id].values.clone()));
        for gradient in gradients_of_loss(model, task.train_batch(i, BATCH)) {
            parameters.get_mut(&gradient.id).unwrap().step(&gradient.values, schedule, i as i32 + 1);
        }
    }
    parameters
}

/// Gradients of the mean cross-entropy.
fn gradients_of_loss(model: SequenceModel, batch: Batch) -> Vec<Parameter> {
    let (model, device) = (model.train(), cpu().autodiff());
    let Targets::Sequence(classes) = &batch.targets else { unreachable!("a class a sequence") };
    let classes: Vec<i32> = classes.iter().map(|class| *class as i32).collect();
    let classes = Tensor::<1, Int>::from_data(classes.as_slice(), &device).unsqueeze_dim(1);
    let Input::Reals(x) = input(batch) else { unreachable!("reals") };
    let x = Input::Reals(Tensor::from_data(x.into_data(), &device));
    let logits: Tensor<2> = model.forward(x, &Dropout::Off).squeeze_dim(1);
    let grads = log_softmax(logits, 1).gather(1, classes).mean().neg().backward();
    every_gradient(&model, &grads)
}

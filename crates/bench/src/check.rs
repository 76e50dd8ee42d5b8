//! Is the layer that is timed the layer it claims to be?

use burn::tensor::Device;
use rayon::prelude::*;
use subquad_backend::seeded;
use subquad_mixer::published::{GRADIENT_LIMIT, OUTPUT_LIMIT, rel_error, to_f64};

use crate::trial::Trial;
use crate::{Sizes, Subject};

/// Small sizes, not multiples of any block size of a kernel.
const SIZES: Sizes =
    Sizes { batch: 2, seq_len: 19, d_model: 12, hidden_factor: 2, n_blocks: 5, d_state: 10, more_tokens: 0 };
/// Number of directions for each tensor: one direction misses an error of the gradient with a chance of a few percent,
/// all of them with a negligible one.
const DIRECTIONS: u64 = 3;
/// Step of the central difference: in f64, truncation and rounding both stay far below f32's errors.
const STEP: f64 = 1e-6;

/// How far a layer is from its definition, in the form and on the device that are timed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Check {
    /// Largest error of an output, relative to the largest output.
    pub value_error: f64,
    /// Largest error of a gradient along a random direction, relative to that gradient's length: over every parameter
    /// tensor and the input.
    pub gradient_error: f64,
}

impl Check {
    /// What both errors are measured against.
    pub const AGAINST: &str = "f64 reference";

    /// The larger error.
    pub fn error(&self) -> f64 {
        self.value_error.max(self.gradient_error)
    }
}

/// Compares a layer with its f64 definition at a small size: outputs, and the gradients of the mean of squares.
///
/// # Errors
/// If an error is above the limits of `subquad verify`: the layer computes something else, so its speed means nothing.
pub fn check(subject: &Subject, device: &Device) -> Result<Check, String> {
    let trial = Trial::new(subject, &SIZES, device);
    let mut point = trial.plain.parameters();
    point.push(to_f64(trial.input.clone()));
    let output = to_f64(trial.plain.forward(trial.input.clone()));
    let check = Check {
        value_error: rel_error(&output, &definition(subject, &point)),
        gradient_error: gradient_error(subject, &point, &trial.gradients()),
    };
    let fine = check.value_error <= OUTPUT_LIMIT && check.gradient_error <= GRADIENT_LIMIT;
    if fine { Ok(check) } else { Err(complaint(subject, &check)) }
}

/// A layer that agrees with its definition.
#[derive(Debug, Clone, Copy)]
pub struct Checked {
    /// The layer.
    pub subject: &'static Subject,
    /// How close it is.
    pub check: Check,
}

/// Checks every layer on `device`.
///
/// # Errors
/// The message of each check that fails.
pub fn check_all(subjects: &[&'static Subject], device: &Device) -> Result<Vec<Checked>, Vec<String>> {
    let (mut checked, mut wrong) = (vec![], vec![]);
    for subject in subjects {
        match check(subject, device) {
            Ok(check) => checked.push(Checked { subject, check }),
            Err(error) => wrong.push(error),
        }
    }
    if wrong.is_empty() { Ok(checked) } else { Err(wrong) }
}

fn complaint(subject: &Subject, check: &Check) -> String {
    format!(
        "{} does not agree with its f64 reference, so it is not timed: outputs are off by {:.1e} (limit {OUTPUT_LIMIT:.0e}), \
         gradients by {:.1e} (limit {GRADIENT_LIMIT:.0e})",
        subject.name, check.value_error, check.gradient_error
    )
}

/// The outputs of the batch, by definition. `point` is every parameter tensor, followed by the input.
fn definition(subject: &Subject, point: &[Vec<f64>]) -> Vec<f64> {
    let (input, parameters) = point.split_last().expect("the input is there");
    let sequences = input.chunks(SIZES.seq_len * SIZES.d_model);
    sequences.flat_map(|x| (subject.definition)(&SIZES, parameters, x)).collect()
}

/// The largest error along all directions; NaN if any of them is.
fn gradient_error(subject: &Subject, point: &[Vec<f64>], gradients: &[Vec<f64>]) -> f64 {
    let all: Vec<(usize, u64)> =
        (0..point.len()).flat_map(|tensor| (0..DIRECTIONS).map(move |seed| (tensor, seed))).collect();
    let errors: Vec<f64> = all
        .into_par_iter()
        .map(|(tensor, seed)| directional_error(subject, point, tensor, &gradients[tensor], seed))
        .collect();
    errors.into_iter().fold(0.0, |largest, error| if error <= largest { largest } else { error })
}

/// Along a random direction of signs `v`, `g . v` has the standard deviation `|g|`: an error of the gradient shows in
/// proportion, and two evaluations of the definition are enough.
fn directional_error(
    subject: &Subject,
    point: &[Vec<f64>],
    tensor: usize,
    gradient: &[f64],
    seed: u64,
) -> f64 {
    let direction: Vec<f64> = seeded(point[tensor].len(), seed).iter().map(|v| v.signum()).collect();
    let loss_at = |step: f64| {
        let mut moved = point.to_vec();
        moved[tensor].iter_mut().zip(&direction).for_each(|(x, v)| *x += step * v);
        let output = definition(subject, &moved);
        output.iter().map(|y| y * y).sum::<f64>() / output.len() as f64
    };
    let expected = (loss_at(STEP) - loss_at(-STEP)) / (2.0 * STEP);
    let got: f64 = gradient.iter().zip(&direction).map(|(g, v)| g * v).sum();
    let length = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
    (got - expected).abs() / if length > 0.0 { length } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use subquad_model::MixerConfig;

    use super::*;
    use crate::Subjects;

    #[test]
    fn every_subject_is_its_definition() {
        for subject in Subjects::of::<MixerConfig>().all() {
            let check = check(subject, &Device::flex()).unwrap_or_else(|error| panic!("{error}"));
            assert!(check.error() > 0.0, "{}: {check:?}", subject.name);
        }
    }

    #[test]
    fn another_layer_under_the_name_is_refused() {
        let wrong = Subject { definition: |_, _, x| x.to_vec(), ..attention() };
        let error = check(&wrong, &Device::flex()).expect_err("another layer");
        assert!(error.starts_with("attention does not agree with its f64 reference"), "{error}");
    }

    #[test]
    fn a_wrong_gradient_shows() {
        let subject = &attention();
        let trial = Trial::new(subject, &SIZES, &Device::flex());
        let mut point = trial.plain.parameters();
        point.push(to_f64(trial.input.clone()));
        for tensor in 0..point.len() {
            let mut gradients = trial.gradients();
            gradients[tensor].iter_mut().for_each(|g| *g *= 1.02);
            assert!(gradient_error(subject, &point, &gradients) > GRADIENT_LIMIT, "tensor {tensor}");
        }
    }

    fn attention() -> Subject {
        *Subjects::of::<MixerConfig>().find("attention").expect("it is there")
    }
}

//! Monarch matrices along the sequence as mixers.

mod causal;
mod config;
mod learned;

use burn::module::Module;
use burn::tensor::Device;
use subquad_mixer::SequenceMixer;
use subquad_testkit::{AWKWARD_LENGTHS, assert_rel_close, cpu, seeded, seeded_tensor, values, with_changes};

use crate::FORMS;
use crate::seeded_module;

const D_MODEL: usize = 6;
/// Sums of up to a thousand f32 numbers, a few in a row, and an FFT: each is accurate to about 1e-6 of the largest output.
const FORMS_VALUE: f64 = 1e-5;
/// Gradients go through the same sums again; the filter's go through three sine layers of frequency 10.
const FORMS_GRADIENT: f64 = 1e-4;
/// f32 against f64, for a filter that three sine layers of frequency 10 generate, between a matrix and its inverse.
const VALUE: f64 = 1e-4;

/// A module with all its parameters drawn and then moved a bit, so that no factor keeps its initial zeros and ones.
fn moved<M: Module>(build: impl FnOnce(&Device) -> M) -> M {
    let mut seed = 100;
    with_changes(seeded_module(build), |parameter| {
        seed += 1;
        let noise = seeded(parameter.values.len(), seed);
        Some(parameter.values.iter().zip(noise).map(|(value, noise)| value + 0.05 * noise).collect())
    })
}

/// Every form of a layer that takes 1000 tokens against its f64 definition.
fn is_its_definition<M: SequenceMixer + Module>(
    layer: &M,
    with_form: impl Fn(M, subquad_backend::Form) -> M,
    definition: impl Fn(&[f64], &[f64]) -> Vec<f64>,
    d_model: usize,
    what: &str,
) {
    for seq in AWKWARD_LENGTHS {
        let expected = definition(&values(layer), &seeded(d_model * seq, 4));
        for form in FORMS {
            let input = seeded_tensor([1, seq, d_model], 4, &cpu());
            let output = with_form(layer.clone(), form).forward(input);
            assert_rel_close(output, expected.as_slice(), VALUE, format!("{form:?}, seq = {seq}, {what}"));
        }
    }
}

//! Weights as a file.

use std::collections::HashMap;

use burn::module::Module;
use safetensors::tensor::{TensorView, serialize};
use safetensors::{Dtype, SafeTensors};
use subquad_model::{SequenceModel, named_parameters};
use subquad_record::Memory;
use subquad_train::{WeightsError, from_safetensors, to_safetensors, train};

use crate::tasks::Sequences;
use crate::{mixers, plain, sequence_model};
use subquad_testkit::cpu;

#[test]
fn a_weights_file_holds_every_parameter_under_its_path() {
    for mixer in mixers() {
        let model = sequence_model(mixer);
        let bytes = to_safetensors(&model, HashMap::new());
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let parameters = named_parameters(&model);
        assert_eq!(file.len(), parameters.len());
        for parameter in parameters {
            let view = file.tensor(&parameter.path).unwrap();
            assert_eq!(
                (view.dtype(), view.shape()),
                (Dtype::F32, &parameter.data.shape()[..]),
                "{}",
                parameter.path
            );
            assert_eq!(view.data(), parameter.data.as_bytes(), "{}", parameter.path);
        }
    }
}

#[test]
fn a_weights_file_carries_its_metadata() {
    let [mixer, ..] = mixers();
    let metadata = HashMap::from([("run".to_owned(), "attention-64".to_owned())]);
    let bytes = to_safetensors(&sequence_model(mixer), metadata.clone());
    let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
    assert_eq!(*header.metadata(), Some(metadata));
}

/// Weights that differ from those of [`sequence_model`], which are always the same.
fn trained(model: SequenceModel) -> SequenceModel {
    let task = Sequences::new(4, 4);
    train(model, &task, &plain(2, 4), &cpu(), &mut Memory::default()).unwrap().model
}

#[test]
fn weights_read_back_are_the_same_bits_and_train_on_alike() {
    for mixer in mixers() {
        let model = trained(sequence_model(mixer.clone()));
        let bytes = to_safetensors(&model, HashMap::new());
        assert!(
            bytes != to_safetensors(&sequence_model(mixer.clone()), HashMap::new()),
            "training did nothing"
        );
        let loaded = from_safetensors(&bytes, sequence_model(mixer)).unwrap();
        assert!(to_safetensors(&loaded, HashMap::new()) == bytes);
        assert_eq!(loaded.num_params(), model.num_params());
        let further = [model, loaded].map(|model| to_safetensors(&trained(model), HashMap::new()));
        assert!(further[0] == further[1] && further[0] != bytes);
    }
}

/// A file of these tensors: name, kind, shape. Their values do not matter.
fn file(tensors: &[(String, Dtype, Vec<usize>)]) -> Vec<u8> {
    let zeros = |(_, kind, shape): &(_, Dtype, Vec<usize>)| {
        vec![0; shape.iter().product::<usize>() * kind.bitsize() / 8]
    };
    let data: Vec<Vec<u8>> = tensors.iter().map(zeros).collect();
    let views = tensors
        .iter()
        .zip(&data)
        .map(|((name, kind, shape), bytes)| (name, TensorView::new(*kind, shape.clone(), bytes).unwrap()));
    serialize(views, None).unwrap()
}

/// The error of loading a file of the model's tensors, after a change to them.
fn complaint(change: impl FnOnce(&mut Vec<(String, Dtype, Vec<usize>)>)) -> String {
    let [mixer, ..] = mixers();
    let model = sequence_model(mixer);
    let parameters = named_parameters(&model).into_iter();
    let mut tensors: Vec<_> = parameters.map(|p| (p.path, Dtype::F32, p.data.shape().to_vec())).collect();
    change(&mut tensors);
    from_safetensors(&file(&tensors), model).unwrap_err().to_string()
}

#[test]
fn a_file_of_another_model_is_refused_by_the_first_difference() {
    assert_eq!(
        complaint(|tensors| tensors.retain(|(name, ..)| name != "head.bias")),
        "holds no `head.bias`, which the model has"
    );
    assert_eq!(
        complaint(|tensors| tensors.push(("blocks.7.mixer.extra".into(), Dtype::F32, vec![1]))),
        "holds `blocks.7.mixer.extra`, which the model does not have"
    );
    assert_eq!(
        complaint(|tensors| tensors.iter_mut().for_each(|(.., shape)| shape.push(1))),
        "`encoder.Linear.weight` has shape [2, 12, 1] there, but [2, 12] in the model"
    );
    assert_eq!(
        complaint(|tensors| tensors[0].1 = Dtype::F64),
        "`encoder.Linear.weight` is F64 there; weights are F32"
    );
}

#[test]
fn a_damaged_file_is_refused() {
    let [mixer, ..] = mixers();
    let model = sequence_model(mixer);
    let bytes = to_safetensors(&model, HashMap::new());
    for broken in [&bytes[..0], &bytes[..7], &bytes[..100], &bytes[..bytes.len() - 1], b"not tensors at all"]
    {
        let error = from_safetensors(broken, model.clone()).unwrap_err();
        assert!(matches!(error, WeightsError::Damaged(_)), "{error}");
        assert!(error.to_string().starts_with("not a complete .safetensors file: "), "{error}");
    }
}

#[test]
fn a_weight_that_is_no_finite_number_is_refused_with_its_place() {
    let [mixer, ..] = mixers();
    let model = sequence_model(mixer);
    let bytes = to_safetensors(&model, HashMap::new());
    let file = SafeTensors::deserialize(&bytes).unwrap();
    for (number, word) in [(f32::NAN, "NaN"), (f32::INFINITY, "inf")] {
        let mut numbers = file.tensor("encoder.Linear.weight").unwrap().data().to_vec();
        // In [2, 12], this is row 1, column 2.
        numbers[4 * 14..4 * 15].copy_from_slice(&number.to_le_bytes());
        let views = file.tensors().into_iter().map(|(name, view)| {
            let data = if name == "encoder.Linear.weight" { &numbers } else { view.data() };
            (name, TensorView::new(view.dtype(), view.shape().to_vec(), data).unwrap())
        });
        let error = from_safetensors(&serialize(views, None).unwrap(), model.clone()).unwrap_err();
        let wanted = format!("`encoder.Linear.weight` holds {word} at [1, 2] there, but weights are finite");
        assert_eq!(error.to_string(), wanted);
    }
}

#[test]
fn a_file_that_names_a_weight_twice_is_refused() {
    let [mixer, ..] = mixers();
    let model = sequence_model(mixer);
    let bytes = to_safetensors(&model, HashMap::new());
    let (length, rest) = bytes.split_first_chunk::<8>().unwrap();
    let (header, data) = rest.split_at(u64::from_le_bytes(*length) as usize);
    let header = std::str::from_utf8(header).unwrap();
    let start = header.find("\"head.bias\":").unwrap();
    let end = start + header[start..].find('}').unwrap() + 1;
    let twice = format!("{{{},{}", &header[start..end], &header[1..]);
    let file = [&(twice.len() as u64).to_le_bytes(), twice.as_bytes(), data].concat();
    let error = from_safetensors(&file, model).unwrap_err().to_string();
    assert!(error.contains("`head.bias` appears twice"), "{error}");
}

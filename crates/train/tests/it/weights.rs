//! Weights as a file.

use std::collections::HashMap;

use safetensors::{Dtype, SafeTensors};
use subquad_model::named_parameters;
use subquad_train::to_safetensors;

use crate::{mixers, sequence_model};

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

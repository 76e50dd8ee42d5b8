//! `subquad verify`: published cases agree, and whatever is wrong with a case is reported.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::lab::{Lab, crates, files, name};

fn golden(krate: &str, start: &str) -> Vec<PathBuf> {
    let mut cases = files(&crates().join(krate).join("tests/golden"));
    cases.retain(|path| name(path).starts_with(start));
    assert!(!cases.is_empty(), "{krate}: {start}");
    cases
}

pub(crate) fn one(krate: &str, case: &str) -> PathBuf {
    golden(krate, &format!("{case}.")).remove(0)
}

/// A safetensors file by its parts: header, then the numbers.
pub(crate) struct CaseFile {
    pub(crate) header: Value,
    pub(crate) data: Vec<u8>,
}

impl CaseFile {
    pub(crate) fn read(path: &Path) -> Self {
        let bytes = fs_err::read(path).unwrap();
        let (length, rest) = bytes.split_first_chunk::<8>().unwrap();
        let (header, data) = rest.split_at(u64::from_le_bytes(*length) as usize);
        Self { header: serde_json::from_slice(header).unwrap(), data: data.to_vec() }
    }

    fn write(&self, lab: &Lab, name: &str) {
        lab.write(name, self.bytes(&self.header.to_string()));
    }

    /// With another text for its header.
    pub(crate) fn bytes(&self, header: &str) -> Vec<u8> {
        let length = (header.len() as u64).to_le_bytes();
        [&length[..], header.as_bytes(), &self.data].concat()
    }

    /// Where the last number of a tensor is.
    fn last_number(&mut self, tensor: &str) -> &mut [u8] {
        let end = self.header[tensor]["data_offsets"][1].as_u64().unwrap() as usize;
        &mut self.data[end - 4..end]
    }

    pub(crate) fn set_last(&mut self, tensor: &str, change: impl Fn(f32) -> f32) {
        let place = self.last_number(tensor);
        let number = f32::from_le_bytes(place.try_into().unwrap());
        place.copy_from_slice(&change(number).to_le_bytes());
    }

    /// One more tensor, of three numbers.
    fn add(&mut self, tensor: &str) {
        let start = self.data.len();
        self.data.extend([0; 12]);
        self.header[tensor] = json!({ "dtype": "F32", "shape": [3], "data_offsets": [start, start + 12] });
    }
}

#[test]
fn published_layers_are_ours_in_every_form() {
    let mut models = golden("model", "m2_bert");
    models.retain(|path| name(path).ends_with("_run.safetensors"));
    let cases = [golden("s4", ""), golden("monarch", ""), golden("model", "model_s4"), models].concat();
    let paths: Vec<_> = cases.iter().map(|path| path.display().to_string()).collect();
    for form in ["", "--form portable", "--form fused"] {
        let answer = Lab::new().subquad(&format!("verify {form} {}", paths.join(" "))).expect(0);
        assert_eq!(answer.err, "", "{form}");
        paths.iter().for_each(|path| assert!(answer.out.contains(path), "{form}: {path}"));
        assert!(!answer.out.contains("DIFFERS"), "{form}: {}", answer.out);
        let outputs = ["  output ", "  logits "].map(|name| answer.out.matches(name).count());
        assert_eq!(outputs, [paths.len() - 2, 2], "{form}: {}", answer.out);
    }
}

#[test]
fn a_changed_number_is_found_and_its_tensor_named() {
    let lab = Lab::new();
    let mut case = CaseFile::read(&one("s4", "s4d_legs_zoh"));
    case.set_last("output", |number| number + 1.0);
    case.write(&lab, "changed.safetensors");
    let answer = lab.subquad("verify changed.safetensors").expect(1);
    let differing: Vec<_> = answer.out.lines().filter(|line| line.ends_with("DIFFERS")).collect();
    assert_eq!(differing.len(), 1, "{}", answer.out);
    assert!(differing[0].starts_with("  output "), "{}", answer.out);
    insta::assert_snapshot!(answer.err, @"error: changed.safetensors: 1 of 12 tensors differ: output");
}

#[test]
fn a_number_that_is_none_differs() {
    let lab = Lab::new();
    let mut case = CaseFile::read(&one("monarch", "m2_causal"));
    case.set_last("grad.input", |_| f32::NAN);
    case.write(&lab, "nan.safetensors");
    insta::assert_snapshot!(lab.subquad("verify nan.safetensors").expect(1).err, @"error: nan.safetensors: 1 of 19 tensors differ: grad.input");
}

#[test]
fn a_tensor_that_we_do_not_compute_differs() {
    let lab = Lab::new();
    let mut case = CaseFile::read(&one("monarch", "blockdiag_16_24"));
    case.add("hidden");
    case.write(&lab, "hidden.safetensors");
    insta::assert_snapshot!(lab.subquad("verify hidden.safetensors").expect(1).err, @"error: hidden.safetensors: 1 of 6 tensors differ: hidden");
}

#[test]
fn a_parameter_that_no_one_uses_is_found() {
    let lab = Lab::new();
    for (krate, case) in [
        ("s4", "s4d_inv_bidirectional"),
        ("monarch", "m2_causal"),
        ("monarch", "blockdiag_16_24"),
        ("monarch", "monarch_16"),
        ("monarch", "hyena_order2"),
        ("s4", "h3_head1"),
        ("model", "model_s4d_postnorm"),
        ("model", "model_s4_sequence_prenorm"),
    ] {
        let mut file = CaseFile::read(&one(krate, case));
        file.add("param.extra");
        file.write(&lab, "extra.safetensors");
        let answer = lab.subquad("verify extra.safetensors").expect(1);
        let expected = "error: extra.safetensors: parameters that our layer does not use: extra\n";
        assert_eq!(answer.err, expected, "{case}");
    }
}

#[test]
fn files_that_are_no_case_are_wrong_input() {
    let lab = Lab::new();
    let whole = fs_err::read(one("monarch", "m2_causal")).unwrap();
    lab.write("cut.safetensors", &whole[..whole.len() / 2]);
    lab.write("empty.safetensors", "");
    let answer = lab.subquad("verify none.safetensors cut.safetensors empty.safetensors").expect(2);
    assert_eq!(answer.out, "");
    insta::assert_snapshot!(answer.err, @"
    error: none.safetensors: No such file or directory (os error 2)
    error: cut.safetensors: not a safetensors file: incomplete metadata, file not fully covered
    error: empty.safetensors: not a safetensors file: header too small
    ");
}

#[test]
fn layers_that_are_not_here_are_wrong_input() {
    let lab = Lab::new();
    let mut case = CaseFile::read(&one("monarch", "monarch_16"));
    case.header["__metadata__"]["layer"] = json!("butterfly");
    case.write(&lab, "other.safetensors");
    insta::assert_snapshot!(lab.subquad("verify other.safetensors").expect(2).err, @"error: other.safetensors: unknown layer `butterfly` (known: s4_block, s4d, h3, m2_sequence_mixer, hyena, block_diagonal_linear, monarch_linear, s4_model, s4_sequence_model, m2_bert)");
}

#[test]
fn one_wrong_file_does_not_hide_the_others() {
    let lab = Lab::new();
    let mut case = CaseFile::read(&one("monarch", "blockdiag_16_24"));
    case.write(&lab, "right.safetensors");
    case.set_last("output", |number| number + 1.0);
    case.write(&lab, "changed.safetensors");
    let answer = lab.subquad("verify none.safetensors changed.safetensors right.safetensors").expect(2);
    assert!(answer.out.contains("right.safetensors: block_diagonal_linear\n"), "{}", answer.out);
    for part in ["error: none.safetensors: ", "error: changed.safetensors: 1 of 5 tensors differ: output\n"] {
        assert!(answer.err.contains(part), "{}", answer.err);
    }
}

#[test]
fn tensors_of_another_shape_than_the_layer_are_wrong_input() {
    for (krate, case) in [
        ("monarch", "blockdiag_16_24"),
        ("monarch", "m2_causal"),
        ("monarch", "hyena_order3"),
        ("s4", "s4d_legs_zoh"),
        ("s4", "h3_head8"),
        ("model", "model_s4d_postnorm"),
    ] {
        for tensor in ["input", "grad_output"] {
            let lab = Lab::new();
            let mut file = CaseFile::read(&one(krate, case));
            file.header[tensor]["shape"].as_array_mut().unwrap().reverse();
            file.write(&lab, "turned.safetensors");
            let answer = lab.subquad("verify turned.safetensors").expect(2);
            assert!(answer.err.contains(&format!("tensor `{tensor}` has shape")), "{case}: {}", answer.err);
        }
    }
}

/// A recorded run of a whole model in `lab`, changed, and the weights beside it if there are any.
fn model_run(lab: &Lab, change: impl FnOnce(&mut CaseFile), weights: Option<&str>) {
    let mut run = CaseFile::read(&one("model", "m2_bert_tiny_run"));
    change(&mut run);
    run.write(lab, "whole_run.safetensors");
    if let Some(name) = weights {
        lab.write("whole.safetensors", fs_err::read(one("model", name)).unwrap());
    }
}

/// `config` of a run with one key set.
fn with_key(key: &str, value: Value) -> impl FnOnce(&mut CaseFile) {
    move |run| {
        let text = run.header["__metadata__"]["config"].as_str().unwrap();
        let mut config: Value = serde_json::from_str(text).unwrap();
        config[key] = value;
        run.header["__metadata__"]["config"] = json!(config.to_string());
    }
}

#[test]
fn a_whole_models_run_needs_the_weights_beside_it() {
    let lab = Lab::new();
    model_run(&lab, |_| {}, None);
    insta::assert_snapshot!(lab.subquad("verify whole_run.safetensors").expect(2).err, @"error: whole_run.safetensors: the weights of the run: whole.safetensors: No such file or directory (os error 2)");
    lab.write("named.safetensors", fs_err::read(one("model", "m2_bert_tiny_run")).unwrap());
    insta::assert_snapshot!(lab.subquad("verify named.safetensors").expect(2).err, @"error: named.safetensors: a whole model has two files, the run NAME_run.safetensors and the weights NAME.safetensors; name the run");
    model_run(&lab, |_| {}, Some("m2_bert_tiny"));
    lab.subquad("verify whole_run.safetensors").expect(0);
}

#[test]
fn a_whole_models_changed_numbers_are_found() {
    let lab = Lab::new();
    for tensor in ["loss", "hidden.layer.0", "grad.bert.embeddings.word_embeddings.weight"] {
        model_run(&lab, |run| run.set_last(tensor, |number| number + 10.0), Some("m2_bert_tiny"));
        let answer = lab.subquad("verify whole_run.safetensors").expect(1);
        assert_eq!(answer.err, format!("error: whole_run.safetensors: 1 of 105 tensors differ: {tensor}\n"));
    }
}

#[test]
fn a_whole_model_that_is_not_ours_is_wrong_input() {
    let lab = Lab::new();
    let refusal = |key: &str, value: Value| {
        model_run(&lab, with_key(key, value), Some("m2_bert_tiny"));
        lab.subquad("verify whole_run.safetensors").expect(2).err
    };
    insta::assert_snapshot!(refusal("residual_long_conv", json!(false)), @"error: whole_run.safetensors: layer `m2_bert`: not implemented here: residual_long_conv = false");
    insta::assert_snapshot!(refusal("hyena_training_additions", json!(true)), @"error: whole_run.safetensors: the weights of the run: whole.safetensors: tensor `bert.encoder.layer.0.attention.layernorm.weight` is missing, which layer `m2_bert` needs");
    insta::assert_snapshot!(refusal("max_position_embeddings", json!(23)), @"error: whole_run.safetensors: config of layer `m2_bert`: 24 tokens, but the model reads at most 23");
    insta::assert_snapshot!(refusal("length", json!(23)), @"error: whole_run.safetensors: tensor `input_ids` has shape [2, 24], but the config asks for [2, 23]");
    insta::assert_snapshot!(refusal("long_conv_l_max", json!(1u64 << 40)), @r#"error: whole_run.safetensors: the weights of the run: whole.safetensors: config of layer `m2_bert`: sequence mixer: l_max must be an integer from 1 to 16777216 or "longest", got 1099511627776"#);
    insta::assert_snapshot!(refusal("num_hidden_layers", json!(1u64 << 40)), @"error: whole_run.safetensors: the weights of the run: whole.safetensors: tensor `bert.encoder.layer.2.attention.in_linear.weight` is missing, which layer `m2_bert` needs");
    let unknown = refusal("pool_all", json!(true));
    assert!(unknown.contains("unknown field `pool_all`"), "{unknown}");
}

#[test]
fn tokens_that_a_whole_model_does_not_know_are_wrong_input() {
    let lab = Lab::new();
    for (tensor, value) in [("input_ids", 60), ("input_ids", -1), ("token_type_ids", 2), ("labels", -7)] {
        let set = |run: &mut CaseFile| run.last_number(tensor).copy_from_slice(&i32::to_le_bytes(value));
        model_run(&lab, set, Some("m2_bert_tiny"));
        assert_eq!(
            lab.subquad("verify whole_run.safetensors").expect(2).err,
            format!(
                "error: whole_run.safetensors: config of layer `m2_bert`: `{tensor}` holds {value}, which is not one of \
                 the model's; compare the sizes\n"
            )
        );
    }
    let as_reals = |run: &mut CaseFile| run.header["input_ids"]["dtype"] = json!("F32");
    model_run(&lab, as_reals, Some("m2_bert_tiny"));
    insta::assert_snapshot!(lab.subquad("verify whole_run.safetensors").expect(2).err, @"error: whole_run.safetensors: config of layer `m2_bert`: `input_ids` holds F32, but tokens are I32");
}

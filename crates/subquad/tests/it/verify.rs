//! `subquad verify`: published cases agree, and whatever is wrong with a case is told.

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
    let cases = [golden("s4", "s4"), golden("monarch", "")].concat();
    let paths: Vec<_> = cases.iter().map(|path| path.display().to_string()).collect();
    for form in ["", "--form portable", "--form fused"] {
        let answer = Lab::new().subquad(&format!("verify {form} {}", paths.join(" "))).expect(0);
        assert_eq!(answer.err, "", "{form}");
        paths.iter().for_each(|path| assert!(answer.out.contains(path), "{form}: {path}"));
        assert!(!answer.out.contains("DIFFERS"), "{form}: {}", answer.out);
        assert!(answer.out.matches("  output ").count() == paths.len(), "{form}: {}", answer.out);
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
    insta::assert_snapshot!(lab.subquad("verify other.safetensors").expect(2).err, @"error: other.safetensors: unknown layer `butterfly` (known: s4_block, m2_sequence_mixer, block_diagonal_linear, monarch_linear)");
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
    for (krate, case) in [("monarch", "blockdiag_16_24"), ("monarch", "m2_causal"), ("s4", "s4d_legs_zoh")] {
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

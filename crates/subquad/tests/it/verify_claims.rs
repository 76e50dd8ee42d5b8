//! `subquad verify` believes no claim that a file does not support, and continues with the next file.

use serde_json::{Value, json};

use crate::lab::Lab;
use crate::verify::{CaseFile, one};

const CASES: [(&str, &str); 7] = [
    ("s4", "s4_legs"),
    ("s4", "s4d_inv_bidirectional"),
    ("monarch", "m2_causal"),
    ("monarch", "m2_bidirectional_residual"),
    ("monarch", "blockdiag_16_24"),
    ("monarch", "monarch_16"),
    ("monarch", "monarch_rect_12_30"),
];

fn case(krate: &str, name: &str) -> CaseFile {
    CaseFile::read(&one(krate, name))
}

fn config(case: &CaseFile) -> Value {
    serde_json::from_str(case.header["__metadata__"]["config"].as_str().unwrap()).unwrap()
}

fn set_config(case: &mut CaseFile, config: &str) {
    case.header["__metadata__"]["config"] = json!(config);
}

/// The messages about these wrong files. A good file follows them, which must still agree.
fn refusals(wrong: &[Vec<u8>]) -> Vec<String> {
    let lab = Lab::new();
    let name = |i: usize| format!("wrong-{i}.safetensors");
    wrong.iter().enumerate().for_each(|(i, bytes)| lab.write(&name(i), bytes));
    let names: Vec<String> = (0..wrong.len()).map(name).collect();
    let right = one("monarch", "blockdiag_16_24");
    let answer = lab.subquad(&format!("verify {} {}", names.join(" "), right.display())).expect(2);
    assert!(answer.out.contains("blockdiag_16_24.safetensors: block_diagonal_linear\n"), "{}", answer.out);
    assert!(
        !answer.out.contains("wrong-") && !answer.err.contains("panicked"),
        "{}{}",
        answer.out,
        answer.err
    );
    let said = |name: &String| {
        let start = format!("error: {name}: ");
        let line = answer.err.lines().find_map(|line| line.strip_prefix(&start));
        line.unwrap_or_else(|| panic!("{name} is not in {}", answer.err)).to_owned()
    };
    names.iter().map(said).collect()
}

fn refusal(bytes: Vec<u8>) -> String {
    refusals(&[bytes]).remove(0)
}

/// The case with one option changed.
fn with(krate: &str, name: &str, key: &str, value: Value) -> Vec<u8> {
    let mut case = case(krate, name);
    let mut config = config(&case);
    config[key] = value;
    set_config(&mut case, &config.to_string());
    case.bytes(&case.header.to_string())
}

#[test]
fn a_size_that_the_file_does_not_hold_is_named_with_what_was_wanted_and_got() {
    let said = |krate, name, key, value| refusal(with(krate, name, key, value));
    insta::assert_snapshot!(said("s4", "s4_legs", "d_state", json!(100_000)), @"tensor `layer.kernel.P` has shape [1, 8, 8, 2], but the config (d_state = 100000) asks for [rank, d_model, d_state / 2, 2] = [1, 8, 50000, 2]");
    insta::assert_snapshot!(said("s4", "s4_legs", "l_max", json!(1u64 << 40)), @"config of layer `s4_block`: l_max = 1099511627776, but a length that no tensor of the file confirms must be 1 to 1048576 tokens");
    insta::assert_snapshot!(said("s4", "s4_legs", "l_max", json!((1u64 << 63) + 11)), @"config of layer `s4_block`: l_max = 9223372036854775819, but a length that no tensor of the file confirms must be 1 to 1048576 tokens");
    insta::assert_snapshot!(said("s4", "s4d_legs_zoh", "d_model", json!(1_000_000)), @"tensor `layer.kernel.A_real` has shape [8, 8], but the config (d_model = 1000000) asks for [d_model, d_state / 2] = [1000000, 8]");
    insta::assert_snapshot!(said("monarch", "m2_causal", "hyena_filter_order", json!(1u64 << 40)), @"tensor `filter_fn.implicit_filter.0.weight` has shape [8, 3], but the config (hyena_filter_order = 1099511627776) asks for [hyena_filter_order, hyena_emb_dim] = [1099511627776, 3]");
    insta::assert_snapshot!(said("monarch", "blockdiag_16_24", "in_features", json!(1_000_000)), @"tensor `weight` has shape [4, 6, 4], but the config (in_features = 1000000, nblocks = 4) asks for [nblocks, out_features / nblocks, in_features / nblocks] = [4, 6, 250000]");
    insta::assert_snapshot!(said("monarch", "monarch_16", "w1", json!([4, 4, 1u64 << 62])), @"tensor `w1` has shape [4, 4, 4], but the config (w1 = [4,4,4611686018427387904]) asks for [w1[0], w1[1], w1[2]] = [4, 4, 4611686018427387904]");
}

#[test]
fn no_number_of_a_config_is_believed() {
    let sizes = [0, 1, 7, 1 << 31, 1 << 40, 1 << 62, (1 << 63) + 11, u64::MAX].map(|size: u64| json!(size));
    let others = [json!(-8), json!(8.5), json!(1e300), json!("8"), json!([8]), json!(null)];
    for (krate, name) in CASES {
        // Nothing is built by these.
        let is_harmless = |key: &str| key == "hyena_w" || name.starts_with("s4d") && key == "l_max";
        // A published kernel may be shorter than its input.
        let is_right = |key: &str, value: &Value| {
            key == "l_max" && krate == "s4" && (1..=7).contains(&value.as_u64().unwrap_or(0))
        };
        let config = config(&case(krate, name));
        let keys = config.as_object().unwrap().iter().filter(|(key, was)| was.is_u64() && !is_harmless(key));
        let changed = keys.flat_map(|(key, was)| {
            let values = sizes.iter().chain(&others).filter(move |value| *value != was);
            values
                .filter(move |value| !is_right(key, value))
                .map(move |value| with(krate, name, key, value.clone()))
        });
        refusals(&changed.collect::<Vec<_>>());
    }
}

#[test]
fn options_that_are_absent_by_default_are_not_believed_either() {
    for (name, keys) in
        [("s4_legs", &["n_ssm", "channels", "rank"][..]), ("s4d_legs_zoh", &["n_ssm", "channels"])]
    {
        for key in keys {
            let sizes = [0, 3, 1 << 40, u64::MAX];
            let said = refusals(&sizes.map(|size| with("s4", name, key, json!(size))));
            for (said, size) in said.into_iter().zip(sizes) {
                assert!(said.contains(&format!("({key} = {size}")), "{said}");
            }
        }
    }
}

#[test]
fn a_parameter_or_an_input_of_any_other_shape_is_refused() {
    for (krate, name) in CASES {
        let whole = case(krate, name);
        let is_given =
            |tensor: &str| tensor.starts_with("param.") || ["input", "grad_output"].contains(&tensor);
        for (tensor, entry) in whole.header.as_object().unwrap().iter().filter(|(tensor, _)| is_given(tensor))
        {
            let shape = entry["shape"].as_array().unwrap();
            let numbers: u64 = shape.iter().map(|axis| axis.as_u64().unwrap()).product();
            let longer = [&vec![json!(1); 40], &shape[..]].concat();
            let others = [vec![json!(numbers)], vec![json!(1), json!(numbers)], longer];
            let changed = others.into_iter().filter(|other| other != shape).map(|other| {
                let mut header = whole.header.clone();
                header[tensor]["shape"] = other.into();
                whole.bytes(&header.to_string())
            });
            let bare = tensor.strip_prefix("param.").unwrap_or(tensor);
            for said in refusals(&changed.collect::<Vec<_>>()) {
                let names_it = said.contains(&format!("tensor `{bare}` has shape"));
                // One of several names of a parameter is first given a value of its own.
                let is_shared = said.contains(&format!("`{bare}`")) && said.contains("have the shapes");
                assert!(names_it || is_shared, "{name}: {said}");
            }
        }
    }
}

#[test]
fn a_tensor_without_numbers_is_refused_whatever_its_sizes() {
    for shape in [json!([0]), json!([0, 1u64 << 62]), json!([1u64 << 62, 0, 3])] {
        let mut case = case("monarch", "blockdiag_16_24");
        let end = case.data.len();
        case.header["param.more"] = json!({ "dtype": "F32", "shape": shape, "data_offsets": [end, end] });
        let said = refusal(case.bytes(&case.header.to_string()));
        assert!(
            said.contains("tensor `param.more` has shape") || said.contains("not a safetensors file"),
            "{said}"
        );
    }
}

#[test]
fn a_recorded_tensor_of_another_size_is_not_computed() {
    for shape in [json!([1, 384]), json!([384])] {
        let mut case = case("monarch", "blockdiag_16_24");
        case.header["dense_weight"]["shape"] = shape;
        let said = refusal(case.bytes(&case.header.to_string()));
        assert!(said.starts_with("tensor `dense_weight` has shape"), "{said}");
    }
}

#[test]
fn what_stands_twice_is_refused() {
    let whole = case("monarch", "blockdiag_16_24");
    let header = whole.header.to_string();
    let again = |name: &str| format!("{{\"{name}\":{},{}", whole.header[name], &header[1..]);
    for name in ["input", "param.weight", "__metadata__"] {
        let said = refusal(whole.bytes(&again(name)));
        assert!(said.contains(name) && (said.contains("twice") || said.contains("duplicate")), "{said}");
    }
    let layer = "\"layer\":\"block_diagonal_linear\"";
    let said = refusal(whole.bytes(&header.replace(layer, &format!("\"layer\":\"monarch_linear\",{layer}"))));
    assert!(said.contains("`layer` appears twice"), "{said}");
    let mut twice = case("monarch", "blockdiag_16_24");
    set_config(
        &mut twice,
        r#"{"in_features": 16, "out_features": 24, "nblocks": 4, "nblocks": 2, "nblocks": 4}"#,
    );
    let said = refusal(twice.bytes(&twice.header.to_string()));
    assert!(said.starts_with("metadata `config`: `nblocks` appears twice"), "{said}");
}

#[test]
fn a_config_that_is_no_object_is_refused() {
    for text in ["[16, 24, 4]", "16", "null", "\"\"", "{", "", "[[[["] {
        let mut case = case("monarch", "blockdiag_16_24");
        set_config(&mut case, text);
        let said = refusal(case.bytes(&case.header.to_string()));
        assert!(said.starts_with("metadata `config`"), "{text}: {said}");
    }
}

#[test]
fn a_number_to_compute_with_that_is_none_is_refused_with_its_place() {
    for (tensor, number, wanted) in [
        ("param.weight", f32::NAN, "tensor `weight` holds NaN at [3, 5, 3];"),
        ("param.bias", f32::INFINITY, "tensor `bias` holds inf at [23];"),
        ("input", f32::NEG_INFINITY, "tensor `input` holds -inf at [4, 15];"),
        ("grad_output", f32::NAN, "tensor `grad_output` holds NaN at [4, 23];"),
    ] {
        let mut case = case("monarch", "blockdiag_16_24");
        case.set_last(tensor, |_| number);
        let said = refusal(case.bytes(&case.header.to_string()));
        assert!(said.starts_with(wanted), "{said}");
    }
}

#[test]
fn a_case_that_holds_its_sizes_but_is_too_large_to_compute_is_refused() {
    // 100,000 inputs and one output: the dense matrix is what the layer makes of an identity of 40 GB.
    let numbers = 100_000usize;
    let mut case = CaseFile { header: json!({}), data: vec![] };
    let tensors = [
        ("param.weight", vec![1, 1, numbers]),
        ("input", vec![1, numbers]),
        ("grad_output", vec![1, 1]),
        ("dense_weight", vec![1, numbers]),
    ];
    for (name, shape) in tensors {
        let start = case.data.len();
        case.data.resize(start + 4 * shape.iter().product::<usize>(), 0);
        let end = case.data.len();
        case.header[name] = json!({ "dtype": "F32", "shape": shape, "data_offsets": [start, end] });
    }
    let config = json!({ "in_features": numbers, "out_features": 1, "nblocks": 1 }).to_string();
    case.header["__metadata__"] = json!({ "layer": "block_diagonal_linear", "config": config });
    let said = refusal(case.bytes(&case.header.to_string()));
    assert!(
        said.contains(
            "the identity takes [in_features, in_features] = [100000, 100000] numbers, altogether more"
        ),
        "{said}"
    );
}

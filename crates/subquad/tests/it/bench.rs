//! `subquad bench`. No test looks at a time: a machine may be busy.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::lab::{Answer, Lab};

/// Every layer, at sizes that take an instant.
const SMALL: &str = "--batch 2 --d-model 8 --seconds 0.001";

fn bench(arguments: &str) -> Answer {
    Lab::new().subquad(&format!("bench {SMALL} {arguments}"))
}

fn cells(arguments: &str) -> Vec<Value> {
    let answer = bench(&format!("--json {arguments}")).expect(0);
    serde_json::from_str::<Vec<Value>>(&answer.out).unwrap()
}

#[test]
fn json_is_one_array_of_cells_by_length_then_mixer() {
    let cells = cells("--mixers s4d,attention --lengths 32,16,32");
    let order: Vec<_> =
        cells.iter().map(|cell| (cell["seq_len"].as_u64().unwrap(), &cell["mixer"])).collect();
    assert_eq!(
        order,
        [(16, &"s4d".into()), (16, &"attention".into()), (32, &"s4d".into()), (32, &"attention".into())]
    );
    let keys: BTreeSet<&str> = cells[0].as_object().unwrap().keys().map(String::as_str).collect();
    let wanted = [
        "batch",
        "build_commit",
        "check_against",
        "check_error",
        "check_gradient_error",
        "check_value_error",
        "d_hidden",
        "d_model",
        "device",
        "flops",
        "fma_peak_gflops",
        "form",
        "forward_backward_ms",
        "forward_backward_ms_q1",
        "forward_backward_ms_q3",
        "forward_ms",
        "forward_ms_q1",
        "forward_ms_q3",
        "instruction_set",
        "machine",
        "measured",
        "mixer",
        "n_blocks",
        "parameters",
        "peak_bytes",
        "program_version",
        "repeats",
        "seq_len",
        "state_floats",
        "threads",
        "tokens_per_second",
    ];
    assert_eq!(keys, BTreeSet::from(wanted));
}

#[test]
fn a_cell_says_what_was_measured_and_how() {
    for cell in cells(
        "--mixers attention,s4d,s4,h3,hyena,m2,monarch,causal_monarch,fft_conv,monarch_conv,dense,dense_glu,swiglu,block_diagonal,block_diagonal_mlp,monarch_mlp,monarch_glu,dense_linear,block_diagonal_linear,monarch_linear --lengths 16 --threads 2",
    ) {
        let number = |key: &str| cell[key].as_f64().unwrap_or_else(|| panic!("{key} of {cell}"));
        assert!(
            number("forward_ms_q1") <= number("forward_ms")
                && number("forward_ms") <= number("forward_ms_q3")
        );
        assert!(number("forward_backward_ms") > 0.0 && number("repeats") >= 3.0, "{cell}");
        let tokens = 2.0 * 16.0 / (number("forward_backward_ms") / 1e3);
        assert!((number("tokens_per_second") / tokens - 1.0).abs() < 1e-9, "{cell}");
        assert!(number("check_error") > 0.0 && number("check_error") < 1e-3, "{cell}");
        assert_eq!((&cell["form"], &cell["check_against"]), (&"fused".into(), &"f64 reference".into()));
        assert!(number("flops") > 0.0 && number("fma_peak_gflops") > 0.0, "{cell}");
        assert_eq!((number("threads"), &cell["device"]), (2.0, &"cpu".into()));
    }
}

#[test]
fn peak_bytes_grow_with_the_length_and_hold_layer_input_and_gradients() {
    for mixer in [
        "attention",
        "s4d",
        "s4",
        "h3",
        "hyena",
        "m2",
        "monarch",
        "causal_monarch",
        "fft_conv",
        "monarch_conv",
        "dense",
        "dense_glu",
        "swiglu",
        "block_diagonal",
        "block_diagonal_mlp",
        "monarch_mlp",
        "monarch_glu",
        "dense_linear",
        "block_diagonal_linear",
        "monarch_linear",
    ] {
        let cells = cells(&format!("--mixers {mixer} --lengths 64,256,1024"));
        let peaks: Vec<u64> = cells.iter().map(|cell| cell["peak_bytes"].as_u64().unwrap()).collect();
        assert!(peaks[0] < peaks[1] && peaks[1] < peaks[2], "{mixer}: {peaks:?}");
        for (cell, peak) in cells.iter().zip(peaks) {
            let (input, parameters) =
                (2 * 8 * cell["seq_len"].as_u64().unwrap(), cell["parameters"].as_u64().unwrap());
            assert!(peak >= 4 * (2 * input + parameters), "{cell}");
        }
    }
}

/// Input, output, their gradients and the hidden numbers, which are two for each input, are 6 numbers for each input. The hidden
/// numbers after the activation, and the gradients of both, would be 6 more.
#[test]
fn the_hidden_numbers_of_an_mlp_are_in_memory_once() {
    for cell in cells("--mixers dense --lengths 4096") {
        let input = 4 * 2 * 8 * cell["seq_len"].as_u64().unwrap();
        assert!(cell["peak_bytes"].as_u64().unwrap() < 6 * input, "{cell}");
    }
}

#[test]
fn the_state_is_what_a_causal_mixer_keeps_and_null_for_others() {
    let state = |mixer: &str| -> Vec<Option<u64>> {
        cells(&format!("--mixers {mixer} --lengths 16,32"))
            .iter()
            .map(|cell| cell["state_floats"].as_u64())
            .collect()
    };
    assert_eq!(state("attention"), [Some(2 * 16 * 8), Some(2 * 32 * 8)]);
    assert_eq!([state("s4d"), state("s4")], [[Some(64 * 8), Some(64 * 8)]; 2]);
    assert_eq!(state("hyena"), [16, 32].map(|seq| Some(seq * 8 + 2 * 3 * 8)));
    for mixer in ["m2", "monarch", "fft_conv", "monarch_conv", "dense", "block_diagonal"] {
        assert_eq!(state(mixer), [None, None], "{mixer}");
    }
}

#[test]
fn channel_mixers_say_their_hidden_width_and_blocks() {
    let cells = cells(
        "--mixers dense,block_diagonal,s4d,monarch_glu,dense_linear,block_diagonal_linear,monarch_linear --lengths 4",
    );
    let shape = |cell: &Value| (cell["d_hidden"].as_u64(), cell["n_blocks"].as_u64());
    assert_eq!(
        cells.iter().map(shape).collect::<Vec<_>>(),
        [
            (Some(16), None),
            (Some(16), Some(4)),
            (None, None),
            (Some(16), None),
            (None, None),
            (None, Some(4)),
            (None, None)
        ]
    );
}

/// With one hidden width, 16 at width 8; a gate doubles the first layer and removes its bias.
#[test]
fn channel_mixers_have_the_parameters_that_their_matrices_have() {
    let layers = [
        ("dense_linear", 8 * 8 + 8),
        ("block_diagonal_linear", 8 * 8 / 4 + 8),
        ("monarch_linear", 2 * 4 * (4 + 2) + 8), // 2 blocks of 4 x 4, then 4 blocks of 2 x 2
        ("dense", (8 * 16 + 16) + (16 * 8 + 8)),
        ("dense_glu", 8 * 32 + (16 * 8 + 8)),
        ("swiglu", 8 * 32 + 16 * 8),
        ("block_diagonal_mlp", (8 * 16 / 4 + 16) + (16 * 8 / 4 + 8)),
        ("block_diagonal", 8 * 32 / 4 + (16 * 8 / 4 + 8)),
    ];
    for (mixer, parameters) in layers {
        let cells = cells(&format!("--mixers {mixer} --lengths 4"));
        assert_eq!(cells[0]["parameters"].as_u64(), Some(parameters), "{mixer}");
        assert!(cells[0]["flops"].as_f64() > Some(0.0), "{mixer}");
    }
}

#[test]
fn people_get_a_table_that_explains_itself() {
    let answer = bench("--mixers m2,attention --lengths 16").expect(0);
    let lines: Vec<&str> = answer.out.lines().collect();
    assert_eq!(
        lines[0].split("  ").filter(|title| !title.trim().is_empty()).map(str::trim).collect::<Vec<_>>(),
        [
            "seq_len",
            "d_model",
            "mixer",
            "forward ms",
            "forward+backward ms",
            "tokens/s",
            "GFLOP/s (MFU)",
            "peak MiB",
            "state floats",
            "check"
        ]
    );
    assert!(
        lines[2].contains(" m2 ") && lines[2].contains("none") && lines[2].contains(" ± "),
        "{}",
        lines[2]
    );
    assert!(lines[3].contains(" attention ") && lines[3].contains(" 256 "), "{}", lines[3]);
    assert!(answer.out.contains("\nBatch 2; fused form, cpu, "), "{}", answer.out);
    assert!(answer.err.starts_with("[1/1] length 16\n"), "{}", answer.err);
}

/// A transform of 16 points takes 5 * 16 * 4 operations; a row of a convolution takes four of them and 20 a point for products, a kernel
/// two.
#[test]
fn operations_are_those_of_forward_and_backward() {
    let cells = cells("--mixers attention,s4d,fft_conv,ema,dense,swiglu,block_diagonal --lengths 16");
    let (tokens, d_model, pairs) = (2.0 * 16.0, 8.0, 2.0 * 16.0 * 17.0 / 2.0);
    let linear = |weights: f64| 3.0 * 2.0 * weights * tokens;
    let convolution = d_model * (2.0 * (4.0 * 320.0 + 20.0 * 16.0) + 2.0 * 320.0);
    let kernels = 3.0 * 2.0 * d_model * 16.0 * 64.0;
    let expected = [
        6.0 * 2.0 * pairs * d_model + linear(4.0 * d_model * d_model),
        convolution + kernels + linear(2.0 * d_model * d_model),
        convolution,
        convolution,
        linear(2.0 * d_model * 16.0),
        linear(3.0 * d_model * 16.0),
        linear(3.0 * d_model * 16.0 / 4.0),
    ];
    for (cell, flops) in cells.iter().zip(expected) {
        assert_eq!(cell["flops"].as_f64(), Some(flops), "{cell}");
        assert!(cell["fma_peak_gflops"].as_f64() > Some(0.0), "{cell}");
    }
    let table = bench("--mixers attention,s4d --lengths 16").expect(0).out;
    assert!(table.contains(" %)  ") && table.contains(" FMA peak: "), "{table}");
}

#[test]
fn kernels_use_the_instructions_asked_for() {
    let cells = cells("--mixers attention,dense --lengths 16 --simd baseline");
    assert!(cells.iter().all(|cell| cell["instruction_set"] == "baseline"), "{cells:?}");
    let foreign = if cfg!(target_arch = "x86_64") { "neon" } else { "avx2" };
    let answer = bench(&format!("--simd {foreign}")).expect(2);
    assert!(answer.err.starts_with(&format!("error: this machine has no {foreign}")), "{}", answer.err);
    insta::assert_snapshot!(bench("--simd sse").expect(2).err.lines().next().unwrap(), @"error: invalid value 'sse' for '--simd <SET>': unknown instruction set `sse` (known: avx512, avx2, neon, baseline)");
}

#[test]
fn quiet_leaves_only_results_and_warnings() {
    let answer = bench("--mixers dense --lengths 1,2 -q").expect(0);
    assert!(answer.err.lines().all(|line| line.starts_with("warning: ")), "{}", answer.err);
}

#[test]
fn unknown_names_and_devices_are_wrong_use() {
    insta::assert_snapshot!(bench("--mixers atention,s4d,mamba").expect(2).err, @"
    error: unknown layer `atention`; did you mean `attention`? (known: attention, s4d, s4, h3, ema, hyena, m2, monarch, causal_monarch, fft_conv, monarch_conv, dense, dense_glu, swiglu, block_diagonal, block_diagonal_mlp, monarch_mlp, monarch_glu, dense_linear, block_diagonal_linear, monarch_linear)
    error: unknown layer `mamba` (known: attention, s4d, s4, h3, ema, hyena, m2, monarch, causal_monarch, fft_conv, monarch_conv, dense, dense_glu, swiglu, block_diagonal, block_diagonal_mlp, monarch_mlp, monarch_glu, dense_linear, block_diagonal_linear, monarch_linear)
    ");
    insta::assert_snapshot!(bench("--device tpu").expect(2).err, @"error: there is no device `tpu`; known: cpu, wgpu, auto");
}

#[test]
fn sizes_that_cannot_be_are_wrong_use() {
    let first = |arguments: &str| {
        let answer = Lab::new().subquad(&format!("bench {arguments}")).expect(2);
        answer.err.lines().next().unwrap().to_owned()
    };
    insta::assert_snapshot!(first("--lengths 16,0"), @"error: invalid value '0' for '--lengths <TOKENS,..>': 0 is not in 1..=16777216");
    insta::assert_snapshot!(first("--lengths many"), @"error: invalid value 'many' for '--lengths <TOKENS,..>': invalid digit found in string");
    insta::assert_snapshot!(first("--seconds 0"), @"error: invalid value '0' for '--seconds <S>': must be a number above 0 and at most 86400");
    insta::assert_snapshot!(first("--threads 0"), @"error: invalid value '0' for '--threads <N>': 0 is not in 1..=1024");
    insta::assert_snapshot!(first("--mixers attention --lengths 16 --d-model 6"), @"error: attention: 4 heads cannot share d_model = 6 equally; choose n_heads among the divisors of 6");
    insta::assert_snapshot!(first("--mixers block_diagonal --lengths 16 --d-model 2"), @"error: block_diagonal: 4 blocks cannot share d_model = 2; choose n_blocks of at most 2");
}

/// If the system reports how much memory is free.
#[cfg(target_os = "linux")]
#[test]
fn what_cannot_fit_into_memory_is_refused_before_it_is_tried() {
    let large = "bench --mixers s4d --lengths 16777216 --batch 65536 --d-model 65536";
    let answer = Lab::new().subquad(large).expect(2);
    let text = "error: s4d of batch 65536, length 16777216 and width 65536 needs about ";
    assert!(
        answer.err.starts_with(text)
            && answer.err.contains(" of memory, but only ")
            && answer.err.contains("; choose smaller sizes"),
        "{}",
        answer.err
    );
}

#[test]
fn decoding_is_measured_after_contexts_in_every_way_that_a_layer_has() {
    let answer = Lab::new().subquad(
        "bench --decode --d-model 8 --seconds 0.001 --json --mixers attention,m2,s4d,s4,hyena --lengths 60,30",
    );
    let answer = answer.expect(0);
    let cells = serde_json::from_str::<Vec<Value>>(&answer.out).unwrap();
    let rows: Vec<_> = cells
        .iter()
        .map(|cell| (cell["context"].as_u64().unwrap(), &cell["mixer"], &cell["path"], &cell["state_bytes"]))
        .collect();
    let [attention, s4d, s4, hyena, tensors, slices] =
        ["attention", "s4d", "s4", "hyena", "tensors", "slices"].map(Value::from);
    let bytes = |floats: u64| Value::from(4 * floats);
    assert_eq!(
        rows,
        [
            (30, &attention, &tensors, &bytes(2 * 30 * 8)),
            (30, &attention, &slices, &bytes(2 * 30 * 8)),
            (30, &s4d, &tensors, &bytes(64 * 8)),
            (30, &s4d, &slices, &bytes(64 * 8)),
            (30, &s4, &tensors, &bytes(64 * 8)),
            (30, &s4, &slices, &bytes(64 * 8)),
            (30, &hyena, &tensors, &bytes(30 * 8 + 2 * 3 * 8)),
            (30, &hyena, &slices, &bytes(30 * 8 + 2 * 3 * 8)),
            (60, &attention, &tensors, &bytes(2 * 60 * 8)),
            (60, &attention, &slices, &bytes(2 * 60 * 8)),
            (60, &s4d, &tensors, &bytes(64 * 8)),
            (60, &s4d, &slices, &bytes(64 * 8)),
            (60, &s4, &tensors, &bytes(64 * 8)),
            (60, &s4, &slices, &bytes(64 * 8)),
            (60, &hyena, &tensors, &bytes(60 * 8 + 2 * 3 * 8)),
            (60, &hyena, &slices, &bytes(60 * 8 + 2 * 3 * 8)),
        ]
    );
    for cell in &cells {
        let number = |key: &str| cell[key].as_f64().unwrap_or_else(|| panic!("{key} of {cell}"));
        assert!(number("step_us_q1") <= number("step_us") && number("step_us") <= number("step_us_q3"));
        assert!((number("tokens_per_second") * number("step_us") / 1e6 - 1.0).abs() < 1e-9, "{cell}");
        assert!(number("steps") >= 3.0 && number("check_error") < 1e-4, "{cell}");
    }
    assert!(answer.err.contains("layers that cannot decode: m2 "), "{}", answer.err);
}

#[test]
fn a_step_over_slices_allocates_nothing() {
    // The steps of attention pass the end of a block of 64 tokens.
    let cells = cells_of(
        "bench --decode --d-model 8 --seconds 0.001 --json --mixers attention,s4d,s4,h3,ema,hyena --lengths 50,60,64",
    );
    let slices: Vec<_> = cells.iter().filter(|cell| cell["path"] == "slices").collect();
    assert_eq!(slices.len(), 6 * 3);
    for cell in slices {
        assert_eq!((&cell["step_allocations"], &cell["step_peak_bytes"]), (&0.0.into(), &0.into()), "{cell}");
    }
}

/// Every mixer that can be causal.
const CAUSAL: &str = "attention,s4d,s4,h3,ema,hyena,m2,causal_monarch";

#[test]
fn a_step_of_a_whole_model_over_slices_allocates_nothing() {
    // The steps pass the end of a block of 64 keys, and of some blocks of a Monarch matrix.
    let cells = cells_of(&format!(
        "bench --decode --blocks 2 --d-model 8 --seconds 0.001 --json --mixers {CAUSAL} --lengths 50,60,64"
    ));
    assert_eq!(cells.len(), 8 * 2 * 3);
    for cell in &cells {
        let number = |key: &str| cell[key].as_f64().unwrap_or_else(|| panic!("{key} of {cell}"));
        assert!(number("steps") >= 3.0 && number("check_error") < 1e-4, "{cell}");
        assert_eq!([number("n_layers"), number("d_hidden")], [2.0, 32.0], "{cell}");
        if cell["path"] == "slices" {
            assert_eq!([number("step_allocations"), number("step_peak_bytes")], [0.0, 0.0], "{cell}");
        }
    }
    let slices = |cell: &&Value| cell["path"] == "slices";
    assert_eq!(cells.iter().filter(slices).count(), 8 * 3);
}

#[test]
fn whole_models_are_shown_with_their_sizes() {
    let table = Lab::new()
        .subquad("bench --decode --blocks 3 --d-model 8 --seconds 0.001 --mixers attention,ema --lengths 9")
        .expect(0)
        .out;
    assert!(
        table.contains("Models of 3 blocks with an MLP of 32, on bytes. One sequence; fused form, cpu"),
        "{table}"
    );
    assert_eq!(table.lines().filter(|line| line.contains(" slices ")).count(), 2 + 1, "{table}");
}

#[test]
fn what_is_no_causal_model_is_wrong_use_of_blocks() {
    let error = |arguments: &str| Lab::new().subquad(&format!("bench {arguments}")).expect(2).err;
    insta::assert_snapshot!(error("--decode --blocks 4 --mixers monarch"), @"error: monarch: it cannot be causal, so no model of it decodes");
    insta::assert_snapshot!(error("--decode --blocks 4 --mixers dense"), @"error: dense is not a mixer, so there is no model of it");
    let without = error("--blocks 4");
    assert!(without.contains("--decode"), "{without}");
}

#[test]
fn a_step_of_a_state_space_allocates_the_same_however_long_the_context() {
    // On one thread: what threads allocate when they take work from each other depends on chance.
    let cells = cells_of(
        "bench --decode --threads 1 --d-model 8 --seconds 0.001 --json --mixers s4d --lengths 30,300",
    );
    let steps: Vec<_> = cells.iter().filter(|cell| cell["path"] == "tensors").collect();
    let [short, long] = &steps[..] else { panic!("two contexts, got {steps:?}") };
    for what in ["step_allocations", "step_peak_bytes", "state_bytes"] {
        assert_eq!(short[what], long[what], "{what}");
    }
}

#[test]
fn a_step_of_attention_writes_its_cache_in_place() {
    let cells =
        cells_of("bench --decode --d-model 32 --seconds 0.001 --json --mixers attention --lengths 4096");
    let (state, peak) =
        (cells[0]["state_bytes"].as_u64().unwrap(), cells[0]["step_peak_bytes"].as_u64().unwrap());
    assert_eq!(state, 4 * 2 * 4096 * 32);
    // Scores of the heads and the vectors of one token.
    assert!(peak < state / 4, "{peak} bytes alive in a step beside a state of {state}");
}

fn cells_of(arguments: &str) -> Vec<Value> {
    serde_json::from_str(&Lab::new().subquad(arguments).expect(0).out).unwrap()
}

#[test]
fn layers_without_steps_alone_are_wrong_use_of_decode() {
    insta::assert_snapshot!(Lab::new().subquad("bench --decode --mixers m2,dense").expect(2).err, @"error: layers that cannot decode: m2, dense (see the list of layers in --help)");
}

//! Hyena: the published implementation's numbers, names, options and both of its layouts.

use std::collections::BTreeMap;
use std::path::PathBuf;

use burn::tensor::TensorData;
use serde_json::{Value, json};
use subquad_backend::Form;
use subquad_mixer::SequenceMixer;
use subquad_mixer::published::{Case, CaseError, Replay};
use subquad_monarch::published::{FilterLayout, replay};
use subquad_monarch::{Hyena, HyenaConfig};
use subquad_testkit::{cpu, golden, seeded_tensor, with_seed};

use crate::FORMS;

const CASES: [&str; 2] = ["hyena_order2", "hyena_order3"];

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(format!("{name}.safetensors"))
}

fn case(name: &str) -> Case {
    golden::read(path(name)).unwrap()
}

/// This runs under the lock of burn's generator, from which a layer draws parameters before it gets those of the case.
fn run(case: &mut Case, form: Form) -> Result<Replay, CaseError> {
    with_seed(&cpu(), 1, || replay(case, form, &cpu()))
}

#[test]
fn published_hyena_is_reproduced_in_both_forms() {
    for name in CASES {
        for form in FORMS {
            golden::check(path(name), |case| replay(case, form, &cpu()));
        }
    }
}

/// Moves channels `h filters + o` of the rows of a tensor to `o width + h`, by definition.
fn by_filter(data: &TensorData, filters: usize, width: usize) -> TensorData {
    let values: Vec<f32> = data.iter::<f32>().collect();
    let row = values.len() / (filters * width);
    let mut turned = vec![0.0; values.len()];
    for (o, h) in (0..filters).flat_map(|o| (0..width).map(move |h| (o, h))) {
        turned[(o * width + h) * row..][..row].copy_from_slice(&values[(h * filters + o) * row..][..row]);
    }
    TensorData::new(turned, data.shape())
}

/// The same layer as the stand-alone script keeps it.
fn stand_alone(case: &mut Case) {
    let size = |key: &str| case.config[key].as_u64().unwrap() as usize;
    let (filters, width) = (size("order") - 1, size("d_model"));
    let names =
        ["implicit_filter.6.weight", "bias", "modulation.deltas"].map(|name| format!("filter_fn.{name}"));
    let turn = |tensors: &mut BTreeMap<String, TensorData>, name: &str| {
        if let Some(data) = tensors.get_mut(name) {
            *data = by_filter(data, filters, width);
        }
    };
    for name in names {
        turn(&mut case.parameters, &name);
        turn(&mut case.tensors, &format!("grad.{name}"));
    }
    case.config["filter_layout"] = "by_filter".into();
}

#[test]
fn the_stand_alone_script_keeps_the_same_layer_filter_by_filter() {
    for form in FORMS {
        golden::check(path("hyena_order3"), |case| {
            stand_alone(case);
            replay(case, form, &cpu())
        });
    }
    let mut other = case("hyena_order3");
    stand_alone(&mut other);
    other.config["filter_layout"] = "by_feature".into();
    let found = run(&mut other, FORMS[0]).unwrap();
    assert_ne!(found["output"], case("hyena_order3").tensors["output"], "the layout counts");
}

fn config(case: &Case) -> HyenaConfig {
    let size = |key: &str| case.config[key].as_u64().unwrap() as usize;
    HyenaConfig::new(size("d_model"), size("l_max"))
        .with_order(size("order"))
        .with_filter_order(size("filter_order"))
        .with_emb_dim(size("emb_dim"))
}

#[test]
fn what_was_loaded_is_saved_back_bit_by_bit_in_both_layouts() {
    for name in CASES {
        for layout in [FilterLayout::ByFeature, FilterLayout::ByFilter] {
            let mut case = case(name);
            if layout == FilterLayout::ByFilter {
                stand_alone(&mut case);
            }
            let wanted = case.parameters.clone();
            let config = config(&case);
            let load = || Hyena::from_published(&mut case, &config, layout, &cpu()).unwrap();
            let layer = with_seed(&cpu(), 1, load);
            assert!(case.parameters.is_empty(), "{name} did not take {:?}", case.parameters.keys());
            assert_eq!(layer.to_published(layout), wanted, "{name}, {layout:?}");
        }
    }
}

const D_MODEL: usize = 4;
const L_MAX: usize = 12;
const SEQ: usize = 9;

/// Its options under the names of a case's config.
fn published(config: &HyenaConfig) -> Value {
    json!({
        "d_model": D_MODEL, "l_max": L_MAX, "order": config.order, "filter_order": config.filter_order,
        "emb_dim": config.emb_dim, "short_filter_order": config.short_filter, "num_inner_mlps": config.num_inner,
        "shift": config.shift, "modulate": config.modulate, "normalized": config.normalized,
        "num_heads": 1, "inner_factor": 1, "activation": "id", "w": 14,
    })
}

fn of(layer: &Hyena, config: Value) -> Case {
    let numbers = |seed| seeded_tensor([2, SEQ, D_MODEL], seed, &cpu()).into_data();
    let stepped = ("step_output".to_owned(), numbers(6));
    let tensors = [("input".to_owned(), numbers(4)), ("grad_output".to_owned(), numbers(5)), stepped];
    let parameters = layer.to_published(FilterLayout::ByFeature);
    Case { layer: "hyena".into(), config, parameters, tensors: tensors.into() }
}

#[test]
fn every_published_option_is_read() {
    let plain = || HyenaConfig::new(D_MODEL, L_MAX).with_filter_order(6);
    let configs = [
        plain().with_order(4).with_emb_dim(7),
        plain().with_num_inner(0),
        plain().with_num_inner(3).with_short_filter(5),
        plain().with_order(3).with_short_filter(1).with_shift(0.25),
        plain().with_order(3).with_modulate(false),
        plain().with_order(3).with_normalized(true).with_shift(-0.5),
    ];
    for config in configs {
        let layer = with_seed(&cpu(), 1, || config.init(&cpu()));
        let mut case = of(&layer, published(&config));
        let found = run(&mut case, Form::Fused).unwrap();
        assert!(case.parameters.is_empty(), "{:?}", case.parameters.keys());
        let wanted = layer.forward(seeded_tensor([2, SEQ, D_MODEL], 4, &cpu())).into_data();
        found["output"].assert_approx_eq::<f32>(&wanted, burn::tensor::Tolerance::absolute(1e-6));
        found["step_output"].assert_approx_eq::<f32>(&wanted, burn::tensor::Tolerance::absolute(1e-5));
    }
}

#[test]
fn absent_keys_have_the_published_defaults() {
    let config = HyenaConfig::new(D_MODEL, L_MAX).with_emb_dim(3);
    let layer = with_seed(&cpu(), 1, || config.init(&cpu()));
    let mut case = of(&layer, json!({ "d_model": D_MODEL, "l_max": L_MAX }));
    run(&mut case, FORMS[0]).unwrap();
    assert!(case.parameters.is_empty());
}

#[test]
fn a_frequency_under_one_of_its_names_is_enough() {
    golden::check(path("hyena_order2"), |case| {
        for i in [3, 5] {
            case.parameters.remove(&format!("filter_fn.implicit_filter.{i}.freq"));
        }
        replay(case, FORMS[1], &cpu())
    });
}

#[test]
fn what_the_layer_has_not_and_sizes_that_the_file_does_not_show_are_refused() {
    let refusal = |key: &str, value: Value| {
        let mut case = case("hyena_order3");
        case.config[key] = value;
        run(&mut case, FORMS[1]).unwrap_err().to_string()
    };
    assert!(refusal("bidirectional", true.into()).contains("unknown field `bidirectional`"));
    assert_eq!(
        refusal("num_heads", 2.into()),
        "layer `hyena`: not implemented here: `num_heads` = 2 (only 1)"
    );
    assert!(refusal("filter_layout", "twisted".into()).contains("unknown variant `twisted`"));
    assert!(refusal("order", 1.into()).contains("order must be an integer from 2 to 64, got 1"));
    assert!(
        refusal("l_max", 36.into()).contains("has shape [1, 64, 5], but the config (l_max = 36) asks for")
    );
    for (key, largest) in [
        ("d_model", (1u64 << 40) + 1),
        ("l_max", 1 << 24),
        ("order", 64),
        ("filter_order", 65536),
        ("emb_dim", 65535),
        ("short_filter_order", 1024),
    ] {
        let error = refusal(key, json!(largest));
        assert!(
            error.contains("has shape") && error.contains(&format!("{key} = {largest}")),
            "{key}: {error}"
        );
        let error = refusal(key, json!(1u64 << 63));
        assert!(error.contains("must be") || key == "d_model", "{key}: {error}");
    }
    assert!(refusal("num_inner_mlps", json!(64)).contains("filter_fn.implicit_filter.6.weight"));
    let mut long = case("hyena_order2");
    let longer = seeded_tensor([1, 41, 8], 4, &cpu()).into_data();
    long.tensors.insert("input".into(), longer);
    let error = run(&mut long, FORMS[1]).unwrap_err().to_string();
    assert!(error.contains("an input of 41 tokens is longer than the filters"), "{error}");
}

//! Files that hold several models, or one parameter several times.

use std::path::{Path, PathBuf};

use burn::tensor::TensorData;
use subquad_model::{Checkpoint, CheckpointError, M2BertConfig};

use crate::files::{Tensors, bits, changed, load, under, write};
use crate::{build, undisturbed};
use subquad_testkit::cpu;

fn config() -> M2BertConfig {
    M2BertConfig::new(8).with_n_layers(2).with_vocab(11).with_l_max(6).with_expand(2).with_filter_order(4)
}

fn tensors(seed: u64) -> Tensors {
    config().to_published(&build(&config().model(), seed))
}

/// A folder with one file.
struct Folder(tempfile::TempDir);

impl Folder {
    fn with(tensors: &Tensors) -> Self {
        let folder = tempfile::tempdir().unwrap();
        write(&folder.path().join("m.safetensors"), tensors);
        Self(folder)
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("m.safetensors")
    }

    fn refusal(&self) -> String {
        words(undisturbed(|| config().load(self.file(), &cpu())).unwrap_err(), self.0.path())
    }
}

fn words(error: CheckpointError, folder: &Path) -> String {
    error.to_string().replace(&format!("{}{}", folder.display(), std::path::MAIN_SEPARATOR), "")
}

#[test]
fn of_two_models_in_one_file_none_is_taken_unless_it_is_named() {
    let (trained, average) = (under("model.", &tensors(1)), under("ema.", &tensors(2)));
    let folder = Folder::with(&trained.into_iter().chain(average).collect());
    for _ in 0..5 {
        assert_eq!(
            folder.refusal(),
            "m.safetensors: holds 2 models, whose names begin with `ema.`, `model.`; name one of these: \
             Checkpoint::with_prefix"
        );
    }
    let load = |prefix: &str| {
        undisturbed(|| config().load_from(&Checkpoint::new(folder.file()).with_prefix(prefix), &cpu()))
    };
    for (prefix, seed) in [("model.", 1), ("ema.", 2)] {
        assert!(bits(&load(prefix).unwrap()) == bits(&build(&config().model(), seed)), "{prefix}");
    }
    for other in ["", "swa.", "model"] {
        assert_eq!(
            words(load(other).unwrap_err(), folder.0.path()),
            format!(
                "m.safetensors: holds no model whose names begin with `{other}`, but with `ema.`, `model.`"
            )
        );
    }
}

#[test]
fn a_model_without_a_prefix_beside_one_with_a_prefix_is_one_of_two() {
    let folder = Folder::with(&tensors(1).into_iter().chain(under("ema.", &tensors(2))).collect());
    assert!(folder.refusal().contains("holds 2 models, whose names begin with ``, `ema.`;"));
    let bare = Checkpoint::new(folder.file()).with_prefix("");
    let model = undisturbed(|| config().load_from(&bare, &cpu())).unwrap();
    assert!(bits(&model) == bits(&build(&config().model(), 1)));
}

#[test]
fn a_second_model_of_which_a_shared_name_alone_is_left_counts_too() {
    let mut both = under("model.", &tensors(1));
    let decoder = "cls.predictions.decoder.weight";
    both.insert(format!("ema.{decoder}"), both[&format!("model.{decoder}")].clone());
    assert!(Folder::with(&both).refusal().contains("holds 2 models"));
}

/// Names of one parameter each.
const SHARED: [[&str; 2]; 4] = [
    ["cls.predictions.decoder.bias", "cls.predictions.bias"],
    ["bert.embeddings.word_embeddings.weight", "cls.predictions.decoder.weight"],
    [
        "bert.encoder.layer.1.attention.filter_fn2.implicit_filter.1.freq",
        "bert.encoder.layer.1.attention.filter_fn2.implicit_filter.5.freq",
    ],
    [
        "bert.encoder.layer.0.attention.filter_fn.implicit_filter.1.freq",
        "bert.encoder.layer.0.attention.filter_fn.implicit_filter_rev.3.freq",
    ],
];

#[test]
fn two_tensors_that_are_one_parameter_must_be_equal_in_values_and_shape() {
    for [first, second] in SHARED {
        let mut tensors = tensors(1);
        let data = tensors[first].clone();
        let mut refusal = |other: TensorData| {
            tensors.insert(second.into(), other);
            Folder::with(&tensors).refusal()
        };
        let one = format!(
            "m.safetensors: tensors `{first}` and `{second}` are one parameter, so they must be equal, but they"
        );
        assert_eq!(refusal(changed(&data)), format!("{one} hold different values"));
        let shape = data.shape().to_vec();
        assert_eq!(
            refusal(TensorData::new(vec![0f32; 3], [3])),
            format!("{one} have the shapes {shape:?} and [3]")
        );
        tensors.insert(second.into(), data);
        let folder = Folder::with(&tensors);
        let model = load(&config(), &folder.file());
        assert!(bits(&model) == bits(&build(&config().model(), 1)), "{second}");
    }
}

/// One and then the other name of a parameter is kept.
#[test]
fn any_one_of_the_names_of_a_shared_parameter_is_enough() {
    let whole = tensors(1);
    let mut names: Vec<Vec<String>> =
        SHARED[..2].iter().map(|names| names.map(str::to_owned).into()).collect();
    for filter in ["filter_fn", "filter_fn2"] {
        let of = |net: &str, i: u32| format!("bert.encoder.layer.0.attention.{filter}.{net}.{i}.freq");
        let nets = ["implicit_filter", "implicit_filter_rev"];
        names.push(nets.iter().flat_map(|net| [1, 3, 5].map(|i| of(net, i))).collect());
    }
    for names in names {
        let data = whole[&names[0]].clone();
        for kept in &names {
            let mut tensors = whole.clone();
            tensors.retain(|name, _| !names.contains(name));
            tensors.insert(kept.clone(), data.clone());
            let folder = Folder::with(&tensors);
            let model = load(&config(), &folder.file());
            assert!(bits(&model) == bits(&build(&config().model(), 1)), "{kept}");
            assert_eq!(
                config().to_published(&model).keys().collect::<Vec<_>>(),
                whole.keys().collect::<Vec<_>>()
            );
        }
    }
}

#[test]
fn a_parameter_under_none_of_its_names_is_missing_under_all_of_them() {
    let mut tensors = tensors(1);
    tensors.remove(SHARED[0][0]);
    assert_eq!(
        Folder::with(&tensors).refusal(),
        "m.safetensors: tensor `cls.predictions.decoder.bias` or `cls.predictions.bias` is missing, which layer `m2_bert` \
         needs"
    );
}

/// `{"model.bert.x": _, "model": {"bert.x": _}}`: in one table of names, either tensor might survive.
#[test]
fn two_tensors_of_one_name_in_nested_dictionaries_are_refused() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/published/two_of_one_name.pt");
    let error = config().load(&path, &cpu()).unwrap_err();
    assert_eq!(
        words(error, path.parent().unwrap()),
        "two_of_one_name.pt: holds two tensors named `model.bert.embeddings.word_embeddings.weight`, in nested \
         dictionaries"
    );
}

#[test]
fn a_config_that_is_larger_than_the_file_is_refused_before_anything_is_made() {
    let folder = Folder::with(&tensors(1));
    let huge = 1 << 40;
    let configs = [
        config().with_l_max(huge),
        config().with_l_max(huge).with_positions(Some(6)),
        config().with_vocab(huge),
        config().with_token_types(huge),
        config().with_n_layers(huge),
        config().with_filter_order(huge),
        config().with_emb_dim(huge + 1),
        config().with_expand(huge),
        config().with_d_hidden(Some(usize::MAX)),
        M2BertConfig { d_model: huge, ..config() },
    ];
    for config in configs {
        let error = undisturbed(|| config.load(folder.file(), &cpu())).unwrap_err();
        assert!(matches!(error, CheckpointError::Tensor { .. }), "{config}: {error}");
    }
}

#[test]
fn a_config_that_no_model_has_is_an_error() {
    let folder = Folder::with(&tensors(1));
    let error = config().with_n_blocks(0).load(folder.file(), &cpu()).unwrap_err();
    assert_eq!(
        words(error, folder.0.path()),
        "m.safetensors: config of layer `m2_bert`: channel mixer: n_blocks = 0 cuts monarch \
         matrices near the square root of their width, which block_diagonal ones cannot be; choose at least 1"
    );
}

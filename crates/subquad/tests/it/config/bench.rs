//! The kind of config that measures.

use std::path::Path;

use subquad::config::ConfigFile;
use subquad_bench::BenchConfig;
use subquad_config::{Assignment, ConfigErrors, Quota};

use crate::layers::program;

const SMALL: &str = r#"
[bench]
mixers = ["attention", "fft_conv"]
lengths = [64, 128]
"#;

fn load_with(text: &str, flags: &[&str]) -> Result<BenchConfig, ConfigErrors> {
    let flags: Vec<_> = flags.iter().map(|flag| Assignment::parse(flag).unwrap()).collect();
    BenchConfig::read(
        program().schemas().bench,
        program().subjects(),
        text,
        Path::new("x.toml"),
        &flags,
        Quota::default(),
    )
}

fn config(text: &str) -> BenchConfig {
    load_with(text, &[]).unwrap_or_else(|errors| panic!("{errors}"))
}

/// The mistakes of [`SMALL`] with these lines after it: line 5 is their first.
fn errors(lines: &str) -> String {
    load_with(&format!("{SMALL}{lines}"), &[]).unwrap_err().to_string()
}

#[test]
fn what_is_not_written_is_the_default() {
    let options = config(SMALL).options;
    assert_eq!(
        (options.mixers, options.lengths),
        (vec!["attention".into(), "fft_conv".into()], vec![64, 128])
    );
    assert_eq!((options.batch, options.d_model, options.seconds), (4, 128, 3.0));
    assert_eq!((options.tokens, options.hidden_factor, options.n_blocks), (256, 2, 4));
    assert!(options.channel_mixers.is_empty() && options.widths.is_empty());
}

#[test]
fn a_flag_wins_over_the_file() {
    let found = load_with(SMALL, &["bench.lengths=[8]", "bench.seconds=1", "bench.d_model = 8"]).unwrap();
    assert_eq!((found.options.lengths, found.options.seconds, found.options.d_model), (vec![8], 1.0, 8));
}

#[test]
fn a_written_config_reads_back_as_itself() {
    let text = format!("{SMALL}channel_mixers = [\"dense\"]\nwidths = [8]\nseconds = 0.5\nn_blocks = 2\n");
    let first = config(&text);
    let again = config(&first.to_toml());
    assert_eq!((&again.options, &again.hash_pairs), (&first.options, &first.hash_pairs));
    for key in program().schemas().bench.keys() {
        assert!(first.to_toml().contains(&format!("{} = ", key.leaf())), "{}", key.name);
    }
}

#[test]
fn lists_do_not_change_the_name_and_what_changes_every_number_does() {
    let pairs = |lines: &str| config(&format!("{SMALL}{lines}")).hash_pairs;
    assert!(pairs("batch = 4\nchannel_mixers = [\"dense\"]\nwidths = [8]").is_empty());
    let changed = pairs("batch = 2\nseconds = 1");
    assert_eq!(changed["bench.batch"], "2");
    assert_eq!(changed["bench.seconds"], "1.0");
}

#[test]
fn a_section_bench_makes_it_a_config_that_measures() {
    let folder = tempfile::tempdir().unwrap();
    let load = |text: &str| {
        let path = folder.path().join("x.toml");
        fs_err::write(&path, text).unwrap();
        ConfigFile::load(program(), Quota::default(), &path, &[])
    };
    assert!(matches!(load(SMALL), Ok(ConfigFile::Bench(_))));
    assert!(matches!(load("bench.mixers = [\"s4d\"]\nbench.lengths = [1]"), Ok(ConfigFile::Bench(_))));
    assert!(matches!(load(super::SMALL), Ok(ConfigFile::Training(_))));
    let slip = load("[bemch]\nmixers = []").unwrap_err().to_string();
    assert!(slip.contains(":1: unknown section [bemch]; did you mean `bench`?"), "{slip}");
    assert!(load("[bench").unwrap_err().to_string().contains("not valid TOML"));
}

#[test]
fn unknown_keys_and_sections_are_named_with_what_is_near() {
    insta::assert_snapshot!(errors("lenghts = [1]"), @"x.toml:5: unknown key `bench.lenghts`; did you mean `lengths`? (known in [bench]: mixers, lengths, channel_mixers, widths, models, contexts, batch, d_model, tokens, n_layers, hidden_factor, n_blocks, seconds)");
    insta::assert_snapshot!(errors("colour = 1"), @"x.toml:5: unknown key `bench.colour` (known in [bench]: mixers, lengths, channel_mixers, widths, models, contexts, batch, d_model, tokens, n_layers, hidden_factor, n_blocks, seconds)");
    insta::assert_snapshot!(errors("[bench.more]\na = 1"), @"x.toml:5: unknown section [bench.more] (known: bench)");
    insta::assert_snapshot!(errors("[bench.batch]\na = 1"), @"x.toml:5: `bench.batch` must be an integer from 1 to 65536, got a table");
    insta::assert_snapshot!(errors("[benhc]\nbatch = 1"), @"x.toml:5: unknown section [benhc]; did you mean `bench`? (known: bench)");
    insta::assert_snapshot!(errors("[train]\nsteps = 1\nbatch = 2\n[mixer.s4d]\nd_state = 4"), @"
    x.toml:5: [train] is for configs that train, and this one has [bench]; put it in a separate file
    x.toml:8: [mixer] is for configs that train, and this one has [bench]; put it in a separate file
    ");
    insta::assert_snapshot!(load_with("batch = 1\nbench = 2", &[]).unwrap_err(), @"
    x.toml:1: unknown key `batch`; did you mean `bench.batch`? (every key is in a section: bench)
    x.toml:2: `bench` is a section, [bench], not a key; got 2
    x.toml: missing `mixers` in [bench]; it must be a list, each value one of attention, s4d, s4, h3, ema, hyena, m2, monarch, causal_monarch, fft_conv, monarch_conv
    x.toml: missing `lengths` in [bench]; it must be a list, each value an integer from 1 to 16777216
    ");
    insta::assert_snapshot!(load_with(SMALL, &["train.steps=2", "bench.lenght=[1]"]).unwrap_err(), @"
    --set train.steps=2: [train] is for configs that train, and this one has [bench]; put it in a separate file
    --set bench.lenght=[1]: unknown key `bench.lenght`; did you mean `lengths`? (known in [bench]: mixers, lengths, channel_mixers, widths, models, contexts, batch, d_model, tokens, n_layers, hidden_factor, n_blocks, seconds)
    ");
}

#[test]
fn wrong_values_say_what_is_allowed() {
    insta::assert_snapshot!(errors("batch = 0\nd_model = \"wide\"\nseconds = 0"), @r#"
    x.toml:5: `bench.batch` must be an integer from 1 to 65536, got 0
    x.toml:6: `bench.d_model` must be an integer from 1 to 65536, got the string "wide"
    x.toml:7: `bench.seconds` must be a finite number > 0 and <= 86400, got 0
    "#);
    insta::assert_snapshot!(errors("widths = 8\nchannel_mixers = [\"dense\", \"dens\", 3, \"dense\"]"), @r#"
    x.toml:5: `bench.widths` must be a list, each value an integer from 1 to 65536, got 8
    x.toml:6: each value of `bench.channel_mixers` must be one of dense, dense_glu, swiglu, block_diagonal, block_diagonal_mlp, monarch_mlp, monarch_glu, dense_linear, block_diagonal_linear, monarch_linear; got "dens"; did you mean "dense"?
    x.toml:6: each value of `bench.channel_mixers` must be one of dense, dense_glu, swiglu, block_diagonal, block_diagonal_mlp, monarch_mlp, monarch_glu, dense_linear, block_diagonal_linear, monarch_linear; got 3
    x.toml:6: `bench.channel_mixers` lists dense twice
    "#);
    let twice = load_with(&format!("\"bench.batch\" = 1{SMALL}batch = 2"), &[]);
    insta::assert_snapshot!(twice.unwrap_err(), @"x.toml:5: `bench.batch` is set twice, first at x.toml:1; keep one");
    insta::assert_snapshot!(errors("bench.batch = 2"), @"x.toml:5: unknown section [bench.bench] (known: bench)");
}

#[test]
fn layers_and_sizes_go_together() {
    insta::assert_snapshot!(load_with("[bench]", &[]).unwrap_err(), @"
    x.toml: missing `mixers` in [bench]; it must be a list, each value one of attention, s4d, s4, h3, ema, hyena, m2, monarch, causal_monarch, fft_conv, monarch_conv
    x.toml: missing `lengths` in [bench]; it must be a list, each value an integer from 1 to 16777216
    ");
    insta::assert_snapshot!(errors("widths = [8]"), @"x.toml: missing `channel_mixers` in [bench]; it must be a list, each value one of dense, dense_glu, swiglu, block_diagonal, block_diagonal_mlp, monarch_mlp, monarch_glu, dense_linear, block_diagonal_linear, monarch_linear");
    insta::assert_snapshot!(errors("channel_mixers = [\"dense\"]"), @"x.toml: missing `widths` in [bench]; it must be a list, each value an integer from 1 to 65536");
    insta::assert_snapshot!(errors("d_model = 6\nchannel_mixers = [\"block_diagonal\"]\nwidths = [8, 2]"), @"
    x.toml:3: attention: 4 heads cannot share d_model = 6 equally; choose n_heads among the divisors of 6
    x.toml:6: block_diagonal: 4 blocks cannot share d_model = 2; choose n_blocks of at most 2
    ");
}

#[test]
fn a_key_that_no_layer_heeds_is_refused() {
    insta::assert_snapshot!(errors("tokens = 8\nhidden_factor = 3\nn_blocks = 2"), @"
    x.toml:5: `bench.tokens` does nothing without `bench.channel_mixers`; take it out, or list layers to measure
    x.toml:6: `bench.hidden_factor` does nothing without `bench.channel_mixers`; take it out, or list layers to measure
    x.toml:7: `bench.n_blocks` does nothing without `bench.channel_mixers`; take it out, or list layers to measure
    ");
    insta::assert_snapshot!(errors("n_layers = 2"), @"x.toml:5: `bench.n_layers` does nothing without `bench.models`; take it out, or list layers to measure");
    let widths = "[bench]\nchannel_mixers = [\"dense\"]\nwidths = [8]\n";
    insta::assert_snapshot!(load_with(&format!("{widths}batch = 2"), &["bench.d_model=8"]).unwrap_err(), @"
    x.toml:4: `bench.batch` does nothing without `bench.mixers`; take it out, or list layers to measure
    --set bench.d_model=8: `bench.d_model` does nothing without `bench.mixers`; take it out, or list layers to measure
    ");
}

#[test]
fn an_empty_list_leaves_half_of_a_config_out() {
    let both = format!("{SMALL}channel_mixers = [\"dense\"]\nwidths = [8]\ntokens = 8\n");
    let half = load_with(&both, &["bench.channel_mixers=[]", "bench.widths=[]"]).unwrap();
    assert!(half.options.channel_mixers.is_empty() && half.options.tokens == 8);
    assert_eq!(config(&half.to_toml()).options, half.options);
}

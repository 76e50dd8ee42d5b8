//! Mixers that alternate: wherever a mixer's name is, a pattern may be.

use subquad_mixer::SequenceMixerConfig;
use subquad_model::{ChannelMixerConfig, MixerConfig};

use super::{Typed, errors, flag_errors, load_with, runs, small};
use crate::layers::model_of;

/// Four blocks, so that every part of these patterns is used.
fn patterns(mixers: &[&str], more: &str) -> String {
    format!("model.n_layers = 4\n{}{more}", small(mixers))
}

fn subjects(text: &str) -> Vec<String> {
    runs(text).iter().map(|run| run.subject.to_string()).collect()
}

#[test]
fn a_pattern_builds_blocks_of_its_parts_in_turn_each_with_its_section() {
    let text = patterns(&["s4d*2+attention"], "[mixer.attention]\nn_heads = 2\n[mixer.s4d]\nd_state = 8\n");
    let [run] = &runs(&text)[..] else { panic!("one run") };
    let model = model_of(run);
    let of_blocks: Vec<&MixerConfig> = model.mixer.first(model.n_layers).collect();
    for (block, mixer) in of_blocks.iter().enumerate() {
        match mixer {
            MixerConfig::S4d(config) => assert!(block != 2 && config.d_state == 8),
            MixerConfig::Attention(config) => assert!(block == 2 && config.n_heads == 2),
            other => panic!("{other:?}"),
        }
    }
    let blocks: usize = of_blocks.iter().map(|mixer| mixer.n_parameters()).sum();
    let homogeneous = model_of(&runs(&patterns(&["s4d"], "[mixer.s4d]\nd_state = 8\n"))[0]);
    let others = homogeneous.n_parameters() - 4 * homogeneous.mixer.at(0).n_parameters();
    assert_eq!(model.n_parameters(), others + blocks);
}

#[test]
fn every_spelling_is_the_same_mixer_and_the_same_run() {
    let one = patterns(&["m2*3+attention"], "");
    for spelling in ["m2+m2+m2+attention", "m2*2 + m2 + attention", "m2*3+attention+m2*3+attention"] {
        let other = patterns(&[spelling], "");
        assert_eq!(runs(&one)[0].hash_pairs, runs(&other)[0].hash_pairs, "{spelling}");
    }
    assert_eq!(subjects(&patterns(&["s4d+s4d", "m2*4"], "")), ["s4d", "m2"]);
    assert_eq!(errors(&patterns(&["s4d", "s4d+s4d"], "")), "x.toml:8: `sweep.mixer` lists s4d twice");
}

#[test]
fn an_axis_of_a_part_varies_the_pattern_too() {
    let text = patterns(&["attention", "s4d", "s4d+attention"], "\"mixer.s4d.d_state\" = [4, 8]\n");
    let states: Vec<_> = runs(&text)
        .iter()
        .map(|run| (run.subject.to_string(), run.value("mixer.s4d.d_state").map(ToString::to_string)))
        .collect();
    let of = |mixer: &str, d_state: Option<&str>| (mixer.to_owned(), d_state.map(str::to_owned));
    let both = |mixer| [of(mixer, Some("4")), of(mixer, Some("8"))];
    assert_eq!(
        states,
        [vec![of("attention", None)], both("s4d").into(), both("s4d+attention").into()].concat()
    );
}

#[test]
fn an_override_is_for_exactly_one_pattern_however_it_is_spelt() {
    let more = "[override.s4d]\noptim.lr = 0.1\n[override.\"s4d + attention\"]\noptim.lr = 0.2\nmixer.s4d.d_state = 2\n";
    let all = runs(&patterns(&["s4d", "s4d+attention", "s4d*2+attention"], more));
    let rates: Vec<f64> = all.iter().map(|run| run.config().optim.lr).collect();
    assert_eq!(rates[..2], [0.1, 0.2]);
    assert_ne!(rates[2], 0.1);
    let states: Vec<_> = all.iter().map(|run| run.value("mixer.s4d.d_state").unwrap().to_string()).collect();
    assert_eq!(states, ["64", "2", "64"]);
}

#[test]
fn what_is_no_pattern_gets_the_words_and_the_nearest() {
    let words = "attention, s4d, s4, h3, ema, hyena, m2, monarch, causal_monarch";
    for (mixer, hint) in [
        ("s4d+atention", r#"; did you mean "s4d+attention"?"#),
        ("S4D*2+Attention", r#"; did you mean "s4d*2+attention"?"#),
        ("s4d+", ""),
        ("s4d*0", ""),
    ] {
        let flag = format!("sweep.mixer=[{mixer:?}]");
        assert_eq!(
            flag_errors(&[&flag]),
            format!(
                "--set {flag}: each value of `sweep.mixer` must be one of {words}, or a pattern of them such as \"s4d*3+attention\"; \
                 got {mixer:?}{hint}"
            )
        );
    }
}

#[test]
fn a_pattern_has_no_section_and_no_keys_of_other_mixers() {
    assert_eq!(
        flag_errors(&[r#"mixer."s4d+attention".d_state=4"#]),
        r#"--set mixer."s4d+attention".d_state=4: [mixer.s4d+attention] a pattern has no section of its own; each of its parts has one: [mixer.s4d], [mixer.attention]"#
    );
    let foreign = flag_errors(&[r#"override."s4d+attention".mixer.m2.filter_order=4"#]);
    assert!(foreign.contains("[override.s4d+attention] cannot set `mixer.m2.filter_order`, which belongs to another mixer (allowed: task,"), "{foreign}");
    assert!(foreign.contains("model, mixer.attention, mixer.s4d, optim"), "{foreign}");
}

#[test]
fn a_part_that_no_block_would_use_is_refused() {
    assert_eq!(
        errors(&patterns(&["s4d", "s4d*4+attention"], "")),
        "x.toml:1: the mixer \"s4d*4+attention\" has 5 places, but n_layers = 4 leaves some out; choose at least 5"
    );
    assert_eq!(
        flag_errors(&["model.channel_mixer=dense*2+none"]),
        "--set model.channel_mixer=dense*2+none: channel_mixer = \"dense*2+none\" has 3 places, but n_layers = 2 leaves some out; \
         choose at least 3"
    );
}

#[test]
fn what_a_part_refuses_is_refused_once_with_its_key() {
    let text = patterns(&["s4d", "s4d+monarch"], "");
    let refused = errors(&text);
    assert_eq!(refused.lines().count(), 1, "{refused}");
    assert!(refused.contains("monarch always sees the whole sequence"), "{refused}");
}

#[test]
fn channel_mixers_alternate_with_a_period_of_their_own() {
    let flags = ["model.n_layers=5", "model.channel_mixer=block_diagonal*2+none", "model.n_blocks=2"];
    let study = load_with(&small(&["s4d+attention"]), &flags).unwrap();
    let model = model_of(&study.runs[0]);
    for (block, mixer) in model.channel_mixer.first(5).enumerate() {
        match mixer {
            ChannelMixerConfig::BlockDiagonal(config) => assert!(block != 2 && config.n_blocks == 2),
            ChannelMixerConfig::None => assert_eq!(block, 2),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn an_option_that_no_channel_mixer_of_the_pattern_has_is_refused() {
    assert!(load_with(&small(&["s4d"]), &["model.channel_mixer=dense+none", "model.d_hidden=32"]).is_ok());
    assert_eq!(
        flag_errors(&["model.channel_mixer=dense+none", "model.n_blocks=2"]),
        "--set model.n_blocks=2: n_blocks = 2 does nothing with channel_mixer = \"dense+none\"; leave it at 4"
    );
}

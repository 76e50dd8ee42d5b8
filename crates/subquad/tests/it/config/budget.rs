//! `[budget]`: sizes that are found so that runs spend the same.

use subquad_config::Run;

use super::{errors, load_with, runs, small};
use crate::layers::model_of;

/// Four blocks of these mixers with this section.
fn with_budget(mixers: &[&str], budget: &str) -> String {
    format!("[model]\nn_layers = 4\n[budget]\n{budget}\n{}", small(mixers))
}

const PARAMETERS: &str = "parameters = 200_000\nvary = \"model.d_hidden\"";
const MIXERS: [&str; 5] = ["attention", "s4d", "m2", "s4d+attention", "m2*3+attention"];

fn number(run: &Run, key: &str) -> i64 {
    run.value(key).unwrap().as_integer().unwrap()
}

#[test]
fn every_run_gets_the_size_that_comes_nearest() {
    for run in runs(&with_budget(&MIXERS, PARAMETERS)) {
        let found = number(&run, "model.d_hidden");
        let off = |d_hidden: i64| {
            let flag = format!("model.d_hidden={d_hidden}");
            let text = with_budget(&[&run.subject], "");
            let other = load_with(&text, &[&flag]).unwrap().runs.remove(0);
            model_of(&other).n_parameters().abs_diff(200_000)
        };
        assert!(off(found) < 4_000, "{}", run.subject);
        assert!(off(found) < off(found - 1) && off(found) < off(found + 1), "{}", run.subject);
        assert_eq!(model_of(&run).n_parameters().abs_diff(200_000), off(found));
    }
}

#[test]
fn a_run_written_out_with_its_budget_loads_as_itself() {
    for run in runs(&with_budget(&MIXERS, PARAMETERS)) {
        let [again] = &runs(&run.to_toml())[..] else { panic!("one run") };
        assert_eq!((&again.hash_pairs, again.settings()), (&run.hash_pairs, run.settings()));
    }
}

#[test]
fn a_budget_may_be_of_decoding_or_of_a_training_step() {
    let state = "state_floats = 65_536\nvary = \"model.d_model\"";
    let mixers = ["attention", "s4d"];
    let sizes: Vec<i64> =
        runs(&with_budget(&mixers, state)).iter().map(|run| number(run, "model.d_model")).collect();
    // Keys and values of 64 tokens in 4 blocks; 64 states per channel in 4 blocks.
    assert_eq!(sizes, [65_536 / (4 * 2 * 64), 65_536 / (4 * 64)]);
    let flops = "flops = 2_000_000_000\nvary = \"model.d_hidden\"";
    for run in runs(&with_budget(&mixers, flops)) {
        let reached = model_of(&run).training_flops(32, 64, 1).unwrap();
        assert!((reached / 2e9 - 1.0).abs() < 0.01, "{reached}");
    }
}

#[test]
fn a_mixer_may_vary_a_size_of_its_own_and_words_follow_what_is_found() {
    let of_s4d = "[override.s4d]\nbudget.vary = \"mixer.s4d.d_state\"\nmodel.d_model = 32\nmixer.s4d.n_ssm = \"d_model\"\n";
    let text = format!(
        "{}{of_s4d}",
        with_budget(&["attention", "s4d"], "state_floats = 65_536\nvary = \"model.d_model\"")
    );
    let runs = runs(&text);
    assert_eq!(number(&runs[0], "model.d_model"), 128);
    assert_eq!(number(&runs[1], "mixer.s4d.d_state"), 65_536 / (4 * 32));
    let wide = with_budget(&["s4d"], "state_floats = 65_536\nvary = \"model.d_model\"");
    let run = &load_with(&wide, &["mixer.s4d.n_ssm=d_model"]).unwrap().runs[0];
    assert_eq!((number(run, "model.d_model"), number(run, "mixer.s4d.n_ssm")), (256, 256));
}

#[test]
fn budgets_may_be_an_axis() {
    let axis =
        with_budget(&["s4d"], "vary = \"model.d_hidden\"") + "\"budget.parameters\" = [100_000, 200_000]\n";
    let sizes: Vec<i64> = runs(&axis).iter().map(|run| number(run, "model.d_hidden")).collect();
    assert_eq!(sizes, [29, 223]);
}

#[test]
fn a_budget_that_cannot_be_met_says_the_nearest() {
    let budget = |budget: &str| errors(&with_budget(&["attention", "s4d"], budget));
    insta::assert_snapshot!(budget("parameters = 200_000\nvary = \"model.d_model\""), @"x.toml:4: attention at 64 tokens cannot have 200,000 parameters within 2 % by varying model.d_model: 80 gives 188,842 (5.6 % off), 88 gives 218,938 (9.5 % off)");
    insta::assert_snapshot!(budget("parameters = 100\nvary = \"model.d_hidden\""), @"
    x.toml:4: attention at 64 tokens cannot have 100 parameters within 2 % by varying model.d_hidden: 1 gives 69,262 (69162.0 % off)
    x.toml:4: s4d at 64 tokens cannot have 100 parameters within 2 % by varying model.d_hidden: 1 gives 85,646 (85546.0 % off)
    ");
}

#[test]
fn a_budget_that_does_not_say_enough_is_refused() {
    let budget = |budget: &str| errors(&with_budget(&["attention", "s4d"], budget));
    insta::assert_snapshot!(budget("parameters = 200_000"), @r#"x.toml:4: a budget of parameters needs vary, the key that is found for every run, such as "model.d_hidden""#);
    insta::assert_snapshot!(budget("vary = \"model.d_hidden\""), @"x.toml:4: vary finds nothing without a budget; set parameters, state_floats or flops, or remove vary");
    insta::assert_snapshot!(budget("parameters = 2\nflops = 3\nvary = \"model.d_hidden\""), @"x.toml:5: one key cannot meet two budgets, parameters and FLOPs; keep one of them");
    insta::assert_snapshot!(budget("parameters = 2\nvary = \"model.dhidden\""), @r#"x.toml:5: vary must be a whole number of [model] or of a mixer's section, such as "model.d_hidden"; got "model.dhidden"; did you mean `model.d_hidden`?"#);
    insta::assert_snapshot!(budget("parameters = 2\nvary = \"train.steps\""), @r#"x.toml:5: vary must be a whole number of [model] or of a mixer's section, such as "model.d_hidden"; got "train.steps""#);
    insta::assert_snapshot!(budget("state_floats = 65536\nvary = \"mixer.s4d.d_state\""), @"x.toml:5: attention has no mixer.s4d.d_state, which vary names; name another key in [override.attention]");
    insta::assert_snapshot!(budget("parameters = -1"), @"x.toml:4: `budget.parameters` must be an integer >= 0, got -1");
}

#[test]
fn a_size_that_is_set_and_found_must_be_the_same() {
    let found = |flag: &str| load_with(&with_budget(&["s4d"], PARAMETERS), &[flag]);
    assert!(found("model.d_hidden=223").is_ok());
    insta::assert_snapshot!(found("model.d_hidden=100").unwrap_err(), @"--set model.d_hidden=100: model.d_hidden = 100 is not what [budget] finds for s4d at 64 tokens, 223; remove one of the two");
}

#[test]
fn what_is_wrong_with_a_run_is_said_instead_of_what_its_budget_cannot_reach() {
    let text = with_budget(&["attention"], PARAMETERS);
    let error = load_with(&text, &["mixer.attention.n_heads=5"]).unwrap_err().to_string();
    assert!(
        error.contains("5 heads cannot share d_model = 64 equally") && !error.contains("within 2 %"),
        "{error}"
    );
}

#[test]
fn a_model_whose_state_nobody_knows_has_no_budget_of_it() {
    let budget = "state_floats = 1000\nvary = \"model.d_model\"";
    let error = load_with(&with_budget(&["s4d"], budget), &["model.causal=false"]).unwrap_err();
    insta::assert_snapshot!(error, @"x.toml:4: the state floats of s4d cannot be counted with any model.d_model, so that no budget can be met");
}

//! default < file < override < axis < `--set`.

use subquad::config::RunConfig;

use super::{MIXERS, SMALL, Typed, load_with, runs, small};

fn lr(config: &RunConfig) -> f64 {
    config.optim.lr
}

fn rates(text: &str, flags: &[&str]) -> Vec<f64> {
    let study = load_with(text, flags).unwrap_or_else(|errors| panic!("{errors}"));
    study.runs.iter().map(|run| lr(&run.config())).collect()
}

const FILE: &str = "optim.lr = 0.01\n";
const OVERRIDE: &str = "[override.s4d]\n\"optim.lr\" = 0.02\n";

#[test]
fn a_stronger_source_wins() {
    let file = format!("{FILE}{SMALL}");
    let overridden = format!("{file}{OVERRIDE}");
    assert_eq!(rates(SMALL, &[]), [0.001; MIXERS]);
    assert_eq!(rates(&file, &[]), [0.01; MIXERS]);
    assert_eq!(rates(&overridden, &[]), [0.01, 0.02, 0.01, 0.01, 0.01, 0.01]);
    assert_eq!(rates(&overridden, &["optim.lr=0.03"]), [0.03; MIXERS]);
    assert_eq!(rates(&overridden, &["override.s4d.optim.lr=0.04"]), [0.01, 0.04, 0.01, 0.01, 0.01, 0.01]);
    assert_eq!(
        rates(&overridden, &["optim.lr=0.03", "override.m2.optim.lr=0.04"]),
        [0.03, 0.03, 0.03, 0.03, 0.03, 0.04]
    );
    assert_eq!(rates(&file, &["sweep.optim.lr=[0.05]"]), [0.05; MIXERS]);
}

#[test]
fn overrides_may_be_nested_dotted_or_quoted() {
    let quoted = runs(&format!("{SMALL}{OVERRIDE}"));
    assert_eq!(runs(&format!("{SMALL}[override.s4d.optim]\nlr = 0.02\n")), quoted);
    assert_eq!(runs(&format!("{SMALL}[override.s4d]\noptim.lr = 0.02\n")), quoted);
}

#[test]
fn an_override_may_set_its_own_mixer() {
    let runs = runs(&format!("{SMALL}[override.s4d]\nmixer.s4d.d_state = 16\n"));
    assert_eq!(runs[1].settings()["mixer.s4d.d_state"], "16");
}

#[test]
fn overrides_of_every_mixer_satisfy_a_required_key() {
    let text = small(&["s4d"]).replace("steps = 10", "");
    let runs = runs(&format!("{text}[override.s4d]\ntrain.steps = 7\n"));
    assert_eq!(runs[0].config().train.steps, 7);
}

#[test]
fn sections_of_mixers_that_do_not_run_are_allowed() {
    let text = format!("[mixer.m2]\nresidual = true\n[override.m2]\noptim.lr = 0.1\n{SMALL}");
    assert_eq!(load_with(&text, &["sweep.mixer=[\"s4d\"]"]).unwrap().runs.len(), 1);
}

#[test]
fn integers_are_accepted_where_numbers_are_wanted() {
    let runs = runs(&format!("optim.clip = 2\noptim.weight_decay = -0.0\n{SMALL}"));
    assert_eq!(runs[0].settings()["optim.clip"], "2.0");
    assert_eq!(runs[0].settings()["optim.weight_decay"], "0.0");
}

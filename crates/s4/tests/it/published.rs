//! The published implementation's numbers.

use subquad_mixer::published::CaseError;
use subquad_s4::{S4d, published::replay};
use subquad_testkit::golden;

use crate::oracle::{FORMS, cpu};

fn path(case: &str) -> String {
    format!("{}/tests/golden/{case}.safetensors", env!("CARGO_MANIFEST_DIR"))
}

const CASES: [&str; 5] =
    ["s4d_legs_zoh", "s4d_lin_bilinear_odd", "s4d_inv_bidirectional", "s4_legs", "s4_legs_odd_bidirectional"];

#[test]
fn published_layers_are_reproduced_in_both_forms() {
    for case in CASES {
        for form in FORMS {
            golden::check(path(case), |case| replay(case, form, &cpu()));
        }
    }
}

#[test]
fn the_low_rank_kernel_is_refused_by_name() {
    let mut case = golden::read(path("s4_legs")).unwrap();
    let error = S4d::from_published(&mut case, &cpu()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "layer `s4_block`: not implemented here: the low-rank kernel `s4` in an S4D layer (S4 has it)"
    );
}

#[test]
fn an_unknown_option_is_an_error() {
    let mut case = golden::read(path("s4d_legs_zoh")).unwrap();
    case.config["bandlimit"] = 0.5.into();
    let error = replay(&mut case, FORMS[0], &cpu()).unwrap_err();
    assert!(
        matches!(error, CaseError::Config { message, .. } if message.contains("unknown field `bandlimit`"))
    );
}

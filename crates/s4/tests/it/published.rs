//! The published implementation's numbers.

use subquad_mixer::SequenceMixer;
use subquad_mixer::published::CaseError;
use subquad_s4::{S4, S4d, published::replay};
use subquad_testkit::{cpu, golden, with_seed};

use crate::oracle::FORMS;

fn path(case: &str) -> String {
    format!("{}/tests/golden/{case}.safetensors", env!("CARGO_MANIFEST_DIR"))
}

const CASES: [&str; 14] = [
    "s4d_legs_zoh",
    "s4d_lin_bilinear_odd",
    "s4d_inv_bidirectional",
    "s4d_dt_untied",
    "s4d_nssm2_channels2_bidirectional",
    "s4d_deterministic",
    "s4d_kernel_shorter_than_input",
    "s4_legs",
    "s4_legs_odd_bidirectional",
    "s4_fout",
    "s4_fout_16",
    "s4_legt_rank2",
    "s4_dt_untied",
    "s4_short_input",
];

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

#[test]
fn what_was_loaded_is_saved_back_bit_by_bit() {
    for name in CASES {
        let mut case = golden::read(path(name)).unwrap();
        let wanted = case.parameters.clone();
        // A layer draws parameters before it gets those of the case.
        let saved = with_seed(&cpu(), 1, || match name.starts_with("s4d") {
            true => S4d::from_published(&mut case, &cpu()).unwrap().to_published(),
            false => S4::from_published(&mut case, &cpu()).unwrap().to_published(),
        });
        assert!(case.parameters.is_empty(), "{name} did not take {:?}", case.parameters.keys());
        assert_eq!(saved, wanted, "{name}");
    }
}

#[test]
fn loading_keeps_the_identity_of_parameters() {
    let mut case = golden::read(path("s4_legs")).unwrap();
    let layer = S4::from_published(&mut case, &cpu()).unwrap();
    let [group] = &layer.parameter_groups()[..] else { panic!("one group") };
    assert!(
        group.parameters.contains(&layer.ssm.p_re.id) && !group.parameters.contains(&layer.ssm.modes.c_re.id)
    );
}

#[test]
fn a_missing_length_is_named() {
    let mut case = golden::read(path("s4_legs")).unwrap();
    case.config.as_object_mut().unwrap().remove("l_max");
    let error = S4::from_published(&mut case, &cpu()).unwrap_err().to_string();
    assert!(error.contains("needs `l_max`, the length at which its `C` was made"), "{error}");
}

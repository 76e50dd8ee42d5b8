//! Where systems start.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

use subquad_s4::hippo::Measure;
use subquad_s4::init::{DplrSystem, Mode};
use subquad_s4::reference::{Complex, real};
use subquad_s4::{S4Init, S4dInit};

const DIAGONAL: [S4dInit; 9] = [
    S4dInit::Legs,
    S4dInit::Fout,
    S4dInit::Lin,
    S4dInit::Inv,
    S4dInit::Quad,
    S4dInit::Real,
    S4dInit::Rand,
    S4dInit::Diag,
    S4dInit::Hippo,
];
const LOW_RANK: [S4Init; 4] = [S4Init::Legs, S4Init::Fout, S4Init::Legt, S4Init::Hippo];

/// Formulas in two orders.
const ROUNDING: f64 = 1e-12;

/// `0, 1, 2, ..` in place of random numbers.
fn counted() -> impl FnMut() -> f64 {
    let mut next = -1.0;
    move || {
        next += 1.0;
        next
    }
}

fn systems(init: S4dInit, d_state: usize, n_ssm: usize, b_clip: Option<f64>) -> Vec<Vec<Mode>> {
    init.systems(d_state, n_ssm, b_clip, &mut counted())
}

fn unit(decay: f64, frequency: f64) -> Mode {
    Mode { decay, frequency, b_re: 1.0, b_im: 0.0 }
}

fn close(got: &[Mode], wanted: &[Mode], what: &str) {
    assert_eq!(got.len(), wanted.len(), "{what}");
    let list = |mode: &Mode| [mode.decay, mode.frequency, mode.b_re, mode.b_im];
    for (n, (got, wanted)) in got.iter().zip(wanted).enumerate() {
        let near =
            list(got).iter().zip(list(wanted)).all(|(g, w)| (g - w).abs() <= ROUNDING * (1.0 + w.abs()));
        assert!(near, "{what}, pair {n}: {got:?}, wanted {wanted:?}");
    }
}

#[test]
fn every_formula_has_the_values_computed_by_hand() {
    let first = Mode { b_re: FRAC_1_SQRT_2, ..unit(1e-4, 0.0) };
    let wanted = [
        (S4dInit::Fout, vec![first, unit(1e-4, PI), unit(1e-4, 2.0 * PI), unit(1e-4, 3.0 * PI)]),
        (S4dInit::Lin, [0.0, PI, 2.0 * PI, 3.0 * PI].map(|w| unit(0.5, w)).into()),
        // 8 / pi times 7, 5/3, 3/5, 1/7.
        (S4dInit::Inv, [56.0, 40.0 / 3.0, 4.8, 8.0 / 7.0].map(|w| unit(0.5, w / PI)).into()),
        (S4dInit::Quad, [1.0, 9.0, 25.0, 49.0].map(|w| unit(0.5, w / PI)).into()),
        (S4dInit::Real, [1.0, 2.0, 3.0, 4.0].map(|decay| unit(decay, 0.0)).into()),
        (S4dInit::Rand, [0.0, 1.0, 2.0, 3.0].map(|g: f64| unit(0.5, g.exp())).into()),
    ];
    for (init, wanted) in wanted {
        close(&systems(init, 8, 1, None)[0], &wanted, &format!("{init:?}"));
    }
    let slow = Mode { b_re: 0.6462349417, b_im: -0.7192609314, ..unit(0.5, 0.5565011151) };
    let fast = Mode { b_re: 0.2870198601, b_im: -2.6424730297, ..unit(0.5, 4.6032930071) };
    for (got, wanted) in systems(S4dInit::Legs, 4, 1, None)[0].iter().zip([slow, fast]) {
        // Ten digits are known.
        assert!((got.frequency - wanted.frequency).abs() < 1e-9 && (got.b_im - wanted.b_im).abs() < 1e-9);
        assert!(got.decay == 0.5 && (got.b_re - wanted.b_re).abs() < 1e-9);
    }
}

#[test]
fn every_mode_decays_and_is_the_member_with_the_positive_frequency() {
    let diagonal = DIAGONAL.into_iter().flat_map(|init| systems(init, 64, 2, Some(2.0)));
    let low_rank = LOW_RANK.into_iter().flat_map(|init| init.systems(64, 2, 2, Some(2.0)));
    for modes in diagonal.chain(low_rank.map(|system| system.modes)) {
        assert_eq!(modes.len(), 32);
        assert!(modes.iter().all(|mode| mode.decay >= 1e-4 && mode.frequency >= 0.0));
    }
}

#[test]
fn the_clip_bounds_imaginary_input_weights_and_nothing_else() {
    let free = systems(S4dInit::Legs, 64, 1, None).swap_remove(0);
    let clipped = systems(S4dInit::Legs, 64, 1, Some(2.0)).swap_remove(0);
    let changed = free.iter().zip(&clipped).filter(|(free, clipped)| free != clipped).count();
    assert_eq!(changed, 11, "of 32, as in the published layer");
    assert!((free[31].b_im + 40.75).abs() < 0.01, "the largest: {}", free[31].b_im);
    for (free, clipped) in free.iter().zip(&clipped) {
        assert_eq!(*clipped, Mode { b_im: free.b_im.clamp(-2.0, 2.0), ..*free });
    }
    for init in LOW_RANK {
        let [free, clipped] = [None, Some(2.0)].map(|clip| init.systems(64, 2, 2, clip));
        assert!(free.iter().zip(&clipped).all(|(free, clipped)| free.p == clipped.p), "{init:?}");
        assert!(clipped.iter().flat_map(|system| &system.modes).all(|mode| mode.b_im.abs() <= 2.0));
    }
}

#[test]
fn a_mixture_gives_equal_blocks_of_neighbours_to_its_parts() {
    for (init, parts) in
        [(S4dInit::Diag, [S4dInit::Inv, S4dInit::Lin]), (S4dInit::Hippo, [S4dInit::Legs, S4dInit::Fout])]
    {
        assert_eq!(init.parts(), parts);
        let wanted = parts.map(|part| systems(part, 8, 3, None)).concat();
        assert_eq!(systems(init, 8, 6, None), wanted, "{init:?}");
    }
    let wanted = [S4Init::Legs, S4Init::Fout].map(|part| part.systems(8, 2, 1, None)).concat();
    assert_eq!(S4Init::Hippo.systems(8, 4, 1, None), wanted);
    for single in &DIAGONAL[..7] {
        assert_eq!(single.parts(), [*single]);
    }
}

#[test]
#[should_panic(expected = "2 inits cannot share n_ssm = 3 systems equally")]
fn a_mixture_does_not_share_unevenly() {
    systems(S4dInit::Diag, 8, 3, None);
}

#[test]
#[should_panic(expected = "Legt needs a low-rank term of rank 2, not 1")]
fn a_low_rank_term_is_not_cut() {
    S4Init::Legt.systems(8, 1, 1, None);
}

#[test]
fn random_systems_differ_and_draw_once_for_each_pair() {
    let drawn: Vec<f64> =
        systems(S4dInit::Rand, 4, 3, None).concat().iter().map(|mode| mode.frequency.ln()).collect();
    assert!(drawn.iter().enumerate().all(|(n, g)| (g - n as f64).abs() < ROUNDING), "{drawn:?}");
}

#[test]
fn systems_of_low_rank_are_hippo_in_the_eigenvectors_of_its_normal_part() {
    let measures =
        [(S4Init::Legs, Measure::Legs), (S4Init::Fout, Measure::Fout), (S4Init::Legt, Measure::Legt)];
    for (init, measure) in measures {
        assert_eq!(init.rank(), measure.rank());
        let DplrSystem { modes, p } = init.systems(16, 1, 3, None).swap_remove(0);
        for (n, pair) in measure.pairs(16).iter().enumerate() {
            let a = Complex { re: -modes[n].decay, im: modes[n].frequency };
            assert!((a - pair.a).norm() <= 1e-4, "{init:?}: no more than the least decay");
            assert_eq!(Complex { re: modes[n].b_re, im: modes[n].b_im }, pair.b);
            let own: Vec<Complex> = p.iter().map(|row| row[n]).collect();
            assert_eq!(own[..measure.rank()], pair.p);
            assert!(own[measure.rank()..].iter().all(|extra| *extra == real(0.0)), "{init:?}: {own:?}");
        }
    }
}

#[test]
fn names_in_configs_are_snake_case() {
    let names = ["legs", "fout", "lin", "inv", "quad", "real", "rand", "diag", "hippo"];
    for (init, name) in DIAGONAL.into_iter().zip(names) {
        assert_eq!(serde_json::to_value(init).unwrap(), name);
    }
    for (init, name) in LOW_RANK.into_iter().zip(["legs", "fout", "legt", "hippo"]) {
        assert_eq!(serde_json::to_value(init).unwrap(), name);
    }
}

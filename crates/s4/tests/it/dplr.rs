//! The dense f64 definition of a diagonal plus low-rank system, against itself.

use subquad_s4::S4Init;
use subquad_s4::hippo::Measure;
use subquad_s4::reference::{Complex, Dense, Dplr, Matrix, Mode, Recurrence, complete, discretize, real};
use subquad_testkit::{assert_rel_close, seeded};

use crate::oracle::{RULES, kernel};
use crate::truncation::{Truncated, dense_of};

pub(crate) const SEQS: [usize; 7] = [1, 2, 3, 16, 17, 100, 128];
pub(crate) const RANKS: [usize; 3] = [0, 1, 2];

/// The same number in two orders of summing: measured 2e-13.
pub(crate) const SAME: f64 = 1e-11;
/// Ten decimals are known, 5e-11, of numbers whose largest is 0.05 at least.
const PRINTED: f64 = 2e-9;

/// A number of size 1.
const TURN: Complex = Complex { re: 0.6, im: 0.8 };

/// Random stable systems.
pub(crate) fn random(pairs: usize, rank: usize) -> Dplr {
    let number = |seed: u64| {
        let parts = seeded(2 * pairs, seed);
        move |n: usize| Complex { re: parts[2 * n], im: parts[2 * n + 1] }
    };
    let (a, b, c) = (number(1), number(2), number(3));
    let eigenvalue = |n: usize| Complex { re: -0.5 * a(n).re.exp(), im: 5.0 * n as f64 + a(n).im };
    let modes = (0..pairs).map(|n| Mode { a: eigenvalue(n), b: b(n), c: c(n) }).collect();
    let row = |r: usize| (0..pairs).map(number(4 + r as u64)).collect();
    Dplr { modes, p: (0..rank).map(row).collect() }
}

/// A HiPPO system in the eigenvectors of its normal part.
fn hippo(measure: Measure, c: &[f64]) -> Dplr {
    let pairs = measure.pairs(c.len());
    let modes = pairs.iter().map(|pair| Mode { a: pair.a, b: pair.b, c: pair.read_out(c) }).collect();
    let row = |r: usize| pairs.iter().map(|pair| pair.p[r]).collect();
    Dplr { modes, p: (0..measure.rank()).map(row).collect() }
}

fn real_hippo(measure: Measure, c: &[f64]) -> Dense {
    let matrices = measure.matrix(c.len());
    dense_of(&matrices, c)
}

pub(crate) fn step(system: &Dplr, dt: f64) -> Recurrence {
    system.dense().discretize(dt, 1.0)
}

pub(crate) fn numbers(list: &[Complex]) -> Vec<f64> {
    list.iter().flat_map(|z| [z.re, z.im]).collect()
}

#[test]
fn real_hippo_has_the_kernels_computed_beforehand() {
    let c = [1.0, -0.5, 0.25, 0.125];
    let legs = [
        0.0779803619,
        0.0427014238,
        0.0282534935,
        0.0247985688,
        0.0265641454,
        0.0302834830,
        0.0342084668,
        0.0374906337,
    ];
    let legt = [
        0.0498273486,
        0.0410696945,
        0.0258682740,
        0.0127315923,
        0.0055520172,
        0.0052327618,
        0.0109125692,
        0.0208522447,
    ];
    let fout = [
        0.1195668169,
        0.0913905694,
        0.0697973568,
        0.0542298061,
        0.0439241156,
        0.0379798912,
        0.0354304669,
        0.0353085356,
    ];
    for (measure, wanted) in Measure::ALL.into_iter().zip([legs, legt, fout]) {
        let got = real_hippo(measure, &c).discretize(0.1, 1.0).kernel(8);
        assert_rel_close(got, &wanted[..], PRINTED, format!("{measure:?}"));
        assert_rel_close(
            step(&hippo(measure, &c), 0.1).kernel(8),
            &wanted[..],
            PRINTED,
            format!("{measure:?}"),
        );
    }
}

#[test]
fn real_hippo_and_its_diagonal_plus_low_rank_form_are_the_same_map() {
    for measure in Measure::ALL {
        for n in [2, 4, 16, 64] {
            for dt in [1e-3, 0.1] {
                let c = seeded(n, 1);
                let wanted = real_hippo(measure, &c).discretize(dt, 1.0).kernel(100);
                let got = step(&hippo(measure, &c), dt).kernel(100);
                assert_rel_close(got, wanted, SAME, format!("{measure:?}, N = {n}, dt = {dt}"));
            }
        }
    }
}

#[test]
fn without_a_low_rank_term_it_is_the_sum_of_the_modes() {
    for pairs in [1, 2, 32] {
        for dt in [1e-3, 0.1] {
            let system = random(pairs, 0);
            let wanted = kernel(&system.modes, dt, RULES[1], 100);
            assert_rel_close(
                step(&system, dt).kernel(100),
                wanted,
                SAME,
                format!("{pairs} pairs, dt = {dt}"),
            );
        }
    }
}

#[test]
fn conjugate_pairs_make_every_tap_real() {
    for rank in RANKS {
        for pairs in [1, 2, 32] {
            let taps = step(&random(pairs, rank), 0.1).taps(100);
            let largest = taps.iter().fold(0.0, |most: f64, tap| most.max(tap.re.abs()));
            assert!(taps.iter().all(|tap| tap.im.abs() < 1e-12 * largest), "{pairs} pairs, rank {rank}");
        }
    }
}

/// Why the conjugates are needed: `P P*` of one half alone is another system.
#[test]
fn one_half_alone_is_another_system() {
    let c = seeded(16, 1);
    let system = hippo(Measure::Legs, &c);
    let p = &system.p[0];
    let entry = |n: usize, k: usize| {
        let low_rank = p[n] * p[k].conj();
        if n == k { system.modes[n].a - low_rank } else { -low_rank }
    };
    let list = |part: fn(&Mode) -> Complex| system.modes.iter().map(part).collect();
    let half = Dense { a: Matrix::new(8, entry), b: list(|mode| mode.b), c: list(|mode| mode.c) };
    let doubled: Vec<f64> = half.discretize(0.1, 1.0).kernel(16).into_iter().map(|tap| 2.0 * tap).collect();
    let whole = step(&system, 0.1).kernel(16);
    assert!(subquad_testkit::rel_error(&doubled, &whole) > 0.1);
}

/// Members may be exchanged with their conjugates together, each pair may be turned, and pairs may change places. Turning
/// `C` the wrong way round, or not at all, does not keep the kernel.
#[test]
fn conjugation_turns_and_order_of_the_pairs_do_not_matter() {
    for rank in RANKS {
        let system = random(5, rank);
        let wanted = step(&system, 0.1).kernel(50);
        let each = |mode: fn(Mode) -> Mode, p: fn(Complex) -> Complex| Dplr {
            modes: system.modes.iter().copied().map(mode).collect(),
            p: system.p.iter().map(|row| row.iter().copied().map(p).collect()).collect(),
        };
        let conjugate = each(|Mode { a, b, c }| Mode { a: a.conj(), b: b.conj(), c: c.conj() }, |p| p.conj());
        let turned = each(|Mode { a, b, c }| Mode { a, b: TURN * b, c: c / TURN }, |p| TURN * p);
        let mut reversed = system.clone();
        reversed.modes.reverse();
        reversed.p.iter_mut().for_each(|row| row.reverse());
        for (what, same) in [("conjugate", conjugate), ("turned", turned), ("reversed", reversed)] {
            assert_rel_close(step(&same, 0.1).kernel(50), &wanted[..], SAME, format!("{what}, rank {rank}"));
        }
        let wrong = each(|Mode { a, b, c }| Mode { a, b, c: c.conj() }, |p| p);
        assert!(subquad_testkit::rel_error(&step(&wrong, 0.1).kernel(50), &wanted) > 0.1);
    }
}

#[test]
fn input_and_output_weights_may_be_scaled_against_each_other() {
    let system = random(5, 0);
    let mut scaled = system.clone();
    scaled.modes.iter_mut().enumerate().for_each(|(n, mode)| {
        let gain = Complex { re: 1.0 + n as f64, im: -2.0 };
        (mode.b, mode.c) = (mode.b * gain, mode.c / gain);
    });
    assert_rel_close(step(&scaled, 0.1).kernel(50), step(&system, 0.1).kernel(50), SAME, "one gain a pair");
}

/// The states that FouT leaves without decay would be lost in `C~` but for the least decay of the init.
#[test]
fn c_comes_back_from_c_tilde_and_stays_in_conjugate_pairs() {
    let recovers = |step: &Recurrence, length: usize, what: &str| {
        let c_tilde = step.c_tilde(length);
        let half = &c_tilde[..c_tilde.len() / 2];
        assert_rel_close(numbers(&complete(half)), numbers(&c_tilde), SAME, what);
        let back = step.recover(&complete(half), length);
        assert_rel_close(numbers(&back), numbers(&step.c), SAME, what);
    };
    for rank in RANKS {
        for length in SEQS {
            recovers(&step(&random(4, rank), 1e-2), length, &format!("rank {rank}, length {length}"));
        }
    }
    for (init, rank) in [(S4Init::Legs, 1), (S4Init::Fout, 1), (S4Init::Legt, 2)] {
        let system = init.systems(64, 1, rank, Some(2.0)).swap_remove(0);
        let c = seeded(64, 1);
        let mode = |(n, mode): (usize, &subquad_s4::init::Mode)| Mode {
            a: Complex { re: -mode.decay, im: mode.frequency },
            b: Complex { re: mode.b_re, im: mode.b_im },
            c: Complex { re: c[2 * n], im: c[2 * n + 1] },
        };
        let dplr = Dplr { modes: system.modes.iter().enumerate().map(mode).collect(), p: system.p };
        recovers(&step(&dplr, 0.01), 1024, &format!("{init:?}"));
    }
}

#[test]
fn convolution_recurrence_and_chunks_are_the_same_map() {
    for rank in RANKS {
        let step = step(&random(4, rank), 0.1);
        let (u, taps) = (seeded(40, 1), step.kernel(40));
        let convolved = |t: usize| (0..=t).map(|s| taps[t - s] * u[s]).sum::<f64>() + 0.5 * u[t];
        let wanted: Vec<f64> = (0..40).map(convolved).collect();
        for split in [0, 1, 20, 39, 40] {
            let mut state = step.start();
            let mut got = step.scan(0.5, &u[..split], &mut state);
            got.extend(step.scan(0.5, &u[split..], &mut state));
            assert_rel_close(got, &wanted[..], SAME, format!("rank {rank}, split {split}"));
            let sum = u.iter().rev().enumerate().map(|(j, u)| {
                step.a.power(j).times(&step.b).into_iter().map(|b| b * real(*u)).collect::<Vec<_>>()
            });
            let add = |x: Vec<Complex>, y: Vec<Complex>| x.into_iter().zip(y).map(|(x, y)| x + y).collect();
            let last = sum.fold(step.start(), add);
            assert_rel_close(
                numbers(&state),
                numbers(&last),
                SAME,
                format!("state, rank {rank}, split {split}"),
            );
        }
    }
}

/// A kernel that reads a state out is one with this input weight.
#[test]
fn a_state_enters_as_the_input_weight_x_over_dt_plus_half_a_x() {
    for rank in RANKS {
        let (dense, dt) = (random(4, rank).dense(), 0.1);
        let state = complete(&random(4, 0).modes.iter().map(|mode| mode.c).collect::<Vec<_>>());
        let turned = dense.a.times(&state);
        let b = state.iter().zip(turned).map(|(x, ax)| real(1.0 / dt) * *x + real(0.5) * ax).collect();
        let step = dense.discretize(dt, 1.0);
        let silent = step.scan(0.0, &[0.0; 20], &mut state.clone());
        let read_out = Dense { b, ..dense }.discretize(dt, 1.0).kernel(20);
        assert_rel_close(read_out, silent, SAME, format!("rank {rank}"));
    }
}

#[test]
fn the_rate_multiplies_the_step() {
    let dense = random(4, 2).dense();
    let [once, twice] = [(0.05, 2.0), (0.1, 1.0)].map(|(dt, rate)| dense.discretize(dt, rate).kernel(20));
    assert_rel_close(once, twice, SAME, "twice 0.05");
}

/// `|A_bar^(2^k)|` falls below any bound, so that all eigenvalues are inside the circle; and `Re(x* A x) <= max Re Lambda`
/// for every `x` of length 1, so that those of `A` are no further right than those of `Lambda`.
#[test]
fn a_low_rank_term_never_takes_stability_away() {
    for rank in RANKS {
        for pairs in [1, 4, 32] {
            let system = random(pairs, rank);
            let right = system.modes.iter().map(|mode| mode.a.re).fold(f64::NEG_INFINITY, f64::max);
            let a = system.dense().a;
            for seed in 0..20 {
                let parts = seeded(4 * pairs, seed);
                let x: Vec<Complex> = parts.chunks_exact(2).map(|z| Complex { re: z[0], im: z[1] }).collect();
                let turned = a.times(&x);
                let size: f64 = parts.iter().map(|x| x * x).sum();
                let form: Complex = x.iter().zip(turned).map(|(x, ax)| x.conj() * ax).sum();
                assert!(form.re <= right * size + 1e-12 * size, "{pairs} pairs, rank {rank}");
            }
            for dt in [1e-2, 0.1, 10.0] {
                let late = step(&system, dt).a.power(1 << 24);
                let largest = late.rows.iter().flatten().map(|z| z.norm()).fold(0.0, f64::max);
                assert!(largest < 1e-3, "{pairs} pairs, rank {rank}, dt = {dt}: {largest}");
            }
        }
    }
}

#[test]
fn small_steps_are_the_continuous_system() {
    for rank in RANKS {
        let system = random(4, rank);
        let wanted: f64 = system.modes.iter().map(|mode| 2.0 * (mode.c * mode.b).re).sum();
        let error = |dt: f64| (step(&system, dt).kernel(1)[0] / dt - wanted).abs();
        let [coarse, fine] = [1e-4, 1e-5].map(error);
        assert!(coarse < 0.1 && (fine / coarse - 0.1).abs() < 0.01, "rank {rank}: {coarse}, {fine}");
    }
}

#[test]
fn both_rules_agree_to_the_second_order_of_the_step() {
    let modes = random(4, 0).modes;
    let difference = |dt: f64| {
        let seq = (1.0 / dt) as usize;
        let [zoh, bilinear] = RULES.map(|rule| kernel(&modes, dt, rule, seq));
        zoh.iter().zip(bilinear).map(|(x, y)| (x - y).abs() / dt).fold(0.0, f64::max)
    };
    let ratio = difference(1e-2) / difference(5e-3);
    assert!((ratio - 4.0).abs() < 0.2, "half the step, a quarter of the difference: {ratio}");
}

#[test]
fn an_integrator_adds_dt_b_a_token_by_both_rules() {
    let b = Complex { re: 2.0, im: -3.0 };
    for rule in RULES {
        for size in [0.0, 1e-12, 1e-6] {
            let mode = Mode { a: Complex { re: -size, im: size }, b, c: real(1.0) };
            let (a_bar, b_bar) = discretize(mode, 1e-2, rule);
            assert!(
                (a_bar - real(1.0)).norm() <= 2e-2 * size && (b_bar - b * real(1e-2)).norm() <= 1e-3 * size
            );
        }
    }
}

//! A program that is killed continues when it is run again, and ends as if nothing had happened.
#![cfg(unix)]

use std::time::Instant;

use crate::lab::{Lab, wait_for};
use crate::process::{assert_same_end, kill, manifest, start};

/// All three mixers; a checkpoint after every step, so that many kills happen during one.
const ALL: &str = "run tiny --set train.steps=12 --set train.log_every=1 --set train.eval_every=5 \
                   --set train.checkpoint_every=1 --set model.dropout=0.1 --set mixer.attention.dropout=0.1 \
                   --set sweep.seed=[0]";
const ONE: &str = "run tiny --set train.steps=12 --set train.checkpoint_every=5 --set sweep.seed=[0] \
                   --set sweep.mixer=[\"s4d\"]";
const KILLS: usize = 8;
/// The first three of the draws below add up to half of the time that a run takes without kills: only if the machine
/// suddenly became twice as fast could one of these kills come after the end.
const LANDED: usize = 3;
const ENDED: &str = "a run of 100000 steps ended before it was killed";

/// Numbers in [0, 1) that are the same every time the test runs: a linear congruence with Knuth's MMIX constants.
fn draws() -> impl FnMut() -> f64 {
    let mut state = 1_u64;
    move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[test]
fn kills_at_any_moment_change_neither_rows_nor_weights() {
    let lab = Lab::new();
    let clock = Instant::now();
    lab.subquad(&format!("{ALL} --results whole")).expect(0);
    let (whole, mut draw) = (clock.elapsed(), draws());
    let mut landed = 0;
    for _ in 0..KILLS {
        let child = start(&lab, &format!("{ALL} --results killed"));
        std::thread::sleep(whole.mul_f64(draw() / 3.0));
        landed += usize::from(kill(child));
    }
    assert!(landed >= LANDED, "{landed} of {KILLS} kills found the program running");
    lab.subquad(&format!("{ALL} --results killed")).expect(0);
    assert_same_end(&lab, "killed", "whole");
}

/// Kills the program as soon as `due` says so. Returns whether it was still running.
fn kill_when(lab: &Lab, arguments: &str, what: &str, due: impl Fn() -> bool) -> bool {
    let mut child = start(lab, arguments);
    wait_for(what, || (due() || child.try_wait().unwrap().is_some()).then_some(()));
    kill(child)
}

/// Whether there is such a file or folder in the one run of study `tiny`.
fn exists(lab: &Lab, end_of_path: &str) -> bool {
    let run = fs_err::read_dir(lab.path("killed/tiny/runs")).ok().and_then(|mut runs| runs.next());
    run.is_some_and(|run| run.unwrap().path().join(end_of_path).exists())
}

/// Kills a new run once `moment` exists. The program may end before this test sees that; it is then run again.
fn kill_at(lab: &Lab, arguments: &str, moment: &str) {
    const TRIES: usize = 20;
    let landed = (0..TRIES).any(|_| {
        if lab.path("killed").exists() {
            fs_err::remove_dir_all(lab.path("killed")).unwrap();
        }
        kill_when(lab, arguments, moment, || exists(lab, moment))
    });
    assert!(landed, "{TRIES} kills at {moment} came after the end of the program");
}

#[test]
fn kills_within_a_checkpoint_and_at_the_very_end_change_nothing() {
    let lab = Lab::new();
    lab.subquad(&format!("{ONE} --results whole")).expect(0);
    let again = format!("{ONE} --results killed");
    let moments = [
        "manifest.json",
        "checkpoint/.step-5.tmp",
        "checkpoint/.step-5.tmp/index.json",
        "checkpoint/step-5",
        "checkpoint/.step-10.tmp/model.bpk",
        "checkpoint/step-10",
        "model.safetensors",
        "summary.json",
        "proof.json",
    ];
    for moment in moments {
        kill_at(&lab, &again, moment);
        lab.subquad(&again).expect(0);
        assert_same_end(&lab, "killed", "whole");
    }
}

#[test]
fn going_on_is_noted_in_the_manifest_alone() {
    let lab = Lab::new();
    let endless = format!("{} --results killed", ONE.replace("steps=12", "steps=100000"));
    assert!(kill_when(&lab, &endless, "a checkpoint", || exists(&lab, "checkpoint/step-10")), "{ENDED}");
    let run = lab.runs("killed").remove(0);
    let before = manifest(&run);
    assert_eq!(before.resumed, []);
    let child = start(&lab, &endless);
    let now = wait_for("the note", || Some(manifest(&run)).filter(|now| !now.resumed.is_empty()));
    assert!(kill(child), "{ENDED}");
    assert!(now.resumed[0].step >= 5 && now.resumed[0].step % 5 == 0, "{now:?}");
    assert_eq!(now.started, before.started);
}

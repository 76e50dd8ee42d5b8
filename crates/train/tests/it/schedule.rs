//! The learning rate of every step.

use burn::lr_scheduler::LrScheduler;
use subquad_train::{Decay, LoopConfig, OptimConfig, Schedule, TrainConfig};

#[test]
fn the_rate_rises_to_the_peak_and_falls_to_zero() {
    let mut schedule = Schedule::new(4e-3, 0.1, 100);
    let rates: Vec<f64> = (0..=100).map(|_| schedule.step()).collect();
    assert!((rates[0] - 4e-4).abs() < 1e-12, "the first step already learns");
    assert!(rates[..10].is_sorted() && rates[10..].iter().rev().is_sorted());
    assert!((rates[9] - 4e-3).abs() < 1e-12 && (rates[55] - 2e-3).abs() < 1e-12 && rates[100].abs() < 1e-12);
}

#[test]
fn no_warm_up_and_nothing_but_warm_up_are_both_possible() {
    assert_eq!(Schedule::new(1.0, 0.0, 4).rate(0), 1.0);
    assert_eq!(Schedule::new(1.0, 1.0, 4).rate(3), 1.0);
    assert_eq!(Schedule::new(1.0, 1.0, 0).rate(0), 1.0);
}

#[test]
fn a_schedule_goes_on_where_its_record_was_made() {
    let mut first = Schedule::new(1.0, 0.5, 10);
    for _ in 0..3 {
        first.step();
    }
    let mut second = Schedule::new(1.0, 0.5, 10);
    second.load_record(first.to_record());
    assert_eq!(first, second);
    assert_eq!(first, Schedule::new(1.0, 0.5, 10).after(3));
}

#[test]
fn it_may_end_at_a_share_of_the_peak() {
    let schedule = Schedule::new(2.0, 0.1, 100).with_final(0.1);
    assert_eq!((schedule.rate(10), schedule.rate(100), schedule.rate(1000)), (2.0, 0.2, 0.2));
    assert!((schedule.rate(55) - 1.1).abs() < 1e-12, "half way between both");
}

/// The rates of ten steps after one of warm-up.
fn rates(decay: Decay, cooldown: f64, end: f64) -> Vec<f64> {
    let schedule = Schedule::new(1.0, 0.1, 10).with_decay(decay, cooldown).with_final(end);
    (0..=11).map(|t| (1e9 * schedule.rate(t)).round() / 1e9).collect()
}

#[test]
fn every_fall_is_what_its_name_says() {
    let ninths = |n: i32| f64::round(1e9 * f64::from(n) / 9.0) / 1e9;
    let line: Vec<f64> = [9, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0].map(ninths).into();
    assert_eq!(rates(Decay::Linear, 0.2, 0.0), line);
    assert_eq!(rates(Decay::Constant, 0.2, 0.0), [1.0; 12]);
    let stable = [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.75, 0.5, 0.25, 0.0, 0.0];
    assert_eq!(rates(Decay::Wsd, 0.4, 0.0), stable);
    assert_eq!(rates(Decay::Wsd, 0.4, 0.2)[6..11], [1.0, 0.8, 0.6, 0.4, 0.2]);
    assert_eq!(rates(Decay::Wsd, 0.9, 0.0), rates(Decay::Linear, 0.2, 0.0), "no step is stable");
    assert_eq!(rates(Decay::Wsd, 1.0, 0.0), rates(Decay::Wsd, 0.9, 0.0), "the warm-up stays");
}

#[test]
fn what_a_schedule_does_not_use_is_refused() {
    let refused = |optim: OptimConfig| {
        let config = TrainConfig { optim, training_loop: LoopConfig::new(10), dropout: 0.0, seed: 0 };
        config.check().map_err(|refusal| refusal.to_string())
    };
    let of = |schedule| OptimConfig::new().with_schedule(schedule);
    for decay in [Decay::Cosine, Decay::Linear, Decay::Constant, Decay::Wsd] {
        assert_eq!(refused(of(decay)), Ok(()));
    }
    assert_eq!(
        refused(of(Decay::Linear).with_cooldown(0.3)),
        Err("cooldown = 0.3 does nothing without schedule = \"wsd\"; leave it at 0.2".into())
    );
    assert_eq!(
        refused(of(Decay::Constant).with_final_lr(0.1)),
        Err("final_lr = 0.1 does nothing with schedule = \"constant\"; leave it at 0.0".into())
    );
    assert_eq!(
        refused(of(Decay::Wsd).with_cooldown(0.95)),
        Err("warmup = 0.1 and cooldown = 0.95 are more than all steps together; lower one of them".into())
    );
    assert_eq!(refused(of(Decay::Wsd).with_cooldown(0.9)), Ok(()));
}

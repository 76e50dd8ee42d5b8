//! The learning rate of every step.

use burn::lr_scheduler::LrScheduler;
use subquad_train::WarmupCosine;

#[test]
fn the_rate_rises_to_the_peak_and_falls_to_zero() {
    let mut schedule = WarmupCosine::new(4e-3, 0.1, 100);
    let rates: Vec<f64> = (0..=100).map(|_| schedule.step()).collect();
    assert!((rates[0] - 4e-4).abs() < 1e-12, "the first step already learns");
    assert!(rates[..10].is_sorted() && rates[10..].iter().rev().is_sorted());
    assert!((rates[9] - 4e-3).abs() < 1e-12 && (rates[55] - 2e-3).abs() < 1e-12 && rates[100].abs() < 1e-12);
}

#[test]
fn no_warm_up_and_nothing_but_warm_up_are_both_possible() {
    assert_eq!(WarmupCosine::new(1.0, 0.0, 4).rate(0), 1.0);
    assert_eq!(WarmupCosine::new(1.0, 1.0, 4).rate(3), 1.0);
    assert_eq!(WarmupCosine::new(1.0, 1.0, 0).rate(0), 1.0);
}

#[test]
fn a_schedule_goes_on_where_its_record_was_made() {
    let mut first = WarmupCosine::new(1.0, 0.5, 10);
    for _ in 0..3 {
        first.step();
    }
    let mut second = WarmupCosine::new(1.0, 0.5, 10);
    second.load_record(first.to_record());
    assert_eq!(first, second);
    assert_eq!(first, WarmupCosine::new(1.0, 0.5, 10).after(3));
}

#[test]
fn it_may_end_at_a_share_of_the_peak() {
    let schedule = WarmupCosine::new(2.0, 0.1, 100).with_final(0.1);
    assert_eq!((schedule.rate(10), schedule.rate(100), schedule.rate(1000)), (2.0, 0.2, 0.2));
    assert!((schedule.rate(55) - 1.1).abs() < 1e-12, "half way between both");
}

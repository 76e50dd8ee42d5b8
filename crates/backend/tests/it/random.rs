//! Numbers that follow from a seed.

use subquad_backend::dropout::mask;
use subquad_backend::seeded;
use subquad_testkit::cpu;

#[test]
fn numbers_depend_only_on_the_seed_and_fit_f32() {
    assert_eq!(seeded(100, 1), seeded(100, 1));
    assert_ne!(seeded(100, 1), seeded(100, 2));
    assert!(seeded(1000, 3).iter().all(|v| (-1.0..1.0).contains(v) && f64::from(*v as f32) == *v));
}

#[test]
fn masks_drop_their_share_and_keep_the_mean_and_follow_the_seed() {
    let values = |seed| mask([100, 100], 0.3, seed, &cpu()).into_data();
    let ours = values(1);
    let dropped = ours.iter::<f32>().filter(|v| *v == 0.0).count();
    let mean = ours.iter::<f32>().sum::<f32>() / 1e4;
    assert!(dropped.abs_diff(3000) < 200 && (mean - 1.0).abs() < 0.03, "{dropped} dropped, mean {mean}");
    assert_eq!(values(1), values(1));
    assert_ne!(values(1), values(2));
}

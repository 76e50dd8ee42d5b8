//! Metrics: their declarations, and what follows from them.

use subquad_data::{Metric, Score, Tally, brief};

#[test]
fn no_two_metrics_share_a_name_or_a_column() {
    for of in [|metric: &Metric| metric.name(), |metric: &Metric| metric.info().column] {
        let mut names: Vec<_> = Metric::ALL.iter().map(of).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Metric::ALL.len(), "{names:?}");
    }
}

/// Records are read by these names.
#[test]
fn a_metric_keeps_its_name_and_its_sentence() {
    for (metric, name, sentence) in [
        (Metric::Accuracy, "accuracy", "accuracy 0.500"),
        (Metric::BitsPerByte, "bits_per_byte", "0.500 bits per byte"),
        (Metric::NormalisedError, "normalised_error", "error 0.500 of the variance"),
    ] {
        assert_eq!((metric.name(), &*Score { metric, value: 0.5 }.to_string()), (name, sentence));
    }
}

#[test]
fn bits_follow_from_the_loss_and_accuracy_does_not() {
    let bit = Score { metric: Metric::BitsPerByte, value: 1.0 };
    assert_eq!(Metric::BitsPerByte.of_loss(std::f64::consts::LN_2), Some(bit));
    assert_eq!(Metric::Accuracy.of_loss(0.0), None);
}

#[test]
fn who_answers_with_the_mean_of_the_targets_scores_one_and_who_knows_them_zero() {
    let targets: [f64; 4] = [1.0, 2.0, 4.0, 9.0];
    let error = |answers: [f64; 4]| {
        let tally = Tally {
            loss_sum: answers.iter().zip(targets).map(|(a, t)| (a - t).powi(2)).sum(),
            labels: 4,
            target_sum: targets.iter().sum(),
            target_squares: targets.iter().map(|t| t * t).sum(),
            ..Tally::default()
        };
        Metric::NormalisedError.of(&tally).value
    };
    assert_eq!(error([4.0; 4]), 1.0);
    assert_eq!(error(targets), 0.0);
}

#[test]
fn small_and_very_large_numbers_are_written_in_powers_of_ten() {
    let texts = [0.0, 0.009, 0.01, 1.5, 2e6, f64::INFINITY].map(brief);
    assert_eq!(texts, ["0.000", "9.0e-3", "0.010", "1.500", "2.0e6", "inf"]);
}

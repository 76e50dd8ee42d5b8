//! Rows as lines of text, and the sink that keeps them in memory.

use std::collections::BTreeMap;

use subquad_data::{Metric, Score};
use subquad_record::{Checkpoint, Memory, Row, Sink};

fn accuracy(value: f64) -> Score {
    Score { metric: Metric::Accuracy, value }
}

fn row() -> Row {
    Row {
        step: 3,
        split: "train".into(),
        condition: String::new(),
        loss: 0.1 + 0.2,
        score: Some(accuracy(1.0 / 3.0)),
        learning_rate: None,
        step_seconds: Some(0.25),
        tokens_per_second: None,
        elapsed_seconds: 1.5,
    }
}

fn round_trip(row: &Row) -> Row {
    serde_json::from_str(&serde_json::to_string(row).unwrap()).unwrap()
}

#[test]
fn a_row_is_one_flat_line_without_what_is_undefined() {
    assert_eq!(
        serde_json::to_string(&row()).unwrap(),
        r#"{"step":3,"split":"train","loss":0.30000000000000004,"accuracy":0.3333333333333333,"step_seconds":0.25,"elapsed_seconds":1.5}"#
    );
}

#[test]
fn a_score_of_any_metric_reads_back_and_none_is_none() {
    let scores = Metric::ALL.iter().map(|&metric| Some(Score { metric, value: 0.1 + 0.2 }));
    for score in scores.chain([None]) {
        let row = Row { score, ..row() };
        assert_eq!(round_trip(&row), row);
    }
}

#[test]
fn keys_from_elsewhere_are_passed_over_and_a_score_that_is_no_number_is_an_error() {
    let with = |entry: &str| {
        let text = r#"{"step":1,"split":"test","loss":2,ENTRY,"elapsed_seconds":0}"#;
        serde_json::from_str::<Row>(&text.replace("ENTRY", entry)).map(|row| row.score)
    };
    assert_eq!(with(r#""accuracy":null,"note":"high""#).unwrap(), None);
    assert_eq!(with(r#""accuracy":1"#).unwrap(), Some(accuracy(1.0)));
    let error = with(r#""accuracy":"high""#).unwrap_err().to_string();
    assert!(error.contains("expected f64"), "{error}");
}

#[test]
fn a_condition_is_written_where_there_is_one() {
    let other = Row { condition: "128x8".into(), ..row() };
    assert!(serde_json::to_string(&other).unwrap().contains(r#""split":"train","condition":"128x8","loss""#));
    assert_eq!(round_trip(&other), other);
    assert_eq!(round_trip(&row()).condition, "");
}

#[test]
fn finite_numbers_read_back_as_the_same_bits() {
    let mut bits = 0x3fe1_2345_6789_abcd_u64;
    for _ in 0..1000 {
        bits = bits.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
        let number = f64::from_bits(bits);
        if number.is_finite() {
            let row = Row { loss: number, score: Some(accuracy(number)), ..row() };
            assert_eq!(round_trip(&row), row, "{number:e}");
        }
    }
}

#[test]
fn a_loss_that_is_not_finite_becomes_null_and_nan() {
    for loss in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let row = Row { loss, ..row() };
        assert!(serde_json::to_string(&row).unwrap().contains(r#""loss":null"#));
        assert!(round_trip(&row).loss.is_nan());
        assert!(round_trip(&row).same_numbers(&row));
    }
}

#[test]
fn timings_may_differ_between_reproductions_and_nothing_else() {
    let later = Row { step_seconds: None, tokens_per_second: Some(9.0), elapsed_seconds: 7.0, ..row() };
    assert!(row().same_numbers(&later));
    let others = [
        Row { step: 4, ..row() },
        Row { split: "test".into(), ..row() },
        Row { condition: "128x8".into(), ..row() },
        Row { loss: 0.3, ..row() },
        Row { loss: f64::NAN, ..row() },
        Row { score: None, ..row() },
        Row { score: Some(accuracy(0.5)), ..row() },
        Row { score: Some(Score { metric: Metric::BitsPerByte, value: 1.0 / 3.0 }), ..row() },
        Row { learning_rate: Some(0.1), ..row() },
    ];
    for other in others {
        assert!(!row().same_numbers(&other), "{other:?}");
    }
}

#[test]
fn memory_keeps_everything_and_asks_to_stop_when_told_to() {
    let row = row();
    let mut memory = Memory { stop_after_rows: Some(2), ..Memory::default() };
    memory.row(&row).unwrap();
    assert!(!memory.should_stop());
    memory.row(&row).unwrap();
    let files = BTreeMap::from([("weights".to_string(), b"abc".to_vec())]);
    memory.checkpoint(1, &|| Ok(files.clone())).unwrap();
    assert!(memory.should_stop());
    assert_eq!(memory.rows, [row.clone(), row]);
    assert_eq!(memory.checkpoints, [Checkpoint { step: 1, files }]);
}

use std::ops::Bound;

use subquad_options::{Kind, Value, range};

fn integer() -> Kind {
    Kind::Integer { min: 0, max: i64::MAX }
}

fn real() -> Kind {
    Kind::Real { min: Bound::Unbounded, max: Bound::Unbounded }
}

#[test]
fn kinds_say_what_they_allow() {
    let softcap = real().within(1e-30..=1e30).or(Value::Real(0.0));
    let texts = [
        integer().within(1..=1024),
        integer().within(1..).or(Value::Integer(0)),
        integer().within(1..=1024).or(Value::from("n_heads")),
        real().within(range::SHARE),
        real().within(range::POSITIVE).or(Value::Real(0.0)),
        softcap,
        Kind::Share { min: 1, max: 9 },
        Kind::List { item: Box::new(integer()), most: usize::MAX },
        Kind::List { item: Box::new(integer()), most: usize::MAX }.within(1..).at_most(9),
    ]
    .map(|kind| kind.to_string());
    assert_eq!(
        texts,
        [
            "an integer from 1 to 1024",
            "an integer >= 0",
            "an integer from 1 to 1024 or \"n_heads\"",
            "a finite number > 0 and <= 1",
            "a finite number >= 0",
            "0 or a finite number >= 1e-30 and <= 1e30",
            "an integer from 1 to 9 or a share such as \"seq_len/16\"",
            "a list, each value an integer >= 0",
            "a list of at most 9 different values, each an integer >= 1",
        ]
    );
}

#[test]
fn what_is_accepted_has_one_spelling() {
    assert_eq!(real().accept(&Value::Integer(3)), Some(Value::Real(3.0)));
    assert_eq!(real().accept(&Value::Real(-0.0)).unwrap().to_string(), "0.0");
    assert_eq!(real().accept(&Value::Real(f64::NAN)), None);
    let share = Kind::Share { min: 1, max: 9 };
    assert_eq!(share.accept(&Value::from("seq_len / 4")), Some(Value::from("seq_len/4")));
    let softcap = real().within(1e-30..=1e30).or(Value::Real(0.0));
    assert_eq!(softcap.accept(&Value::Integer(0)), Some(Value::Real(0.0)));
    assert_eq!(softcap.accept(&Value::Real(1e31)), None);
}

#[test]
fn a_list_holds_different_values_of_its_kind() {
    let list = Kind::List { item: Box::new(integer()), most: 2 };
    let of = |values: &[i64]| list.accept(&Value::List(values.iter().map(|v| Value::Integer(*v)).collect()));
    assert!(of(&[]).is_some() && of(&[1, 2]).is_some());
    assert!(of(&[1, 1]).is_none() && of(&[-1]).is_none() && of(&[1, 2, 3]).is_none());
}

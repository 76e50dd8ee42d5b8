use subquad_options::{Field, Options, Value};

#[derive(Options, Debug, PartialEq)]
struct Split {
    /// Share held out.
    #[config(default = 0.1)]
    #[option(range = 0.0..=0.5, before = 0.0)]
    validation: f64,
    /// Share for tests.
    #[config(default = 0.2)]
    #[option(range = 0.0..=0.5)]
    test: f64,
    /// Most steps, if there is a bound.
    #[option(range = 1.., none = 0, before = Some(50))]
    most: Option<usize>,
}

#[test]
fn what_runs_had_before_an_option_is_beside_its_default_and_changes_nothing_else() {
    let [validation, test, most] = &Split::fields()[..] else { panic!("three options") };
    let of = |field: &Field| (field.default.clone(), field.before.clone());
    assert_eq!(of(validation), (Some(Value::Real(0.1)), Some(Value::Real(0.0))));
    assert_eq!(of(test), (Some(Value::Real(0.2)), None));
    assert_eq!(of(most), (Some(Value::Integer(0)), Some(Value::Integer(50))));
    assert_eq!(Split::default(), Split { validation: 0.1, test: 0.2, most: None });
    assert_eq!(validation.kind.to_string(), "a finite number >= 0 and <= 0.5");
}

use subquad_options::Value;

use crate::{SCHEMA, run};

const VALIDATION: &str = "task.validation";

#[test]
fn a_key_knows_what_runs_had_before_it() {
    let key = SCHEMA.find(VALIDATION).unwrap();
    assert_eq!((&key.default, &key.before), (&Some(Value::Real(0.1)), &Some(Value::Real(0.0))));
    assert_eq!(SCHEMA.find("task.steps").unwrap().before, None);
}

#[test]
fn names_leave_out_what_runs_had_before_a_key_and_not_its_default() {
    let named = |task: &str| run(task).hash_pairs.get(VALIDATION).cloned();
    assert_eq!(named("validation = 0.0"), None);
    assert_eq!(named(""), Some("0.1".into()));
    assert_eq!(named("validation = 0.1"), Some("0.1".into()));
    assert_eq!(named("validation = 0.2"), Some("0.2".into()));
    assert!(
        !run("steps = 10").hash_pairs.contains_key("task.steps"),
        "a key without it leaves out its default"
    );
}

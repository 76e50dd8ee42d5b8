use std::cell::RefCell;

use subquad_options::Value;

use crate::{checked, read, run};

const PAIRS: &str = "task.n_pairs";

#[test]
fn a_share_is_another_number_at_another_size() {
    let of = |task: &str| {
        let run = run(task);
        assert_eq!(run.value_at(PAIRS, 64).as_ref(), run.value(PAIRS), "at its own size: {task}");
        [16, 64, 160].map(|size| run.value_at(PAIRS, size).unwrap())
    };
    assert_eq!(of(""), [1, 4, 10].map(Value::Integer));
    assert_eq!(of("n_pairs = \"seq_len / 8\""), [2, 8, 20].map(Value::Integer));
    assert_eq!(of("n_pairs = 4"), [4, 4, 4].map(Value::Integer));
}

#[test]
fn what_is_no_share_is_the_same_at_every_size_and_what_is_no_key_has_no_value() {
    let run = run("steps = 7");
    assert_eq!(run.value_at("task.steps", 16), Some(Value::Integer(7)));
    assert_eq!(run.value_at("task.validation", 16), Some(Value::Real(0.1)));
    assert_eq!(run.value_at("task.pairs", 16), None);
}

#[test]
fn a_combination_knows_its_shares_as_its_runs_do() {
    let seen = RefCell::new(vec![]);
    let sweep = "\"task.n_pairs\" = [\"seq_len/4\", 5]";
    let runs = checked("", sweep, &|combination| {
        seen.borrow_mut().push([16, 64].map(|size| combination.value_at(PAIRS, size)));
        vec![]
    });
    let numbers = |numbers: [i64; 2]| numbers.map(|number| Some(Value::Integer(number)));
    assert_eq!(*seen.borrow(), [numbers([4, 16]), numbers([5, 5])]);
    let of_runs: Vec<_> = runs.iter().map(|run| [16, 64].map(|size| run.value_at(PAIRS, size))).collect();
    assert_eq!(*seen.borrow(), of_runs);
}

#[test]
fn a_written_run_keeps_the_share_and_loads_as_the_same_run() {
    for (task, written) in
        [("", "\"seq_len/16\""), ("n_pairs = \"seq_len / 8\"", "\"seq_len/8\""), ("n_pairs = 4", "4")]
    {
        let run = run(task);
        let text = run.to_toml();
        assert!(text.contains(&format!("\nn_pairs = {written}\n")), "{text}");
        let [again] = &read(&text, &|_| vec![])[..] else { panic!("not one run:\n{text}") };
        assert_eq!(again, &run, "{text}");
        assert_eq!(again.to_toml(), text);
        assert_eq!(again.value_at(PAIRS, 160), run.value_at(PAIRS, 160), "{text}");
    }
}

#[test]
fn a_combination_knows_the_axes_of_its_config_and_whether_it_is_alone() {
    let seen = |sweep: &str| {
        let seen = RefCell::new(None);
        checked("", sweep, &|combination| {
            let axes: Vec<_> = combination.axes().collect();
            let is_axis = [combination.is_axis("task.steps"), combination.is_axis("sweep.seq_len")];
            seen.replace(Some((axes, is_axis, combination.is_alone())));
            vec![]
        });
        seen.into_inner().unwrap()
    };
    assert_eq!(seen(""), (vec![], [false, false], true));
    assert_eq!(seen("\"task.steps\" = [1, 2]"), (vec!["task.steps"], [true, false], false));
    assert_eq!(seen("\"task.steps\" = [1]"), (vec!["task.steps"], [true, false], true));
    assert_eq!(seen("seed = [0, 1]"), (vec![], [false, false], false));
}

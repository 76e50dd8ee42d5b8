use subquad_data::{check, open, tasks};

#[test]
fn every_listed_task_opens_under_its_name() {
    for info in tasks() {
        assert_eq!(open(info.name, 64, 0).unwrap().name(), info.name);
        assert!(!info.summary.is_empty() && !info.lengths.is_empty());
    }
}

#[test]
fn digits_takes_squares_from_64_and_names_the_nearest_otherwise() {
    for seq_len in [64, 81, 100, 784, 1024, 16384] {
        assert!(check("digits", seq_len).is_ok(), "seq_len = {seq_len}");
    }
    for (seq_len, nearest) in
        [(0, "64"), (1, "64"), (49, "64"), (63, "64"), (65, "64 or 81"), (1000, "961 or 1024")]
    {
        let error = check("digits", seq_len).unwrap_err();
        assert_eq!(Some(&error), open("digits", seq_len, 0).err().as_ref());
        let text = error.to_string();
        assert!(text.starts_with(&format!("digits cannot have seq_len = {seq_len}: ")), "{text}");
        assert!(text.ends_with(&format!("nearest allowed: {nearest}")), "{text}");
    }
}

#[test]
fn an_unknown_task_is_refused_with_the_known_ones() {
    assert_eq!(check("digit", 64).unwrap_err().to_string(), "there is no task `digit`; known: digits");
}

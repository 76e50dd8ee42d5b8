use std::collections::BTreeSet;
use std::path::PathBuf;

use subquad_data::{Batch, BytesConfig, Inputs, Stream, Targets, Task, TaskError, TaskOptions};

/// 1,000 bytes in no order.
fn text() -> Vec<u8> {
    let mut draws = Stream::new(0, "test").at(0, 0);
    (0..1000).map(|_| draws.next_u32() as u8).collect()
}

fn task(seq_len: usize, test_examples: usize) -> Box<dyn Task> {
    validated(0.0, seq_len, test_examples)
}

/// With a share of the training text for validation.
fn validated(validation: f64, seq_len: usize, test_examples: usize) -> Box<dyn Task> {
    BytesConfig { test_examples, validation, ..BytesConfig::default() }.of_text(text(), seq_len, 0).unwrap()
}

fn rows(batch: &Batch) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let (Inputs::Tokens(inputs), Targets::Tokens(targets)) = (&batch.inputs, &batch.targets) else {
        panic!("bytes are tokens")
    };
    let bytes = |row: &[u32]| row.iter().map(|&token| u8::try_from(token).unwrap()).collect();
    let targets: Vec<u32> = targets.iter().map(|target| target.unwrap()).collect();
    (inputs.chunks(batch.seq_len).map(bytes).collect(), targets.chunks(batch.seq_len).map(bytes).collect())
}

#[test]
fn test_windows_predict_every_byte_of_the_last_tenth_but_the_first_once() {
    for seq_len in [1, 3, 9, 11, 33, 99] {
        let task = task(seq_len, 0);
        let windows = 99 / seq_len;
        assert_eq!(task.conditions()[0].examples, windows);
        let (inputs, targets) = rows(&task.test_batch(0, 0..windows));
        assert_eq!(inputs.concat(), text()[900..900 + windows * seq_len]);
        assert_eq!(targets.concat(), text()[901..901 + windows * seq_len]);
    }
}

#[test]
fn training_windows_lie_in_the_first_nine_tenths_and_reach_both_ends() {
    let (text, task) = (text(), task(99, 0));
    let (inputs, targets) = rows(&task.train_batch(0, 10_000));
    let starts = inputs.iter().zip(&targets).map(|(input, target)| {
        let start = text.windows(99).position(|window| window == input).unwrap();
        assert_eq!(text[start + 1..start + 100], target[..]);
        start
    });
    let starts: BTreeSet<usize> = starts.collect();
    // With 801 starts and 10,000 draws, an end is missed once in 100,000 times.
    assert_eq!((starts.first(), starts.last()), (Some(&0), Some(&800)));
}

#[test]
fn validation_windows_are_between_the_training_text_and_the_test_text() {
    for (validation, seq_len) in [(0.1, 3), (0.1, 89), (0.25, 33), (0.5, 99)] {
        let task = validated(validation, seq_len, 0);
        let held = (900.0 * validation) as usize;
        let windows = (held - 1) / seq_len;
        assert_eq!(task.validation_len(), windows);
        let (inputs, targets) = rows(&task.validation_batch(0..windows));
        let first = 900 - held;
        assert_eq!(inputs.concat(), text()[first..first + windows * seq_len]);
        assert_eq!(targets.concat(), text()[first + 1..first + 1 + windows * seq_len]);
        let (_, targets) = rows(&task.train_batch(0, 5000));
        let last =
            |target: &Vec<u8>| text().windows(seq_len).position(|window| window == target).unwrap() + seq_len;
        assert_eq!(targets.iter().map(last).max(), Some(first), "training reads up to there, and no further");
        assert_eq!(task.test_batch(0, 0..1), validated(0.0, seq_len, 0).test_batch(0, 0..1));
    }
}

/// Runs from before there was a validation split keep their numbers.
#[test]
fn without_a_validation_split_training_windows_start_anywhere_in_the_nine_tenths() {
    let (text, stream) = (text(), Stream::new(0, "bytes/train"));
    let (inputs, _) = rows(&task(99, 0).train_batch(3, 50));
    for (example, input) in (150..).zip(inputs) {
        let start = stream.at(example, 0).below(801);
        assert_eq!(input, text[start..start + 99]);
    }
}

#[test]
fn a_share_that_leaves_no_window_is_refused_with_its_name() {
    let refused = |validation: f64, seq_len| {
        let config = BytesConfig { validation, ..BytesConfig::default() };
        config.of_text(text(), seq_len, 0).err().unwrap().to_string()
    };
    assert_eq!(
        refused(0.1, 90),
        "bytes: validation = 0.1 of 900 bytes for training leaves too little for seq_len = 90, for validation or for training"
    );
    assert!(refused(0.05, 60).contains("validation = 0.05"));
}

#[test]
fn the_number_of_test_windows_can_be_bounded() {
    assert_eq!(task(9, 4).conditions()[0].examples, 4);
    assert_eq!(task(9, 400).conditions()[0].examples, 11);
    assert_eq!(task(9, 4).test_batch(0, 0..4), task(9, 0).test_batch(0, 0..4));
}

#[test]
fn a_file_is_its_text_gzipped_or_not() {
    let folder = tempfile::tempdir().unwrap();
    let text = "In the beginning was a text. ".repeat(20).into_bytes();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gzip, &text).unwrap();
    let files = [("plain.txt", text.clone()), ("text.gz", gzip.finish().unwrap())];
    for (name, contents) in files {
        let path = folder.path().join(name);
        std::fs::write(&path, contents).unwrap();
        let config = BytesConfig { path, ..BytesConfig::default() };
        let (file, memory) = (config.open(8, 3).unwrap(), config.of_text(text.clone(), 8, 3).unwrap());
        assert_eq!(file.train_batch(5, 4), memory.train_batch(5, 4), "{name}");
        assert_eq!(file.digest(), memory.digest(), "{name}");
    }
}

#[test]
fn another_text_has_another_digest() {
    let mut other = text();
    other[500] ^= 1;
    assert_ne!(task(9, 0).digest(), BytesConfig::default().of_text(other, 9, 0).unwrap().digest());
}

#[test]
fn the_text_that_comes_along_is_readable_english() {
    let task = BytesConfig::default().open(200, 0).unwrap();
    let (inputs, _) = rows(&task.train_batch(0, 50));
    let letters = inputs.concat().iter().filter(|byte| byte.is_ascii_alphabetic() || **byte == b' ').count();
    assert!(letters > 50 * 200 * 3 / 4, "{letters}");
}

fn refused(path: PathBuf, seq_len: usize) -> TaskError {
    BytesConfig { path, ..BytesConfig::default() }.open(seq_len, 0).err().unwrap()
}

#[test]
fn a_gzipped_file_that_becomes_longer_than_any_text_is_refused() {
    let gzipped = |contents: &[u8]| {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        std::io::Write::write_all(&mut gzip, contents).unwrap();
        gzip.finish().unwrap()
    };
    let member = gzipped(&vec![b'a'; 1 << 20]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("letters.gz");
    std::fs::write(&path, member.repeat(128)).unwrap();
    let error = refused(path, 8).to_string();
    assert!(error.contains("letters.gz: ") && error.contains(" gzipped bytes become more than "), "{error}");
}

#[test]
fn what_is_wrong_with_a_file_is_said_with_its_path() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, contents: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, contents).unwrap();
        path
    };
    let told =
        |path: PathBuf| refused(path, 8).to_string().replace(&folder.path().display().to_string(), "DIR");
    assert_eq!(told(write("latin", b"caf\xe9 ")), "DIR/latin: not UTF-8 at byte 3; save the text as UTF-8");
    assert_eq!(
        told(write("short", &[b'a'; 80])),
        "DIR/short: a text of 80 bytes is too short for seq_len = 8: its last tenth is for testing, so it needs about 90"
    );
    assert!(told(write("torn.gz", b"\x1f\x8b\x08\x00")).starts_with("DIR/torn.gz: gzipped, but damaged ("));
    let missing = told(folder.path().join("none"));
    assert!(
        missing.starts_with("the data of task bytes are missing: looked for DIR/none; set task.path to a"),
        "{missing}"
    );
}

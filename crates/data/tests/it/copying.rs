//! Data to repeat at the end: in front of the noise, or scattered over it.

use subquad_data::{CopyingConfig, ExampleOptions, SelectiveCopyingConfig, Task, TaskOptions};

use crate::solved::{accuracy, assert_streams, checksum, examples};

const DATA: usize = 10;
const COUNT: usize = 300;

fn copying(seed: u64) -> Box<dyn Task> {
    CopyingConfig::default().open(120, seed).unwrap()
}

fn selective(seed: u64) -> Box<dyn Task> {
    SelectiveCopyingConfig { n_data: DATA, ..SelectiveCopyingConfig::default() }.open(120, seed).unwrap()
}

/// A queue of what is not noise, emptied at the marks.
fn queue(tokens: &[u32]) -> Vec<u32> {
    let (read, marks) = tokens.split_at(tokens.len() - DATA);
    let data: Vec<u32> = read.iter().copied().filter(|token| *token != 0).collect();
    [vec![0; read.len()], data[..marks.len().min(data.len())].to_vec()].concat()
}

/// What was read so many tokens ago.
fn delayed(tokens: &[u32], lag: usize) -> Vec<u32> {
    (0..tokens.len()).map(|place| place.checked_sub(lag).map_or(0, |place| tokens[place])).collect()
}

#[test]
fn a_queue_repeats_everything() {
    assert_eq!(accuracy(&*copying(0), COUNT, queue), 1.0);
    assert_eq!(accuracy(&*selective(0), COUNT, queue), 1.0);
}

#[test]
fn a_delay_is_enough_where_places_are_fixed_and_not_where_they_are_random() {
    assert_eq!(accuracy(&*copying(0), COUNT, |tokens| delayed(tokens, 110)), 1.0);
    // The deliberate mistake is a delay that is one too long: right only where two data in a row are the same.
    let one_late = accuracy(&*copying(0), COUNT, |tokens| delayed(tokens, 111));
    assert!((0.08..0.17).contains(&one_late), "{one_late} for about 9 in 10 of 1/8");
    let best = (10..120).map(|lag| accuracy(&*selective(0), COUNT, |tokens| delayed(tokens, lag)));
    assert!(best.fold(0.0, f64::max) < 0.2);
}

#[test]
fn a_constant_answer_scores_what_chance_does() {
    for datum in 1..9 {
        let guessed = accuracy(&*copying(0), COUNT, |tokens| vec![datum; tokens.len()]);
        assert!((guessed - 1.0 / 8.0).abs() < 0.03, "{datum}: {guessed}"); // five standard errors of 0.006
    }
}

#[test]
fn data_are_in_their_range_and_scattered_over_all_places() {
    let mut seen = vec![0; 110];
    for (tokens, labels) in examples(selective(3).train_batch(0, 400)) {
        assert_eq!(tokens[110..], [16; DATA]);
        let data: Vec<u32> = tokens[..110].iter().copied().filter(|token| *token != 0).collect();
        assert!(data.len() == DATA && data.iter().all(|datum| (1..16).contains(datum)));
        assert_eq!(labels[110..], data.iter().map(|datum| Some(*datum)).collect::<Vec<_>>());
        assert!(labels[..110].iter().all(Option::is_none));
        tokens[..110].iter().enumerate().for_each(|(place, token)| seen[place] += usize::from(*token != 0));
    }
    // 400 x 10 / 110 = 36 each, with a standard deviation of 6.
    assert!(seen.iter().all(|count| (10..70).contains(count)), "{seen:?}");
}

#[test]
fn the_last_comes_first_in_reverse() {
    let reversed = CopyingConfig { reverse: true, ..CopyingConfig::default() }.open(120, 0).unwrap();
    let stack = |tokens: &[u32]| {
        let mut answers = queue(tokens);
        answers[110..].reverse();
        answers
    };
    assert_eq!(accuracy(&*reversed, COUNT, stack), 1.0);
    assert!(accuracy(&*reversed, COUNT, queue) < 0.3);
}

#[test]
fn the_examples_are_those_that_were_written_down() {
    assert_eq!(checksum(&*copying(0)), "b87659a62102c82d");
    assert_eq!(checksum(&*selective(0)), "e0daa5a85f23e1fd");
    assert_streams(copying);
    assert_streams(selective);
}

#[test]
fn lengths_without_room_for_the_marks_are_refused() {
    let refused = |config: CopyingConfig, seq_len| config.open(seq_len, 0).err().unwrap().to_string();
    assert_eq!(
        refused(CopyingConfig::default(), 19),
        "copying cannot have seq_len = 19: 10 data and as many marks take 20 tokens; nearest allowed: 20"
    );
    assert_eq!(
        refused(
            CopyingConfig {
                examples: ExampleOptions { test_lengths: vec![18], ..ExampleOptions::default() },
                ..CopyingConfig::default()
            },
            20
        ),
        "copying: 18 in test_lengths: 10 data and as many marks take 20 tokens; nearest allowed: 20"
    );
    assert_eq!(accuracy(&*CopyingConfig::default().open(20, 0).unwrap(), COUNT, queue), 1.0);
}

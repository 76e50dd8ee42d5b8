//! Memory that threads write in parts.

use rayon::prelude::*;
use subquad_backend::kernel::Unwritten;

#[test]
fn threads_write_parts_and_the_whole_comes_back() {
    for (len, part) in [(0, 3), (1, 1), (7, 3), (1000, 64)] {
        let mut values = Unwritten::new(len);
        values.parts(part).into_par_iter().enumerate().for_each(|(index, part)| {
            assert!(!part.is_empty() && part.len() <= len);
            for pair in part.parts(2) {
                pair.zeros().iter_mut().for_each(|value| *value += index as f32);
            }
        });
        let expected: Vec<f32> = (0..len).map(|i| (i / part) as f32).collect();
        assert_eq!(values.into_vec(), expected);
    }
}

#[test]
#[should_panic(expected = "numbers written")]
fn what_is_not_all_written_is_refused() {
    let mut values = Unwritten::new(10);
    let parts = values.parts(4);
    parts.into_iter().skip(1).for_each(|part| {
        part.zeros();
    });
    values.into_vec();
}

#[test]
#[should_panic(expected = "numbers written")]
fn parts_taken_twice_count_once() {
    let mut values = Unwritten::new(8);
    values.parts(4).into_iter().take(1).for_each(|part| {
        part.zeros();
    });
    values.parts(4).into_iter().take(1).for_each(|part| {
        part.zeros();
    });
    values.into_vec();
}

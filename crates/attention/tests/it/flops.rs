//! Operations of a training step against counts by hand.

use subquad_attention::AttentionConfig;
use subquad_mixer::{Flops, SequenceMixerConfig};

fn flops(config: &AttentionConfig, seq: usize) -> f64 {
    let Flops { sequence, batch } = config.training_flops(seq).unwrap();
    assert_eq!(batch, 0.0, "nothing is shared by the sequences");
    sequence
}

/// The pairs of a query and a key, one by one.
fn pairs(seq: usize, causal: bool, window: usize) -> usize {
    let sees = |i: usize, j: usize| (!causal || j <= i) && i.abs_diff(j) < window;
    (0..seq).map(|i| (0..seq).filter(|j| sees(i, *j)).count()).sum()
}

#[test]
fn every_pair_that_is_seen_counts_once_forward_and_twice_backward() {
    let projections = 6 * 4 * 8 * 8;
    for (causal, seq) in [true, false].into_iter().flat_map(|causal| [1, 2, 5, 16].map(|seq| (causal, seq))) {
        for window in [None, Some(1), Some(2), Some(5), Some(16), Some(100)] {
            let config = AttentionConfig::new(8).with_causal(causal).with_window(window);
            // Scores and output: two products of 8 terms, a term being two operations.
            let products = 3 * 2 * 2 * 8 * pairs(seq, causal, window.unwrap_or(seq));
            assert_eq!(flops(&config, seq), (projections * seq + products) as f64, "{config}, {seq}");
        }
    }
}

#[test]
fn fewer_heads_of_keys_save_projections_but_no_pairs() {
    let all = AttentionConfig::new(8).with_n_heads(4);
    let one = all.clone().with_n_kv_heads(Some(1));
    // Of 8 features of keys and as many of values, 2 are left each.
    assert_eq!(flops(&all, 16) - flops(&one, 16), (6 * 8 * 2 * (8 - 2) * 16) as f64);
}

#[test]
fn a_window_makes_the_operations_linear_in_the_length() {
    let windowed = AttentionConfig::new(8).with_window(Some(4));
    let [one, two, four] = [64, 128, 256].map(|seq| flops(&windowed, seq));
    assert_eq!(four - two, 2.0 * (two - one));
}

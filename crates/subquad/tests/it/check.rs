//! `subquad check` and `subquad list`.

use crate::lab::{Lab, TINY, repository};

#[test]
fn the_configs_of_the_repository_are_right() {
    let answer = Lab::new().subquad(&format!("check {}", repository().join("configs").display())).expect(0);
    assert!(answer.out.contains("digits.toml: ok, "), "{}", answer.out);
    assert!(answer.out.lines().all(|line| line.contains(".toml: ok, ")), "{}", answer.out);
}

#[test]
fn a_smoke_test_trains_every_kind_of_run_and_keeps_nothing() {
    let lab = Lab::new();
    let answer = lab.subquad("check tiny --smoke").expect(0);
    let lines: Vec<_> = answer.out.lines().collect();
    assert_eq!(lines[0], "tiny/tiny.toml: ok, 6 runs");
    assert_eq!(lines.len(), 1 + 3, "{}", answer.out);
    assert!(lines[1..].iter().all(|line| line.ends_with(": trained 2 steps")), "{}", answer.out);
    assert!(!lab.path("results").exists());
}

#[test]
fn mistakes_of_all_files_are_told_with_their_lines() {
    let lab = Lab::new();
    lab.write("configs/a/a.toml", TINY.replace("n_heads = 2", "n_heads = 3"));
    lab.write("configs/b/b.toml", TINY.replace("[train]", "[trian]"));
    lab.write("configs/b/c.toml", "[task\n");
    let answer = lab.subquad("check").expect(2);
    assert_eq!(answer.out, "");
    insta::assert_snapshot!(answer.err, @"
    error: configs/a/a.toml:11: 3 heads cannot share d_model = 8 equally; choose n_heads among the divisors of 8
    error: configs/b/b.toml:19: unknown section [trian]; did you mean `train`? (known: task, task.digits, task.mqar, task.mnist, task.bytes, task.masked_bytes, task.delay, task.reconstruct, task.parity, task.associative_recall, task.induction_heads, task.copying, task.selective_copying, task.adding, task.state_tracking, model, mixer.attention, mixer.s4d, mixer.s4, mixer.h3, mixer.ema, mixer.hyena, mixer.m2, mixer.monarch, mixer.causal_monarch, optim, train, budget, select, sweep, override)
    error: configs/b/b.toml: missing `steps` in [train]; it must be an integer >= 1
    error: configs/b/c.toml:1: not valid TOML: unclosed table, expected `]`
    ");
}

#[test]
fn the_folder_of_configs_is_configs_unless_named() {
    let lab = Lab::new();
    insta::assert_snapshot!(lab.subquad("check").expect(2).err, @"error: configs: no such file or folder");
    lab.write("configs/a/a.toml", TINY);
    insta::assert_snapshot!(lab.subquad("check").expect(0).out, @"configs/a/a.toml: ok, 6 runs");
}

#[test]
fn list_shows_mixers_tasks_and_configs() {
    let lab = Lab::new();
    lab.write("configs/a/a.toml", TINY);
    let answer = lab.subquad("list").expect(0);
    assert_eq!(answer.err, "");
    insta::assert_snapshot!(answer.out, @r#"
    Mixers
      attention       softmax attention, the quadratic baseline
      s4d             diagonal state space (S4D): O(seq log seq) in training, a state of fixed size in decoding
      s4              state space, diagonal plus low rank (S4): O(seq log seq) in training, a state of fixed size in decoding
      h3              two state spaces and two products (H3): O(seq log seq) in training, a state of fixed size in decoding; causal only
      ema             exponential moving average, one real state per channel: the simplest state space; causal only
      hyena           gates and long convolutions with implicit filters, in turn; causal only
      m2              Monarch Mixer: a gated long convolution with an implicit filter
      monarch         learned Monarch matrices along the sequence; bidirectional only
      causal_monarch  a learned triangular Monarch matrix along the sequence; causal only

    Channel mixers
      dense           two dense layers: time grows with the square of the width
      swiglu          two dense layers around a SiLU gate, without biases, as in LLaMA: 1.5 times the weights
      block_diagonal  two block-diagonal layers: the same, divided by the number of blocks
      monarch         two layers of Monarch matrices: width^1.5 with model.n_blocks = 0
      none            no channel mixer: a block is only its sequence mixer

    Both may alternate over the blocks of a model: "s4d+attention", "dense*3+none"

    Tasks
      digits             classify handwritten digits (1,797 embedded images), one pixel per token
                         seq_len: squares from 64 (8 x 8); above 64 the images are upsampled, which adds no information
                         data: embedded
      mqar               recall the values of keys seen before (multi-query associative recall)
                         seq_len: even, at least 4 tokens per pair
                         data: generated
      mnist              classify handwritten digits of 28 x 28, one pixel per token
                         seq_len: 784
                         data: task.path, the folder of the four IDX files (.gz too); empty: $SUBQUAD_DATA/mnist
      bytes              predict the next byte of a text; scored in bits per byte
                         seq_len: any
                         data: task.path, a text (.gz too), relative to the current folder or to $SUBQUAD_DATA; empty: an embedded text
      masked_bytes       predict the hidden bytes of a text, for bidirectional models; scored in bits per byte
                         seq_len: any
                         data: task.path, a text (.gz too), relative to the current folder or to $SUBQUAD_DATA; empty: an embedded text
      delay              repeat band-limited noise some tokens later; scored by error / variance
                         seq_len: 2 or more, and above the lag
                         data: generated
      reconstruct        reconstruct the latest values of band-limited noise at the last token; scored by error / variance
                         seq_len: 2 or more, and at least the window
                         data: generated
      parity             say whether the number of ones is odd
                         seq_len: 2 or more
                         data: generated
      associative_recall recall the value of one key at the end
                         seq_len: even, at least 4
                         data: generated
      induction_heads    recall the token that followed the mark
                         seq_len: 4 or more
                         data: generated
      copying            repeat the first tokens after a stretch of noise
                         seq_len: at least 2 tokens per datum
                         data: generated
      selective_copying  repeat the tokens that were scattered over noise, in their order
                         seq_len: at least 2 tokens per datum
                         data: generated
      adding             add the two numbers that are marked; scored by error / variance
                         seq_len: 2 or more
                         data: generated
      state_tracking     keep the running product of elements of a group, such as permutations of five things
                         seq_len: any
                         data: generated

    Presets, in the crate subquad-model
      m2-bert-80m    M2-BERT as published: masked tokens, BERT's vocabulary
                     80,267,328 parameters: 12 blocks of width 768, 30,528 tokens in the vocabulary, sequences of up to 128
      m2-bert-110m   M2-BERT as published: masked tokens, BERT's vocabulary
                     115,583,616 parameters: 12 blocks of width 960, 30,528 tokens in the vocabulary, sequences of up to 128
      m2-bert-260m   M2-BERT as published: masked tokens, BERT's vocabulary
                     259,133,760 parameters: 12 blocks of width 1536, 30,528 tokens in the vocabulary, sequences of up to 128
      m2-bert-341m   M2-BERT as published: masked tokens, BERT's vocabulary
                     341,038,144 parameters: 12 blocks of width 1792, 30,528 tokens in the vocabulary, sequences of up to 128
      m2-bert-small  the same structure on bytes, for a laptop
                     273,921 parameters: 2 blocks of width 96, 257 tokens in the vocabulary, sequences of up to 128
      m2-gpt-small   causal M2 on bytes, pre-norm, for a laptop
                     190,656 parameters: 2 blocks of width 96, 256 tokens in the vocabulary, sequences of up to 256

    Configs
      configs/a/a.toml
    "#);
}

#[test]
fn the_bound_on_runs_is_on_those_of_all_configs_together() {
    let lab = Lab::new();
    let seeds = |count: usize| (0..count).map(|seed| seed.to_string()).collect::<Vec<_>>().join(", ");
    let config = |count| {
        TINY.replace(r#"["attention", "s4d", "m2"]"#, r#"["attention"]"#)
            .replace("[0, 1]", &format!("[{}]", seeds(count)))
    };
    lab.write("configs/a/a.toml", config(150_000));
    lab.write("configs/b/b.toml", config(50_000));
    assert_eq!(
        lab.subquad("check").expect(0).out,
        "configs/a/a.toml: ok, 150000 runs\nconfigs/b/b.toml: ok, 50000 runs\n"
    );
    lab.write("configs/b/b.toml", config(50_001));
    insta::assert_snapshot!(lab.subquad("check").expect(2).err, @"error: configs/b/b.toml:27: asks for 50,001 runs (sweep.seed 50,001), but one command plans at most 200,000, and the configs before this one have 150,000; remove values, or pass fewer configs at once");
}

#[test]
fn the_bound_is_on_measurements_too() {
    let lab = Lab::new();
    let lengths = (1..=50_001).map(|length| length.to_string()).collect::<Vec<_>>().join(", ");
    lab.write(
        "bench/b.toml",
        format!("[bench]\nmixers = [\"fft_conv\", \"m2\", \"s4d\", \"h3\"]\nlengths = [{lengths}]\n"),
    );
    insta::assert_snapshot!(lab.subquad("check bench").expect(2).err, @"error: bench/b.toml:3: asks for 200,004 measurements (bench.lengths 50,001 x bench.mixers 4), but one command plans at most 200,000; remove values, or pass fewer configs at once");
}

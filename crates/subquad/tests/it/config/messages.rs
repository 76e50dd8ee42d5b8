//! Messages about values: wrong type, out of range, missing, inconsistent.

use super::{MIXERS, SMALL, errors, errors_before_small, small};

#[test]
fn values_have_a_type_and_a_range() {
    insta::assert_snapshot!(errors_before_small("model.d_model = \"big\""), @r#"x.toml:1: `model.d_model` must be an integer from 1 to 8192, got the string "big""#);
    insta::assert_snapshot!(errors_before_small("model.d_model = 0"), @"x.toml:1: `model.d_model` must be an integer from 1 to 8192, got 0");
    insta::assert_snapshot!(errors_before_small("model.d_model = 64.0"), @"x.toml:1: `model.d_model` must be an integer from 1 to 8192, got 64.0");
    insta::assert_snapshot!(errors_before_small("model.causal = 1"), @"x.toml:1: `model.causal` must be true or false, got 1");
    insta::assert_snapshot!(errors_before_small("model.dropout = 1"), @"x.toml:1: `model.dropout` must be a finite number >= 0 and < 1, got 1");
    insta::assert_snapshot!(errors_before_small("optim.lr = nan"), @"x.toml:1: `optim.lr` must be a finite number >= 0, got NaN");
    insta::assert_snapshot!(errors_before_small("optim.lr = inf"), @"x.toml:1: `optim.lr` must be a finite number >= 0, got inf");
    insta::assert_snapshot!(errors_before_small("optim.lr = -1"), @"x.toml:1: `optim.lr` must be a finite number >= 0, got -1");
    insta::assert_snapshot!(errors_before_small("optim.warmup = 1.5"), @"x.toml:1: `optim.warmup` must be a finite number >= 0 and <= 1, got 1.5");
    insta::assert_snapshot!(errors_before_small("mixer.attention.rope_fraction = 0"), @"x.toml:1: `mixer.attention.rope_fraction` must be a finite number > 0 and <= 1, got 0");
    insta::assert_snapshot!(errors_before_small("mixer.attention.window = \"none\""), @r#"x.toml:1: `mixer.attention.window` must be an integer from 0 to 16777216, got the string "none""#);
    insta::assert_snapshot!(errors_before_small("mixer.s4d.dt_min = 0"), @"x.toml:1: `mixer.s4d.dt_min` must be a finite number >= 1e-12 and <= 1e6, got 0");
    insta::assert_snapshot!(errors_before_small("model.d_model = 99999999999999999999"), @"x.toml:1: `model.d_model` must be an integer from 1 to 8192, got 99999999999999999999, beyond what 64 bits hold");
    insta::assert_snapshot!(errors_before_small("model.d_model = 2026-01-01"), @"x.toml:1: `model.d_model` must be an integer from 1 to 8192, got the date 2026-01-01");
    insta::assert_snapshot!(errors_before_small("model.d_model = [32, 64]"), @"x.toml:1: `model.d_model` must be an integer from 1 to 8192, got a list");
    insta::assert_snapshot!(errors_before_small("optim.clip = {}"), @"x.toml:1: `optim.clip` must be a finite number >= 0, got a table");
    insta::assert_snapshot!(errors(&SMALL.replace("steps = 10", "steps = 10\nlog_every = 0")), @"x.toml:6: `train.log_every` must be an integer >= 1, got 0");
}

#[test]
fn words_get_the_nearest_word() {
    insta::assert_snapshot!(errors_before_small("mixer.s4d.init = \"lgs\""), @r#"x.toml:1: `mixer.s4d.init` must be one of legs, fout, lin, inv, quad, real, rand, diag, hippo; got "lgs"; did you mean "legs"?"#);
    insta::assert_snapshot!(errors_before_small("model.channel_mixer = \"block\""), @r#"x.toml:1: `model.channel_mixer` must be one of dense, swiglu, block_diagonal, monarch, none, or a pattern of them such as "swiglu*3+dense"; got "block"; did you mean "block_diagonal"?"#);
    insta::assert_snapshot!(errors_before_small("mixer.s4d.init = 3"), @"x.toml:1: `mixer.s4d.init` must be one of legs, fout, lin, inv, quad, real, rand, diag, hippo; got 3");
    insta::assert_snapshot!(errors_before_small("mixer.m2.l_max = \"long\""), @r#"x.toml:1: `mixer.m2.l_max` must be an integer from 1 to 16777216 or "longest"; got "long"; did you mean "longest"?"#);
    insta::assert_snapshot!(errors_before_small("mixer.attention.position = \"rotary\""), @r#"x.toml:1: `mixer.attention.position` must be one of rope, alibi, none; got "rotary""#);
    insta::assert_snapshot!(errors_before_small("mixer.attention.n_kv_heads = \"n_head\""), @r#"x.toml:1: `mixer.attention.n_kv_heads` must be an integer from 1 to 1024 or "n_heads"; got "n_head"; did you mean "n_heads"?"#);
    insta::assert_snapshot!(errors_before_small("mixer.m2.l_max = true"), @r#"x.toml:1: `mixer.m2.l_max` must be an integer from 1 to 16777216 or "longest", got true"#);
}

#[test]
fn missing_keys_name_their_section_and_the_file() {
    insta::assert_snapshot!(errors(""), @r#"
    x.toml: missing `name` in [task]; it must be one of digits, mqar, mnist, bytes, masked_bytes, delay, reconstruct, parity, associative_recall, induction_heads, copying, selective_copying, adding, state_tracking
    x.toml: missing `steps` in [train]; it must be an integer >= 1
    x.toml: missing `mixer` in [sweep]; it must be a list, each value one of attention, s4d, s4, h3, ema, hyena, m2, monarch, causal_monarch, or a pattern of them such as "s4d*3+attention"
    x.toml: missing `seq_len` in [sweep]; it must be a list, each value an integer from 1 to 16777216
    "#);
}

#[test]
fn axes_are_lists_of_distinct_values() {
    let with = |line: &str| errors(&format!("{SMALL}{line}"));
    insta::assert_snapshot!(with("seed = 3"), @"x.toml:9: axis `sweep.seed` must be a list of values, got 3");
    insta::assert_snapshot!(with("seed = []"), @"x.toml:9: axis `sweep.seed` is empty; give it a value or leave it out");
    insta::assert_snapshot!(with("seed = [1, 2,\n  1]"), @"x.toml:10: `sweep.seed` lists 1 twice");
    insta::assert_snapshot!(with("optim.lr = [1, 1.0]"), @"x.toml:9: `sweep.optim.lr` lists 1.0 twice");
    insta::assert_snapshot!(with("optim.lr = [1,\n  \"fast\"]"), @r#"x.toml:10: each value of `sweep.optim.lr` must be a finite number >= 0, got the string "fast""#);
    insta::assert_snapshot!(with("seed = [-1]"), @"x.toml:9: each value of `sweep.seed` must be an integer >= 0, got -1");
    insta::assert_snapshot!(errors(&SMALL.replace("s4d", "s4e")), @r#"x.toml:7: each value of `sweep.mixer` must be one of attention, s4d, s4, h3, ema, hyena, m2, monarch, causal_monarch, or a pattern of them such as "s4d*3+attention"; got "s4e"; did you mean "s4d"?"#);
    insta::assert_snapshot!(errors(&SMALL.replace("[64]", "[0]")), @"x.toml:8: each value of `sweep.seq_len` must be an integer from 1 to 16777216, got 0");
    insta::assert_snapshot!(errors(&SMALL.replace(r#"["attention", "s4d", "s4", "h3", "hyena", "m2"]"#, r#""s4d""#)), @r#"x.toml:7: axis `sweep.mixer` must be a list of values, got the string "s4d""#);
}

#[test]
fn axes_do_not_contradict_the_rest() {
    let text = format!("{SMALL}\"optim.lr\" = [0.1, 0.2]\n[override.s4d]\noptim.lr = 0.3");
    insta::assert_snapshot!(errors(&text), @"x.toml:11: `optim.lr` is an axis of the sweep (x.toml:9), so [override.s4d] cannot set it; remove one of the two");
    insta::assert_snapshot!(errors(&format!("{SMALL}\"model.n_layers\" = [1]\n\"mixer.m2.l_max\" = [\"longest\", 64]")), @"x.toml:10: values longest and 64 of axis `mixer.m2.l_max` give the same run; remove one of the two");
    insta::assert_snapshot!(errors(&format!("{SMALL}\"mixer.attention.n_kv_heads\" = [1, \"n_heads\", 4]")), @"x.toml:9: values n_heads and 4 of axis `mixer.attention.n_kv_heads` give the same run; remove one of the two");
}

#[test]
fn keys_of_the_channel_mixer_go_together() {
    let with = |keys: &str| errors_before_small(&format!("[model]\n{keys}\n"));
    insta::assert_snapshot!(with("channel_mixer = \"none\"\nchannel_gate = \"on\""), @"x.toml:3: channel_gate = \"on\" does nothing without a channel mixer; leave it at \"auto\"");
    insta::assert_snapshot!(with("channel_mixer = \"swiglu\"\nchannel_gate = \"off\""), @"x.toml:3: channel_gate = \"off\" does nothing with channel_mixer = \"swiglu\", which always has a SiLU gate; leave it at \"auto\"");
    insta::assert_snapshot!(with("channel_mixer = \"swiglu\"\nn_blocks = 2"), @"x.toml:3: n_blocks = 2 does nothing with channel_mixer = \"swiglu\"; leave it at 4");
    insta::assert_snapshot!(with("channel_mixer = \"block_diagonal\"\nn_blocks = 0"), @"x.toml:3: n_blocks = 0 cuts monarch matrices near the square root of their width, which block_diagonal ones cannot be; choose at least 1");
    insta::assert_snapshot!(with("channel_mixer = \"monarch\"\nn_blocks = 65"), @"x.toml:3: 65 blocks cannot share d_model = 64; choose n_blocks of at most 64");
    insta::assert_snapshot!(with("channel_mixer = \"block_diagonal\"\nd_hidden = 3"), @"x.toml:3: 4 blocks cannot share d_hidden = 3; choose n_blocks of at most 3");
    insta::assert_snapshot!(with("channel_gate = true"), @"x.toml:2: `model.channel_gate` must be one of auto, on, off; got true");
}

#[test]
fn keys_go_together() {
    insta::assert_snapshot!(errors_before_small("mixer.attention.n_heads = 5"), @"x.toml:1: 5 heads cannot share d_model = 64 equally; choose n_heads among the divisors of 64");
    insta::assert_snapshot!(errors_before_small("model.d_model = 30"), @"x.toml:1: 4 heads cannot share d_model = 30 equally; choose n_heads among the divisors of 30");
    insta::assert_snapshot!(errors_before_small("model.d_model = 60"), @"x.toml:1: rope rotates pairs of features, but d_model = 60 gives each of 4 heads 15 of them; make that even, or choose a rope_fraction below 1 or another position");
    insta::assert_snapshot!(errors_before_small("mixer.attention.n_kv_heads = 3"), @"x.toml:1: n_kv_heads = 3 cannot serve 4 heads equally; choose n_kv_heads among the divisors of 4");
    insta::assert_snapshot!(errors_before_small("mixer.attention.n_kv_heads = 8"), @"x.toml:1: n_kv_heads = 8 cannot serve 4 heads equally; choose n_kv_heads among the divisors of 4");
    insta::assert_snapshot!(errors_before_small("mixer.attention.rope_fraction = 0.1"), @"x.toml:1: rope rotates pairs of features, but rope_fraction = 0.1 of 16 features per head leaves none; raise it, or choose another position");
    insta::assert_snapshot!(errors_before_small("mixer.attention.rope_fraction = 0.5\nmixer.attention.position = \"none\""), @r#"x.toml:1: rope_fraction = 0.5 does nothing without position = "rope"; leave it at 1.0"#);
    insta::assert_snapshot!(errors_before_small("mixer.attention.position = \"alibi\"\nmixer.attention.rope_base = 500000"), @r#"x.toml:2: rope_base = 500000.0 does nothing without position = "rope"; leave it at 10000.0"#);
    insta::assert_snapshot!(errors(&format!("{SMALL}model.d_model = [64,\n 30]")), @"x.toml:10: 4 heads cannot share d_model = 30 equally; choose n_heads among the divisors of 30");
}

/// Every line is written for both state spaces; the messages are those of `s4`.
#[test]
fn keys_of_state_spaces_go_together() {
    let both = |lines: &str| {
        let of = |mixer: &str| errors_before_small(&lines.replace("S.", &format!("mixer.{mixer}.")));
        assert_eq!(of("s4d").replace("mixer.s4d.", "mixer.s4."), of("s4"));
        of("s4")
    };
    insta::assert_snapshot!(both("S.d_state = 7"), @"x.toml:1: d_state must be even, because states come in conjugate pairs; got 7");
    insta::assert_snapshot!(both("S.n_ssm = 3"), @r#"x.toml:1: n_ssm = 3 sets of A and B cannot be shared equally by 64 channels (d_model); choose a divisor of 64, or "d_model" for a set each"#);
    insta::assert_snapshot!(both("S.dt_max = 1e-4"), @"x.toml:1: dt_min = 0.001 exceeds dt_max = 0.0001; lower dt_min or raise dt_max");
    insta::assert_snapshot!(both("S.n_ssm = 1\nS.init = \"hippo\""), @r#"x.toml:2: init = "hippo" mixes 2 kinds of system in equal numbers, so n_ssm must be a multiple of 2; got 1"#);
    insta::assert_snapshot!(both("S.output = \"none\"\nS.channels = 2"), @r#"x.toml:2: channels = 2 needs an output layer that brings the width back to d_model; choose output = "glu" or "linear""#);
    insta::assert_snapshot!(both("S.tie_dropout = false"), @"x.toml:1: tie_dropout = false does nothing without activation_dropout; leave it at true");
    insta::assert_snapshot!(errors_before_small("mixer.s4d.init = \"real\"\nmixer.s4d.real_transform = \"sigmoid\""), @r#"x.toml:2: real_transform = "sigmoid" keeps decays below 1, but those of init = "real" start at 1 or above; choose exp, softplus or relu"#);
    insta::assert_snapshot!(errors_before_small("mixer.s4.init = \"legt\"\nmixer.s4.rank = 1"), @r#"x.toml:2: init = "legt" needs a low-rank part of rank 2 or more, got rank = 1; raise it, or use 0 for what the init needs"#);
    insta::assert_snapshot!(errors_before_small("mixer.s4.init = \"lin\""), @r#"x.toml:1: `mixer.s4.init` must be one of legs, fout, legt, hippo; got "lin""#);
    insta::assert_snapshot!(errors_before_small("mixer.s4.l_max = 63"), @r#"x.toml:1: l_max = 63 is shorter than the training sequences, 64 tokens; raise it or use "longest" (tests may be longer)"#);
}

#[test]
fn keys_of_monarch_matrices_go_together() {
    let with = |mixer: &str, lines: &str| errors(&format!("{lines}{}", small(&[mixer])));
    let causal = |lines: &str| with("causal_monarch", lines);
    insta::assert_snapshot!(with("monarch", "model.causal = true"), @"x.toml:1: monarch always sees the whole sequence; set model.causal = false, for monarch only in [override.monarch], or remove it from sweep.mixer");
    insta::assert_snapshot!(with("monarch", "model.causal = false\nmixer.monarch.n_heads = 3"), @"x.toml:2: 3 heads cannot share d_model = 64 equally; choose n_heads among the divisors of 64");
    insta::assert_snapshot!(with("monarch", "model.causal = false\nmixer.monarch.block = 65"), @"x.toml:2: block = 65 exceeds l_max = 64; choose a block near the square root of l_max, or 0");
    insta::assert_snapshot!(causal("model.causal = false"), @"x.toml:1: causal_monarch is causal-only; set model.causal = true, for causal_monarch only in [override.causal_monarch], or remove it from sweep.mixer");
    insta::assert_snapshot!(causal("mixer.causal_monarch.l_max = 63"), @r#"x.toml:1: l_max = 63 is shorter than the longest sequence, 64 tokens; raise it or use "longest""#);
    insta::assert_snapshot!(causal("mixer.causal_monarch.filter_lr = 1.0"), @r#"x.toml:1: filter_lr = 1.0 does nothing with form = "blocks", which has no filter; leave it at 0.001"#);
    insta::assert_snapshot!(causal("mixer.causal_monarch.form = \"sandwich\"\nmixer.causal_monarch.emb_dim = 4"), @"x.toml:2: emb_dim = 4 is even, but it counts time itself and then pairs of sine and cosine; make it odd");
}

#[test]
fn keys_of_h3_go_together() {
    insta::assert_snapshot!(errors_before_small("mixer.h3.head_dim = 3"), @"x.toml:1: heads of head_dim = 3 channels cannot share d_model = 64 equally; choose head_dim among the divisors of 64");
    insta::assert_snapshot!(errors_before_small("mixer.h3.head_dim = 16\nmixer.h3.n_ssm = 8"), @"x.toml:2: n_ssm = 8 sets of A and B cannot be shared equally by 4 heads (d_model / head_dim); choose a divisor of 4, or 0 for a set each");
    insta::assert_snapshot!(errors_before_small("mixer.h3.head_dim = 64\nmixer.h3.init = \"diag\""), @r#"x.toml:2: init = "diag" mixes 2 kinds of system in equal numbers, so n_ssm must be a multiple of 2; got 1"#);
    insta::assert_snapshot!(errors_before_small("mixer.h3.d_state = 7"), @"x.toml:1: d_state must be even, because states come in conjugate pairs; got 7");
    insta::assert_snapshot!(errors_before_small("mixer.h3.dt_max = 1e-4"), @"x.toml:1: dt_min = 0.001 exceeds dt_max = 0.0001; lower dt_min or raise dt_max");
    let alone = |mixer| errors(&format!("model.causal = false{}", small(&[mixer])));
    insta::assert_snapshot!(alone("h3"), @"x.toml:1: h3 is causal-only; set model.causal = true, for h3 only in [override.h3], or remove it from sweep.mixer");
    let causal = "[override.h3]\nmodel.causal = true\n[override.hyena]\nmodel.causal = true";
    assert_eq!(super::runs(&format!("model.causal = false{SMALL}{causal}")).len(), MIXERS);
}

/// Every line is written for both gated convolutions; the messages are those of `hyena`.
#[test]
fn keys_of_gated_convolutions_go_together() {
    let both = |lines: &str| {
        let of = |mixer: &str| errors_before_small(&lines.replace("S.", &format!("mixer.{mixer}.")));
        assert_eq!(of("m2").replace("mixer.m2.", "mixer.hyena."), of("hyena"));
        of("hyena")
    };
    insta::assert_snapshot!(both("S.emb_dim = 4"), @"x.toml:1: emb_dim = 4 is even, but it counts time itself and then pairs of sine and cosine; make it odd");
    insta::assert_snapshot!(both("S.l_max = 63"), @r#"x.toml:1: l_max = 63 is shorter than the longest sequence, 64 tokens; raise it or use "longest""#);
    insta::assert_snapshot!(both("S.modulate = false\nS.shift = 0.5"), @"x.toml:2: shift = 0.5 is added to a decay that modulate = false removes; leave it at 0.0, or set modulate = true");
    insta::assert_snapshot!(both("S.short_filter = 0"), @"x.toml:1: `mixer.hyena.short_filter` must be an integer from 1 to 1024, got 0");
    insta::assert_snapshot!(errors_before_small("mixer.hyena.order = 1"), @"x.toml:1: `mixer.hyena.order` must be an integer from 2 to 64, got 1");
    insta::assert_snapshot!(errors(&SMALL.replace("steps = 10", "steps = 10\naccumulate = 5")), @"x.toml:6: accumulate = 5 does not divide batch = 32; choose one of its divisors");
    insta::assert_snapshot!(errors_before_small("optim.cooldown = 0.3"), @r#"x.toml:1: cooldown = 0.3 does nothing without schedule = "wsd"; leave it at 0.2"#);
    insta::assert_snapshot!(errors_before_small("optim.final_lr = 0.1\noptim.schedule = \"constant\""), @r#"x.toml:1: final_lr = 0.1 does nothing with schedule = "constant"; leave it at 0.0"#);
    insta::assert_snapshot!(errors_before_small("mixer.m2.rev_offset = 0"), @"x.toml:1: rev_offset = 0 moves taps that look ahead, and a causal filter has none; leave it at 1");
    let alone = errors(&format!("model.causal = false{}", small(&["hyena"])));
    insta::assert_snapshot!(alone, @"x.toml:1: hyena is causal-only; set model.causal = true, for hyena only in [override.hyena], or remove it from sweep.mixer");
}

#[test]
fn the_task_says_which_lengths_it_takes() {
    let text = SMALL.replace("[64]", "[64, 65,\n 67]");
    insta::assert_snapshot!(errors(&text), @"
    x.toml:8: seq_len = 65 does not suit task digits: an image is a square of at least 8 x 8 pixels, one pixel per token; nearest allowed: 64 or 81
    x.toml:9: seq_len = 67 does not suit task digits: an image is a square of at least 8 x 8 pixels, one pixel per token; nearest allowed: 64 or 81
    ");
}

#[test]
fn text_that_is_not_toml_has_a_line() {
    insta::assert_snapshot!(errors("[task]\nname = digits\n"), @"x.toml:2: not valid TOML: string values must be quoted, expected literal string, at `digits`");
    insta::assert_snapshot!(errors("[task]\nname = \"a\"\nname = \"b\"\n"), @"x.toml:3: not valid TOML: duplicate key, at `name`");
    insta::assert_snapshot!(errors("[task]\n[task]\n"), @"x.toml:2: not valid TOML: duplicate key, at `task`");
    insta::assert_snapshot!(errors("steps = 1\nsteps = 2\n[model]\nd_model = 1_\n"), @r#"
    x.toml:2: not valid TOML: duplicate key, at `steps`
    x.toml:4: not valid TOML: `_` may only go between digits, expected nothing, at `_`
    "#);
    insta::assert_snapshot!(errors("[task\n[model]\nd_model 3"), @r#"
    x.toml:1: not valid TOML: unclosed table, expected `]`
    x.toml:3: not valid TOML: key with no value, expected `=`
    "#);
}

#[test]
fn all_mistakes_come_at_once_in_the_order_of_lines() {
    let text = "
[model]
d_model = 30
causal = \"yes\"
[train]
stesp = 5
[mixer.s4d]
d_state = 3
[sweep]
mixer = [\"s4d\", \"attention\"]
seq_len = [16]
";
    insta::assert_snapshot!(errors(text), @r#"
    x.toml:3: 4 heads cannot share d_model = 30 equally; choose n_heads among the divisors of 30
    x.toml:4: `model.causal` must be true or false, got the string "yes"
    x.toml:6: unknown key `train.stesp`; did you mean `steps`? (known in [train]: steps, batch, accumulate, curriculum, mixed_lengths, stop_at, ema, log_every, eval_every, checkpoint_every)
    x.toml:8: d_state must be even, because states come in conjugate pairs; got 3
    x.toml: missing `name` in [task]; it must be one of digits, mqar, mnist, bytes, masked_bytes, delay, reconstruct, parity, associative_recall, induction_heads, copying, selective_copying, adding, state_tracking
    "#);
}

#[test]
fn a_key_in_doubt_draws_no_second_complaint() {
    insta::assert_snapshot!(errors_before_small("[model]\nd_model = 30\n[mixer.attention]\nn_head = 3"), @"x.toml:4: unknown key `mixer.attention.n_head`; did you mean `n_heads`? (known in [mixer.attention]: n_heads, n_kv_heads, window, position, rope_base, rope_fraction, softcap, qk_norm, dropout)");
}

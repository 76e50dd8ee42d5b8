//! Messages about keys, sections and mixers that do not exist.

use super::{SMALL, errors, errors_before_small};

#[test]
fn unknown_keys_get_the_nearest_name() {
    insta::assert_snapshot!(errors_before_small("[mixer.s4d]\nd_sate = 3"), @"x.toml:2: unknown key `mixer.s4d.d_sate`; did you mean `d_state`? (known in [mixer.s4d]: d_state, init, discretization, n_ssm, dt_min, dt_max, dt_tie, dt_transform, real_transform, b_clip, channels, activation, output, activation_dropout, tie_dropout, kernel_dropout, ssm_lr)");
    insta::assert_snapshot!(errors_before_small("[model]\ncolour = 3"), @"x.toml:2: unknown key `model.colour` (known in [model]: d_model, n_layers, causal, channel_mixer, channel_gate, d_hidden, n_blocks, norm, residual, pool, dropout, block, last_norm, norm_eps, positions, embedding_norm, head_transform, tied_head, init)");
    insta::assert_snapshot!(errors_before_small("[model]\nlr = 3"), @"x.toml:2: unknown key `model.lr`; did you mean `optim.lr`? (known in [model]: d_model, n_layers, causal, channel_mixer, channel_gate, d_hidden, n_blocks, norm, residual, pool, dropout, block, last_norm, norm_eps, positions, embedding_norm, head_transform, tied_head, init)");
    insta::assert_snapshot!(errors_before_small("\n[mixer]\nd_state = 3"), @"x.toml:3: unknown key `mixer.d_state`; did you mean `mixer.s4d.d_state`? (every key is in a section: task, task.digits, task.mqar, task.mnist, task.bytes, task.masked_bytes, task.delay, task.reconstruct, task.parity, task.associative_recall, task.induction_heads, task.copying, task.selective_copying, task.adding, task.state_tracking, model, mixer.attention, mixer.s4d, mixer.s4, mixer.h3, mixer.ema, mixer.hyena, mixer.m2, mixer.monarch, mixer.causal_monarch, optim, train, budget, select, sweep, override)");
    insta::assert_snapshot!(errors_before_small("steps = 3"), @"x.toml:1: unknown key `steps`; did you mean `train.steps`? (every key is in a section: task, task.digits, task.mqar, task.mnist, task.bytes, task.masked_bytes, task.delay, task.reconstruct, task.parity, task.associative_recall, task.induction_heads, task.copying, task.selective_copying, task.adding, task.state_tracking, model, mixer.attention, mixer.s4d, mixer.s4, mixer.h3, mixer.ema, mixer.hyena, mixer.m2, mixer.monarch, mixer.causal_monarch, optim, train, budget, select, sweep, override)");
}

#[test]
fn unknown_sections_are_named_once() {
    insta::assert_snapshot!(errors_before_small("[modle]\nd_model = 3\nn_layers = 2"), @"x.toml:1: unknown section [modle]; did you mean `model`? (known: task, task.digits, task.mqar, task.mnist, task.bytes, task.masked_bytes, task.delay, task.reconstruct, task.parity, task.associative_recall, task.induction_heads, task.copying, task.selective_copying, task.adding, task.state_tracking, model, mixer.attention, mixer.s4d, mixer.s4, mixer.h3, mixer.ema, mixer.hyena, mixer.m2, mixer.monarch, mixer.causal_monarch, optim, train, budget, select, sweep, override)");
    insta::assert_snapshot!(errors_before_small("[logging]"), @"x.toml:1: unknown section [logging] (known: task, task.digits, task.mqar, task.mnist, task.bytes, task.masked_bytes, task.delay, task.reconstruct, task.parity, task.associative_recall, task.induction_heads, task.copying, task.selective_copying, task.adding, task.state_tracking, model, mixer.attention, mixer.s4d, mixer.s4, mixer.h3, mixer.ema, mixer.hyena, mixer.m2, mixer.monarch, mixer.causal_monarch, optim, train, budget, select, sweep, override)");
    insta::assert_snapshot!(errors_before_small("[mixer.s4e]\nd_state = 3\ninit = 2"), @"x.toml:1: [mixer.s4e] unknown mixer `s4e`; did you mean `s4d`? (known: attention, s4d, s4, h3, ema, hyena, m2, monarch, causal_monarch)");
    insta::assert_snapshot!(errors_before_small("[mixer.mamba]"), @"x.toml:1: [mixer.mamba] unknown mixer `mamba` (known: attention, s4d, s4, h3, ema, hyena, m2, monarch, causal_monarch)");
    insta::assert_snapshot!(errors_before_small("[mixer.s4d.init]\nname = \"lin\""), @"x.toml:1: `mixer.s4d.init` must be one of legs, fout, lin, inv, quad, real, rand, diag, hippo; got a table");
    insta::assert_snapshot!(errors_before_small("[mixer.s4d.extra]\na.b = 1"), @"x.toml:1: unknown section [mixer.s4d.extra] (known: task, task.digits, task.mqar, task.mnist, task.bytes, task.masked_bytes, task.delay, task.reconstruct, task.parity, task.associative_recall, task.induction_heads, task.copying, task.selective_copying, task.adding, task.state_tracking, model, mixer.attention, mixer.s4d, mixer.s4, mixer.h3, mixer.ema, mixer.hyena, mixer.m2, mixer.monarch, mixer.causal_monarch, optim, train, budget, select, sweep, override)");
    insta::assert_snapshot!(errors_before_small("[sweep.seed]\na = 1\n[x]").split('\n').next().unwrap(), @"x.toml:1: unknown section [sweep.seed] (known: task, task.digits, task.mqar, task.mnist, task.bytes, task.masked_bytes, task.delay, task.reconstruct, task.parity, task.associative_recall, task.induction_heads, task.copying, task.selective_copying, task.adding, task.state_tracking, model, mixer.attention, mixer.s4d, mixer.s4, mixer.h3, mixer.ema, mixer.hyena, mixer.m2, mixer.monarch, mixer.causal_monarch, optim, train, budget, select)");
    insta::assert_snapshot!(errors_before_small("[optim.adam]\nlr = 1"), @"x.toml:1: unknown section [optim.adam] (known: task, task.digits, task.mqar, task.mnist, task.bytes, task.masked_bytes, task.delay, task.reconstruct, task.parity, task.associative_recall, task.induction_heads, task.copying, task.selective_copying, task.adding, task.state_tracking, model, mixer.attention, mixer.s4d, mixer.s4, mixer.h3, mixer.ema, mixer.hyena, mixer.m2, mixer.monarch, mixer.causal_monarch, optim, train, budget, select, sweep, override)");
}

#[test]
fn sections_are_not_keys() {
    insta::assert_snapshot!(errors_before_small("model = 3"), @"x.toml:1: `model` is a section, [model], not a key; got 3");
    insta::assert_snapshot!(errors_before_small("[[model]]\nd_model = 3"), @"x.toml:1: `model` is a section, [model], not a key; got a list");
    insta::assert_snapshot!(errors_before_small("override = 3"), @"x.toml:1: `override` is a section, [override], not a key; got 3");
    insta::assert_snapshot!(errors("sweep = 3\ntask.name = \"digits\"\ntrain.steps = 1"), @r#"
    x.toml:1: `sweep` is a section, [sweep], not a key; got 3
    x.toml: missing `mixer` in [sweep]; it must be a list, each value one of attention, s4d, s4, h3, ema, hyena, m2, monarch, causal_monarch, or a pattern of them such as "s4d*3+attention"
    x.toml: missing `seq_len` in [sweep]; it must be a list, each value an integer from 1 to 16777216
    "#);
}

#[test]
fn empty_sections_are_fine() {
    let text = format!("[model]\n[mixer.s4d]\n[override.m2]\n[optim]\n{SMALL}");
    assert!(super::load(&text).is_ok());
    assert!(super::load(&format!("[mixer]\n[override]\n{SMALL}")).is_ok());
}

#[test]
fn overrides_know_their_keys() {
    insta::assert_snapshot!(errors_before_small("[override.s5]\noptim.lr = 1"), @"x.toml:1: [override.s5] unknown mixer `s5`; did you mean `s4`? (known: attention, s4d, s4, h3, ema, hyena, m2, monarch, causal_monarch)");
    insta::assert_snapshot!(errors_before_small("[override.s4d]\noptim.lrr = 1"), @"x.toml:2: unknown key `override.s4d.optim.lrr`; did you mean `lr`? (known in [optim]: lr, weight_decay, warmup, schedule, cooldown, final_lr, clip)");
    insta::assert_snapshot!(errors_before_small("[override.s4d]\nlr = 1"), @"x.toml:2: unknown key `override.s4d.lr`; did you mean `optim.lr`? (every key is in a section: task, task.digits, task.mqar, task.mnist, task.bytes, task.masked_bytes, task.delay, task.reconstruct, task.parity, task.associative_recall, task.induction_heads, task.copying, task.selective_copying, task.adding, task.state_tracking, model, mixer.s4d, optim, train, budget, select)");
    insta::assert_snapshot!(errors_before_small("[override.s4d]\n\"mixer.m2.l_max\" = 1"), @"x.toml:2: [override.s4d] cannot set `mixer.m2.l_max`, which belongs to another mixer (allowed: task, task.digits, task.mqar, task.mnist, task.bytes, task.masked_bytes, task.delay, task.reconstruct, task.parity, task.associative_recall, task.induction_heads, task.copying, task.selective_copying, task.adding, task.state_tracking, model, mixer.s4d, optim, train, budget, select)");
    insta::assert_snapshot!(errors_before_small("[override.s4d]\n\"mixer.m2.l_mx\" = 1"), @"x.toml:2: unknown section [override.s4d.mixer.m2] (known: task, task.digits, task.mqar, task.mnist, task.bytes, task.masked_bytes, task.delay, task.reconstruct, task.parity, task.associative_recall, task.induction_heads, task.copying, task.selective_copying, task.adding, task.state_tracking, model, mixer.s4d, optim, train, budget, select)");
    insta::assert_snapshot!(errors_before_small("[override.s4d.sweep]\nseed = [1]"), @"x.toml:1: unknown section [override.s4d.sweep] (known: task, task.digits, task.mqar, task.mnist, task.bytes, task.masked_bytes, task.delay, task.reconstruct, task.parity, task.associative_recall, task.induction_heads, task.copying, task.selective_copying, task.adding, task.state_tracking, model, mixer.s4d, optim, train, budget, select)");
}

#[test]
fn axes_know_their_keys() {
    let with = |line: &str| errors(&format!("{SMALL}{line}"));
    insta::assert_snapshot!(with("seeds = [1]"), @"x.toml:9: unknown axis `sweep.seeds`; did you mean `seed`? (known: mixer, seq_len, seed, or a dotted key of a section)");
    insta::assert_snapshot!(with("d_model = [1]"), @"x.toml:9: unknown axis `sweep.d_model`; did you mean `model.d_model`? (known: mixer, seq_len, seed, or a dotted key of a section)");
    insta::assert_snapshot!(with("\"model.d_mode\" = [1]"), @"x.toml:9: unknown key `sweep.model.d_mode`; did you mean `d_model`? (known in [model]: d_model, n_layers, causal, channel_mixer, channel_gate, d_hidden, n_blocks, norm, residual, pool, dropout, block, last_norm, norm_eps, positions, embedding_norm, head_transform, tied_head, init)");
    insta::assert_snapshot!(with("\"mixer.s5.d_state\" = [1]"), @"x.toml:9: [sweep.mixer.s5] unknown mixer `s5`; did you mean `s4`? (known: attention, s4d, s4, h3, ema, hyena, m2, monarch, causal_monarch)");
    insta::assert_snapshot!(with("modle.d_model = [1]"), @"x.toml:9: unknown section [sweep.modle]; did you mean `model`? (known: task, task.digits, task.mqar, task.mnist, task.bytes, task.masked_bytes, task.delay, task.reconstruct, task.parity, task.associative_recall, task.induction_heads, task.copying, task.selective_copying, task.adding, task.state_tracking, model, mixer.attention, mixer.s4d, mixer.s4, mixer.h3, mixer.ema, mixer.hyena, mixer.m2, mixer.monarch, mixer.causal_monarch, optim, train, budget, select)");
    insta::assert_snapshot!(with("train.log_every = [1, 2]"), @"x.toml:9: `train.log_every` is not part of a run's name, so it cannot be an axis; set it in its section");
}

#[test]
fn a_key_set_in_two_spellings_is_set_twice() {
    insta::assert_snapshot!(errors_before_small("\"optim.lr\" = 1\n[optim]\nlr = 2"), @"x.toml:3: `optim.lr` is set twice, first at x.toml:1; keep one");
    insta::assert_snapshot!(errors_before_small("[override.m2]\noptim.lr = 1\n\"optim.lr\" = 2"), @"x.toml:3: `override.m2.optim.lr` is set twice, first at x.toml:2; keep one");
    insta::assert_snapshot!(errors(&format!("{SMALL}optim.lr = [1]\n\"optim.lr\" = [2]")), @"x.toml:10: `sweep.optim.lr` is set twice, first at x.toml:9; keep one");
}

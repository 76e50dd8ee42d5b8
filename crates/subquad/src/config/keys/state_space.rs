//! The keys of the state spaces, and of H3, which is made of two: what S4D and S4 share is written once.

use std::ops::Bound::{self, Included};

use super::super::{Key, Word};
use super::{DROPPED, LONGEST_SEQ, ZERO_OR_MORE, integer, integer_or, one_of, real, truth};

/// Initial steps, in token intervals: what the layers' formulas stand in f32.
const STEPS: (Bound<f64>, Bound<f64>) = (Included(1e-12), Included(1e6));

/// What a diagonal state space may start from.
const DIAGONAL_INITS: &[&str] = &["legs", "fout", "lin", "inv", "quad", "real", "rand", "diag", "hippo"];

/// The section of a mixer: its inits, its own keys, and the shared ones around them.
#[rustfmt::skip]
macro_rules! section {
    ($mixer:literal, $largest_state:literal, $inits:expr, $init:literal, [$($own:expr),* $(,)?]) => {
        &[
            integer(concat!("mixer.", $mixer, ".d_state"), 2, $largest_state, 64, "States a channel, even: they come in conjugate pairs. Kernel cost grows linearly with it."),
            one_of(concat!("mixer.", $mixer, ".init"), $inits, $init, "Which published system A and B start from (crates/s4/README.md has their formulas). Mixtures (diag, hippo) give half of the n_ssm systems to each part."),
            $($own,)*
            integer_or(concat!("mixer.", $mixer, ".n_ssm"), 1, 8192, Word::DModel, "Distinct sets of A and B; channel h uses set h mod n_ssm. Must divide model.d_model."),
            real(concat!("mixer.", $mixer, ".dt_min"), STEPS, 0.001, "Smallest initial step, in token intervals: about 1 / (longest memory wanted)."),
            real(concat!("mixer.", $mixer, ".dt_max"), STEPS, 0.1, "Largest initial step, in token intervals: about 1 / (shortest memory wanted)."),
            truth(concat!("mixer.", $mixer, ".dt_tie"), true, "All states of a channel share one step. False: each conjugate pair has its own."),
            one_of(concat!("mixer.", $mixer, ".dt_transform"), &["exp", "softplus"], "exp", "What makes a step of the number that is learned for it."),
            one_of(concat!("mixer.", $mixer, ".real_transform"), &["exp", "softplus", "relu", "sigmoid"], "exp", "What makes a decay, -Re A, of the number that is learned for it; sigmoid keeps decays below 1."),
            real(concat!("mixer.", $mixer, ".b_clip"), ZERO_OR_MORE, 2.0, "Bound of Im B at the start, which HiPPO inits (legs, legt) exceed; 0 clips nothing: exact HiPPO. 2 as published."),
            integer(concat!("mixer.", $mixer, ".channels"), 1, 1024, 1, "Kernels of each channel (and direction), all of them read by the output layer."),
            one_of(concat!("mixer.", $mixer, ".activation"), &["gelu", "silu", "relu", "tanh", "sigmoid", "identity"], "gelu", "What happens to every number after the convolution."),
            one_of(concat!("mixer.", $mixer, ".output"), &["glu", "linear", "none"], "glu", "What mixes the channels of a token at the end: a linear layer and its gate, a linear layer, or nothing."),
            real(concat!("mixer.", $mixer, ".activation_dropout"), DROPPED, 0.0, "Share of numbers dropped in training between activation and output layer; 0 drops none. Beside model.dropout."),
            truth(concat!("mixer.", $mixer, ".tie_dropout"), true, "activation_dropout drops a channel of a sequence at all its tokens or at none. Only with activation_dropout."),
            real(concat!("mixer.", $mixer, ".kernel_dropout"), DROPPED, 0.0, "Share of the kernels' taps dropped in training; 0 drops none."),
            real(concat!("mixer.", $mixer, ".ssm_lr"), ZERO_OR_MORE, 0.001, "Steps, A, B and the low-rank part, where there is one, learn at optim.lr, but never faster than this; 0 freezes them."),
        ]
    };
}

/// Section `[mixer.s4d]`.
#[rustfmt::skip]
pub(super) const S4D: &[Key] = section!("s4d", 65536, DIAGONAL_INITS, "lin", [
    one_of("mixer.s4d.discretization", &["zoh", "bilinear"], "zoh", "How continuous time becomes steps: zero-order hold or bilinear."),
]);

/// Section `[mixer.s4]`. Its states are fewer, because the layer makes dense f64 matrices of d_model d_state^2 numbers.
#[rustfmt::skip]
pub(super) const S4: &[Key] = section!("s4", 1024, &["legs", "fout", "legt", "hippo"], "legs", [
    integer("mixer.s4.rank", 0, 64, 0, "Rank of the low-rank part; 0: what the init needs, which is 2 for legt and 1 for the others. Rows beyond that start small and random."),
    integer_or("mixer.s4.l_max", 1, LONGEST_SEQ, Word::Longest, "Length at which C is learned, in tokens: at least that of training; tests may be longer. Shorter sequences pay for a kernel of this length. \"longest\" is the longest of the config, also among test conditions."),
]);

/// Section `[mixer.h3]`.
#[rustfmt::skip]
pub(super) const H3: &[Key] = &[
    integer("mixer.h3.d_state", 2, 65536, 64, "Keys that the shift state space sees, the present one among them; and states of a product, even: they come in conjugate pairs."),
    integer("mixer.h3.head_dim", 1, 8192, 1, "Channels of a head, in which every key meets every value; must divide model.d_model. State and cost grow linearly with it."),
    one_of("mixer.h3.init", DIAGONAL_INITS, "lin", "Which published system A and B of the diagonal state space start from, as in [mixer.s4d]."),
    one_of("mixer.h3.discretization", &["zoh", "bilinear"], "bilinear", "How continuous time becomes steps: zero-order hold or bilinear, as published."),
    integer("mixer.h3.n_ssm", 0, 8192, 0, "Distinct sets of A and B; head h uses set h mod n_ssm. Must divide the number of heads, model.d_model / head_dim. 0: one a head."),
    real("mixer.h3.dt_min", STEPS, 0.001, "Smallest initial step, in token intervals: about 1 / (longest memory wanted)."),
    real("mixer.h3.dt_max", STEPS, 0.1, "Largest initial step, in token intervals: about 1 / (shortest memory wanted)."),
    one_of("mixer.h3.dt_transform", &["exp", "softplus"], "exp", "What makes a step of the number that is learned for it."),
    one_of("mixer.h3.real_transform", &["exp", "softplus", "relu", "sigmoid"], "exp", "What makes a decay, -Re A, of the number that is learned for it; sigmoid keeps decays below 1."),
    real("mixer.h3.b_clip", ZERO_OR_MORE, 2.0, "Bound of Im B at the start, which HiPPO inits (legs, legt) exceed; 0 clips nothing: exact HiPPO."),
    truth("mixer.h3.train_shift_b", false, "The input weights of the shift state space train, as in the published implementation. False: they stay the first unit vector, as in the paper."),
    real("mixer.h3.ssm_lr", ZERO_OR_MORE, 0.001, "Steps, A, and B of either state space learn at optim.lr, but never faster than this; 0 freezes them."),
];

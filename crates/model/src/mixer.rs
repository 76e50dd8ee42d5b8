//! The sequence mixers that come with subquad, one line each.

use subquad_attention::AttentionConfig;
use subquad_monarch::{CausalMonarchConfig, HyenaConfig, LearnedMonarchConfig, M2Config};
use subquad_s4::{EmaConfig, H3Config, S4Config, S4dConfig};

subquad_mixer::mixers! {
    /// Which sequence mixer, and its options.
    pub MixerConfig, MixerKind, MixerKindState {
        Attention(AttentionConfig),
        S4d(S4dConfig),
        S4(S4Config),
        H3(H3Config),
        Ema(EmaConfig),
        Hyena(HyenaConfig),
        M2(M2Config),
        Monarch(LearnedMonarchConfig),
        CausalMonarch(CausalMonarchConfig),
    }
}

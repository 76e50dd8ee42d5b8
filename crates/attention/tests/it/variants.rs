//! Layers that differ in what the config offers: every option that a decoder must support, one at a time and together.

use subquad_attention::{AttentionConfig, Position};

fn base() -> AttentionConfig {
    AttentionConfig::new(24).with_n_heads(2)
}

/// Causal layers by name.
pub(crate) fn each_option() -> Vec<(&'static str, AttentionConfig)> {
    let alibi = || base().with_n_heads(3).with_position(Position::Alibi);
    let windows = |window| base().with_window(Some(window));
    let six = || base().with_n_heads(6);
    vec![
        ("plain", base()),
        ("no positions, odd heads", AttentionConfig::new(57).with_n_heads(3).with_position(Position::None)),
        ("two key heads for six", six().with_n_kv_heads(Some(2))),
        ("one key head for three", base().with_n_heads(3).with_n_kv_heads(Some(1))),
        ("window 1", windows(1)),
        ("window 5", windows(5)),
        ("window 64", windows(64)),
        ("window 70", windows(70)),
        ("half turned", base().with_rope_fraction(0.5).with_rope_base(100.0)),
        ("alibi", alibi()),
        ("alibi, window 7", alibi().with_window(Some(7))),
        ("softcap", base().with_softcap(Some(0.5))),
        ("norms", base().with_qk_norm(true)),
        (
            "everything",
            six()
                .with_n_kv_heads(Some(3))
                .with_window(Some(66))
                .with_rope_fraction(0.5)
                .with_softcap(Some(1.0))
                .with_qk_norm(true),
        ),
        (
            "everything with alibi",
            six()
                .with_n_kv_heads(Some(2))
                .with_position(Position::Alibi)
                .with_window(Some(9))
                .with_softcap(Some(1.0))
                .with_qk_norm(true),
        ),
    ]
}

/// The layer of [`each_option`] with this name.
pub(crate) fn named(name: &str) -> AttentionConfig {
    each_option().into_iter().find(|(other, _)| *other == name).unwrap().1
}

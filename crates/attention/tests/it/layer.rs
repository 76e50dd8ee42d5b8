//! The whole layer in its plainest form.

use burn::module::Module;
use burn::tensor::Tensor;
use subquad_attention::{Attention, AttentionConfig, Position};
use subquad_mixer::{MixerState, SequenceMixer};
use subquad_testkit::{assert_rel_close, battery, cpu, seeded_tensor, to_f64};

use crate::{FORMS, options};

/// Two projections and sums over 1000 tokens between them, in f32: below 2e-6 (measured), five times that.
const VALUE_REL_TOL: f64 = 1e-5;

const D_MODEL: usize = 12;

fn config(causal: bool, position: Position) -> AttentionConfig {
    AttentionConfig::new(D_MODEL).with_n_heads(3).with_causal(causal).with_position(position)
}

fn build(causal: bool, position: Position) -> Attention {
    options::build(config(causal, position))
}

#[test]
fn the_same_seed_gives_the_same_bits() {
    battery::same_seed_same_bits(|device| config(true, Position::Rope).init(device), &cpu());
}

#[test]
fn rotary_positions_make_the_order_of_the_past_matter() {
    for form in FORMS {
        let x = seeded_tensor::<3>([1, 5, D_MODEL], 2, &cpu());
        let swapped = Tensor::cat(vec![x.clone().narrow(1, 0, 4).flip([1]), x.clone().narrow(1, 4, 1)], 1);
        let last = |layer: &Attention, x: Tensor<3>| layer.forward(x).narrow(1, 4, 1);
        let [rope, none] = [Position::Rope, Position::None].map(|p| build(true, p).with_form(form));
        assert_rel_close(
            last(&none, swapped.clone()),
            to_f64(last(&none, x.clone())),
            VALUE_REL_TOL,
            "no positions",
        );
        let change = (last(&rope, swapped) - last(&rope, x)).abs().max().into_scalar::<f32>();
        assert!(change > 1e-3, "{form:?}: {change}");
    }
}

#[test]
fn a_layer_has_four_square_matrices_and_their_biases() {
    let layer = AttentionConfig::new(64).init(&cpu());
    assert_eq!(layer.num_params(), 4 * 64 * 64 + 4 * 64);
}

#[test]
fn the_cache_grows_by_two_rows_a_token_and_stays_on_the_device() {
    let layer = build(true, Position::Rope);
    let mut state = layer.init_state(2).unwrap();
    assert_eq!((state.seq(), state.floats()), (0, 0));
    for seq in 1..4 {
        layer.step(seeded_tensor([2, D_MODEL], seq as u64, &cpu()), &mut state).unwrap();
        assert_eq!((state.seq(), Some(state.floats())), (seq, layer.state_size(seq)));
        assert_eq!(state.keys().dims(), [2, 3, seq, D_MODEL / 3]);
        assert_eq!(state.values().device(), cpu());
    }
}

#[test]
fn any_length_is_allowed_and_every_parameter_follows_the_optimiser() {
    let layer = build(true, Position::Rope);
    assert_eq!(layer.check_length(usize::MAX), Ok(()));
    assert_eq!(layer.parameter_groups(), Vec::new());
}

#[test]
fn states_of_layers_with_other_settings_are_refused() {
    let layer = build(true, Position::Rope);
    let base = || config(true, Position::Rope);
    for other in [
        base().with_n_kv_heads(Some(1)),
        base().with_n_heads(6),
        base().with_window(Some(5)),
        base().with_rope_base(100.0),
        base().with_rope_fraction(0.5),
        base().with_qk_norm(true),
        config(true, Position::Alibi),
        config(true, Position::None),
    ] {
        battery::refuses_states_of((&layer, D_MODEL), (&options::build(other), D_MODEL));
    }
    let wide = options::build(AttentionConfig::new(2 * D_MODEL).with_n_heads(3));
    battery::refuses_states_of((&layer, D_MODEL), (&wide, 2 * D_MODEL));
}

#[test]
fn a_state_of_another_window_is_refused_with_both_windows() {
    let other = options::build(config(true, Position::Rope).with_window(Some(5)));
    let mut state = other.init_state(2).unwrap();
    let layer = build(true, Position::Rope);
    let error = layer.step(seeded_tensor([2, D_MODEL], 1, &cpu()), &mut state).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the state does not belong to this attention: it was made with window = 5, the layer has window = none; use one \
         from this layer's init_state"
    );
}

#[test]
#[should_panic(expected = "attention has d_model = 12, got an input of width 13")]
fn tokens_of_another_width_are_refused() {
    build(true, Position::Rope).forward(seeded_tensor([1, 3, D_MODEL + 1], 1, &cpu()));
}

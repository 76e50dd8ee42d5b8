//! A training step with a window, grouped heads and several sequences in each row.

use burn::tensor::{Device, Distribution, Tensor};
use subquad_attention::{AttentionConfig, Segments};
use subquad_mixer::SequenceMixer;

fn main() {
    let device = Device::flex().autodiff();
    let attention = AttentionConfig::new(64)
        .with_n_heads(8)
        .with_n_kv_heads(Some(2)) // a quarter of the cache
        .with_window(Some(32))
        .with_rope_fraction(0.5)
        .with_qk_norm(true)
        .with_dropout(0.1)
        .init(&device);

    // Three sequences in the first row, one and padding in the second.
    let segments = Segments::packed(&[vec![20, 50, 30], vec![60]], 100);
    let x = Tensor::<3>::random([2, 100, 64], Distribution::Default, &device).require_grad();

    let seed = 1; // another one at every step and in every layer
    let y = attention.forward_with(x.clone(), Some(&segments), Some(seed));
    let grads = y.powi_scalar(2).mean().backward();
    let of_padding = x.grad(&grads).expect("the input took part").narrow(0, 1, 1).narrow(1, 60, 40);
    assert_eq!(of_padding.abs().max().into_scalar::<f32>(), 0.0);

    // Without dropout, the second sequence of a row gives what it gives in a row of its own.
    let packed = attention.forward_segments(x.clone(), &segments);
    let alone = attention.forward(x.narrow(0, 0, 1).narrow(1, 20, 50));
    let difference = packed.narrow(0, 0, 1).narrow(1, 20, 50) - alone;
    assert!(difference.abs().max().into_scalar::<f32>() < 1e-5);
}

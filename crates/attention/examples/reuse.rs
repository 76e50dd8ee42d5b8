//! Attention inside a burn model of your own: a residual layer and its gradient.

use burn::tensor::{Device, Distribution, Tensor};
use subquad_attention::AttentionConfig;
use subquad_mixer::SequenceMixer;

fn main() {
    let device = Device::flex().autodiff();
    let attention = AttentionConfig::new(32).with_n_heads(2).init(&device);
    let x = Tensor::<3>::random([4, 50, 32], Distribution::Default, &device);

    let y = x.clone() + attention.forward(x);
    let grads = y.powi_scalar(2).mean().backward();

    let weight = attention.qkv.weight.val();
    let grad = weight.grad(&grads).expect("the weight took part");
    assert_eq!(grad.dims(), [32, 96]);
}

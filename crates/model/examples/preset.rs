//! A model by name: what a published size takes, counted without building it, and a small one that runs.
//!
//! `cargo run --release --example preset`
#![allow(clippy::print_stdout)]

use burn::tensor::{Device, Int, Tensor};
use subquad_model::{Dropout, Input, M2BertConfig, presets};

/// Hides a byte from the small M2-BERT: the last of its tokens.
const MASK: i32 = 256;

fn main() {
    for preset in presets() {
        println!("{:14} {:>11} parameters", preset.name, preset.config.n_parameters());
    }
    // Any size between, such as the published structure at half its depth.
    let shallow = M2BertConfig::base_80m().with_n_layers(6).model();
    println!("{:14} {:>11} parameters", "6 blocks", shallow.n_parameters());

    let device = Device::flex();
    let model = M2BertConfig::small().model().init_seeded(0, &device);
    let mut tokens: Vec<i32> = b"In the beginning was the Word".iter().map(|&byte| byte.into()).collect();
    tokens[4] = MASK;
    let tokens = Tensor::<1, Int>::from_data(tokens.as_slice(), &device).unsqueeze::<2>();
    let logits = model.forward(Input::Tokens(tokens), &Dropout::Off); // [batch, seq, vocab]
    println!("logits {:?}; untrained, it takes token {} for the hidden one", logits.dims(), best(logits, 4));

    // A published checkpoint, of PyTorch's or safetensors: M2BertConfig::base_80m().load("model.safetensors", &device)
}

/// The likeliest token at a position.
fn best(logits: Tensor<3>, position: usize) -> i32 {
    logits.narrow(1, position, 1).argmax(2).into_scalar()
}

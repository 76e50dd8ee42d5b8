//! S4 inside a burn model of your own: a residual block and one step of training.

use burn::module::Module;
use burn::nn::{LayerNorm, LayerNormConfig};
use burn::optim::{AdamWConfig, GradientsParams};
use burn::tensor::{Device, Distribution, Tensor};
use subquad_mixer::SequenceMixer;
use subquad_s4::{S4, S4Config};

#[derive(Module, Debug)]
struct Block {
    norm: LayerNorm,
    mixer: S4,
}

impl Block {
    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        x.clone() + self.mixer.forward(self.norm.forward(x))
    }
}

#[allow(clippy::print_stdout)]
fn main() {
    let device = Device::flex().autodiff();
    let mixer = S4Config::new(32, 100).with_bidirectional(true).init(&device);
    let mut block = Block { norm: LayerNormConfig::new(32).init(&device), mixer };
    let mut optimiser = AdamWConfig::new().init();
    let x = Tensor::<3>::random([4, 100, 32], Distribution::Default, &device);
    for step in 0..5 {
        let loss = block.forward(x.clone()).square().mean();
        println!("step {step}: {:.4}", loss.clone().into_scalar::<f32>());
        let grads = GradientsParams::from_grads(loss.backward(), &block);
        block = optimiser.step(1e-3, block, grads);
    }
    // Steps, A, B and P should train slowly and without decay; a model's own optimiser can follow these groups.
    println!("{:?}", block.mixer.parameter_groups());
}

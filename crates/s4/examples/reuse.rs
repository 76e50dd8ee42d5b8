//! S4D alone, as the memory of a program that reads one token at a time.

use burn::tensor::{Device, Distribution, Tensor};
use subquad_mixer::{MixerError, MixerState, SequenceMixer};
use subquad_s4::S4dConfig;

#[allow(clippy::print_stdout)]
fn main() -> Result<(), MixerError> {
    let device = Device::flex();
    let layer = S4dConfig::new(4).with_d_state(16).init(&device);
    let mut state = layer.init_state(1)?;
    for t in 0..8 {
        let token = Tensor::random([1, 4], Distribution::Default, &device);
        println!("{t}: {}", layer.step(token, &mut state)?.into_data());
    }
    println!("{} floats of state, whatever the past", state.floats());
    Ok(())
}

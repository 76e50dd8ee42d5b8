//! H3 token by token: the state has the same size however long the past is, and is larger with wider heads.

use burn::tensor::{Device, Distribution, Tensor};
use subquad_mixer::{MixerError, MixerState, SequenceMixer};
use subquad_s4::H3Config;

#[allow(clippy::print_stdout)]
fn main() -> Result<(), MixerError> {
    let device = Device::flex();
    for head_dim in [1, 2, 4] {
        let layer = H3Config::new(8).with_head_dim(head_dim).with_d_state(16).init(&device);
        let x = Tensor::random([1, 50, 8], Distribution::Default, &device);
        let whole = layer.forward(x.clone());
        let mut state = layer.init_state(1)?;
        let tokens = (0..50).map(|t| layer.step(x.clone().narrow(1, t, 1).squeeze_dim(1), &mut state));
        let stepped = Tensor::stack::<3>(tokens.collect::<Result<_, _>>()?, 1);
        let apart = (stepped - whole).abs().max().into_scalar::<f32>();
        println!(
            "head_dim {head_dim}: {} floats of state, token by token within {apart:.1e}",
            state.floats()
        );
    }
    Ok(())
}

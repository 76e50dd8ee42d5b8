//! Weights of a published S4 layer: loaded by name, run here, saved under the same names.

use burn::tensor::{Device, Distribution, Tensor};
use subquad_mixer::SequenceMixer;
use subquad_s4::S4;
use subquad_testkit::golden;

#[allow(clippy::print_stdout)]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let recorded = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/s4_legs.safetensors");
    let file = std::env::args().nth(1).unwrap_or_else(|| recorded.into());
    let mut case = golden::read(&file)?; // options in the metadata, a tensor `param.<name>` for each parameter
    let layer = S4::from_published(&mut case, &Device::flex())?.with_max_taps(None); // the published one sees l_max tokens
    println!("C was made at {} tokens; the layer goes on beyond:", layer.ssm.l_max());

    let x = Tensor::random([1, 500, layer.d.dims()[1]], Distribution::Default, &Device::flex());
    println!("{:?} -> {:?}", x.dims(), layer.forward(x.clone()).dims());

    for (name, values) in layer.with_l_max(500).to_published() {
        println!("{name:28} {:?}", values.shape());
    }
    Ok(())
}

//! A Monarch linear layer in a model of your own: parameters, operations, forward, its dense equivalent, and the layer
//! nearest to a given dense one.

use burn::module::Module;
use burn::nn::LinearConfig;
use burn::tensor::activation::relu;
use burn::tensor::{Device, Distribution, Tensor};
use subquad_monarch::{MonarchLinear, MonarchLinearConfig};

/// Two layers of 1024 x 1024, with 65,536 weights each in place of 1,048,576.
#[derive(Module, Debug)]
struct Net {
    hidden: MonarchLinear,
    output: MonarchLinear,
}

impl Net {
    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        self.output.forward(relu(self.hidden.forward(x)))
    }
}

#[allow(clippy::print_stdout)]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let device = Device::default();
    let config = MonarchLinearConfig::new(1024, 1024); // axes of 32, rank 1
    config.check()?;
    let net = Net { hidden: config.init(&device), output: config.clone().with_rank(2).init(&device) };
    println!("{} parameters, {} FLOPs a row and layer", net.num_params(), config.flops());

    let y = net.forward(Tensor::random([8, 1024], Distribution::Default, &device));
    println!("{:?}; the same matrix, dense: {:?}", y.dims(), net.hidden.dense_weight().dims());

    // Any width will do: blocks that do not divide it are padded.
    let dense = LinearConfig::new(300, 130).init(&device);
    let near = MonarchLinear::project(&dense, &MonarchLinearConfig::new(300, 130).with_n_blocks(Some(16)))?;
    println!("{} parameters instead of {}", near.num_params(), dense.num_params());
    Ok(())
}

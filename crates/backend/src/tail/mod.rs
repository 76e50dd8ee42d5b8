//! What follows the long convolution of a state-space layer, as one operation: an activation, a linear layer across channels,
//! and a gate.
//!
//! ```text
//! g = act(y)            y [batch, channels, seq], as the convolution leaves it
//! [a, b] = g^T W + c    a token's channels meet the weight [channels, 2 d_out]
//! out = a sigmoid(b)    [batch, seq, d_out], Dauphin et al. 2016; without a gate W has d_out columns and out = a
//! ```
//!
//! The fused forward pass transposes nothing: a tile of channels is read by columns, and both halves of the gate meet
//! in the registers that summed them. For the backward pass it keeps `s = sigmoid(b)` and its output:
//!
//! ```text
//! da = dout s           db = dout out (1 - s)
//! dW = g [da, db]       dy = act'(y) ([da, db] W^T)^T
//! ```

mod backward;
mod forward;
mod sizes;

use burn::nn::Linear;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use self::backward::Backward;
use self::sizes::Sizes;
use crate::kernel::{Array, CpuKernel, Saved, View, apply};
use crate::linear::{linear, operands};
use crate::pointwise::{Activation, activate, glu};
use crate::{Form, simd};

/// What follows the linear layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Output {
    /// The first half of its outputs times the sigmoid of the second.
    Glu,
    /// Nothing.
    Linear,
}

impl Output {
    /// How many outputs of the linear layer make one number.
    pub fn parts(self) -> usize {
        match self {
            Self::Glu => 2,
            Self::Linear => 1,
        }
    }
}

/// Activation, linear layer across channels, and gate. Any sizes; the layer may or may not have a bias.
///
/// # Shapes
/// - `y`: `[batch, channels, seq]`
/// - `layer`: from `channels` to `d_out`, or to `2 d_out` with a gate
/// - output: `[batch, seq, d_out]`
///
/// # Panics
/// If the layer does not start at `channels`, or has an odd number of outputs for a gate.
pub fn mix_channels(
    y: Tensor<3>,
    activation: Activation,
    layer: &Linear,
    output: Output,
    form: Form,
) -> Tensor<3> {
    let ([_, channels, _], [d_input, d_output]) = (y.dims(), layer.weight.dims());
    assert_eq!(channels, d_input, "a linear layer of {d_input} inputs got {channels} channels");
    assert!(d_output.is_multiple_of(output.parts()), "a gate needs two halves, got {d_output} outputs");
    match form {
        Form::Portable => portable(y, activation, layer, output),
        Form::Fused => apply(MixChannels { activation, output }, operands(y, layer)),
    }
}

fn portable(y: Tensor<3>, activation: Activation, layer: &Linear, output: Output) -> Tensor<3> {
    let hidden = activate(y.swap_dims(1, 2), activation, Form::Portable);
    let mixed = linear(layer, hidden, Form::Portable);
    match output {
        Output::Glu => glu(mixed, Form::Portable),
        Output::Linear => mixed,
    }
}

/// Inputs: `y [batch, channels, seq]`, `weight [channels, parts d_out]` and, if there is one, `bias [parts d_out]`.
#[derive(Debug)]
struct MixChannels {
    activation: Activation,
    output: Output,
}

impl MixChannels {
    fn sizes(&self, inputs: &[View<'_>]) -> Sizes {
        let ([batch, channels, seq], [_, d_output]) = (inputs[0].dims(), inputs[1].dims());
        let parts = self.output.parts();
        let (d_out, has_bias) = (d_output / parts, inputs.len() > 2);
        let lanes = simd::f32_lanes();
        Sizes { batch, channels, seq, d_out, parts, has_bias, lanes }
    }
}

impl CpuKernel for MixChannels {
    fn forward_and_notes(&self, inputs: &[View<'_>]) -> (Array, Option<Array>) {
        let sizes = self.sizes(inputs);
        let bias = inputs.get(2).map(|bias| bias.data);
        let (out, gate) = forward::forward(sizes, self.activation, inputs[0].data, inputs[1].data, bias);
        let array = |data| Array::new(data, [sizes.batch, sizes.seq, sizes.d_out]);
        (array(out), gate.map(array))
    }

    fn backward(&self, saved: &Saved<'_>) -> Vec<Option<Array>> {
        let (inputs, wanted) = (saved.inputs, saved.wanted);
        let sizes = self.sizes(inputs);
        let gated = saved.output.zip(saved.notes).map(|(out, gate)| [out.data, gate.data]);
        let (y, weight, grad) = (inputs[0].data, inputs[1].data, saved.grad.data);
        let pass = Backward { sizes, activation: self.activation, y, weight, gated, grad };
        let [dy, mut weight] = pass.run(wanted[0], wanted[1..].contains(&true));
        let bias = weight.split_off(weight.len().min(sizes.channels * sizes.outputs()));
        let each = [dy, weight, bias].into_iter().zip(inputs).zip(wanted);
        each.map(|((grad, input), wanted)| wanted.then(|| Array::new(grad, input.shape))).collect()
    }

    fn keeps_output(&self) -> bool {
        self.output == Output::Glu
    }
}

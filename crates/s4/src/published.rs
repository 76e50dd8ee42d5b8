//! The published `s4_block` with the diagonal kernel: its parameters become ours, our results get its names.
//!
//! It keeps the member of each conjugate pair with the *negative* frequency. Ours has the positive one, so the imaginary
//! parts of `B` and `C`, and of their gradients, change sign; the kernel is the same. Its linear weights are
//! `[out, in]`, burn's `[in, out]`.

use burn::module::{Module, Param};
use burn::tensor::{Device, Gradients, Tensor, TensorData};
use serde::Deserialize;
use subquad_backend::{Form, read};
use subquad_mixer::SequenceMixer;
use subquad_mixer::published::{Case, CaseError, Replay};

use crate::complex::Pair;
use crate::{Discretization, S4d, S4dConfig};

/// The published options. Names that only say how parameters began (`init`) or how long sequences were (`l_max`) are
/// read and not used.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Block {
    d_model: usize,
    d_state: usize,
    kernel: String,
    #[serde(rename = "init", default)]
    _init: Option<String>,
    #[serde(default)]
    bidirectional: bool,
    #[serde(rename = "l_max", default)]
    _l_max: Option<usize>,
    #[serde(default = "glu")]
    final_act: String,
    #[serde(default = "gelu")]
    activation: String,
    #[serde(default = "zoh")]
    disc: Discretization,
    n_ssm: Option<usize>,
    #[serde(default = "one")]
    channels: usize,
    #[serde(default = "exp")]
    dt_transform: String,
    #[serde(default = "exp")]
    real_transform: String,
    #[serde(default = "none")]
    imag_transform: String,
}

fn glu() -> String {
    "glu".into()
}

fn gelu() -> String {
    "gelu".into()
}

fn exp() -> String {
    "exp".into()
}

fn none() -> String {
    "none".into()
}

fn one() -> usize {
    1
}

fn zoh() -> Discretization {
    Discretization::Zoh
}

impl Block {
    fn read(case: &Case) -> Result<Self, CaseError> {
        let unsupported = |what: String| CaseError::Unsupported { layer: case.layer.clone(), what };
        if case.layer != "s4_block" {
            return Err(unsupported("any layer but `s4_block`".into()));
        }
        let block: Self = case.parse_config()?;
        let only = [
            ("kernel", &block.kernel, "s4d"),
            ("final_act", &block.final_act, "glu"),
            ("activation", &block.activation, "gelu"),
            ("dt_transform", &block.dt_transform, "exp"),
            ("real_transform", &block.real_transform, "exp"),
            ("imag_transform", &block.imag_transform, "none"),
        ];
        for (key, got, implemented) in only {
            if got != implemented {
                return Err(unsupported(format!("{key} = `{got}` (only `{implemented}`)")));
            }
        }
        if block.channels != 1 {
            return Err(unsupported(format!("channels = {} (only 1)", block.channels)));
        }
        Ok(block)
    }

    fn config(&self, case: &Case) -> Result<S4dConfig, CaseError> {
        let config = S4dConfig::new(self.d_model)
            .with_d_state(self.d_state)
            .with_bidirectional(self.bidirectional)
            .with_discretization(self.disc)
            .with_n_ssm(self.n_ssm);
        let problem = |e: crate::S4dConfigError| CaseError::Config {
            layer: case.layer.clone(),
            message: e.to_string(),
        };
        config.check().map_err(problem)?;
        Ok(config)
    }
}

impl S4d {
    /// The layer with published parameters, which are taken out of `case`.
    ///
    /// # Errors
    /// If a parameter is missing or has another shape, or the case uses an option that this layer does not have, such as
    /// the low-rank kernel `s4`.
    pub fn from_published(case: &mut Case, device: &Device) -> Result<Self, CaseError> {
        let block = Block::read(case)?;
        let layer = block.config(case)?.init(device);
        let [systems, pairs] = layer.a_im.val().dims();
        let [kernels, d_model, _] = layer.c_re.val().dims();
        let mut take = Taker { case, device };
        let b = take.conjugate("layer.kernel.B", [1, systems, pairs, 2])?;
        let c = take.conjugate("layer.kernel.C", [kernels, d_model, pairs, 2])?;
        Ok(Self {
            log_dt: take.param("layer.kernel.inv_dt", [d_model, 1], |t| t.squeeze_dim(1))?,
            log_a_re: take.param("layer.kernel.A_real", [systems, pairs], |t: Tensor<2>| t)?,
            a_im: take.param("layer.kernel.A_imag", [systems, pairs], |t: Tensor<2>| t)?,
            b_re: Param::from_tensor(b.re.squeeze_dim(0)),
            b_im: Param::from_tensor(b.im.squeeze_dim(0)),
            c_re: Param::from_tensor(c.re),
            c_im: Param::from_tensor(c.im),
            d: take.param("layer.D", [1, d_model], |t| t.squeeze_dim(0))?,
            output: burn::nn::Linear {
                weight: take
                    .param("output_linear.0.weight", [2 * d_model, d_model], |t: Tensor<2>| t.transpose())?,
                bias: Some(take.param("output_linear.0.bias", [2 * d_model], |t: Tensor<1>| t)?),
            },
            ..layer
        })
    }
}

struct Taker<'a> {
    case: &'a mut Case,
    device: &'a Device,
}

impl Taker<'_> {
    fn param<const D: usize, const E: usize>(
        &mut self,
        name: &str,
        shape: [usize; D],
        ours: impl Fn(Tensor<D>) -> Tensor<E>,
    ) -> Result<Param<Tensor<E>>, CaseError> {
        Ok(Param::from_tensor(ours(self.case.take_tensor(name, shape, self.device)?)))
    }

    /// A complex tensor, stored with (re, im) as its last axis.
    fn conjugate(&mut self, name: &str, shape: [usize; 4]) -> Result<Pair<3>, CaseError> {
        let stored: Tensor<4> = self.case.take_tensor(name, shape, self.device)?;
        let part = |i| stored.clone().narrow(3, i, 1).squeeze_dim::<3>(3);
        Ok(Pair { re: part(0), im: -part(1) })
    }
}

/// Runs the published layer of `case` as an [`S4d`]: output, kernel, the output token by token where the case has one,
/// and every gradient.
///
/// # Errors
/// As for [`S4d::from_published`], or if the case has no input.
pub fn replay(case: &mut Case, form: Form, device: &Device) -> Result<Replay, CaseError> {
    let layer = S4d::from_published(case, device)?.with_form(form);
    let width = layer.d.dims()[0];
    let input: Tensor<3> = case.tensor_of_width("input", width, device)?;
    let mut replay = Replay::new();
    replay.insert("kernel".into(), read(layer.kernel(input.dims()[1])));
    if let Some(stepped) = stepped(&layer, &input) {
        replay.insert("step_output".into(), read(stepped));
    }
    let device = device.clone().autodiff();
    let (layer, input) = (layer.train(), case.tensor("input", &device)?.require_grad());
    let output = layer.forward(input.clone());
    replay.insert("output".into(), read(output.clone()));
    let grad_output = case.grad_output(&output, &device)?;
    let grads = (output * grad_output).sum().backward();
    replay.insert("grad.input".into(), read(grad(&input, &grads)));
    replay.extend(gradients(&layer, &grads));
    Ok(replay)
}

/// `None` for a bidirectional layer.
fn stepped(layer: &S4d, input: &Tensor<3>) -> Option<Tensor<3>> {
    let [batch, seq, _] = input.dims();
    let mut state = layer.init_state(batch).ok()?;
    let token = |t| input.clone().narrow(1, t, 1).squeeze_dim::<2>(1);
    let outputs: Result<Vec<_>, _> = (0..seq).map(|t| layer.step(token(t), &mut state)).collect();
    Some(Tensor::stack(outputs.ok()?, 1))
}

/// Gradients of the parameters, in published layout.
fn gradients(layer: &S4d, grads: &Gradients) -> Vec<(String, TensorData)> {
    let (weight, bias) = (&layer.output.weight, layer.output.bias.as_ref());
    let named = [
        ("layer.kernel.inv_dt", read(grad(&layer.log_dt.val(), grads).unsqueeze_dim::<2>(1))),
        ("layer.kernel.A_real", read(grad(&layer.log_a_re.val(), grads))),
        ("layer.kernel.A_imag", read(grad(&layer.a_im.val(), grads))),
        (
            "layer.kernel.B",
            read(conjugate_grad::<2, 3>(&layer.b_re, &layer.b_im, grads).unsqueeze_dim::<4>(0)),
        ),
        ("layer.kernel.C", read(conjugate_grad::<3, 4>(&layer.c_re, &layer.c_im, grads))),
        ("layer.D", read(grad(&layer.d.val(), grads).unsqueeze_dim::<2>(0))),
        ("output_linear.0.weight", read(grad(&weight.val(), grads).transpose())),
    ];
    let bias = bias.map(|bias| ("output_linear.0.bias", read(grad(&bias.val(), grads))));
    named.into_iter().chain(bias).map(|(name, data)| (format!("grad.{name}"), data)).collect()
}

fn grad<const D: usize>(tensor: &Tensor<D>, grads: &Gradients) -> Tensor<D> {
    tensor.grad(grads).expect("the loss depends on every parameter and on the input")
}

fn conjugate_grad<const D: usize, const E: usize>(
    re: &Param<Tensor<D>>,
    im: &Param<Tensor<D>>,
    grads: &Gradients,
) -> Tensor<E> {
    Tensor::stack(vec![grad(&re.val(), grads), -grad(&im.val(), grads)], D)
}

//! From the last block's vectors to outputs.

use burn::module::{Module, Param};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor};
use subquad_backend::{Form, linear::linear, pointwise};

use crate::{ModelConfig, Norm, SequenceModel};

/// `norm(gelu(linear(h)))`, of the model's width: how BERT's head begins.
#[derive(Module, Debug)]
pub(crate) struct HeadTransform {
    pub(crate) dense: Linear,
    pub(crate) norm: Norm,
    #[module(skip)]
    form: Form,
}

impl HeadTransform {
    pub(crate) fn new(config: &ModelConfig, device: &Device) -> Self {
        Self {
            dense: LinearConfig::new(config.d_model, config.d_model).init(device),
            norm: Norm::new(config.d_model, device).with_eps(config.structure.norm_eps),
            form: Form::for_device(device),
        }
    }

    fn forward(&self, h: Tensor<3>) -> Tensor<3> {
        self.norm.forward(pointwise::gelu(linear(&self.dense, h, self.form), self.form))
    }

    pub(crate) fn with_form(self, form: Form) -> Self {
        Self { dense: self.dense, norm: self.norm.with_form(form), form }
    }
}

/// The last step of a head: a linear map of its own, or products with the encoder's table and a bias of its own.
#[derive(Debug)]
pub(crate) struct Decoder {
    pub(crate) head: Option<Linear>,
    pub(crate) tied_bias: Option<Param<Tensor<1>>>,
}

impl Decoder {
    pub(crate) fn new(config: &ModelConfig, device: &Device) -> Self {
        let outputs = config.head.outputs();
        match config.structure.tied_head {
            true => {
                let bias = Param::from_tensor(Tensor::zeros([outputs], device));
                Self { head: None, tied_bias: Some(bias) }
            }
            false => {
                Self { head: Some(LinearConfig::new(config.d_model, outputs).init(device)), tied_bias: None }
            }
        }
    }
}

impl SequenceModel {
    /// Outputs of normed vectors: `[batch, seq, d_model]` to `[batch, seq, outputs]`.
    pub(crate) fn decode(&self, h: Tensor<3>) -> Tensor<3> {
        let h = match &self.head_transform {
            Some(transform) => transform.forward(h),
            None => h,
        };
        match (&self.head, &self.tied_bias) {
            (Some(head), _) => head.forward(h),
            (None, Some(bias)) => self.products_with_table(h) + bias.val().unsqueeze(),
            (None, None) => unreachable!("a model without a map of its own is tied"),
        }
    }

    fn products_with_table(&self, h: Tensor<3>) -> Tensor<3> {
        let table = self.encoder.table().expect("a tied model reads tokens");
        let ([batch, seq, d_model], [vocab, _]) = (h.dims(), table.dims());
        let logits = h.reshape([batch * seq, d_model]).matmul(table.transpose());
        logits.reshape([batch, seq, vocab])
    }
}

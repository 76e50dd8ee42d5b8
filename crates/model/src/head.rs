//! From the last block's vectors to outputs.

use burn::module::{Module, Param};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor};
use subquad_backend::{Form, linear::linear, pointwise};
use subquad_mixer::MixerModule;

use crate::{Dropout, DropoutSites, HeadTransform, ModelConfig, Norm, SequenceModel};

/// What a head begins with, if anything: see [`HeadTransform`].
#[derive(Module, Debug)]
pub(crate) struct Transform {
    pub(crate) dense: Linear,
    /// `None` in a pooler, whose activation is tanh.
    pub(crate) norm: Option<Norm>,
    #[module(skip)]
    form: Form,
}

impl Transform {
    pub(crate) fn new<C>(config: &ModelConfig<C>, device: &Device) -> Option<Self> {
        let (d_model, eps) = (config.d_model, config.structure.norm_eps);
        let norm = match config.structure.head_transform {
            HeadTransform::None => return None,
            HeadTransform::GeluNorm => Some(Norm::new(d_model, device).with_eps(eps)),
            HeadTransform::Pooler => None,
        };
        let dense = LinearConfig::new(d_model, d_model).init(device);
        Some(Self { dense, norm, form: Form::for_device(device) })
    }

    fn forward(&self, h: Tensor<3>) -> Tensor<3> {
        let h = linear(&self.dense, h, self.form);
        match &self.norm {
            Some(norm) => norm.forward(pointwise::gelu(h, self.form)),
            None => pointwise::activate(h, pointwise::Activation::Tanh, self.form),
        }
    }

    pub(crate) fn with_form(self, form: Form) -> Self {
        Self { dense: self.dense, norm: self.norm.map(|norm| norm.with_form(form)), form }
    }
}

/// The last step of a head: a linear map of its own, or products with the encoder's table and a bias of its own.
#[derive(Debug)]
pub(crate) struct Decoder {
    pub(crate) head: Option<Linear>,
    pub(crate) tied_bias: Option<Param<Tensor<1>>>,
}

impl Decoder {
    pub(crate) fn new<C>(config: &ModelConfig<C>, device: &Device) -> Self {
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

impl<M: MixerModule> SequenceModel<M> {
    /// What the last step of the head reads, from normed vectors.
    pub(crate) fn transformed(&self, h: Tensor<3>, dropout: &Dropout<'_>) -> Tensor<3> {
        match &self.head_transform {
            Some(transform) => self.pooled(transform, h, dropout),
            None => h,
        }
    }

    /// The last step: `[batch, seq, d_model]` to `[batch, seq, outputs]`.
    pub(crate) fn decode(&self, h: Tensor<3>) -> Tensor<3> {
        match (&self.head, &self.tied_bias) {
            (Some(head), _) => linear(head, h, self.form),
            (None, Some(bias)) => self.products_with_table(h) + bias.val().unsqueeze(),
            (None, None) => unreachable!("a model without a map of its own is tied"),
        }
    }

    fn pooled(&self, transform: &Transform, h: Tensor<3>, dropout: &Dropout<'_>) -> Tensor<3> {
        let h = transform.forward(h);
        match (self.sites, &transform.norm) {
            // This site follows those of the blocks and of the embeddings.
            (DropoutSites::M2Bert, None) => dropout.apply(h, 2 * self.blocks.len() + 1),
            (DropoutSites::Branches, _) | (DropoutSites::M2Bert, Some(_)) => h,
        }
    }

    fn products_with_table(&self, h: Tensor<3>) -> Tensor<3> {
        let table = self.encoder.table().expect("a tied model reads tokens");
        let ([batch, seq, d_model], [vocab, _]) = (h.dims(), table.dims());
        let logits = h.reshape([batch * seq, d_model]).matmul(table.transpose());
        logits.reshape([batch, seq, vocab])
    }
}

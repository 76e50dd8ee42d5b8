//! What is added to the encoder's vectors before the first block.

use burn::module::Module;
use burn::nn::{Embedding, EmbeddingConfig};
use burn::tensor::{Device, Int, Tensor};
use subquad_backend::Form;

use crate::norm::normed;
use crate::{Dropout, ModelConfig, Norm, NormKind};

/// Learned positions and token types, and the norm of the sum, if the model has them.
#[derive(Module, Debug)]
pub(crate) struct Additions {
    pub(crate) positions: Option<Embedding>,
    pub(crate) token_types: Option<Embedding>,
    pub(crate) norm: Option<Norm>,
}

impl Additions {
    pub(crate) fn new<C>(config: &ModelConfig<C>, device: &Device) -> Self {
        let table = |rows| EmbeddingConfig::new(rows, config.d_model).init(device);
        let structure = config.structure;
        let norm = if structure.embedding_norm { config.norm } else { NormKind::None };
        Self {
            positions: structure.positions.map(table),
            token_types: (structure.token_types > 0).then(|| table(structure.token_types)),
            norm: norm.init(config.d_model, structure.norm_eps, device),
        }
    }

    /// # Shapes
    /// - `h`: `[batch, seq, d_model]`, the tokens from position `first` on
    /// - `types`: `[batch, seq]`; `None`: all of type 0
    /// - output: as `h`
    ///
    /// `site` names the dropout after the norm.
    pub(crate) fn forward(
        &self,
        h: Tensor<3>,
        types: Option<Tensor<2, Int>>,
        first: usize,
        dropout: &Dropout<'_>,
        site: usize,
    ) -> Tensor<3> {
        let h = self.add_positions(h, first);
        let h = self.add_types(h, types);
        match &self.norm {
            Some(_) => dropout.apply(normed(&self.norm, h), site),
            None => h,
        }
    }

    fn add_positions(&self, h: Tensor<3>, first: usize) -> Tensor<3> {
        let Some(table) = &self.positions else { return h };
        let (rows, [_, seq, _]) = (table.weight.val(), h.dims());
        let known = rows.dims()[0];
        assert!(first + seq <= known, "the model has {known} positions, got {} tokens", first + seq);
        h + rows.narrow(0, first, seq).unsqueeze()
    }

    fn add_types(&self, h: Tensor<3>, types: Option<Tensor<2, Int>>) -> Tensor<3> {
        match (&self.token_types, types) {
            (Some(table), Some(types)) => h + table.forward(types),
            (Some(table), None) => h + table.weight.val().narrow(0, 0, 1).unsqueeze(),
            (None, None) => h,
            (None, Some(_)) => panic!("this model has no token types"),
        }
    }

    /// Number of positions in the table.
    pub(crate) fn max_positions(&self) -> Option<usize> {
        self.positions.as_ref().map(|table| table.weight.dims()[0])
    }

    pub(crate) fn with_form(mut self, form: Form) -> Self {
        self.norm = self.norm.map(|norm| norm.with_form(form));
        self
    }
}

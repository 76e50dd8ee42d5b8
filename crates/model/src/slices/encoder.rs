//! The first block's input, for one token.

use burn::nn::Embedding;
use subquad_backend::floats;
use subquad_backend::row_linear::RowLinear;
use subquad_backend::row_norm::RowNorm;
use subquad_backend::simd;

use crate::additions::Additions;
use crate::model::EncoderKind;
use crate::norm::Norm;

/// What a step reads: one token of one sequence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum OneToken<'a> {
    /// `[features]`
    Reals(&'a [f32]),
    /// A token, of type 0 if the model has types.
    Token(usize),
    /// A token and its type.
    TypedToken(usize, usize),
}

/// Encoder and additions.
#[derive(Debug)]
pub(super) struct RowEncoder {
    map: RowMap,
    d_model: usize,
    /// `[positions, d_model]`
    positions: Option<Vec<f32>>,
    /// `[types, d_model]`
    types: Option<Vec<f32>>,
    norm: Option<RowNorm>,
}

#[derive(Debug)]
enum RowMap {
    Linear(RowLinear),
    /// `[vocab, d_model]`
    Table(Vec<f32>),
}

impl RowEncoder {
    pub(super) fn new(encoder: &EncoderKind, additions: &Additions) -> Self {
        let rows = |table: &Option<Embedding>| table.as_ref().map(|table| floats(table.weight.val()));
        let (map, d_model) = match encoder {
            EncoderKind::Linear(layer) => (RowMap::Linear(RowLinear::new(layer)), layer.weight.dims()[1]),
            EncoderKind::Embedding(table) => {
                (RowMap::Table(floats(table.weight.val())), table.weight.dims()[1])
            }
        };
        Self {
            map,
            d_model,
            positions: rows(&additions.positions),
            types: rows(&additions.token_types),
            norm: additions.norm.as_ref().map(Norm::rows),
        }
    }

    pub(super) fn d_model(&self) -> usize {
        self.d_model
    }

    /// # Panics
    /// If the token is of the other kind than the encoder's, or not one that the model knows.
    pub(super) fn apply(&self, token: OneToken<'_>, seq: usize, h: &mut [f32]) {
        let kind = match (&self.map, token) {
            (RowMap::Linear(layer), OneToken::Reals(x)) => {
                layer.apply(x, h);
                0
            }
            (RowMap::Table(rows), OneToken::Token(token)) => {
                h.copy_from_slice(self.row(rows, token));
                0
            }
            (RowMap::Table(rows), OneToken::TypedToken(token, kind)) => {
                h.copy_from_slice(self.row(rows, token));
                assert!(self.types.is_some(), "this model has no token types");
                kind
            }
            (RowMap::Linear(_), OneToken::Token(_) | OneToken::TypedToken(..)) => {
                panic!("this model reads reals, got tokens")
            }
            (RowMap::Table(_), OneToken::Reals(_)) => panic!("this model reads tokens, got reals"),
        };
        self.add(&self.positions, seq, h);
        self.add(&self.types, kind, h);
        if let Some(norm) = &self.norm {
            norm.apply(h);
        }
    }

    fn add(&self, table: &Option<Vec<f32>>, row: usize, h: &mut [f32]) {
        if let Some(rows) = table {
            simd::add(h, self.row(rows, row));
        }
    }

    fn row<'a>(&self, rows: &'a [f32], row: usize) -> &'a [f32] {
        &rows[row * self.d_model..][..self.d_model]
    }
}

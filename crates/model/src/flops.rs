//! What a training step computes, for its utilisation of the machine.

use subquad_mixer::{Flops, SequenceMixerConfig};

use crate::{Encoder, Head, HeadTransform, ModelConfig};

impl<C: SequenceMixerConfig> ModelConfig<C> {
    /// Floating-point operations of one training step on `batch` sequences of `seq_len` tokens, as [`Flops`] counts them: those of the
    /// mixers, of a linear encoder and of the head. Looking up embeddings takes none. `None` if the sequence mixer does not say.
    ///
    /// `labels` is the number of tokens of a sequence that are scored, since a head on tokens runs only on those
    /// ([`forward_at`](crate::SequenceModel::forward_at)); other heads run once per sequence. The config must pass
    /// [`check`](Self::check).
    pub fn training_flops(&self, batch: usize, seq_len: usize, labels: usize) -> Option<f64> {
        let outside = self.encoder_flops(seq_len) + self.head_flops(labels);
        let mut mixers = self.mixer.first(self.n_layers).zip(self.channel_mixer.first(self.n_layers));
        let all = mixers.try_fold(outside, |sum, (mixer, channel_mixer)| {
            let channels = Flops::products((channel_mixer.flops() * seq_len) as f64);
            Some(sum + mixer.training_flops(seq_len)? + channels)
        });
        Some(all?.of_step(batch))
    }

    /// Reals have no gradient, so that there is one product less than in other linear layers.
    fn encoder_flops(&self, seq_len: usize) -> Flops {
        match self.encoder {
            Encoder::Embedding { .. } => Flops::default(),
            Encoder::Linear { features } => {
                let product = 2.0 * (features * self.d_model * seq_len) as f64;
                Flops { sequence: 2.0 * product, batch: 0.0 }
            }
        }
    }

    fn head_flops(&self, labels: usize) -> Flops {
        let rows = match self.head {
            Head::Pool { .. } | Head::First { .. } | Head::Last { .. } => 1,
            Head::Token { .. } => labels,
        };
        let transformed = match self.structure.head_transform {
            HeadTransform::None => 0,
            HeadTransform::GeluNorm | HeadTransform::Pooler => self.d_model,
        };
        Flops::linear(self.d_model * (self.head.outputs() + transformed), rows)
    }
}

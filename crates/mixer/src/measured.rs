//! What a mixer declares so that it can be found by name, checked against its definition, and measured.

use crate::{Context, SequenceMixerConfig};

/// A mixer with a name. What `bench` needs of it is implemented next to its f64 reference.
pub trait MeasuredMixer: SequenceMixerConfig {
    /// Its name in configs, records and figures.
    const NAME: &'static str;

    /// One line about it, for a list.
    const SUMMARY: &'static str;

    /// Which of its settings `bench` measures, for a list.
    const MEASURED: &'static str = Self::SUMMARY;

    /// The layer that `bench` measures at these sizes. By default it is causal, with every option at its default.
    ///
    /// # Panics
    /// If an option has no default: such a mixer must override this.
    fn measured(sizes: &Sizes) -> Self {
        let fields = Self::fields();
        let default = |name: &str| fields.iter().find(|field| field.name == name)?.default.clone();
        let mut config = Self::from_values(&default).expect("every option has a default");
        let Sizes { d_model, seq_len, .. } = *sizes;
        config.fit(&Context { mixer: Self::NAME, d_model, causal: true, seq_len, longest: seq_len });
        config
    }

    /// The measured layer by definition, in f64, on one sequence.
    ///
    /// # Shapes
    /// - `parameters`: every parameter tensor of the layer, in field order, each row-major
    /// - `x`, output: `[seq_len, d_model]`
    fn definition(sizes: &Sizes, parameters: &[Vec<f64>], x: &[f64]) -> Vec<f64>;

    /// Roughly how many floats are alive when memory is highest, as measured at a few thousand tokens.
    fn alive(sizes: &Sizes) -> f64 {
        12.0 * sizes.elements() as f64
    }
}

/// The sizes that a layer is measured at: of the input, of channel mixers and of state spaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// Sequences in a batch.
    pub batch: usize,
    /// Sequence length, in tokens.
    pub seq_len: usize,
    /// Width of input and output.
    pub d_model: usize,
    /// Hidden width of a channel mixer divided by its width.
    pub hidden_factor: usize,
    /// Blocks of a block-diagonal layer.
    pub n_blocks: usize,
    /// States per channel of a state space.
    pub d_state: usize,
    /// Number of tokens decoded after the sequence: filters of a fixed length must cover them.
    pub more_tokens: usize,
}

impl Sizes {
    /// Hidden width of a channel mixer.
    pub fn d_hidden(&self) -> usize {
        self.hidden_factor * self.d_model
    }

    /// Number of tokens in the whole batch.
    pub fn tokens(&self) -> usize {
        self.batch * self.seq_len
    }

    /// Number of floats of the input.
    pub fn elements(&self) -> usize {
        self.tokens() * self.d_model
    }
}

//! A model that continues a prompt.

use burn::tensor::{Device, Int, Tensor, TensorData};
use subquad_mixer::MixerModule;
use subquad_model::{DecodingPath, Input, MixerKind, ModelStepper, OneToken, SequenceModel, StateError};

use super::Sampler;

/// This byte replaces an empty prompt: a model predicts nothing before its first byte, and a line begins after a
/// newline.
const START: u8 = b'\n';

/// The text that follows a prompt, one byte after the other.
#[derive(Debug)]
pub struct Generator<M: MixerModule = MixerKind> {
    stepper: ModelStepper<M>,
    sampler: Sampler,
    /// The logits of the next byte.
    logits: Vec<f32>,
    /// Drawn, but not yet read by the model, which never needs to read the last one.
    unread: Option<u8>,
    written: u64,
}

/// Why there is no next byte.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GenerateError {
    /// The model has no state, or cannot run on so many bytes.
    #[error(transparent)]
    State(#[from] StateError),
    /// A logit is NaN or infinite.
    #[error("the model's logits for byte {byte} are not finite, so its weights are useless")]
    NotFinite {
        /// The byte, counted from 1.
        byte: u64,
    },
}

impl<M: MixerModule> Generator<M> {
    /// Reads `prompt` in one chunk, an empty one as if it were a newline, and makes room for `bytes` after it: further ones cost
    /// an allocation now and then.
    ///
    /// # Errors
    /// If the model has no state, or cannot run on so many bytes.
    pub fn new(
        model: &SequenceModel<M>,
        prompt: &[u8],
        bytes: usize,
        sampler: Sampler,
        device: &Device,
    ) -> Result<Self, GenerateError> {
        let prompt = if prompt.is_empty() { &[START] } else { prompt };
        let state = model.init_state(1)?;
        let (logits, state) =
            model.forward_with_state(input(prompt, device), state).map_err(StateError::from)?;
        let last = logits.narrow(1, prompt.len() - 1, 1).into_data().iter::<f32>().collect();
        let stepper = model.stepper(state, bytes).map_err(StateError::from)?;
        Ok(Self { stepper, sampler, logits: last, unread: None, written: 0 })
    }

    /// How many bytes a model must be able to read to write `bytes` of them after `prompt`.
    pub fn reads(prompt: &[u8], bytes: usize) -> usize {
        prompt.len().max(1).saturating_add(bytes.saturating_sub(1))
    }

    /// The next byte.
    ///
    /// # Errors
    /// If the model cannot run on so many bytes, or its logits are not finite.
    pub fn next_byte(&mut self) -> Result<u8, GenerateError> {
        if let Some(byte) = self.unread.take() {
            let token = OneToken::Token(usize::from(byte));
            self.stepper.step(token, &mut self.logits).map_err(StateError::from)?;
        }
        let picked = self.sampler.pick(&self.logits, self.written);
        let byte = picked.ok_or(GenerateError::NotFinite { byte: self.written + 1 })? as u8;
        self.written += 1;
        self.unread = Some(byte);
        Ok(byte)
    }

    /// How it decodes the bytes after the prompt.
    pub fn path(&self) -> DecodingPath {
        self.stepper.path()
    }

    /// Floats that the model keeps of the text so far.
    pub fn state_floats(&self) -> usize {
        self.stepper.floats()
    }
}

fn input(bytes: &[u8], device: &Device) -> Input {
    let tokens: Vec<i32> = bytes.iter().map(|byte| i32::from(*byte)).collect();
    Input::Tokens(Tensor::<2, Int>::from_data(TensorData::new(tokens, [1, bytes.len()]), device))
}

//! A task with its options.

use crate::{
    Bytes, BytesConfig, Delay, DelayConfig, Digits, InputKind, MaskedBytes, MaskedBytesConfig, Mnist,
    MnistConfig, Mqar, MqarConfig, Reconstruct, ReconstructConfig, TargetKind, Task, TaskError, TaskInfo,
};

/// Which task, with its options.
#[derive(Clone, Debug, PartialEq)]
pub enum TaskConfig {
    /// [`Digits`], which has none.
    Digits,
    /// [`Mqar`].
    Mqar(MqarConfig),
    /// [`Mnist`].
    Mnist(MnistConfig),
    /// [`Bytes`].
    Bytes(BytesConfig),
    /// [`MaskedBytes`].
    MaskedBytes(MaskedBytesConfig),
    /// [`Delay`].
    Delay(DelayConfig),
    /// [`Reconstruct`].
    Reconstruct(ReconstructConfig),
}

impl TaskConfig {
    /// The line about the task.
    pub fn info(&self) -> &'static TaskInfo {
        match self {
            Self::Digits => &Digits::INFO,
            Self::Mqar(_) => &Mqar::INFO,
            Self::Mnist(_) => &Mnist::INFO,
            Self::Bytes(_) => &Bytes::INFO,
            Self::MaskedBytes(_) => &MaskedBytes::INFO,
            Self::Delay(_) => &Delay::INFO,
            Self::Reconstruct(_) => &Reconstruct::INFO,
        }
    }

    /// What a model of the task reads. Reads no data.
    pub fn input(&self) -> InputKind {
        match self {
            Self::Digits => Digits::INPUT,
            Self::Mqar(config) => InputKind::Tokens { vocab: config.vocab },
            Self::Mnist(_) => Mnist::INPUT,
            Self::Bytes(_) => Bytes::INPUT,
            Self::MaskedBytes(_) => MaskedBytes::INPUT,
            Self::Delay(_) => Delay::INPUT,
            Self::Reconstruct(_) => Reconstruct::INPUT,
        }
    }

    /// What a model of the task should answer. Reads no data.
    pub fn target(&self) -> TargetKind {
        match self {
            Self::Digits => Digits::TARGET,
            Self::Mqar(config) => TargetKind::Tokens { classes: config.vocab },
            Self::Mnist(_) => Mnist::TARGET,
            Self::Bytes(_) => Bytes::TARGET,
            Self::MaskedBytes(_) => MaskedBytes::TARGET,
            Self::Delay(_) => Delay::TARGET,
            Self::Reconstruct(config) => TargetKind::SequenceReals { outputs: config.window },
        }
    }

    /// Whether the task has this length, and its options go with it. Reads no data.
    ///
    /// # Errors
    /// [`TaskError::Length`] or [`TaskError::Options`].
    pub fn check(&self, seq_len: usize) -> Result<(), TaskError> {
        match self {
            Self::Digits => Digits::check(seq_len),
            Self::Mqar(config) => Mqar::check(config, seq_len),
            Self::Mnist(_) => Mnist::check(seq_len),
            Self::Bytes(_) => Bytes::check(seq_len),
            Self::MaskedBytes(config) => MaskedBytes::check(config, seq_len),
            Self::Delay(config) => Delay::check(config, seq_len),
            Self::Reconstruct(config) => Reconstruct::check(config, seq_len),
        }
    }

    /// The task with training examples of `seq_len` tokens; `seed` draws or orders them. Reads its data.
    ///
    /// # Errors
    /// As [`check`](Self::check); also if the data are not there, or not what they should be.
    pub fn open(&self, seq_len: usize, seed: u64) -> Result<Box<dyn Task>, TaskError> {
        Ok(match self {
            Self::Digits => Box::new(Digits::new(seq_len, seed)?),
            Self::Mqar(config) => Box::new(Mqar::new(config, seq_len, seed)?),
            Self::Mnist(config) => Box::new(Mnist::new(config, seq_len, seed)?),
            Self::Bytes(config) => Box::new(Bytes::new(config, seq_len, seed)?),
            Self::MaskedBytes(config) => Box::new(MaskedBytes::new(config, seq_len, seed)?),
            Self::Delay(config) => Box::new(Delay::new(config, seq_len, seed)?),
            Self::Reconstruct(config) => Box::new(Reconstruct::new(config, seq_len, seed)?),
        })
    }
}

/// [`TaskConfig::open`].
///
/// # Errors
/// As there.
pub fn open(config: &TaskConfig, seq_len: usize, seed: u64) -> Result<Box<dyn Task>, TaskError> {
    config.open(seq_len, seed)
}

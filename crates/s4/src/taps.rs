//! Kernels that end before the sequence does, as those of a published layer beyond its `l_max`.

use subquad_mixer::MixerError;

use crate::{H3, SsmLayer, StateSpace};

/// The most taps of a layer's kernels; without a number, as many as tokens.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct MaxTaps(Option<usize>);

impl MaxTaps {
    fn new(taps: Option<usize>) -> Self {
        assert_ne!(taps, Some(0), "a kernel has at least 1 tap");
        Self(taps)
    }

    /// What is left of `taps`.
    pub(crate) fn of(self, taps: usize) -> usize {
        self.0.map_or(taps, |most| most.min(taps))
    }

    /// Whether a state, which never forgets a token, makes the same of `seq` tokens as the kernels.
    ///
    /// # Errors
    /// [`MixerError::CutKernel`] if not.
    pub(crate) fn check_state(self, mixer: &'static str, seq: usize) -> Result<(), MixerError> {
        match self.0 {
            Some(taps) if taps < seq => Err(MixerError::CutKernel { mixer, taps }),
            Some(_) | None => Ok(()),
        }
    }
}

impl<S: StateSpace> SsmLayer<S> {
    /// The same layer with kernels of at most so many taps: a token then hears nothing of those from longer ago. A published
    /// layer does so beyond its `l_max`. A state never forgets, so [`step`](subquad_mixer::SequenceMixer::step) and chunks end
    /// after so many tokens with an error, and there is no [`stepper`](Self::stepper). `None`, which is how configs build
    /// layers: as many taps as tokens.
    ///
    /// # Panics
    /// If there are to be 0 taps.
    pub fn with_max_taps(mut self, taps: Option<usize>) -> Self {
        self.rules.max_taps = MaxTaps::new(taps);
        self
    }

    /// The most taps of a kernel, if there is a limit.
    pub fn max_taps(&self) -> Option<usize> {
        self.rules.max_taps.0
    }
}

impl H3 {
    /// The same layer with kernels, those of the shift among them, of at most so many taps, as
    /// [`SsmLayer::with_max_taps`].
    ///
    /// # Panics
    /// If there are to be 0 taps.
    pub fn with_max_taps(mut self, taps: Option<usize>) -> Self {
        self.max_taps = MaxTaps::new(taps);
        self
    }

    /// The most taps of a kernel, if there is a limit.
    pub fn max_taps(&self) -> Option<usize> {
        self.max_taps.0
    }
}

//! Kernels that end before the sequence does, as those of a published layer beyond its `l_max`.

use subquad_mixer::MixerError;

/// The most taps of a layer's kernels; without a number, as many taps as tokens.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct MaxTaps(Option<usize>);

impl MaxTaps {
    pub(crate) fn new(taps: Option<usize>) -> Self {
        assert_ne!(taps, Some(0), "a kernel has at least 1 tap");
        Self(taps)
    }

    /// The number, if there is one.
    pub(crate) fn limit(self) -> Option<usize> {
        self.0
    }

    /// What is left of `taps`.
    pub(crate) fn of(self, taps: usize) -> usize {
        self.0.map_or(taps, |most| most.min(taps))
    }

    /// Whether a state, which never forgets a token, gives the same for `seq` tokens as the kernels.
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

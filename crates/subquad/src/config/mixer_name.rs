//! The names of the sequence mixers, as configs, records and figures spell them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::suggest;

/// A sequence mixer that a run may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MixerName {
    /// Softmax attention, the quadratic baseline.
    Attention,
    /// The diagonal state-space model.
    S4d,
    /// The state-space model whose matrix is diagonal plus low rank.
    S4,
    /// Two state spaces and two products: a shift, and a diagonal one on keys times values.
    H3,
    /// Gated long convolutions with implicit filters, one between two gates.
    Hyena,
    /// The Monarch Mixer: a gated long convolution with an implicit filter.
    M2,
    /// Learned Monarch matrices along the sequence: bidirectional.
    Monarch,
    /// A learned Monarch matrix along the sequence that does not look ahead.
    CausalMonarch,
}

impl MixerName {
    /// Every mixer, in the order in which messages and tables list them.
    pub const ALL: &[Self] = &[
        Self::Attention,
        Self::S4d,
        Self::S4,
        Self::H3,
        Self::Hyena,
        Self::M2,
        Self::Monarch,
        Self::CausalMonarch,
    ];

    /// The names of [`ALL`](Self::ALL), in the same order.
    pub const NAMES: &[&str] = &[
        Self::Attention.as_str(),
        Self::S4d.as_str(),
        Self::S4.as_str(),
        Self::H3.as_str(),
        Self::Hyena.as_str(),
        Self::M2.as_str(),
        Self::Monarch.as_str(),
        Self::CausalMonarch.as_str(),
    ];

    /// The name in configs, such as `attention`, `s4d` or `causal_monarch`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Attention => "attention",
            Self::S4d => "s4d",
            Self::S4 => "s4",
            Self::H3 => "h3",
            Self::Hyena => "hyena",
            Self::M2 => "m2",
            Self::Monarch => "monarch",
            Self::CausalMonarch => "causal_monarch",
        }
    }
}

impl fmt::Display for MixerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A name that no mixer has.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("unknown mixer `{name}`{} (known: {})", suggest::hint(self.nearest()), MixerName::NAMES.join(", "))]
pub struct UnknownMixer {
    /// The name as it was written.
    pub name: String,
}

impl UnknownMixer {
    fn nearest(&self) -> Option<&'static str> {
        suggest::nearest(&self.name, MixerName::NAMES.iter().copied())
    }
}

impl FromStr for MixerName {
    type Err = UnknownMixer;

    fn from_str(name: &str) -> Result<Self, UnknownMixer> {
        let found = Self::ALL.iter().find(|mixer| mixer.as_str() == name);
        found.copied().ok_or_else(|| UnknownMixer { name: name.to_owned() })
    }
}

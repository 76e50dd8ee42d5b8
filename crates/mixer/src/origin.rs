//! Who made a state.

use std::fmt;

use crate::MixerError;

/// Which mixer made a state, and the settings that decide what the state's numbers mean.
///
/// A state carries one, and a layer makes its own to compare at every token, so it is a value on the stack.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Origin {
    mixer: &'static str,
    settings: [(&'static str, Setting); MOST],
}

/// The most settings that a mixer may name.
const MOST: usize = 8;

/// A setting's value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Setting {
    /// A size, in the setting's unit.
    Size(usize),
    /// A number.
    Number(f64),
    /// A choice, as in configs.
    Word(&'static str),
    /// The setting is absent.
    Absent,
}

impl Origin {
    /// A mixer's name, as in configs, and its settings.
    ///
    /// # Panics
    /// If there are more than eight.
    pub fn new<const N: usize>(mixer: &'static str, settings: [(&'static str, Setting); N]) -> Self {
        let mut all = [("", Setting::Absent); MOST];
        all[..N].copy_from_slice(&settings);
        Self { mixer, settings: all }
    }

    /// Name of the mixer, as in configs.
    pub fn mixer(&self) -> &'static str {
        self.mixer
    }

    /// Whether a layer of this origin could have made a state of the origin `made`; nothing can be said of a state without one.
    ///
    /// # Errors
    /// [`MixerError::ForeignState`] if not.
    pub fn check(&self, made: Option<&Self>) -> Result<(), MixerError> {
        match made.and_then(|made| made.difference(self)) {
            None => Ok(()),
            Some(difference) => Err(MixerError::ForeignState { mixer: self.mixer, difference }),
        }
    }

    /// How this origin of a state differs from that of `layer`, in words; `None` if it does not.
    fn difference(&self, layer: &Self) -> Option<String> {
        if self == layer {
            return None;
        }
        if self.mixer != layer.mixer {
            return Some(format!("it was made by {}", self.mixer));
        }
        let (own, other) = self.settings.iter().zip(&layer.settings).find(|(own, other)| own != other)?;
        Some(format!("it was made with {} = {}, the layer has {} = {}", own.0, own.1, other.0, other.1))
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Size(size) => size.fmt(f),
            Self::Number(number) => number.fmt(f),
            Self::Word(word) => word.fmt(f),
            Self::Absent => "none".fmt(f),
        }
    }
}

impl From<usize> for Setting {
    fn from(size: usize) -> Self {
        Self::Size(size)
    }
}

impl From<Option<usize>> for Setting {
    fn from(size: Option<usize>) -> Self {
        size.map_or(Self::Absent, Self::Size)
    }
}

impl From<f64> for Setting {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<&'static str> for Setting {
    fn from(word: &'static str) -> Self {
        Self::Word(word)
    }
}

impl From<bool> for Setting {
    fn from(value: bool) -> Self {
        Self::Word(if value { "true" } else { "false" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(mixer: &'static str, window: Option<usize>) -> Origin {
        Origin::new(mixer, [("d_model", 6.into()), ("window", window.into())])
    }

    #[test]
    fn origins_differ_by_their_mixer_or_by_the_first_setting_that_does() {
        let layer = origin("attention", None);
        assert_eq!(layer.difference(&layer), None);
        assert_eq!(origin("s4d", None).difference(&layer).as_deref(), Some("it was made by s4d"));
        assert_eq!(
            origin("attention", Some(5)).difference(&layer).as_deref(),
            Some("it was made with window = 5, the layer has window = none")
        );
    }
}

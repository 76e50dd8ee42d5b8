//! The name of a run's folder.

use std::fmt;
use std::str::FromStr;

use crate::RecordError;
use crate::hash::DIGITS;

/// `<mixer>-L<seq_len>-s<seed>-<hash>`, for example `s4d-L1024-s0-1b9d3f07`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunName {
    /// [`mixer_of`](Self::mixer_of) the sequence mixers; it may contain hyphens but no slash.
    pub mixer: String,
    /// Tokens in each example.
    pub seq_len: usize,
    /// The run's seed.
    pub seed: u64,
    /// [`run_hash`](crate::run_hash) of the settings: 8 hex digits, and 8 more if another run of the study has the
    /// same, and so on.
    pub hash: String,
}

impl RunName {
    /// A mixer's name or a pattern of mixers, as names of folders have it: `m2x3+attention` for `m2*3+attention`, because not every
    /// system allows a `*` there.
    pub fn mixer_of(pattern: &str) -> String {
        pattern.replace('*', "x")
    }
}

impl fmt::Display for RunName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-L{}-s{}-{}", self.mixer, self.seq_len, self.seed, self.hash)
    }
}

impl FromStr for RunName {
    type Err = RecordError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        // Only the name that Display writes counts: `L064` or `s+1` would be a second name of the same run.
        let parsed = parse(name).filter(|run| run.to_string() == name);
        parsed.ok_or_else(|| RecordError::RunName { name: name.into() })
    }
}

fn parse(name: &str) -> Option<RunName> {
    let mut parts = name.rsplitn(4, '-');
    let (hash, seed, seq_len, mixer) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_hash = !hash.is_empty()
        && hash.len().is_multiple_of(DIGITS)
        && hash.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let is_mixer = !mixer.is_empty() && !mixer.contains(['/', '\\']);
    (is_hash && is_mixer).then_some(())?;
    Some(RunName {
        mixer: mixer.into(),
        seq_len: seq_len.strip_prefix('L')?.parse().ok()?,
        seed: seed.strip_prefix('s')?.parse().ok()?,
        hash: hash.into(),
    })
}

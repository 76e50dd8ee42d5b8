//! The name of a run's folder.

use std::fmt;
use std::str::FromStr;

use crate::RecordError;
use crate::hash::DIGITS;

/// `<mixer>-L<seq_len>-s<seed>-<hash>`, for example `s4d-L1024-s0-1b9d3f07`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunName {
    /// The sequence mixer's name; it may contain hyphens but no slash.
    pub mixer: String,
    /// Tokens in each example.
    pub seq_len: usize,
    /// The run's seed.
    pub seed: u64,
    /// [`run_hash`](crate::run_hash) of the settings: 8 hex digits, and 8 more if another run of the study has the
    /// same, and so on.
    pub hash: String,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_reads_back_from_its_text() {
        for (mixer, seq_len, seed) in [("s4d", 1024, 0), ("monarch-mixer", 1, u64::MAX), ("a-L1-s1", 64, 7)] {
            let name = RunName { mixer: mixer.into(), seq_len, seed, hash: "1b9d3f07".into() };
            assert_eq!(name.to_string(), format!("{mixer}-L{seq_len}-s{seed}-1b9d3f07"));
            assert_eq!(name.to_string().parse::<RunName>().unwrap(), name);
        }
    }

    #[test]
    fn other_names_are_refused_by_name() {
        let others = [
            "",
            "s4d",
            "L64-s0-1b9d3f07",
            "-L64-s0-1b9d3f07",
            "s4d-64-s0-1b9d3f07",
            "s4d-L64-s-1-1b9d3f07",
            "s4d-L064-s0-1b9d3f07",
            "s4d-L64-s0-1b9d3f0",
            "s4d-L64-s0-1B9D3F07",
            "../s4d-L64-s0-1b9d3f07",
        ];
        for other in others {
            let error = other.parse::<RunName>().unwrap_err().to_string();
            assert!(error.starts_with(&format!("`{other}` does not name a run")), "{error}");
        }
    }
}

//! The run that a child process should do, as one word on its command line.

use std::fmt;
use std::str::FromStr;

use subquad_record::RunName;

/// One run, and what the child cannot know about the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OneRun {
    /// The run.
    pub(crate) name: RunName,
    /// Its position among all, such as `3/18`.
    pub(crate) position: String,
    /// Runs that are allowed at once.
    pub(crate) jobs: usize,
}

impl fmt::Display for OneRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, position, jobs } = self;
        write!(f, "{jobs},{position},{name}")
    }
}

impl FromStr for OneRun {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let words: Vec<&str> = text.splitn(3, ',').collect();
        let wrong = || format!("`{text}` does not name one; expected <jobs>,<place>,<name of a run>");
        let [jobs, position, name] = words[..] else { return Err(wrong()) };
        let (Ok(jobs), Ok(name)) = (jobs.parse(), name.parse()) else { return Err(wrong()) };
        Ok(Self { name, position: position.into(), jobs })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_reads_back_from_its_word() {
        let name = "causal_monarch-L64-s0-1b9d3f07".parse().expect("a name");
        let run = OneRun { name, position: "3/18".into(), jobs: 2 };
        assert_eq!(run.to_string().parse(), Ok(run));
        for wrong in ["", "1,2", "x,1/1,s4d-L64-s0-1b9d3f07", "1,1/1,s4d"] {
            assert!(wrong.parse::<OneRun>().is_err(), "{wrong}");
        }
    }
}

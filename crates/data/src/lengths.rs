//! Training at other lengths than those of the tests.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use subquad_options::range::LONGEST_SEQ;
use subquad_options::{Kind, OptionType, Value};

use crate::{Batch, Stream, Task, TaskSpec};

/// In which order the lengths of a training come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lengths {
    /// These stages one after the other, then the task's own length.
    Curriculum(Vec<Stage>),
    /// Any of these or the task's own, drawn for each step with equal probability.
    Mixed(Vec<usize>),
}

impl Lengths {
    /// The lengths besides the task's own.
    pub fn others(&self) -> Vec<usize> {
        match self {
            Self::Curriculum(stages) => stages.iter().map(|stage| stage.seq_len).collect(),
            Self::Mixed(others) => others.clone(),
        }
    }
}

/// A length and the number of steps that train at it, written `64x200`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    /// Tokens in each example.
    pub seq_len: usize,
    /// Optimiser steps.
    pub steps: usize,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.seq_len, self.steps)
    }
}

impl FromStr for Stage {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let [seq_len, steps] = two_sizes(text)
            .ok_or_else(|| format!("`{text}` is not a length and its steps, such as 64x200"))?;
        Ok(Self { seq_len, steps })
    }
}

impl OptionType for Stage {
    fn kind() -> Kind {
        let canonical = |text: &str| Some(text.parse::<Self>().ok()?.to_string());
        Kind::Form { what: "a length and its steps, such as \"64x200\"", canonical }
    }

    fn to_value(&self) -> Value {
        Value::Text(self.to_string())
    }

    fn from_value(value: &Value) -> Option<Self> {
        value.as_text()?.parse().ok()
    }
}

/// Two numbers such as `128x8`, each at least 1.
pub(crate) fn two_sizes(text: &str) -> Option<[usize; 2]> {
    let number = |text: &str| text.trim().parse().ok().filter(|number| (1..=LONGEST_SEQ).contains(number));
    let (one, other) = text.split_once('x')?;
    Some([number(one)?, number(other)?])
}

/// A task that trains at several lengths, one for each batch. It validates and tests at its own.
pub struct VariedLengths {
    own: Box<dyn Task>,
    /// In the order of [`Lengths::others`].
    others: Vec<Box<dyn Task>>,
    lengths: Lengths,
    stream: Stream,
}

impl VariedLengths {
    /// `own`, which also trains at the lengths of `others`, those of `lengths`. `seed` draws lengths.
    ///
    /// # Panics
    /// If `others` are not of those lengths.
    pub fn new(own: Box<dyn Task>, others: Vec<Box<dyn Task>>, lengths: Lengths, seed: u64) -> Self {
        assert!(others.iter().map(|task| task.seq_len()).eq(lengths.others()));
        Self { own, others, lengths, stream: Stream::new(seed, "lengths") }
    }

    /// The task that gives the batch of a step.
    fn at(&self, step: usize) -> &dyn Task {
        let place = match &self.lengths {
            Lengths::Curriculum(stages) => stage_at(stages, step),
            Lengths::Mixed(_) => self.stream.at(step as u64, 0).below(self.others.len() + 1),
        };
        self.others.get(place).map_or(&*self.own, |task| &**task)
    }
}

/// The index of the stage of a step; as many as there are stages after the last.
fn stage_at(stages: &[Stage], step: usize) -> usize {
    let ends = stages.iter().scan(0, |end, stage| {
        *end += stage.steps;
        Some(*end)
    });
    ends.take_while(|end| *end <= step).count()
}

impl Task for VariedLengths {
    fn spec(&self) -> &TaskSpec {
        self.own.spec()
    }

    fn train_batch(&self, step: usize, batch: usize) -> Batch {
        self.at(step).train_batch(step, batch)
    }

    fn seq_len_at(&self, step: usize) -> usize {
        self.at(step).seq_len()
    }

    fn validation_batch(&self, range: Range<usize>) -> Batch {
        self.own.validation_batch(range)
    }

    fn test_batch(&self, condition: usize, range: Range<usize>) -> Batch {
        self.own.test_batch(condition, range)
    }

    fn digest(&self) -> Option<String> {
        self.own.digest()
    }
}

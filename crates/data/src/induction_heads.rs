//! `induction_heads`: what followed the mark?

use subquad_options::{Options, Refusal};

use crate::drawn::{Draw, DrawnTask, Purpose, TokenExample};
use crate::options::wrong_length;
use crate::{Draws, InputKind, Metric, TargetKind, Task, TaskError, TaskInfo, TaskOptions};

/// Random tokens with a mark among them, and the mark again at the end, to be answered with the token that followed it.
///
/// - Input: uniform tokens `0 .. vocab - 2`, of which one, at a uniform place before the last two, is replaced by the mark `vocab - 2`; at the end the mark again. The token
///   `vocab - 1` is not used, as published.
/// - Label: the token after the first mark, at the last token; in training, with `next_token`, also the next token at every other.
/// - Score: accuracy at the last token. Guessing scores 1 / (vocab - 2); an induction head scores 1.
/// - Published, as in Mamba: vocabulary 16, trained with 256 tokens and tested with 2^6 to 2^20, 8 fresh sequences a step, a constant rate of 1e-3 (Mamba) or 2e-4 (others),
///   models of two layers. In H3: vocabulary 20, 30 tokens and the mark (seq_len = 31 here), with the loss on all next tokens.
///
/// Olsson et al. 2022, "In-context learning and induction heads", <https://arxiv.org/abs/2209.11895>; Gu and Dao 2023, "Mamba", <https://arxiv.org/abs/2312.00752>, section 4.1.2; the recipe is
/// that of the H3 repository.
///
/// One example by hand: the first test example of six tokens in a vocabulary of eight, whose mark is 6.
/// ```text
/// inputs:   6 2 1 1 0 6
/// targets:  . . . . . 2
/// ```
/// ```
/// use subquad_data::{InductionHeadsConfig, Inputs, Targets, TaskOptions};
/// let config = InductionHeadsConfig { vocab: 8, ..InductionHeadsConfig::default() };
/// let example = config.open(6, 0)?.test_batch(0, 0..1);
/// assert_eq!(example.inputs, Inputs::Tokens(vec![6, 2, 1, 1, 0, 6]));
/// assert_eq!(example.targets, Targets::Tokens(vec![None, None, None, None, None, Some(2)]));
/// # Ok::<(), subquad_data::TaskError>(())
/// ```
#[derive(Options, Clone, Debug, PartialEq)]
pub struct InductionHeadsConfig {
    /// Size of the vocabulary, with the mark and a token that is not used.
    #[config(default = 16)]
    #[option(range = 4..=1 << 20)]
    pub vocab: usize,
    /// In training, the next token is the label at every token, as in H3's experiments. They are random but for the answer.
    #[config(default = false)]
    pub next_token: bool,
    /// Training examples in an epoch; 0: every example is fresh.
    #[config(default = 0)]
    #[option(range = 0..=1 << 26)]
    pub train_examples: usize,
    /// Test examples.
    #[config(default = 500)]
    #[option(range = 1..)]
    pub test_examples: usize,
    /// Further lengths to test at, besides seq_len.
    #[config(default = "vec![]")]
    #[option(range = 4..=1 << 24, most = 100)]
    pub test_lengths: Vec<usize>,
}

impl TaskOptions for InductionHeadsConfig {
    fn info() -> &'static TaskInfo {
        &TaskInfo {
            name: "induction_heads",
            summary: "recall the token that followed the mark",
            lengths: "4 or more",
            data: "generated",
            caption: "Induction heads: accuracy at the last token, a mark, which asks what followed its first place.",
            metric: Metric::Accuracy,
        }
    }

    fn input(&self) -> InputKind {
        InputKind::Tokens { vocab: self.vocab }
    }

    fn target(&self, _: usize) -> TargetKind {
        TargetKind::Tokens { classes: self.vocab }
    }

    fn refusals(&self, seq_len: usize) -> Vec<Refusal> {
        let too_short = || wrong_length("a mark with the token after it, another one, and the mark again", 4);
        self.refused_by(|| (seq_len < 4).then(too_short).into_iter().collect())
    }

    fn labels(&self, seq_len: usize) -> usize {
        if self.next_token { seq_len } else { 1 }
    }

    fn test_lengths(&self) -> Vec<usize> {
        self.test_lengths.clone()
    }

    fn open(&self, seq_len: usize, seed: u64) -> Result<Box<dyn Task>, TaskError> {
        self.check(seq_len)?;
        let Self { vocab, next_token, .. } = *self;
        let (spec, draw) = (self.spec(seq_len, self.test_examples), Marks { vocab, next_token });
        Ok(Box::new(DrawnTask::new(spec, draw, (seed, self.train_examples), &self.test_lengths)))
    }
}

struct Marks {
    vocab: usize,
    next_token: bool,
}

impl Draw for Marks {
    fn example(&self, draws: &mut Draws, seq_len: usize, purpose: Purpose) -> TokenExample {
        let ordinary = self.vocab - 2;
        let mut tokens: Vec<u32> = (0..seq_len - 1).map(|_| draws.below(ordinary) as u32).collect();
        let mark = draws.below(seq_len - 3);
        tokens[mark] = ordinary as u32;
        tokens.push(ordinary as u32);
        let answer = tokens[mark + 1];
        let all = self.next_token && purpose == Purpose::Training;
        let mut labels: Vec<_> = tokens[1..].iter().map(|next| Some(*next).filter(|_| all)).collect();
        labels.push(Some(answer));
        (tokens, labels)
    }
}

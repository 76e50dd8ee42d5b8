//! `induction_heads`: what followed the mark?

use subquad_options::{Options, Refusal};

use crate::drawn::{Draw, DrawnOptions, ExampleOptions, Purpose, TokenExample};
use crate::options::wrong_length;
use crate::{Draws, Metric, TaskInfo};

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
    /// How many examples there are, and at which lengths it is tested.
    #[option(flatten)]
    pub examples: ExampleOptions,
}

impl DrawnOptions for InductionHeadsConfig {
    const INFO: TaskInfo = TaskInfo {
        name: "induction_heads",
        summary: "recall the token that followed the mark",
        lengths: "4 or more",
        data: "generated",
        caption: "Induction heads: accuracy at the last token, a mark, which asks what followed its first place.",
        metric: Metric::Accuracy,
    };

    fn examples(&self) -> &ExampleOptions {
        &self.examples
    }

    fn vocab(&self) -> usize {
        self.vocab
    }

    fn wrong_length(&self, seq_len: usize) -> Option<Refusal> {
        let too_short = || wrong_length("a mark with the token after it, another one, and the mark again", 4);
        (seq_len < 4).then(too_short)
    }

    fn labels(&self, seq_len: usize) -> usize {
        if self.next_token { seq_len } else { 1 }
    }

    fn drawing(&self) -> Box<dyn Draw> {
        Box::new(Marks { vocab: self.vocab, next_token: self.next_token })
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

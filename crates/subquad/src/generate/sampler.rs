//! Which byte to take: the likeliest, or one drawn from the model's probabilities.

use subquad_data::Stream;

/// How to draw the next byte.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampling {
    /// Logits are divided by it: below 1 prefers what is likely, above 1 evens out. 0 takes the likeliest, the first of
    /// equals.
    pub temperature: f64,
    /// Draw from this many of the likeliest; `None`: from all.
    pub top_k: Option<usize>,
    /// Draw from the smallest set of the likeliest that have at least this probability together (Holtzman et al.
    /// 2019, <https://arxiv.org/abs/1904.09751>, section 3.1); 1: from all. Applied to those that `top_k` leaves.
    pub top_p: f64,
}

/// Draws bytes. The draw at a position of the text depends only on the seed, the position and the logits there.
#[derive(Debug, Clone, Copy)]
pub struct Sampler {
    sampling: Sampling,
    stream: Stream,
}

impl Sampler {
    /// The draws of one seed.
    pub fn new(sampling: Sampling, seed: u64) -> Self {
        Self { sampling, stream: Stream::new(seed, "generate") }
    }

    /// The index of the logit that is drawn at `position`; `None` if there are no logits, or one of them is not finite.
    pub fn pick(&self, logits: &[f32], position: u64) -> Option<usize> {
        if !logits.iter().all(|logit| logit.is_finite()) {
            return None;
        }
        let mut order: Vec<usize> = (0..logits.len()).collect();
        order.sort_by(|a, b| logits[*b].total_cmp(&logits[*a]));
        let likeliest = *order.first()?;
        if self.sampling.temperature == 0.0 {
            return Some(likeliest);
        }
        order.truncate(self.sampling.top_k.unwrap_or(order.len()));
        let weight = |i: &usize| ((logits[*i] - logits[likeliest]) as f64 / self.sampling.temperature).exp();
        let weights = order.iter().map(weight).collect();
        let drawn = f64::from(self.stream.at(position, 0).uniform());
        Some(order[draw(&self.nucleus(weights), drawn)])
    }

    /// The leading weights that `top_p` leaves.
    fn nucleus(&self, mut weights: Vec<f64>) -> Vec<f64> {
        let enough = self.sampling.top_p * weights.iter().sum::<f64>();
        let kept = sums(&weights).position(|sum| sum >= enough).map_or(weights.len(), |last| last + 1);
        weights.truncate(kept);
        weights
    }
}

/// The sum up to and including each weight.
fn sums(weights: &[f64]) -> impl Iterator<Item = f64> {
    weights.iter().scan(0.0, |sum, weight| {
        *sum += weight;
        Some(*sum)
    })
}

/// The weight that contains the point `at` of `[0, 1)` when all weights are laid side by side, scaled to 1.
fn draw(weights: &[f64], at: f64) -> usize {
    let point = at * weights.iter().sum::<f64>();
    sums(weights).position(|sum| point < sum).unwrap_or(weights.len() - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Sampling = Sampling { temperature: 1.0, top_k: None, top_p: 1.0 };
    /// ln 1, ln 6, ln 3 and minus infinity: probabilities 0.1, 0.6, 0.3 and 0.
    const LOGITS: [f32; 4] = [0.0, 1.791_759_5, 1.098_612_3, -1e30];

    /// How often each is drawn in `n` draws.
    fn counts(sampling: Sampling, n: u64) -> [u64; 4] {
        let mut counts = [0; 4];
        let sampler = Sampler::new(sampling, 0);
        (0..n).for_each(|position| counts[sampler.pick(&LOGITS, position).unwrap()] += 1);
        counts
    }

    /// Whether 10,000 draws come out this often each, within five standard deviations of 50.
    fn are_about(counts: [u64; 4], expected: [u64; 4]) -> bool {
        counts.iter().zip(expected).all(|(got, wanted)| got.abs_diff(wanted) < 250)
    }

    #[test]
    fn draws_follow_the_softmax() {
        let counts = counts(ALL, 10_000);
        assert!(are_about(counts, [1000, 6000, 3000, 0]) && counts[3] == 0, "{counts:?}");
    }

    #[test]
    fn temperature_raises_probabilities_to_its_inverse() {
        // The squares of 0.1, 0.6 and 0.3 over their sum, 0.46.
        let counts = counts(Sampling { temperature: 0.5, ..ALL }, 10_000);
        assert!(are_about(counts, [217, 7826, 1957, 0]), "{counts:?}");
    }

    #[test]
    fn temperature_zero_takes_the_likeliest_and_the_first_of_equals() {
        let greedy = Sampler::new(Sampling { temperature: 0.0, ..ALL }, 0);
        assert_eq!(greedy.pick(&LOGITS, 0), Some(1));
        assert_eq!(greedy.pick(&[1.0, 3.0, 3.0], 0), Some(1));
    }

    #[test]
    fn a_tiny_temperature_is_greedy() {
        let tiny = Sampler::new(Sampling { temperature: f64::MIN_POSITIVE, ..ALL }, 0);
        assert!((0..100).all(|position| tiny.pick(&LOGITS, position) == Some(1)));
    }

    #[test]
    fn top_k_draws_among_the_likeliest() {
        assert_eq!(counts(Sampling { top_k: Some(1), ..ALL }, 100), [0, 100, 0, 0]);
        let two = counts(Sampling { top_k: Some(2), ..ALL }, 10_000);
        assert!(are_about(two, [0, 6667, 3333, 0]) && two[0] == 0, "{two:?}");
        assert_eq!(counts(Sampling { top_k: Some(9), ..ALL }, 1000), counts(ALL, 1000));
    }

    #[test]
    fn top_p_draws_among_the_fewest_that_reach_it() {
        assert_eq!(counts(Sampling { top_p: 0.5, ..ALL }, 100), [0, 100, 0, 0]);
        let two = counts(Sampling { top_p: 0.8, ..ALL }, 10_000);
        assert!(are_about(two, [0, 6667, 3333, 0]) && two[0] == 0, "{two:?}");
        assert_eq!(counts(Sampling { top_p: 1e-9, ..ALL }, 100), [0, 100, 0, 0]);
    }

    #[test]
    fn seed_and_place_each_change_the_draw() {
        let draws = |seed| -> Vec<_> {
            (0..50).map(|position| Sampler::new(ALL, seed).pick(&LOGITS, position)).collect()
        };
        assert_eq!(draws(1), draws(1));
        assert_ne!(draws(1), draws(2));
        assert!(draws(1).iter().any(|draw| *draw != draws(1)[0]));
    }

    #[test]
    fn logits_that_are_not_finite_give_nothing() {
        for logits in [&[f32::NAN, 0.0][..], &[f32::INFINITY, 0.0], &[]] {
            assert_eq!(Sampler::new(ALL, 0).pick(logits, 0), None);
        }
    }
}

//! What a task is scored by.
//!
//! **A new metric is one entry of `metrics!` below**, with its formula. Everything else follows from the entry: the key in
//! `metrics.jsonl` and `summary.json`, the column of `summary.csv`, the columns and legend of tables, the line at the end of a
//! run, and the figures with their names, titles and axes. A task chooses it in its [`TaskInfo`](crate::TaskInfo).

use std::fmt;

/// The declaration of a metric.
#[derive(Debug)]
pub struct MetricInfo {
    /// Its name: the key in JSON, the column in CSV, and the beginning of the names of its figures.
    pub name: &'static str,
    /// The heading of its column in a table.
    pub column: &'static str,
    /// What is averaged, for the legend of a table.
    pub averaged: &'static str,
    /// What else the legend of a table must say, after a comma; it may be empty.
    pub note: &'static str,
    /// The sentence for a value; `{}` stands for the number.
    pub sentence: &'static str,
    /// The start of a figure's title, such as `Accuracy` of `Accuracy by sequence length`.
    pub title: &'static str,
    /// The label of its axis.
    pub axis: &'static str,
    /// How far its axis reaches.
    pub extent: Extent,
    /// Whether lower values are better.
    pub lower_is_better: bool,
    /// The loss that is minimised on tasks with this metric.
    pub loss: Loss,
    /// How a value is written in tables and sentences.
    pub write: fn(f64) -> String,
    /// How the value is computed from what was counted.
    pub formula: Formula,
}

/// How far the axis of a metric reaches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Extent {
    /// As far as the values reach.
    Values,
    /// At least over this interval.
    AtLeast(f64, f64),
    /// From 0; logarithmic if the values span more than a decade.
    FromZero,
}

/// How a metric follows from what was counted.
#[derive(Clone, Copy, Debug)]
pub enum Formula {
    /// From only the mean loss.
    Loss(fn(f64) -> f64),
    /// From the sums.
    Tally(fn(&Tally) -> f64),
}

/// What training minimises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// The negative log-likelihood of classes, in nats.
    CrossEntropy,
    /// The squared error of real numbers.
    SquaredError,
}

impl Loss {
    /// Both losses.
    pub const ALL: [Self; 2] = [Self::CrossEntropy, Self::SquaredError];
}

/// Makes [`Metric`] of one entry for each metric.
macro_rules! metrics {
    ($($(#[$doc:meta])+ $metric:ident = $info:expr;)+) => {
        /// What a task is scored by, besides the loss.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Metric {
            $($(#[$doc])+ $metric,)+
        }

        impl Metric {
            /// All metrics, in the order of tables and figures.
            pub const ALL: &[Self] = &[$(Self::$metric),+];

            /// Its declaration.
            pub fn info(self) -> &'static MetricInfo {
                match self {
                    $(Self::$metric => {
                        static INFO: MetricInfo = $info;
                        &INFO
                    })+
                }
            }
        }
    };
}

metrics! {
    /// The share of labels whose class had the largest logit, 0 to 1.
    Accuracy = MetricInfo {
        name: "accuracy",
        column: "accuracy",
        averaged: "on test data",
        note: "",
        sentence: "accuracy {}",
        title: "Accuracy",
        axis: "accuracy (fraction correct)",
        extent: Extent::AtLeast(0.0, 1.0),
        lower_is_better: false,
        loss: Loss::CrossEntropy,
        write: |share| format!("{share:.3}"),
        formula: Formula::Tally(|tally| tally.correct as f64 / tally.labels as f64),
    };
    /// The loss in bits instead of nats, for labels that are bytes.
    BitsPerByte = MetricInfo {
        name: "bits_per_byte",
        column: "bits/byte",
        averaged: "on test data",
        note: "",
        sentence: "{} bits per byte",
        title: "Bits per byte",
        axis: "bits per byte",
        extent: Extent::Values,
        lower_is_better: true,
        loss: Loss::CrossEntropy,
        write: brief,
        formula: Formula::Loss(|nats| nats / std::f64::consts::LN_2),
    };
    /// For labels that are real numbers: the mean squared error divided by the variance of the labels about their mean,
    /// both over all numbers of the test. 0 is perfect, and always answering with the mean scores 1.
    NormalisedError = MetricInfo {
        name: "normalised_error",
        column: "error/var",
        averaged: "mean squared error on test data over the variance of the target",
        note: "1 is what predicting the mean scores",
        sentence: "error {} of the variance",
        title: "Error",
        axis: "mean squared error / variance (lower is better)",
        extent: Extent::FromZero,
        lower_is_better: true,
        loss: Loss::SquaredError,
        write: brief,
        formula: Formula::Tally(|tally| tally.loss() / tally.variance()),
    };
}

impl Metric {
    /// Its name in files.
    pub fn name(self) -> &'static str {
        self.info().name
    }

    /// A value in tables and sentences.
    pub fn write(self, value: f64) -> String {
        (self.info().write)(value)
    }

    /// The score that follows from what was counted.
    ///
    /// ```
    /// use subquad_data::{Metric, Tally};
    /// let tally = Tally { correct: 3, labels: 4, ..Tally::default() };
    /// assert_eq!(Metric::Accuracy.of(&tally).value, 0.75);
    /// ```
    pub fn of(self, tally: &Tally) -> Score {
        let value = match self.info().formula {
            Formula::Loss(formula) => formula(tally.loss()),
            Formula::Tally(formula) => formula(tally),
        };
        Score { metric: self, value }
    }

    /// The score that follows from a mean loss; `None` if the metric needs more than that.
    pub fn of_loss(self, loss: f64) -> Option<Score> {
        match self.info().formula {
            Formula::Loss(formula) => Some(Score { metric: self, value: formula(loss) }),
            Formula::Tally(_) => None,
        }
    }
}

/// Sums over labels, so that batches of any size add up to the whole. A label is a class, or one real number.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Tally {
    /// Sum of the negative log-likelihoods in nats, or of the squared errors of real numbers.
    pub loss_sum: f64,
    /// Number of labels whose class had the largest logit.
    pub correct: usize,
    /// Number of labels.
    pub labels: usize,
    /// Sum of the labels that are real numbers.
    pub target_sum: f64,
    /// Sum of their squares.
    pub target_squares: f64,
}

impl Tally {
    /// Mean negative log-likelihood of a label in nats, or mean squared error.
    pub fn loss(&self) -> f64 {
        self.loss_sum / self.labels as f64
    }

    /// Variance of the labels about their mean, if they are real numbers.
    pub fn variance(&self) -> f64 {
        let mean = |sum: f64| sum / self.labels as f64;
        mean(self.target_squares) - mean(self.target_sum).powi(2)
    }
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.loss_sum += other.loss_sum;
        self.correct += other.correct;
        self.labels += other.labels;
        self.target_sum += other.target_sum;
        self.target_squares += other.target_squares;
    }
}

/// A value that knows its metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// What was measured.
    pub metric: Metric,
    /// The value.
    pub value: f64,
}

impl Score {
    /// The value, if it is one of this metric.
    pub fn value_of(self, metric: Metric) -> Option<f64> {
        (self.metric == metric).then_some(self.value)
    }
}

/// Writes a sentence such as `accuracy 0.916` or `2.094 bits per byte`.
impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { metric, value } = *self;
        f.write_str(&metric.info().sentence.replace("{}", &metric.write(value)))
    }
}

/// Three decimals, or a power of ten if those would hide a small number, such as a small squared error, or spell out a
/// very large one.
pub fn brief(value: f64) -> String {
    match value.abs() {
        small if small > 0.0 && small < 0.01 => format!("{value:.1e}"),
        large if large.is_finite() && large >= 1e6 => format!("{value:.1e}"),
        _ => format!("{value:.3}"),
    }
}

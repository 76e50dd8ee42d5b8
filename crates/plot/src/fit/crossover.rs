//! Where one measured curve passes another, and how certain that is.
//!
//! Between measured points both curves are straight in logarithms, and so are the ends of their bands. The interval of
//! a crossover is the stretch around it on which the two bands overlap: from where one band parts from the other
//! (first.low against second.high, first.high against second.low) to where that happens on the other side.

use std::fmt;

use super::bands::{Node, nodes, zero};
use super::short;
use crate::Point;

/// One of the two curves that are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The first argument.
    First,
    /// The second argument.
    Second,
}

/// One end of an interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum End {
    /// The bands part here.
    At(f64),
    /// The bands still overlap at this end of the common range: the interval may continue beyond it.
    Open(f64),
}

/// A place where the cheaper of two curves becomes the more expensive one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Crossover {
    /// Where the curves are equal; the geometric middle of a stretch on which they are.
    pub x: f64,
    /// Where the bands begin to overlap.
    pub low: End,
    /// Where the bands cease to overlap.
    pub high: End,
    /// The cheaper curve at larger x.
    pub cheaper_after: Which,
}

/// Two curves over the range of x in which both were measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// Smallest and largest x of the common range.
    pub range: (f64, f64),
    /// The cheaper curve before the first crossover, so throughout if there is none; `None` for curves that are equal throughout.
    pub cheaper: Option<Which>,
    /// The crossovers by ascending x. If a band is wide, several may share one interval.
    pub crossovers: Vec<Crossover>,
    /// Places where the curves are equal but neither passes the other, including the ends of the range.
    pub touches: Vec<f64>,
    /// Whether the bands also overlap at some measured x at which the curves differ, outside the intervals of the
    /// crossovers.
    pub overlap_elsewhere: bool,
}

impl End {
    /// Where the end is, as far as was measured.
    pub(crate) fn x(self) -> f64 {
        let (Self::At(x) | Self::Open(x)) = self;
        x
    }
}

impl fmt::Display for Crossover {
    /// `512 (430 to 640)`, `512 (< 64 to 640)`, `512 (430 to > 8192)`; `512` if the interval is negligible.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = |end: End, sign: &str| match end {
            End::At(x) => short(x),
            End::Open(x) => format!("{sign} {}", short(x)),
        };
        let (low, high) = (end(self.low, "<"), end(self.high, ">"));
        if low == high { write!(f, "{low}") } else { write!(f, "{} ({low} to {high})", short(self.x)) }
    }
}

/// What the values of two compared curves are, for the words about them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// Less is better: time, memory, state.
    Cost,
    /// More is better.
    Speed,
}

impl Comparison {
    /// The comparison in one sentence without its full stop, for a caption or a table; `unit` is that of x.
    pub fn words(&self, [first, second]: [&str; 2], unit: &str, meaning: Meaning) -> String {
        let (from, to) = (short(self.range.0), short(self.range.1));
        let (verb, equal) = meaning.verbs();
        let mut words = match (self.cheaper, &self.crossovers[..]) {
            (None, _) => format!("{first} and {second} {equal} from {from} to {to} {unit}"),
            (Some(cheaper), []) => {
                let sense = meaning.sense(cheaper);
                format!("{first} {verb} {sense} than {second} throughout, from {from} to {to} {unit}")
            }
            (Some(_), found) => {
                let turn = |c: &Crossover| format!(" from {c} {unit} on");
                let rest =
                    found[1..].iter().map(|c| format!(", {}{}", meaning.sense(c.cheaper_after), turn(c)));
                let sense = meaning.sense(found[0].cheaper_after);
                format!("{first} {verb} {sense} than {second}{}{}", turn(&found[0]), rest.collect::<String>())
            }
        };
        for x in &self.touches {
            words += &format!(", meeting it at {}", short(*x));
        }
        if self.overlap_elsewhere {
            let also = if self.crossovers.is_empty() { "" } else { " elsewhere" };
            words += &format!(", but the spreads overlap{also}");
        }
        words
    }
}

impl Meaning {
    /// For one curve that differs from another, and for two that do not.
    fn verbs(self) -> (&'static str, &'static str) {
        match self {
            Self::Cost => ("costs", "cost the same"),
            Self::Speed => ("is", "are equally fast"),
        }
    }

    /// What the first curve does where this one has the lower values.
    fn sense(self, lower: Which) -> &'static str {
        match (self, lower) {
            (Self::Cost, Which::First) => "less",
            (Self::Cost, Which::Second) => "more",
            (Self::Speed, Which::First) => "slower",
            (Self::Speed, Which::Second) => "faster",
        }
    }
}

/// Where `first` passes `second`.
///
/// Points may come in any order, and the curves may be measured at different x. `None` if no measured x lies within
/// both curves, if a curve has two points at one x, or if a point has a value that is not finite or not above 0 or a
/// band that does not contain its y: leave such points out first.
pub fn crossovers(first: &[Point], second: &[Point]) -> Option<Comparison> {
    let nodes = nodes(first, second)?;
    let stretches: Vec<&[Node]> = nodes.chunk_by(|a, b| a.cheaper() == b.cheaper()).collect();
    let side = |stretch: &&[Node]| stretch[0].cheaper();
    let (mut crossovers, mut touches) = (Vec::new(), Vec::new());
    for (i, here) in stretches.iter().enumerate() {
        let before = i.checked_sub(1).and_then(|i| side(&stretches[i]));
        let after = stretches.get(i + 1).and_then(side);
        match (before, side(here), after) {
            (_, Some(_), Some(after)) => {
                crossovers.push(crossover(&nodes, passing(here, stretches[i + 1]), after))
            }
            (Some(before), None, Some(after)) if before != after => {
                crossovers.push(crossover(&nodes, middle(here), after));
            }
            (_, Some(_), None) | (None, None, None) => {}
            (_, None, _) => touches.push(middle(here)),
        }
    }
    let range = (nodes[0].x, nodes[nodes.len() - 1].x);
    let overlap_elsewhere =
        nodes.iter().any(|n| n.overlap() && n.cheaper().is_some() && !is_in_an_interval(n.x, &crossovers));
    Some(Comparison {
        range,
        cheaper: stretches.iter().find_map(side),
        crossovers,
        touches,
        overlap_elsewhere,
    })
}

/// With ascending x, neither end of the intervals decreases, so only the first that reaches x may contain it.
fn is_in_an_interval(x: f64, crossovers: &[Crossover]) -> bool {
    let reaching = crossovers.partition_point(|c| c.high.x() < x);
    crossovers.get(reaching).is_some_and(|c| c.low.x() <= x)
}

/// Where the curves meet between the last node of one stretch and the first of the next.
fn passing(here: &[Node], next: &[Node]) -> f64 {
    let (last, first) = (&here[here.len() - 1], &next[0]);
    zero([last, first], last.gap, first.gap)
}

fn middle(stretch: &[Node]) -> f64 {
    (stretch[0].x * stretch[stretch.len() - 1].x).sqrt()
}

fn crossover(nodes: &[Node], x: f64, cheaper_after: Which) -> Crossover {
    // The stretch that contains x belongs to both sides.
    let above = nodes.partition_point(|node| node.x <= x).saturating_sub(1);
    let below = (nodes.partition_point(|node| node.x < x) + 1).min(nodes.len());
    let up = nodes[above..].windows(2).find_map(|pair| parting(&pair[0], &pair[1]));
    let down = nodes[..below].windows(2).rev().find_map(|pair| parting(&pair[1], &pair[0]));
    let (first, last) = (nodes[0].x, nodes[nodes.len() - 1].x);
    // The bands contain the curves, so only rounding could put an end on the wrong side of the crossover.
    let low = down.map_or(End::Open(first), |end| End::At(end.min(x)));
    let high = up.map_or(End::Open(last), |end| End::At(end.max(x)));
    Crossover { x, low, high, cheaper_after }
}

/// Where the bands part on the way to a neighbour from a node at which they overlap or begin to.
fn parting(near: &Node, far: &Node) -> Option<f64> {
    let ways = [(near.least, far.least), (-near.most, -far.most)];
    // The bands cannot part both ways at once.
    ways.into_iter().find(|&(_, far)| far > 0.0).map(|(from, to)| zero([near, far], from.min(0.0), to))
}

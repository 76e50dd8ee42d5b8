//! The sweep: how many runs it asks for, and their combinations in order.
//!
//! Runs are counted from the sizes of the axes, before any is made. What follows takes a fixed time per run.

use std::sync::Arc;

use subquad_options::Kind;

use crate::assigned::Axis;
use crate::combination::{Combination, Settings, settle, undoubted};
use crate::error::Problems;
use crate::plan::{Choice, Plan};
use crate::value::Setting;
use crate::{Axes, Key, Origin};

/// The axes of a config, laid out for each subject and tag.
pub(crate) struct Sweep<'a> {
    plan: &'a Plan,
    axes: &'a Axes,
    pub(crate) sizes: Vec<Setting>,
    pub(crate) seeds: Vec<Setting>,
    branches: Vec<Branch<'a>>,
    is_alone: bool,
}

/// The runs of one subject with one tag: what they take from each extra axis.
struct Branch<'a> {
    subject: Arc<str>,
    origin: Option<Origin>,
    tag: String,
    digits: Vec<Digit<'a>>,
}

/// What the runs of a branch take from one axis.
enum Digit<'a> {
    /// Each of its values.
    Each(&'a Axis),
    /// The value at this index, which is the tag.
    One(&'a Axis, usize),
    /// Nothing: it is an axis of another tag's key, and multiplies no runs.
    Nothing,
}

/// The indices of a run's values on the extra axes.
type Places = Vec<usize>;

impl<'a> Sweep<'a> {
    pub(crate) fn new(plan: &'a Plan, axes: &'a Axes) -> Self {
        let branches =
            plan.subjects().iter().flat_map(|(subject, origin)| branches_of(plan, subject, origin)).collect();
        let (sizes, seeds) = (plan.own_axis(axes.size.name), plan.own_axis(axes.seed.name));
        let sweep = Self { plan, axes, sizes, seeds, branches, is_alone: false };
        Self { is_alone: sweep.count() == Some(1), ..sweep }
    }

    /// How many runs the sweep asks for; `None` beyond 128 bits.
    pub(crate) fn count(&self) -> Option<u128> {
        let sizes = self.branches.iter().map(Branch::count);
        let choices = sizes.reduce(|sum, size| sum?.checked_add(size?)).unwrap_or(Some(0))?;
        choices.checked_mul(self.sizes.len() as u128)?.checked_mul(self.seeds.len() as u128)
    }

    /// The largest size of all runs, in the sweep or in a list.
    fn largest(&self, problems: &Problems) -> i64 {
        let own = self.sizes.iter().filter_map(|setting| setting.value.as_integer());
        let listed = self.branches.iter().flat_map(|branch| self.sizes_in(branch, problems));
        own.chain(listed).max().unwrap_or(0)
    }

    /// The sizes in the lists of a branch's runs.
    fn sizes_in(&self, branch: &Branch<'a>, problems: &Problems) -> Vec<i64> {
        let is_list = |key: &&'static Key| matches!(key.kind, Kind::List { .. });
        let keys = branch.keys(self.plan).filter(is_list).filter(|key| !problems.doubts(key.name));
        let settings = keys.flat_map(|key| match branch.axis(key) {
            Some(axis) => axis.values.clone(),
            None => self.plan.resolve(key, &branch.subject, &[]).into_iter().collect(),
        });
        settings.flat_map(|setting| (self.axes.sizes_in)(&setting.value)).collect()
    }

    /// Size outermost, then subject, then the extra axes in their order. The seeds of each combination are all
    /// [`seeds`](Self::seeds).
    pub(crate) fn for_each(
        &self,
        problems: &mut Problems,
        mut then: impl FnMut(&Combination<'_>, &mut Problems),
    ) {
        let largest = self.largest(problems);
        let subjects: Vec<_> = self.branches.chunk_by(|one, next| one.subject == next.subject).collect();
        let subjects: Vec<_> = subjects.into_iter().map(|branches| (branches, in_order(branches))).collect();
        let bases: Vec<_> = subjects.iter().map(|(branches, _)| self.bases(branches, problems)).collect();
        for size in &self.sizes {
            for ((branches, all), bases) in subjects.iter().zip(&bases) {
                for (places, index) in all {
                    let choices = branches[*index].choices(places);
                    let base = bases[*index].clone();
                    let combination =
                        self.combine(&branches[*index], base, choices, (size, largest), problems);
                    then(&combination, problems);
                }
            }
        }
    }

    fn combine(
        &self,
        branch: &Branch<'a>,
        mut settings: Settings,
        choices: Vec<Choice<'a>>,
        (size, largest): (&Setting, i64),
        problems: &Problems,
    ) -> Combination<'a> {
        for (key, _) in &choices {
            let set = undoubted(key, self.plan.resolve(key, &branch.subject, &choices), problems);
            settings.extend(set.map(|setting| (key.name, setting)));
        }
        let words = settle(self.plan.schema, &mut settings, size.value.as_integer().unwrap_or(0), largest);
        Combination {
            schema: self.plan.schema,
            subject: branch.subject.clone(),
            subject_origin: branch.origin.clone(),
            size: size.clone(),
            largest: largest.try_into().unwrap_or(0),
            settings,
            words,
            choices,
            axes: &self.plan.axes,
            is_alone: self.is_alone,
        }
    }

    /// What the runs of each branch have besides the values of axes.
    fn bases(&self, branches: &[Branch<'a>], problems: &Problems) -> Vec<Settings> {
        let setting = |branch: &Branch<'a>, key: &'static Key| {
            let set = undoubted(key, self.plan.resolve(key, &branch.subject, &[]), problems);
            set.map(|setting| (key.name, setting))
        };
        let base =
            |branch: &Branch<'a>| branch.keys(self.plan).filter_map(|key| setting(branch, key)).collect();
        branches.iter().map(base).collect()
    }
}

impl<'a> Branch<'a> {
    /// How many ways there are to take values from the extra axes; `None` beyond 128 bits.
    fn count(&self) -> Option<u128> {
        let mut sizes = self.digits.iter().map(|digit| digit.places().len() as u128);
        sizes.try_fold(1, u128::checked_mul)
    }

    /// The keys that its runs have.
    fn keys(&self, plan: &Plan) -> impl Iterator<Item = &'static Key> {
        plan.schema.keys().iter().filter(|key| key.belongs_to(&self.subject) && key.serves(&self.tag))
    }

    fn choices(&self, places: &[usize]) -> Vec<Choice<'a>> {
        let choice = |(digit, place): (&Digit<'a>, &usize)| match digit {
            Digit::Each(axis) | Digit::One(axis, _) => Some((axis.key, &axis.values[*place])),
            Digit::Nothing => None,
        };
        self.digits.iter().zip(places).filter_map(choice).collect()
    }

    /// Every way to take values from the extra axes; the first axis varies slowest.
    fn places(&self) -> Vec<Places> {
        self.digits.iter().fold(vec![Places::new()], |shorter, digit| {
            let longer = |places: Places| digit.places().map(move |place| [&places[..], &[place]].concat());
            shorter.into_iter().flat_map(longer).collect()
        })
    }

    fn axis(&self, key: &Key) -> Option<&'a Axis> {
        self.digits.iter().find_map(|digit| match digit {
            Digit::Each(axis) if axis.key == key => Some(*axis),
            Digit::Each(_) | Digit::One(..) | Digit::Nothing => None,
        })
    }
}

impl Digit<'_> {
    /// The indices of the values that runs take.
    fn places(&self) -> std::ops::Range<usize> {
        match self {
            Self::Each(axis) => 0..axis.values.len(),
            Self::One(_, place) => *place..place + 1,
            Self::Nothing => 0..1,
        }
    }
}

/// One branch for each tag that the subject's runs have.
fn branches_of<'a>(plan: &'a Plan, subject: &Arc<str>, origin: &Option<Origin>) -> Vec<Branch<'a>> {
    let axes: Vec<&Axis> = plan.extra_axes().filter(|axis| axis.key.belongs_to(subject)).collect();
    let is_tag = |axis: &&&Axis| plan.schema.tag() == Some(axis.key.name);
    let branch = |choice: Option<(Choice<'a>, usize)>| {
        let tag = plan.tag(subject, choice.as_ref().map(|(choice, _)| *choice).as_slice());
        let digit = |axis: &&'a Axis| match choice {
            Some((_, place)) if is_tag(&axis) => Digit::One(axis, place),
            _ if axis.key.serves(&tag) => Digit::Each(axis),
            _ => Digit::Nothing,
        };
        let digits = axes.iter().map(digit).collect();
        Branch { subject: subject.clone(), origin: origin.clone(), tag, digits }
    };
    match axes.iter().find(is_tag) {
        None => vec![branch(None)],
        Some(tags) => {
            let choices = tags.values.iter().map(|value| (tags.key, value)).zip(0..);
            choices.map(|choice| branch(Some(choice))).collect()
        }
    }
}

/// What the runs of a subject take from the extra axes, with the index of the branch; the first axis varies slowest,
/// whatever the tag.
fn in_order(branches: &[Branch<'_>]) -> Vec<(Places, usize)> {
    let all = branches.iter().zip(0..);
    let mut all: Vec<_> = all
        .flat_map(|(branch, index)| branch.places().into_iter().map(move |places| (places, index)))
        .collect();
    all.sort();
    all
}

//! The sweep: how many runs it asks for, and their drafts one after the other.
//!
//! Runs are counted from the sizes of the axes, before there is any. What follows takes a fixed time for each run.

use super::draft::{Draft, Settings, settle};
use super::error::Problems;
use super::keys::{KEYS, SWEEP_KEYS};
use super::layer::{Axis, Setting};
use super::plan::{Choice, Plan, default_of};
use super::{Key, Kind, MixerName, Value};

/// The axes of a config, laid out for each mixer and task.
pub(super) struct Sweep<'a> {
    plan: &'a Plan,
    pub(super) seq_lens: Vec<Setting>,
    pub(super) seeds: Vec<Setting>,
    branches: Vec<Branch<'a>>,
}

/// The runs of one mixer on one task: what they take from each extra axis.
struct Branch<'a> {
    mixer: MixerName,
    task: String,
    digits: Vec<Digit<'a>>,
}

/// What the runs of a branch take from one axis.
enum Digit<'a> {
    /// Each of its values.
    Each(&'a Axis),
    /// The value at this place, which is the task.
    One(&'a Axis, usize),
    /// Nothing: it is an axis of another task's key, and multiplies no runs.
    Nothing,
}

/// The places of a run's values on the extra axes.
type Places = Vec<usize>;

impl<'a> Sweep<'a> {
    pub(super) fn new(plan: &'a Plan) -> Self {
        let branches = plan.mixers().into_iter().flat_map(|mixer| branches_of(plan, mixer)).collect();
        let (seq_lens, seeds) = (values(plan, "sweep.seq_len"), values(plan, "sweep.seed"));
        Self { plan, seq_lens, seeds, branches }
    }

    /// How many runs it asks for; `None` beyond 128 bits.
    pub(super) fn count(&self) -> Option<u128> {
        let sizes = self.branches.iter().map(Branch::count);
        let choices = sizes.reduce(|sum, size| sum?.checked_add(size?)).unwrap_or(Some(0))?;
        choices.checked_mul(self.seq_lens.len() as u128)?.checked_mul(self.seeds.len() as u128)
    }

    /// The longest sequence of all runs, in tokens, in training or in a test.
    pub(super) fn longest(&self, problems: &Problems) -> Option<i64> {
        let trained = self.seq_lens.iter().filter_map(|setting| setting.value.as_integer());
        let tested = self.branches.iter().flat_map(|branch| branch.test_lengths(self.plan, problems));
        trained.chain(tested).max()
    }

    /// Sequence length outermost, then mixer, then the extra axes in their order. The seeds of each draft are all
    /// [`seeds`](Self::seeds).
    pub(super) fn for_each(&self, problems: &mut Problems, mut then: impl FnMut(&Draft<'_>, &mut Problems)) {
        let longest = self.longest(problems);
        let mixers: Vec<_> = self.branches.chunk_by(|one, next| one.mixer == next.mixer).collect();
        let mixers: Vec<_> = mixers.into_iter().map(|branches| (branches, in_order(branches))).collect();
        let bases: Vec<_> = mixers.iter().map(|(branches, _)| self.bases(branches, problems)).collect();
        for seq_len in &self.seq_lens {
            for ((branches, all), bases) in mixers.iter().zip(&bases) {
                for (places, index) in all {
                    let (branch, mut settings) = (&branches[*index], bases[*index].clone());
                    let choices = branch.choices(places);
                    self.put(&choices, branch.mixer, &mut settings, problems);
                    settle(&mut settings, seq_len, longest);
                    let seq_len = seq_len.clone();
                    then(&Draft { mixer: branch.mixer, seq_len, settings, choices }, problems);
                }
            }
        }
    }

    /// What the runs of each branch have beside the values of axes.
    fn bases(&self, branches: &[Branch<'_>], problems: &Problems) -> Vec<Settings> {
        let setting = |branch: &Branch<'_>, key| Some((key, self.plan.resolve(key, branch.mixer, &[])?));
        let base = |branch: &Branch<'_>| {
            let own = branch.keys().filter(|key| !problems.doubts(key));
            own.filter_map(|key| setting(branch, key)).map(|(key, setting)| (key.name, setting)).collect()
        };
        branches.iter().map(base).collect()
    }

    fn put(&self, choices: &[Choice<'_>], mixer: MixerName, settings: &mut Settings, problems: &Problems) {
        for (key, _) in choices.iter().filter(|(key, _)| !problems.doubts(key)) {
            settings.extend(self.plan.resolve(key, mixer, choices).map(|setting| (key.name, setting)));
        }
    }
}

impl<'a> Branch<'a> {
    /// How many ways there are to take values from the extra axes; `None` beyond 128 bits.
    fn count(&self) -> Option<u128> {
        let sizes = self.digits.iter().map(Digit::size);
        sizes.map(|size| size as u128).try_fold(1_u128, u128::checked_mul)
    }

    /// The keys that its runs have.
    fn keys(&self) -> impl Iterator<Item = &'static Key> {
        KEYS.iter().filter(|key| key.belongs_to(self.mixer) && key.serves(&self.task))
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

    /// Lengths of the test conditions of its runs.
    fn test_lengths(&self, plan: &Plan, problems: &Problems) -> Vec<i64> {
        let keys = self.keys().filter(|key| key.kind == Kind::Sizes && !problems.doubts(key));
        let settings = keys.flat_map(|key| match self.axis(key) {
            Some(axis) => axis.values.clone(),
            None => plan.resolve(key, self.mixer, &[]).into_iter().collect(),
        });
        settings.flat_map(|setting| lengths(&setting.value)).collect()
    }

    fn axis(&self, key: &Key) -> Option<&'a Axis> {
        self.digits.iter().find_map(|digit| match digit {
            Digit::Each(axis) if axis.key == key => Some(*axis),
            Digit::Each(_) | Digit::One(..) | Digit::Nothing => None,
        })
    }
}

impl Digit<'_> {
    fn size(&self) -> usize {
        match self {
            Self::Each(axis) => axis.values.len(),
            Self::One(..) | Self::Nothing => 1,
        }
    }

    /// The places of the values that runs take.
    fn places(&self) -> std::ops::Range<usize> {
        match self {
            Self::Each(axis) => 0..axis.values.len(),
            Self::One(_, place) => *place..place + 1,
            Self::Nothing => 0..1,
        }
    }
}

/// One branch a task that the mixer's runs are on.
fn branches_of<'a>(plan: &'a Plan, mixer: MixerName) -> Vec<Branch<'a>> {
    let axes: Vec<&Axis> = plan.extra_axes().filter(|axis| axis.key.belongs_to(mixer)).collect();
    let branch = |choice: Option<(Choice<'a>, usize)>| {
        let task = plan.task(mixer, choice.as_ref().map(|(choice, _)| *choice).as_slice());
        let digit = |axis: &&'a Axis| match (axis.key.name, choice) {
            ("task.name", Some((_, place))) => Digit::One(axis, place),
            _ if axis.key.serves(&task) => Digit::Each(axis),
            _ => Digit::Nothing,
        };
        let digits = axes.iter().map(digit).collect();
        Branch { mixer, task, digits }
    };
    match axes.iter().find(|axis| axis.key.name == "task.name") {
        None => vec![branch(None)],
        Some(tasks) => {
            let choices = tasks.values.iter().map(|value| (tasks.key, value)).zip(0..);
            choices.map(|choice| branch(Some(choice))).collect()
        }
    }
}

/// What the runs of a mixer take from the extra axes, with the number of the branch; the first axis varies slowest, whatever
/// the task.
fn in_order(branches: &[Branch<'_>]) -> Vec<(Places, usize)> {
    let all = branches.iter().zip(0..);
    let mut all: Vec<_> = all
        .flat_map(|(branch, index)| branch.places().into_iter().map(move |places| (places, index)))
        .collect();
    all.sort();
    all
}

/// The values of an axis that every sweep has.
fn values(plan: &Plan, name: &str) -> Vec<Setting> {
    let default = SWEEP_KEYS.iter().filter(|key| key.name == name).filter_map(default_of);
    plan.axis(name).map_or_else(|| default.collect(), |axis| axis.values.clone())
}

fn lengths(value: &Value) -> Vec<i64> {
    match value {
        Value::Sizes(sizes) => sizes.iter().map(|(length, _)| *length).collect(),
        Value::Integer(_) | Value::Real(_) | Value::Bool(_) | Value::Text(_) => vec![],
    }
}

//! The keys of both kinds of configs.

use subquad_bench::{SECTION, Subjects};
use subquad_config::{Axes, Schema};
use subquad_data::TaskConfig;
use subquad_mixer::Mixers;
use subquad_model::ModelOptions;
use subquad_options::range::LONGEST_SEQ;
use subquad_options::{Field, Kind, Options, Value};
use subquad_train::{LoopConfig, OptimConfig};

use super::run::known;
use crate::budget::BudgetOptions;
use crate::select::SelectOptions;

/// The schemas of configs that train and of configs that measure.
#[derive(Debug, Clone, Copy)]
pub struct Schemas {
    /// Of configs that train.
    pub study: &'static Schema,
    /// Of configs that measure.
    pub bench: &'static Schema,
}

/// Section `[task]`, without the section of the task that it names.
#[derive(Options, Debug)]
struct TaskSection {
    /// Where the task's data are, for tasks that read files; relative to the current folder, or otherwise to
    /// $SUBQUAD_DATA. Empty: the task's default place. Runs are named by a digest of the contents instead.
    #[config(default = "String::new()")]
    #[option(bookkeeping)]
    path: String,
}

impl Schemas {
    /// The schemas of a program with these mixers. They live as long as the program.
    pub fn of<C: Mixers>(subjects: &Subjects) -> Self {
        let study = study::<C>().elsewhere(
            SECTION,
            "is for configs that measure, and this one trains; use it with configs that have [bench]",
        );
        let training = ["task", "model", "mixer", "optim", "train", "budget", "select", "sweep", "override"];
        let why = "is for configs that train, and this one has [bench]; put it in a separate file";
        let bench = subquad_bench::schema(subjects);
        let bench = training.iter().fold(bench, |schema, section| schema.elsewhere(section, why));
        Self { study: Box::leak(Box::new(study)), bench: Box::leak(Box::new(bench)) }
    }
}

fn study<C: Mixers>() -> Schema {
    let schema =
        Schema::study(axes::<C>()).section("task", &[vec![task_name()], TaskSection::fields()].concat());
    let schema = subquad_data::tasks()
        .iter()
        .fold(schema, |schema, task| schema.tagged("task.name", task.info.name, &task.fields))
        .section("model", &ModelOptions::fields());
    C::entries()
        .iter()
        .fold(schema, |schema, mixer| schema.subject("mixer", mixer.name, &mixer.fields))
        .section("optim", &OptimConfig::fields())
        .section("train", &LoopConfig::fields())
        .section("budget", &BudgetOptions::fields())
        .section("select", &SelectOptions::fields())
}

fn task_name() -> Field {
    let help = "Which data set or generator the run trains on.";
    field("name", help, Kind::Word(TaskConfig::names().leak()), None)
}

fn axes<C: Mixers>() -> Axes {
    let integer = |min, max| Kind::Integer { min, max };
    Axes {
        subject: field("mixer", MIXERS, Kind::Pattern(known::<C>().leak()), None),
        size: field("seq_len", "Sequence lengths, in tokens.", integer(1, LONGEST_SEQ as i64), None),
        seed: field(
            "seed",
            "Seeds; each gives different weights, data order and dropout.",
            integer(0, i64::MAX),
            Some(Value::Integer(0)),
        ),
        largest: "longest",
        sizes_in: lengths,
    }
}

/// What the axis of mixers holds.
const MIXERS: &str = "Sequence mixers to compare. A pattern alternates over the blocks of a model, each part with its own section.";

fn field(name: &'static str, help: &'static str, kind: Kind, default: Option<Value>) -> Field {
    Field { name, help, kind, default, before: None, given: false, numeric: true }
}

/// The lengths in a list of sizes such as `["128x8"]`.
fn lengths(value: &Value) -> Vec<i64> {
    let length = |value: &Value| value.as_text()?.split_once('x')?.0.parse().ok();
    value.as_list().unwrap_or_default().iter().filter_map(length).collect()
}

//! The registry of tasks, one line each.

use std::ops::Deref;
use std::path::Path;

use subquad_options::{Field, OptionType, Options, Refusal, Value};

use crate::{
    AddingConfig, AssociativeRecallConfig, BytesConfig, CopyingConfig, DelayConfig, DigitsConfig,
    InductionHeadsConfig, MaskedBytesConfig, MnistConfig, MqarConfig, ParityConfig, ReconstructConfig,
    SelectiveCopyingConfig, StateTrackingConfig, TaskInfo, TaskOptions,
};

/// A task of the registry.
#[derive(Clone, Debug)]
pub struct TaskEntry {
    /// A description of it.
    pub info: &'static TaskInfo,
    /// Its options.
    pub fields: Vec<Field>,
}

/// Gives the task the path of the user's files, empty if the config has none; a task that reads no files refuses any other.
fn give_path<C: TaskOptions + Options>(config: &mut C, path: &Path) -> Option<Refusal> {
    let is_taken = config.give("path", &path.to_owned().to_value());
    Refusal::when(!is_taken && !path.as_os_str().is_empty(), &["path"], || {
        format!("task {} reads no files, so task.path would do nothing; leave it out", C::info().name)
    })
}

macro_rules! tasks {
    ($($Task:ident($Config:ident)),+ $(,)?) => {
        /// Which task, with its options.
        #[derive(Clone, Debug, PartialEq)]
        pub enum TaskConfig {
            $(
                #[doc = concat!("The task of [`", stringify!($Config), "`].")]
                $Task($Config),
            )+
        }

        impl TaskConfig {
            /// The task of this name with the values of its options, and what is wrong with the path of the user's files, if
            /// anything is. `None` if there is no such task, or a value is missing or not of its kind.
            pub fn read(
                name: &str,
                path: &Path,
                values: &dyn Fn(&str) -> Option<Value>,
            ) -> Option<(Self, Option<Refusal>)> {
                $(if name == $Config::info().name {
                    let mut config = $Config::from_values(values)?;
                    let refused = give_path(&mut config, path);
                    return Some((Self::$Task(config), refused));
                })+
                None
            }

            /// A description of the task.
            pub fn info(&self) -> &'static TaskInfo {
                match self { $(Self::$Task(_) => $Config::info(),)+ }
            }
        }

        /// The options of the task, whichever it is.
        impl Deref for TaskConfig {
            type Target = dyn TaskOptions;

            fn deref(&self) -> &Self::Target {
                match self { $(Self::$Task(config) => config,)+ }
            }
        }

        /// All tasks, in the order in which they are listed.
        pub fn tasks() -> Vec<TaskEntry> {
            vec![$(TaskEntry { info: $Config::info(), fields: $Config::fields() }),+]
        }
    };
}

impl TaskConfig {
    /// The names of all tasks.
    pub fn names() -> Vec<&'static str> {
        tasks().iter().map(|task| task.info.name).collect()
    }
}

tasks! {
    Digits(DigitsConfig),
    Mqar(MqarConfig),
    Mnist(MnistConfig),
    Bytes(BytesConfig),
    MaskedBytes(MaskedBytesConfig),
    Delay(DelayConfig),
    Reconstruct(ReconstructConfig),
    Parity(ParityConfig),
    AssociativeRecall(AssociativeRecallConfig),
    InductionHeads(InductionHeadsConfig),
    Copying(CopyingConfig),
    SelectiveCopying(SelectiveCopyingConfig),
    Adding(AddingConfig),
    StateTracking(StateTrackingConfig),
}

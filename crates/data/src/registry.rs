//! The registry of tasks, one line each.

use std::path::{Path, PathBuf};

use subquad_options::{Field, OptionType, Options, Refusal, Value};

use crate::{
    BytesConfig, DelayConfig, DigitsConfig, InputKind, MaskedBytesConfig, MnistConfig, MqarConfig,
    ParityConfig, ReconstructConfig, TargetKind, Task, TaskError, TaskInfo, TaskOptions,
};

/// A task of the registry.
#[derive(Clone, Debug)]
pub struct TaskEntry {
    /// A description of it.
    pub info: TaskInfo,
    /// Its options.
    pub fields: Vec<Field>,
}

/// Gives the task the path of the user's files, empty if the config has none; a task that reads no files refuses any other.
fn give_path<C: TaskOptions>(config: &mut C, path: &Path) -> Option<Refusal> {
    let is_taken = config.give("path", &path.to_owned().to_value());
    Refusal::when(!is_taken && !path.as_os_str().is_empty(), &["path"], || {
        format!("task {} reads no files, so task.path would do nothing; leave it out", C::INFO.name)
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
            /// The names of all tasks.
            pub const NAMES: &'static [&'static str] = &[$($Config::INFO.name),+];

            /// The task of this name with the values of its options, and what is wrong with the path of the user's files, if
            /// anything is. `None` if there is no such task, or a value is missing or not of its kind.
            pub fn read(
                name: &str,
                path: &Path,
                values: &dyn Fn(&str) -> Option<Value>,
            ) -> Option<(Self, Option<Refusal>)> {
                $(if name == $Config::INFO.name {
                    let mut config = $Config::from_values(values)?;
                    let refused = give_path(&mut config, path);
                    return Some((Self::$Task(config), refused));
                })+
                None
            }

            /// [`TaskOptions::INFO`] of the task.
            pub fn info(&self) -> &'static TaskInfo {
                match self { $(Self::$Task(_) => &$Config::INFO,)+ }
            }

            /// [`TaskOptions::input`].
            pub fn input(&self) -> InputKind {
                match self { $(Self::$Task(config) => config.input(),)+ }
            }

            /// [`TaskOptions::target`].
            pub fn target(&self, seq_len: usize) -> TargetKind {
                match self { $(Self::$Task(config) => config.target(seq_len),)+ }
            }

            /// [`TaskOptions::refusals`].
            pub fn refusals(&self, seq_len: usize) -> Vec<Refusal> {
                match self { $(Self::$Task(config) => config.refusals(seq_len),)+ }
            }

            /// [`TaskOptions::test_lengths`].
            pub fn test_lengths(&self) -> Vec<usize> {
                match self { $(Self::$Task(config) => config.test_lengths(),)+ }
            }

            /// [`TaskOptions::labels`].
            pub fn labels(&self, seq_len: usize) -> usize {
                match self { $(Self::$Task(config) => config.labels(seq_len),)+ }
            }

            /// [`TaskOptions::source`].
            pub fn source(&self) -> Option<(PathBuf, [usize; 2])> {
                match self { $(Self::$Task(config) => config.source(),)+ }
            }

            /// [`TaskOptions::open`].
            ///
            /// # Errors
            /// As there.
            pub fn open(&self, seq_len: usize, seed: u64) -> Result<Box<dyn Task>, TaskError> {
                match self { $(Self::$Task(config) => config.open(seq_len, seed),)+ }
            }
        }

        /// All tasks, in the order in which they are listed.
        pub fn tasks() -> Vec<TaskEntry> {
            vec![$(TaskEntry { info: $Config::INFO, fields: $Config::fields() }),+]
        }
    };
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
}

//! The options of a task, and the registry of tasks, one line each.

use std::fmt::{Debug, Display};
use std::path::{Path, PathBuf};

use subquad_options::{Field, Options, Refusal, Value};

use crate::{
    BytesConfig, DelayConfig, DigitsConfig, InputKind, MaskedBytesConfig, MnistConfig, MqarConfig,
    ParityConfig, ReconstructConfig, TargetKind, Task, TaskError, TaskInfo,
};

/// The options of a task, and what follows from them before any data are read.
pub trait TaskOptions: Options + Clone + Debug + Default {
    /// A description of the task.
    const INFO: TaskInfo;

    /// What a model of the task reads.
    fn input(&self) -> InputKind;

    /// What a model of the task should output, for training examples of `seq_len` tokens.
    fn target(&self, seq_len: usize) -> TargetKind;

    /// Everything that keeps the task from having training examples of `seq_len` tokens. A refusal without fields blames the
    /// length itself.
    fn refusals(&self, seq_len: usize) -> Vec<Refusal>;

    /// Sets the path of the user's files, empty if the config has none; a task that reads no files refuses any other.
    fn set_path(&mut self, path: &Path) -> Option<Refusal> {
        Refusal::when(!path.as_os_str().is_empty(), &["path"], || {
            format!("task {} reads no files, so task.path would do nothing; leave it out", Self::INFO.name)
        })
    }

    /// Number of tokens in the examples of each test condition besides that of training.
    fn test_lengths(&self) -> Vec<usize> {
        vec![]
    }

    /// Number of labels of a training example of `seq_len` tokens, if tokens have labels.
    fn labels(&self, seq_len: usize) -> usize {
        seq_len
    }

    /// Which data the task reads, so that equal sources are read once: the user's path, and how many examples it takes
    /// for training and testing if that changes what is read. `None` if the program makes all examples.
    fn source(&self) -> Option<(PathBuf, [usize; 2])> {
        None
    }

    /// Whether the task can have training examples of `seq_len` tokens.
    ///
    /// # Errors
    /// The first of the [refusals](Self::refusals), as [`TaskError::Length`] or [`TaskError::Options`].
    fn check(&self, seq_len: usize) -> Result<(), TaskError> {
        let first = self.refusals(seq_len).into_iter().next();
        first.map_or(Ok(()), |refusal| Err(TaskError::refused(Self::INFO.name, seq_len, refusal)))
    }

    /// The task with training examples of `seq_len` tokens; `seed` draws or orders them. Reads its data.
    ///
    /// # Errors
    /// As [`check`](Self::check); also if the data are missing, or not what they should be.
    fn open(&self, seq_len: usize, seed: u64) -> Result<Box<dyn Task>, TaskError>;
}

/// A refusal of the length itself: which lengths there are, and the nearest.
pub(crate) fn wrong_length(rule: &str, nearest: impl Display) -> Refusal {
    Refusal::new(format!("{rule}; nearest allowed: {nearest}"), &[])
}

/// A task of the registry.
#[derive(Clone, Debug)]
pub struct TaskEntry {
    /// A description of it.
    pub info: TaskInfo,
    /// Its options.
    pub fields: Vec<Field>,
}

impl TaskEntry {
    fn of<C: TaskOptions>() -> Self {
        Self { info: C::INFO, fields: C::fields() }
    }
}

macro_rules! tasks {
    ($($Task:ident($Config:ident)),+ $(,)?) => {
        /// Which task, with its options.
        #[derive(Clone, Debug, PartialEq)]
        pub enum TaskConfig {
            $(
                #[doc = concat!("[`", stringify!($Task), "`](crate::", stringify!($Task), ").")]
                $Task($Config),
            )+
        }

        impl TaskConfig {
            /// The names of all tasks.
            pub const NAMES: &'static [&'static str] = &[$(<$Config as TaskOptions>::INFO.name),+];

            /// The task of this name with the values of its options, and what is wrong with the path of the user's files, if
            /// anything is. `None` if there is no such task, or a value is missing or not of its kind.
            pub fn read(
                name: &str,
                path: &Path,
                values: &dyn Fn(&str) -> Option<Value>,
            ) -> Option<(Self, Option<Refusal>)> {
                $(if name == <$Config as TaskOptions>::INFO.name {
                    let mut config = <$Config as Options>::from_values(values)?;
                    let refused = config.set_path(path);
                    return Some((Self::$Task(config), refused));
                })+
                None
            }

            /// [`TaskOptions::INFO`] of the task.
            pub fn info(&self) -> &'static TaskInfo {
                match self { $(Self::$Task(_) => &<$Config as TaskOptions>::INFO,)+ }
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

            /// [`TaskOptions::check`].
            ///
            /// # Errors
            /// As there.
            pub fn check(&self, seq_len: usize) -> Result<(), TaskError> {
                match self { $(Self::$Task(config) => config.check(seq_len),)+ }
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
            vec![$(TaskEntry::of::<$Config>()),+]
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

/// [`TaskConfig::open`].
///
/// # Errors
/// As there.
pub fn open(config: &TaskConfig, seq_len: usize, seed: u64) -> Result<Box<dyn Task>, TaskError> {
    config.open(seq_len, seed)
}

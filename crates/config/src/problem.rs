//! Every mistake that a config can contain, in words: what is wrong, what is allowed, what to do.

use thiserror::Error;

use crate::Origin;
use crate::suggest::hint;

/// What is wrong; [`ConfigError`](super::ConfigError) adds where.
#[derive(Debug, Clone, PartialEq, Error)]
#[allow(missing_docs)] // Each message says what its fields are.
pub enum Problem {
    #[error("cannot be read: {reason}")]
    Unreadable { reason: String },
    #[error("no such file or folder")]
    NoSuchPath,
    #[error("holds no .toml file")]
    NoConfigs,
    #[error("is not in a folder that could name its study")]
    NoFolder,
    #[error("a link to {target}, which does not exist; create that file, or name another one")]
    DanglingLink { target: String },
    #[error(
        "a device or pipe, not a file; a study is named after its config's folder, and its runs may read the config again: save it in \
        a folder, such as my-study/config.toml"
    )]
    NotAFile,
    #[error("holds {} MiB, too much for a config; name the .toml file", .bytes >> 20)]
    Huge { bytes: u64 },
    #[error("not UTF-8 text from line {line} on; save the file as UTF-8")]
    NotUtf8 { line: usize },
    #[error("text in UTF-16; save the file as UTF-8")]
    Utf16,
    #[error("not text, because byte {byte} is zero; a config is TOML in UTF-8")]
    NotText { byte: usize },
    #[error("not valid TOML: {message}")]
    Syntax { message: String },
    #[error("must read KEY=VALUE, such as train.steps=100")]
    NotAnAssignment,

    #[error("unknown key `{key}`{} (known in [{section}]: {})", hint(.meant.as_deref()), .known.join(", "))]
    UnknownKey { key: String, section: String, known: Vec<&'static str>, meant: Option<String> },
    #[error("unknown key `{key}`{} (every key is in a section: {})", hint(.meant.as_deref()), .known.join(", "))]
    KeyOutsideSections { key: String, known: Vec<&'static str>, meant: Option<String> },
    #[error("unknown axis `{key}`{} (known: {}, or a dotted key of a section)", hint(.meant.as_deref()), .known.join(", "))]
    UnknownAxis { key: String, known: Vec<&'static str>, meant: Option<String> },
    #[error("unknown section [{section}]{} (known: {})", hint(.meant.as_deref()), .known.join(", "))]
    UnknownSection { section: String, known: Vec<&'static str>, meant: Option<String> },
    #[error("[{section}] unknown {noun} `{name}`{} (known: {})", hint(.meant.as_deref()), .known.join(", "))]
    UnknownSubject {
        section: String,
        noun: &'static str,
        name: String,
        meant: Option<String>,
        known: &'static [&'static str],
    },
    #[error("[{section}] a pattern has no section of its own; each of its parts has one: {}", .parts.join(", "))]
    SectionOfPattern { section: String, parts: Vec<String> },
    #[error("[override.{subject}] cannot set `{key}`, which belongs to another {noun} (allowed: {})",
        .allowed.join(", "))]
    ForeignOverride { subject: String, noun: &'static str, key: &'static str, allowed: Vec<&'static str> },
    #[error("[{section}] {why}")]
    Elsewhere { section: String, why: &'static str },
    #[error("`{section}` is a section, [{section}], not a key; got {got}")]
    NotASection { section: String, got: String },

    #[error("`{key}` {complaint}")]
    Value { key: String, complaint: String },
    #[error("each value of `{key}` {complaint}")]
    ItemValue { key: String, complaint: String },
    #[error("`{key}` is set twice, first at {first}; keep one")]
    SetTwice { key: String, first: Origin },
    #[error("missing `{leaf}` in [{section}]; it must be {what}")]
    Missing { section: &'static str, leaf: &'static str, what: String },

    #[error("axis `{key}` must be a list of values, got {got}")]
    NotAList { key: String, got: String },
    #[error("axis `{key}` is empty; give it a value or leave it out")]
    EmptyAxis { key: String },
    #[error("`{key}` lists {value} twice")]
    RepeatedValue { key: String, value: String },
    #[error("`{key}` is not part of a run's name, so it cannot be an axis; set it in its section")]
    IdleAxis { key: &'static str },
    #[error("`{key}` is an axis of the sweep ({axis}); use sweep.{key}=[..], or remove the axis")]
    FlagOnAxis { key: &'static str, axis: Origin },
    #[error(
        "`{key}` is an axis of the sweep ({axis}), so [override.{subject}] cannot set it; remove one of the two"
    )]
    OverrideOnAxis { key: &'static str, subject: String, axis: Origin },
    #[error("values {one} and {other} of axis `{key}` give the same run; remove one of the two")]
    SameRun { key: &'static str, one: String, other: String },

    #[error(
        "asks for {count} {what} ({lists}), but one command plans at most {most}{before}; remove values, or pass fewer \
        configs at once"
    )]
    TooMany { what: &'static str, count: String, lists: String, most: String, before: String },
    #[error("{reason}")]
    Refused { reason: String },
}

impl Problem {
    /// A key that a config must set, but does not.
    pub(crate) fn missing(key: &crate::Key) -> Self {
        Self::Missing { section: key.section(), leaf: key.leaf(), what: key.wanted() }
    }
}

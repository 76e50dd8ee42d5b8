//! Which keys there are.

use std::collections::HashMap;
use std::sync::Arc;

use subquad_options::{Field, Kind, Value, pattern_words};

/// One key of a config.
#[derive(Debug, Clone)]
pub struct Key {
    /// The dotted name, such as `mixer.s4d.d_state`.
    pub name: &'static str,
    /// What it may hold; for a key of `[sweep]`, what each value of its list may be.
    pub kind: Kind,
    /// What it holds if nothing sets it; `None`: the config must set it.
    ///
    /// A run is named by what differs from the defaults, so that a new key leaves old names as they are. Changing a default gives
    /// old and new runs the same name for different numbers: rename the key instead.
    pub default: Option<Value>,
    /// What runs had before there was the key, if that is not the default; names leave this value out instead of the default.
    pub before: Option<Value>,
    /// What it does, in which unit, and why the default is what it is.
    pub help: &'static str,
    /// Whether it changes a run's numbers, and therefore the run's name.
    pub numeric: bool,
    /// Which runs have it; `None`: all.
    pub variant: Option<Variant>,
}

/// The runs that have a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variant {
    /// The runs whose subject is this word, or a pattern with it.
    Subject(&'static str),
    /// The runs whose tag has this value.
    Tag(&'static str),
}

/// The axes that every sweep has. The kind of each is that of a single value in its list.
#[derive(Debug, Clone)]
pub struct Axes {
    /// What is compared; its kind is the words of the subjects, or patterns of them.
    pub subject: Field,
    /// What shares such as `seq_len/16` refer to.
    pub size: Field,
    /// What repeats a run with different random numbers.
    pub seed: Field,
    /// The word for the largest size of a config, in the sweep or in a list of sizes.
    pub largest: &'static str,
    /// The sizes that a value contains, besides the axis: those of lists such as `["128x8"]`.
    pub sizes_in: fn(&Value) -> Vec<i64>,
}

/// The keys of a kind of config. It lives as long as the program.
#[derive(Debug, Default)]
pub struct Schema {
    keys: Vec<Key>,
    by_name: HashMap<&'static str, usize>,
    axes: Option<Axes>,
    /// The keys of `[sweep]` itself.
    axis_keys: Vec<Key>,
    tag: Option<&'static str>,
    /// Sections that belong to configs of another kind, and what to say about them.
    elsewhere: Vec<(String, &'static str)>,
}

impl Schema {
    /// A schema without sections, for configs that ask for one thing.
    pub fn sheet() -> Self {
        Self::default()
    }

    /// A schema without sections, for configs that ask for many runs.
    pub fn study(axes: Axes) -> Self {
        let own = [&axes.subject, &axes.size, &axes.seed].map(|field| key("sweep", field, None));
        Self { axes: Some(axes), axis_keys: own.into(), ..Self::sheet() }
    }

    /// Adds a section that every run has.
    #[must_use]
    pub fn section(self, section: &str, fields: &[Field]) -> Self {
        self.with(section, fields, None)
    }

    /// Adds a section that the runs of one subject have.
    #[must_use]
    pub fn subject(self, section: &str, name: &'static str, fields: &[Field]) -> Self {
        self.with(&format!("{section}.{name}"), fields, Some(Variant::Subject(name)))
    }

    /// Adds a section for the runs whose key `tag` is `name`.
    #[must_use]
    pub fn tagged(self, tag: &'static str, name: &'static str, fields: &[Field]) -> Self {
        let section = tag.rsplit_once('.').map_or("", |(section, _)| section);
        let schema = self.with(&format!("{section}.{name}"), fields, Some(Variant::Tag(name)));
        Self { tag: Some(tag), ..schema }
    }

    /// Adds a section that belongs to another kind of config, and what to say if a config of this kind has it.
    #[must_use]
    pub fn elsewhere(mut self, section: &str, why: &'static str) -> Self {
        self.elsewhere.push((section.to_owned(), why));
        self
    }

    fn with(mut self, section: &str, fields: &[Field], variant: Option<Variant>) -> Self {
        for key in fields.iter().filter(|field| !field.given).map(|field| key(section, field, variant)) {
            self.by_name.insert(key.name, self.keys.len());
            self.keys.push(key);
        }
        self
    }

    /// The keys outside `[sweep]`, section by section.
    pub fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// The keys of `[sweep]` itself.
    pub fn axis_keys(&self) -> &[Key] {
        &self.axis_keys
    }

    /// The key with this dotted name, outside `[sweep]`.
    pub fn find(&self, name: &str) -> Option<&Key> {
        self.by_name.get(name).map(|index| &self.keys[*index])
    }

    pub(crate) fn axes(&self) -> Option<&Axes> {
        self.axes.as_ref()
    }

    /// The noun for a subject, such as `mixer`.
    pub(crate) fn noun(&self) -> &'static str {
        self.axes.as_ref().map_or("subject", |axes| axes.subject.name)
    }

    /// The words that subjects consist of.
    pub(crate) fn subjects(&self) -> &'static [&'static str] {
        match self.axes.as_ref().map(|axes| &axes.subject.kind) {
            Some(Kind::Word(words) | Kind::Pattern(words)) => words,
            _ => &[],
        }
    }

    /// The subject that a text names: a word, or a pattern of words.
    pub(crate) fn subject_named(&self, text: &str) -> Option<Arc<str>> {
        let subject = self.axes.as_ref()?.subject.kind.accept(&Value::from(text))?;
        subject.as_text().map(Arc::from)
    }

    pub(crate) fn tag(&self) -> Option<&'static str> {
        self.tag
    }

    /// The key that `[sweep]` has of its own.
    pub(crate) fn axis_key(&self, leaf: &str) -> Option<&Key> {
        self.axis_keys.iter().find(|key| key.leaf() == leaf)
    }

    /// Why a section, or the table around it, does not belong to this schema; `None` if nothing is known about it.
    pub(crate) fn why_elsewhere(&self, first: &str) -> Option<&'static str> {
        self.elsewhere.iter().find(|(section, _)| section == first).map(|(_, why)| *why)
    }

    /// The sections of other kinds of configs.
    pub(crate) fn sections_elsewhere(&self) -> impl Iterator<Item = &str> + Clone {
        self.elsewhere.iter().map(|(section, _)| section.as_str())
    }

    /// The sections outside `[sweep]`, in their order.
    pub fn sections(&self) -> Vec<&'static str> {
        let mut sections: Vec<_> = self.keys.iter().map(Key::section).collect();
        sections.dedup();
        sections
    }

    /// The keys of one section, in their order.
    pub fn keys_in(&self, section: &str) -> Vec<&Key> {
        self.keys.iter().chain(&self.axis_keys).filter(|key| key.section() == section).collect()
    }

    /// Whether `path` is a section or holds sections.
    pub fn is_section(&self, path: &str) -> bool {
        let is_inside = |key: &Key| key.name.strip_prefix(path).is_some_and(|rest| rest.starts_with('.'));
        path.is_empty() || self.keys.iter().any(is_inside)
    }

    /// Whether `[override.<subject>]` may set keys of this section.
    pub(crate) fn allows(&self, subject: &str, section: &str) -> bool {
        self.keys_in(section).iter().all(|key| key.belongs_to(subject))
    }

    /// The key whose number a word of `key` stands for: one in the same section, or otherwise one that every run has.
    pub(crate) fn key_of_word(&self, key: &Key, word: &str) -> Option<&Key> {
        let own = || self.find(&format!("{}.{word}", key.section()));
        own().or_else(|| self.keys.iter().find(|other| other.leaf() == word && other.variant.is_none()))
    }
}

/// Leaks the name: schemas are few, and live as long as the program.
fn key(section: &str, field: &Field, variant: Option<Variant>) -> Key {
    Key {
        name: Box::leak(format!("{section}.{}", field.name).into_boxed_str()),
        kind: field.kind.clone(),
        default: field.default.clone(),
        before: field.before.clone(),
        help: field.help,
        numeric: field.numeric,
        variant,
    }
}

impl Key {
    /// All of the name but its last part: `mixer.s4d`.
    pub fn section(&self) -> &'static str {
        self.name.rsplit_once('.').map_or("", |(section, _)| section)
    }

    /// The last part of the name: `d_state`.
    pub fn leaf(&self) -> &'static str {
        last_part(self.name)
    }

    /// Whether a run whose tag has this value has the key.
    pub(crate) fn serves(&self, tag: &str) -> bool {
        !matches!(self.variant, Some(Variant::Tag(own)) if own != tag)
    }

    /// Whether a run with this subject has the key; a pattern has the keys of all its words.
    pub(crate) fn belongs_to(&self, subject: &str) -> bool {
        !matches!(self.variant, Some(Variant::Subject(own)) if pattern_words(subject).all(|word| word != own))
    }

    /// The word that a config may write for a number.
    pub(crate) fn word(&self) -> Option<&str> {
        match &self.kind {
            Kind::Or { or: Value::Text(word), .. } => Some(word),
            _ => None,
        }
    }

    /// What it must be, phrased to follow "must be".
    pub(crate) fn wanted(&self) -> String {
        if self.section() == "sweep" {
            format!("a list, each value {}", self.kind)
        } else {
            self.kind.to_string()
        }
    }
}

/// The last part of a dotted name.
pub fn last_part(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(_, leaf)| leaf)
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

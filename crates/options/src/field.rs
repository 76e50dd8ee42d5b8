//! An option, and a struct of options.

use crate::{Kind, Refusal, Value};

/// One option, with everything about it.
#[derive(Debug, Clone)]
pub struct Field {
    /// Its key.
    pub name: &'static str,
    /// What it does, in which unit, and why the default is what it is: the doc comment.
    pub help: &'static str,
    /// What it may hold.
    pub kind: Kind,
    /// What it holds if nothing sets it; `None` if it must be set, or is [`given`](Self::given).
    pub default: Option<Value>,
    /// What runs had before there was the option, if that is not the default: such runs keep the names that they had.
    pub before: Option<Value>,
    /// Whether the code that builds the struct gives it: then it is not a key of a config.
    pub given: bool,
    /// Whether it changes what is computed, not only what is recorded.
    pub numeric: bool,
}

/// A struct of options. Derive it.
pub trait Options: Sized {
    /// The options, in the order of the fields.
    fn fields() -> Vec<Field>;

    /// The struct from the values of a config: those of [`fields`](Self::fields), with words replaced by their numbers.
    /// A given field starts at its default, or otherwise empty. `None` if a value is missing or not of its kind.
    fn from_values(values: &dyn Fn(&str) -> Option<Value>) -> Option<Self>;

    /// The options with their values, in the order of the fields.
    fn to_values(&self) -> Vec<(&'static str, Value)>;

    /// Sets a value that is [`given`](Field::given). Returns whether there is such an option, and it takes the value.
    fn give(&mut self, name: &str, value: &Value) -> bool;

    /// Refuses every value that its kind does not allow.
    fn out_of_range(&self) -> Vec<Refusal> {
        let fields = Self::fields().into_iter().zip(self.to_values());
        let refused = |(field, (name, value)): (Field, (&'static str, Value))| {
            let is_allowed = field.kind.accept(&value).is_some();
            (!is_allowed)
                .then(|| Refusal::new(format!("{name} must be {}, got {value}", field.kind), &[name]))
        };
        fields.filter_map(refused).collect()
    }

    /// What is [out of range](Self::out_of_range), or otherwise what `rules` refuse: they may assume that every value
    /// is in its range.
    fn refused_by(&self, rules: impl FnOnce() -> Vec<Refusal>) -> Vec<Refusal> {
        let refused = self.out_of_range();
        if refused.is_empty() { rules() } else { refused }
    }
}

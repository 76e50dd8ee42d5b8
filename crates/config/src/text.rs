//! Configs as TOML, and a schema as Markdown.

use subquad_options::Value;

use crate::{Key, Schema};

impl Schema {
    /// A complete config with these values: every key that has one, section by section.
    pub(crate) fn to_toml(&self, value: impl Fn(&Key) -> Option<Value>) -> String {
        config_text(self.sections().into_iter().map(|section| (section, self.keys_in(section))), value)
    }

    /// Every key with what it may hold, its default and what it does: one table per section.
    pub fn to_markdown(&self) -> String {
        let keys: Vec<&Key> = self.keys().iter().chain(self.axis_keys()).collect();
        let sections = keys.chunk_by(|one, next| one.section() == next.section());
        sections.map(table).collect::<Vec<_>>().join("\n")
    }
}

fn table(keys: &[&Key]) -> String {
    let title = keys.first().map_or("", |key| key.section());
    let rows: String = keys.iter().map(|key| row(key)).collect();
    format!("### [{title}]\n\n| Key | Allowed | Default | What it does |\n| --- | --- | --- | --- |\n{rows}")
}

fn row(key: &Key) -> String {
    let bookkeeping = if key.numeric { "" } else { " Not part of a run's name." };
    format!("| `{}` | {} | {} | {}{bookkeeping} |\n", key.leaf(), key.wanted(), default(key), key.help)
}

fn default(key: &Key) -> String {
    match &key.default {
        None => "required".to_owned(),
        Some(value) if key.section() == "sweep" => format!("`[{}]`", to_toml_text(value)),
        Some(value) => format!("`{}`", to_toml_text(value)),
    }
}

/// As a TOML value.
fn to_toml(value: &Value) -> toml::Value {
    match value {
        Value::Integer(value) => toml::Value::Integer(*value),
        Value::Real(value) => toml::Value::Float(*value),
        Value::Bool(value) => toml::Value::Boolean(*value),
        Value::Text(value) => toml::Value::String(value.clone()),
        Value::List(values) => toml::Value::Array(values.iter().map(to_toml).collect()),
    }
}

/// As the right-hand side of a TOML line: the same text as `Display`, with words in quotes.
fn to_toml_text(value: &Value) -> String {
    match value {
        Value::Integer(_) | Value::Real(_) | Value::Bool(_) => value.to_string(),
        Value::Text(_) | Value::List(_) => to_toml(value).to_string(),
    }
}

/// The sections of a config that have keys with a value.
pub(crate) fn config_text<'a>(
    sections: impl IntoIterator<Item = (&'a str, Vec<&'a Key>)>,
    value: impl Fn(&Key) -> Option<Value>,
) -> String {
    let line = |key: &Key| Some(format!("{} = {}\n", key.leaf(), to_toml_text(&value(key)?)));
    let section = |(section, keys): (&str, Vec<&Key>)| {
        let lines: String = keys.into_iter().filter_map(line).collect();
        (!lines.is_empty()).then(|| format!("[{section}]\n{lines}"))
    };
    sections.into_iter().filter_map(section).collect::<Vec<_>>().join("\n")
}

//! A schema as Markdown.

use subquad_options::Kind;

use crate::value::to_toml_text;
use crate::{Key, Schema};

impl Schema {
    /// Every key with what it may hold, its default and what it does: one table per section.
    pub fn to_markdown(&self) -> String {
        let keys: Vec<&Key> = self.keys().iter().chain(self.axis_keys()).collect();
        let sections = keys.chunk_by(|one, next| one.section() == next.section());
        sections.map(section).collect::<Vec<_>>().join("\n")
    }
}

fn section(keys: &[&Key]) -> String {
    let title = keys.first().map_or("", |key| key.section());
    let rows: String = keys.iter().map(|key| row(key)).collect();
    format!("### [{title}]\n\n| Key | Allowed | Default | What it does |\n| --- | --- | --- | --- |\n{rows}")
}

fn row(key: &Key) -> String {
    let bookkeeping = if key.numeric { "" } else { " Not part of a run's name." };
    format!("| `{}` | {} | {} | {}{bookkeeping} |\n", key.leaf(), allowed(key), default(key), key.help)
}

fn allowed(key: &Key) -> String {
    match (&key.kind, key.section()) {
        (Kind::List { .. }, _) => key.kind.to_string(),
        (kind, "sweep") => format!("a list, each value {kind}"),
        (kind, _) => kind.to_string(),
    }
}

fn default(key: &Key) -> String {
    match &key.default {
        None => "required".to_owned(),
        Some(value) if key.section() == "sweep" => format!("`[{}]`", to_toml_text(value)),
        Some(value) => format!("`{}`", to_toml_text(value)),
    }
}

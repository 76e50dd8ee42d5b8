//! The schema as Markdown, for `configs/README.md`.

use super::bench::{BENCH_KEYS, BENCH_LISTS};
use super::keys::{KEYS, SWEEP_KEYS};
use super::{DefaultValue, Key};

/// Every key with what it may hold, its default and what it does: one table a section.
pub fn markdown_table() -> String {
    let keys: Vec<&Key> = KEYS.iter().chain(SWEEP_KEYS).chain(BENCH_LISTS).chain(BENCH_KEYS).collect();
    let sections = keys.chunk_by(|one, next| one.section() == next.section());
    sections.map(section).collect::<Vec<_>>().join("\n")
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
    match (key.section(), key.default) {
        ("sweep", _) | (_, DefaultValue::EmptyList) => format!("list; each {}", key.kind),
        _ => key.kind.to_string(),
    }
}

fn default(key: &Key) -> String {
    match (key.section(), key.default) {
        (_, DefaultValue::Required) => "required".to_owned(),
        (_, DefaultValue::EmptyList) => "`[]`".to_owned(),
        ("sweep", DefaultValue::Integer(value)) => format!("`[{value}]`"),
        (_, default) => {
            default.value().map(|value| format!("`{}`", value.to_toml_text())).unwrap_or_default()
        }
    }
}

//! The schema as a whole.

use std::collections::BTreeSet;

use subquad_config::Key;

use crate::layers::program;

fn keys() -> Vec<&'static Key> {
    let schemas = program().schemas();
    [schemas.study, schemas.bench]
        .into_iter()
        .flat_map(|schema| schema.keys().iter().chain(schema.axis_keys()))
        .collect()
}

#[test]
fn every_default_is_allowed() {
    for key in keys() {
        let accepted = key.default.as_ref().map(|default| key.kind.accept(default));
        assert_eq!(accepted, key.default.clone().map(Some), "{}", key.name);
    }
}

#[test]
fn every_key_says_what_it_does() {
    for key in keys() {
        assert!(key.help.ends_with('.'), "{}: {}", key.name, key.help);
        assert!(!key.help.contains("]("), "{}: a table has no links of rustdoc", key.name);
    }
}

#[test]
fn names_are_unique_and_sections_stand_together() {
    let names: BTreeSet<_> = keys().iter().map(|key| key.name).collect();
    assert_eq!(names.len(), keys().len());
    let sections = program().schemas().study.sections();
    assert_eq!(sections.iter().collect::<BTreeSet<_>>().len(), sections.len());
}

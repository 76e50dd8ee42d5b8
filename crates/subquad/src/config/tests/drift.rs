//! The schema, the structs and the lists of names say the same.

use std::collections::BTreeSet;

use super::super::{DefaultValue, KEYS, Kind, MixerName, ResolvedRun, RunConfig, SWEEP_KEYS};
use super::{every_mixer, runs};

#[test]
fn the_structs_have_the_fields_of_the_schema() {
    let names = words("task.name");
    for run in names.iter().flat_map(|name| runs(&every_mixer().replace("digits", name))) {
        let mixer = run.config.mixer_name();
        let own = KEYS.iter().filter(|key| key.belongs_to(mixer) && key.serves(&run.settings()["task.name"]));
        let own = own.map(|key| key.name);
        let expected: BTreeSet<_> = own.chain(["seq_len", "seed"]).map(str::to_owned).collect();
        assert_eq!(leaves("", &table(&run)), expected, "{mixer}");
    }
}

#[test]
fn the_enums_have_the_words_of_the_schema() {
    for key in KEYS {
        let Kind::OneOf(words) = key.kind else { continue };
        let text = every_mixer().replace("digits", key.task().unwrap_or("digits"));
        let run = runs(&text).into_iter().find(|run| run.settings().contains_key(key.name)).unwrap();
        let mut table = table(&run);
        set(&mut table, key.name, "???");
        let message = table.try_into::<RunConfig>().unwrap_err().message().to_owned();
        let variants: Vec<_> = message.split('`').skip(1).step_by(2).filter(|word| *word != "???").collect();
        assert_eq!(variants, words, "{}", key.name);
    }
}

#[test]
fn every_default_is_allowed() {
    for key in KEYS.iter().chain(SWEEP_KEYS).filter(|key| key.default != DefaultValue::Required) {
        let text = key.default.value().unwrap().to_toml_text();
        let value = toml::de::DeValue::parse(&text).unwrap();
        let source = super::super::entry::Source::Flag { text: "".into() };
        let found = super::super::found::Found::read(value.get_ref(), &source);
        assert_eq!(key.kind.accept(&found), key.default.value(), "{}", key.name);
    }
}

#[test]
fn every_mixer_has_a_name_and_a_section() {
    for (mixer, name) in MixerName::ALL.iter().zip(MixerName::NAMES) {
        assert_eq!(name.parse(), Ok(*mixer));
        assert_eq!(mixer.to_string(), *name);
        assert!(KEYS.iter().any(|key| key.mixer() == Some(*mixer)), "{mixer}");
    }
    assert_eq!(MixerName::ALL.len(), MixerName::NAMES.len());
}

#[test]
fn names_are_unique_and_sections_stand_together() {
    let names: BTreeSet<_> = KEYS.iter().map(|key| key.name).collect();
    assert_eq!(names.len(), KEYS.len());
    let sections = super::super::schema::sections();
    assert_eq!(sections.iter().collect::<BTreeSet<_>>().len(), sections.len());
}

fn words(name: &str) -> &'static [&'static str] {
    let key = KEYS.iter().find(|key| key.name == name).unwrap();
    let Kind::OneOf(words) = key.kind else { panic!("{name} has no words") };
    words
}

fn table(run: &ResolvedRun) -> toml::Table {
    toml::Table::try_from(&run.config).unwrap()
}

fn leaves(prefix: &str, table: &toml::Table) -> BTreeSet<String> {
    let leaf = |(name, value): (&String, &toml::Value)| match value.as_table() {
        Some(inner) => leaves(&format!("{prefix}{name}."), inner),
        None => BTreeSet::from([format!("{prefix}{name}")]),
    };
    table.iter().flat_map(leaf).collect()
}

fn set(table: &mut toml::Table, name: &str, word: &str) {
    let parts: Vec<_> = name.split('.').collect();
    let (leaf, sections) = parts.split_last().unwrap();
    let section = sections.iter().fold(table, |table, name| table[*name].as_table_mut().unwrap());
    section[*leaf] = word.into();
}

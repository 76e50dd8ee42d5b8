//! The pages about configs say what the schema says.

use std::path::PathBuf;

use subquad_mixer::Mixers;
use subquad_model::MixerConfig;

use crate::lab::repository;
use crate::layers::program;

const BEGIN: &str = "<!-- keys:begin -->\n";
const END: &str = "<!-- keys:end -->";
/// Set it and run this crate's tests to rewrite the table.
const UPDATE: &str = "SUBQUAD_UPDATE_DOCS";

fn path(page: &str) -> PathBuf {
    repository().join("configs").join(page)
}

fn readme() -> String {
    fs_err::read_to_string(path("README.md")).unwrap()
}

#[test]
fn the_table_of_keys_is_up_to_date() {
    let page = fs_err::read_to_string(path("KEYS.md")).unwrap();
    let (intro, rest) = page.split_once(BEGIN).expect("configs/KEYS.md lacks its first marker");
    let (_, outro) = rest.split_once(END).expect("configs/KEYS.md lacks its second marker");
    let schemas = program().schemas();
    let tables = [schemas.study, schemas.bench].map(|schema| schema.to_markdown()).join("\n");
    let expected = format!("{intro}{BEGIN}\n{tables}\n{END}{outro}");
    if std::env::var_os(UPDATE).is_some() {
        fs_err::write(path("KEYS.md"), &expected).unwrap();
    } else {
        assert!(
            page == expected,
            "configs/KEYS.md is out of date; run: {UPDATE}=1 cargo test --release --workspace --test it readme"
        );
    }
}

#[test]
fn the_example_loads() {
    let readme = readme();
    let example = readme.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    assert_eq!(super::runs(example).len(), 3 * (1 + 2 + 1) * 3);
}

#[test]
fn the_error_is_what_the_program_says() {
    let error = super::errors_before_small("[mixer.s4d]\nd_sate = 32");
    assert!(readme().contains(error.trim_start_matches("x.toml:2: ")), "{error}");
}

/// The names at the start of the rows of README's first table.
fn mixers_of_the_front_page() -> Vec<String> {
    let page = fs_err::read_to_string(repository().join("README.md")).unwrap();
    let rows = page.lines().skip_while(|line| !line.starts_with("| | sequence mixer |")).skip(2);
    let rows = rows.take_while(|line| line.starts_with('|'));
    rows.map(|row| row.split('`').nth(1).expect("a row starts with a mixer's name").to_owned()).collect()
}

#[test]
fn the_front_page_lists_every_mixer() {
    let mut known: Vec<String> =
        MixerConfig::entries().into_iter().map(|entry| entry.name.to_owned()).collect();
    let mut shown = mixers_of_the_front_page();
    known.sort();
    shown.sort();
    assert_eq!(shown, known, "the table \"What is included\" of README.md");
}

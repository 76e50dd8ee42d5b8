//! `configs/README.md` says what the schema says.

use std::path::PathBuf;

use super::super::markdown_table;

const BEGIN: &str = "<!-- keys:begin -->\n";
const END: &str = "<!-- keys:end -->";
/// Set it and run this crate's tests to write the table anew.
const UPDATE: &str = "SUBQUAD_UPDATE_DOCS";

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../configs/README.md")
}

fn readme() -> String {
    fs_err::read_to_string(path()).unwrap()
}

#[test]
fn the_table_of_keys_is_up_to_date() {
    let readme = readme();
    let (intro, rest) = readme.split_once(BEGIN).expect("configs/README.md lacks its first marker");
    let (_, outro) = rest.split_once(END).expect("configs/README.md lacks its second marker");
    let expected = format!("{intro}{BEGIN}\n{}\n{END}{outro}", markdown_table());
    if std::env::var_os(UPDATE).is_some() {
        fs_err::write(path(), &expected).unwrap();
    } else {
        assert!(
            readme == expected,
            "configs/README.md is out of date; run: {UPDATE}=1 cargo test -p subquad readme"
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

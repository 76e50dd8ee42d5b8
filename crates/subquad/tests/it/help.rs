//! Help texts, as they are printed.

use crate::lab::Lab;

fn help(arguments: &str) -> String {
    let answer = Lab::new().subquad(arguments).expect(0);
    assert_eq!(answer.err, "");
    let widest = answer.out.lines().map(|line| line.chars().count()).max().unwrap();
    assert!(widest <= 100, "a line of {widest} characters in:\n{}", answer.out);
    answer.out
}

#[test]
fn the_program_explains_itself() {
    insta::assert_snapshot!(help("--help"), @"");
}

#[test]
fn run_explains_itself() {
    insta::assert_snapshot!(help("run --help"), @"");
}

#[test]
fn check_explains_itself() {
    insta::assert_snapshot!(help("check --help"), @"");
}

#[test]
fn verify_explains_itself() {
    insta::assert_snapshot!(help("verify --help"), @"");
}

#[test]
fn plot_explains_itself() {
    insta::assert_snapshot!(help("plot --help"), @"");
}

#[test]
fn list_explains_itself() {
    insta::assert_snapshot!(help("list --help"), @"");
}

#[test]
fn the_version_is_that_of_the_crate() {
    assert_eq!(help("--version"), format!("subquad {}\n", env!("CARGO_PKG_VERSION")));
}

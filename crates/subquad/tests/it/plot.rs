//! `subquad plot`: the CSV files and the summary are enough.

use crate::lab::{Lab, files};

#[test]
fn figures_drawn_again_are_the_same_files() {
    let lab = Lab::new();
    lab.subquad("run tiny").expect(0);
    let figures = lab.path("results/tiny/figures");
    let before: Vec<_> =
        files(&figures).into_iter().map(|path| (path.clone(), fs_err::read(path).unwrap())).collect();
    for (path, _) in before.iter().filter(|(path, _)| path.extension().unwrap() != "csv") {
        fs_err::remove_file(path).unwrap();
    }
    fs_err::remove_dir_all(lab.path("results/tiny/runs")).unwrap();
    let answer = lab.subquad("plot results/tiny").expect(0);
    assert_eq!(answer.out.lines().count(), before.len() / 3 * 2, "{}", answer.out);
    assert!(answer.out.lines().all(|line| lab.path(line).exists()), "{}", answer.out);
    for (path, contents) in before {
        assert!(fs_err::read(&path).unwrap() == contents, "{} is another", path.display());
    }
    assert_eq!(files(&figures).len(), 15);
}

#[test]
fn a_folder_without_figures_is_wrong_input() {
    let lab = Lab::new();
    insta::assert_snapshot!(lab.subquad("plot tiny").expect(2).err, @"error: tiny/figures: no figures to draw again; name the folder of a study, such as results/00-quickstart");
}

#[test]
fn a_table_that_is_none_is_named() {
    let lab = Lab::new();
    lab.subquad("run tiny").expect(0);
    lab.write("results/tiny/figures/loss_by_step.csv", "a,b\n1,2\n");
    insta::assert_snapshot!(lab.subquad("plot results/tiny").expect(2).err, @"error: results/tiny/figures/loss_by_step.csv:1: not a figure's table: expected the columns panel,line,x,y,low,high, got a,b");
}

#[test]
fn a_bad_row_is_named_by_line_and_column() {
    let lab = Lab::new();
    lab.subquad("run tiny").expect(0);
    let table = "results/tiny/figures/loss_by_step.csv";
    let head = "panel,line,x,y,low,high\n\"of\ntwo lines\",m2,1,2,2,2\n";
    lab.write(table, format!("{head},m2,2,abc,2,2\n"));
    insta::assert_snapshot!(lab.subquad("plot results/tiny").expect(2).err, @"error: results/tiny/figures/loss_by_step.csv:4: column y: expected a number such as 0.5, 1e-3, or NaN for a missing value, got `abc`");
    lab.write(table, format!("{head},m2,2,2\n"));
    insta::assert_snapshot!(lab.subquad("plot results/tiny").expect(2).err, @"error: results/tiny/figures/loss_by_step.csv:4: expected 6 fields (panel,line,x,y,low,high), got 4");
}

#[test]
fn a_table_without_a_point_is_named_and_stops_no_other_figure() {
    let lab = Lab::new();
    lab.subquad("run tiny").expect(0);
    let figures = lab.path("results/tiny/figures");
    let others = files(&figures).len() / 3 - 2;
    lab.write("results/tiny/figures/loss_by_step.csv", "");
    lab.write("results/tiny/figures/accuracy_by_step.csv", "panel,line,x,y,low,high\n,m2,1,NaN,NaN,NaN\n");
    for path in files(&figures).iter().filter(|path| path.extension().unwrap() != "csv") {
        fs_err::remove_file(path).unwrap();
    }
    let answer = lab.subquad("plot results/tiny").expect(1);
    assert_eq!(answer.out.lines().count(), 2 * others, "{}", answer.out);
    assert!(answer.out.lines().all(|line| lab.path(line).exists()), "{}", answer.out);
    for name in ["loss_by_step", "accuracy_by_step"] {
        let named = format!("error: results/tiny/figures/{name}.csv: figure `{name}` has no point to draw");
        assert!(answer.err.contains(&named), "{}", answer.err);
    }
}

#[test]
fn a_folder_without_figures_stops_no_other_folder() {
    let lab = Lab::new();
    lab.subquad("run tiny").expect(0);
    let answer = lab.subquad("plot nowhere results/tiny").expect(2);
    assert!(answer.out.contains("loss_by_step.svg"), "{}", answer.out);
    assert!(answer.err.contains("nowhere/figures: no figures to draw again"), "{}", answer.err);
}

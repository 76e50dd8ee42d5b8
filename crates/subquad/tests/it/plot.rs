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
    insta::assert_snapshot!(lab.subquad("plot results/tiny").expect(2).err, @"error: results/tiny/figures/loss_by_step.csv: not a figure's table (panel,line,x,y,low,high)");
}

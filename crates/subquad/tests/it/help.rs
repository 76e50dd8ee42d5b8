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
    insta::assert_snapshot!(help("--help"), @"
    Train and compare attention, S4D and Monarch Mixer across sequence lengths from config files

    Usage: subquad <COMMAND>

    Commands:
      run     Train and compare what configs ask for
      check   Validate configs without running them
      verify  Replay recorded runs of published layers on ours and compare every tensor
      plot    Draw the figures of studies again from their committed CSV files
      list    List mixers, tasks and configs
      help    Print this message or the help of the given subcommand(s)

    Options:
      -h, --help     Print help
      -V, --version  Print version

    Results go to standard output, progress and messages to standard error.
    Exit codes: 0 done, 1 something ran and failed, 2 wrong use or wrong input, 130 interrupted.
    ");
}

#[test]
fn run_explains_itself() {
    insta::assert_snapshot!(help("run --help"), @"
    Train and compare what configs ask for

    Usage: subquad run [OPTIONS] <CONFIG>...

    Arguments:
      <CONFIG>...  Config files, or folders of them

    Options:
          --set <KEY=VALUE>  Change a key in every config, such as train.steps=100; may be repeated
          --results <DIR>    Folder that results go to [default: results]
          --device <DEVICE>  Device that trains: cpu, wgpu, or auto (a GPU if any) [default: cpu]
          --dry-run          Only list the runs: which are done, which are to do
      -q, --quiet            No progress, only results and errors
      -h, --help             Print help

    Runs that are already in the results are not repeated, so an interrupted command goes on when it is
    given again. Keys of a config: configs/README.md.
    ");
}

#[test]
fn check_explains_itself() {
    insta::assert_snapshot!(help("check --help"), @"
    Validate configs without running them

    Usage: subquad check [OPTIONS] [PATH]

    Arguments:
      [PATH]  A config file, a folder of them, or a folder of such folders [default: configs]

    Options:
          --smoke  Also train every run for two steps, keeping nothing
      -h, --help   Print help
    ");
}

#[test]
fn verify_explains_itself() {
    insta::assert_snapshot!(help("verify --help"), @"
    Replay recorded runs of published layers on ours and compare every tensor

    Usage: subquad verify [OPTIONS] <FILE>...

    Arguments:
      <FILE>...  Recorded cases (.safetensors)

    Options:
          --device <DEVICE>  Device that replays: cpu, wgpu, or auto (a GPU if any) [default: cpu]
          --form <FORM>      Form to use, if not the device's own [possible values: portable, fused]
      -h, --help             Print help

    A case is a .safetensors file with metadata `layer` and `config`, parameters as `param.<name>`, and
    `input`, `output`, `grad_output` and `grad.<name>`. Outputs must agree within 1e-4 of the largest
    value, gradients within 1e-3, and every parameter must be used.
    ");
}

#[test]
fn plot_explains_itself() {
    insta::assert_snapshot!(help("plot --help"), @"
    Draw the figures of studies again from their committed CSV files

    Usage: subquad plot <STUDY>...

    Arguments:
      <STUDY>...  Folders of studies, such as results/00-quickstart

    Options:
      -h, --help  Print help
    ");
}

#[test]
fn list_explains_itself() {
    insta::assert_snapshot!(help("list --help"), @"
    List mixers, tasks and configs

    Usage: subquad list [CONFIGS]

    Arguments:
      [CONFIGS]  Folder of configs [default: configs]

    Options:
      -h, --help  Print help
    ");
}

#[test]
fn the_version_is_that_of_the_crate() {
    assert_eq!(help("--version"), format!("subquad {}\n", env!("CARGO_PKG_VERSION")));
}

//! What is said about inputs that are no configs, and about numbers and folders that are not what they seem.

use crate::lab::{Lab, TINY};

/// The answer of a command that must refuse its input.
fn refused(lab: &Lab, arguments: &str) -> String {
    let answer = lab.subquad(arguments).expect(2);
    assert_eq!(answer.out, "", "{arguments}");
    answer.err.trim_end().to_owned()
}

#[cfg(unix)]
#[test]
fn devices_and_pipes_are_no_configs_and_nobody_waits_for_them() {
    let lab = Lab::new();
    std::os::unix::net::UnixListener::bind(lab.path("socket")).unwrap();
    insta::assert_snapshot!(refused(&lab, "run /dev/stdin"), @"");
    insta::assert_snapshot!(refused(&lab, "check /dev/null"), @"");
    insta::assert_snapshot!(refused(&lab, "check socket"), @"");
    insta::assert_snapshot!(refused(&lab, "list socket"), @"");
}

#[cfg(unix)]
#[test]
fn links_that_lead_nowhere_are_named_with_their_target() {
    let lab = Lab::new();
    let link = |target, name: &str| std::os::unix::fs::symlink(target, lab.path(name)).unwrap();
    link("gone.toml", "link.toml");
    link("gone", "results");
    link("other.toml", "tiny/more.toml");
    insta::assert_snapshot!(refused(&lab, "check link.toml"), @"");
    insta::assert_snapshot!(refused(&lab, "run tiny/tiny.toml"), @"");
    // A folder's config is not passed over.
    insta::assert_snapshot!(refused(&lab, "run tiny --results other"), @"");
}

#[test]
fn files_where_folders_are_expected_are_named() {
    let lab = Lab::new();
    lab.write("file", "");
    lab.write("results/tiny", "");
    insta::assert_snapshot!(refused(&lab, "run tiny --results file"), @"");
    insta::assert_snapshot!(refused(&lab, "run tiny --results file/in"), @"");
    insta::assert_snapshot!(refused(&lab, "run tiny --dry-run"), @"");
    insta::assert_snapshot!(refused(&lab, "check file/tiny.toml"), @"");
}

#[test]
fn files_that_hold_no_text_say_so() {
    let lab = Lab::new();
    let wide: Vec<u8> = TINY.encode_utf16().flat_map(u16::to_le_bytes).collect();
    lab.write("wide.toml", [&[0xff, 0xfe][..], &wide].concat());
    lab.write("bare.toml", wide);
    lab.write("binary.toml", [0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0]);
    lab.write("latin1.toml", b"[task]\nname = \"caf\xe9\"\n");
    insta::assert_snapshot!(refused(&lab, "check wide.toml"), @"");
    insta::assert_snapshot!(refused(&lab, "check bare.toml"), @"");
    insta::assert_snapshot!(refused(&lab, "check binary.toml"), @"");
    insta::assert_snapshot!(refused(&lab, "check latin1.toml"), @"");
}

#[test]
fn a_mark_of_utf_8_and_windows_lines_change_nothing() {
    let lab = Lab::new();
    lab.write("tiny/tiny.toml", format!("\u{feff}{}", TINY.replace('\n', "\r\n")));
    assert_eq!(lab.subquad("check tiny").expect(0).out, "tiny/tiny.toml: ok, 6 runs\n");
    lab.write(
        "tiny/tiny.toml",
        format!("\u{feff}{}", TINY.replace('\n', "\r\n").replace("batch = 4", "batch = 0")),
    );
    insta::assert_snapshot!(refused(&lab, "check tiny"), @"");
}

#[test]
fn an_empty_file_says_what_a_config_must_have() {
    let lab = Lab::new();
    lab.write("empty.toml", "");
    insta::assert_snapshot!(refused(&lab, "run empty.toml"), @"");
}

#[test]
fn numbers_that_64_bits_round_away_are_refused_as_they_were_written() {
    let lab = Lab::new();
    insta::assert_snapshot!(refused(&lab, "run tiny --set optim.lr=1e-400"), @"");
    insta::assert_snapshot!(refused(&lab, "run tiny --set override.s4d.optim.lr=1e400"), @"");
    insta::assert_snapshot!(refused(&lab, "run tiny --set sweep.optim.lr=[0.1,1e-400]"), @"");
    lab.write("tiny/tiny.toml", format!("{TINY}\"optim.lr\" = [\n  0.1,\n  0.1e-5000,\n]\n"));
    insta::assert_snapshot!(refused(&lab, "check tiny"), @"");
    lab.write("tiny/tiny.toml", TINY.replace("n_layers = 1", "n_layers = 0x10000000000000000"));
    insta::assert_snapshot!(refused(&lab, "check tiny"), @"");
    insta::assert_snapshot!(refused(&lab, "bench --seconds 1e-400"), @"");
    insta::assert_snapshot!(refused(&lab, "generate x --temperature 1e-400"), @"");
}

#[test]
fn numbers_print_as_they_would_be_written() {
    let lab = Lab::new();
    insta::assert_snapshot!(refused(&lab, "run tiny --set mixer.attention.softcap=1e300"), @"");
    insta::assert_snapshot!(refused(&lab, "run tiny --set mixer.s4d.dt_max=1e300"), @"");
    insta::assert_snapshot!(refused(&lab, "run tiny --set mixer.s4d.dt_max=1e-300"), @"");
    insta::assert_snapshot!(refused(&lab, "run tiny --set mixer.s4d.dt_max=1e-7"), @"");
}

#[test]
fn a_number_on_the_command_line_may_be_a_text() {
    let lab = Lab::new();
    let text = "to be, or not to be: that is the question\n".repeat(200);
    lab.write("2024", &text);
    let bytes = TINY.replace("\"digits\"", "\"bytes\"");
    lab.write("tiny/tiny.toml", &bytes);
    let answer = lab.subquad("run tiny --dry-run --set task.path=2024").expect(0);
    assert_eq!(answer.out.lines().count(), 6, "{}", answer.out);
    lab.write("tiny/tiny.toml", bytes.replace("\"bytes\"", "\"bytes\"\npath = 2024"));
    insta::assert_snapshot!(refused(&lab, "check tiny"), @"");
    lab.write(
        "tiny/tiny.toml",
        TINY.replace("steps = 4", "steps = \"4\"").replace("[model]", "[model]\ncausal = \"true\""),
    );
    insta::assert_snapshot!(refused(&lab, "check tiny"), @"");
}

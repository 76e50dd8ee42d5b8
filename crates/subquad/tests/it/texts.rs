//! Messages about inputs that are not configs, and about numbers and folders that are not what they seem.

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
    insta::assert_snapshot!(refused(&lab, "run /dev/stdin"), @"error: /dev/stdin: a device or pipe, not a file; a study is named after its config's folder, and its runs may read the config again: save it in a folder, such as my-study/config.toml");
    insta::assert_snapshot!(refused(&lab, "check /dev/null"), @"error: /dev/null: a device or pipe, not a file; a study is named after its config's folder, and its runs may read the config again: save it in a folder, such as my-study/config.toml");
    insta::assert_snapshot!(refused(&lab, "check socket"), @"error: socket: a device or pipe, not a file; a study is named after its config's folder, and its runs may read the config again: save it in a folder, such as my-study/config.toml");
}

#[cfg(unix)]
#[test]
fn links_that_lead_nowhere_are_named_with_their_target() {
    let lab = Lab::new();
    let link = |target, name: &str| std::os::unix::fs::symlink(target, lab.path(name)).unwrap();
    link("gone.toml", "link.toml");
    link("gone", "results");
    link("other.toml", "tiny/more.toml");
    insta::assert_snapshot!(refused(&lab, "check link.toml"), @"error: link.toml: a link to gone.toml, which does not exist; create that file, or name another one");
    insta::assert_snapshot!(refused(&lab, "run tiny/tiny.toml"), @"error: --results results: is a link to gone, which does not exist; create that folder, or remove the link");
    // A folder's config is not skipped.
    insta::assert_snapshot!(refused(&lab, "run tiny --results other"), @"error: tiny/more.toml: a link to other.toml, which does not exist; create that file, or name another one");
}

#[test]
fn files_where_folders_are_expected_are_named() {
    let lab = Lab::new();
    lab.write("file", "");
    lab.write("results/tiny", "");
    insta::assert_snapshot!(refused(&lab, "run tiny --results file"), @"error: --results file: is a file, not a folder");
    insta::assert_snapshot!(refused(&lab, "run tiny --results file/in"), @"error: --results file/in: is inside a file, not a folder");
    insta::assert_snapshot!(refused(&lab, "run tiny --dry-run"), @"error: results/tiny: is a file, not a folder");
    insta::assert_snapshot!(refused(&lab, "check file/tiny.toml"), @"error: file/tiny.toml: cannot be read: not a directory");
}

#[test]
fn files_that_hold_no_text_say_so() {
    let lab = Lab::new();
    let wide: Vec<u8> = TINY.encode_utf16().flat_map(u16::to_le_bytes).collect();
    lab.write("wide.toml", [&[0xff, 0xfe][..], &wide].concat());
    lab.write("bare.toml", wide);
    lab.write("binary.toml", [0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0]);
    lab.write("latin1.toml", b"[task]\nname = \"caf\xe9\"\n");
    insta::assert_snapshot!(refused(&lab, "check wide.toml"), @"error: wide.toml: text in UTF-16; save the file as UTF-8");
    insta::assert_snapshot!(refused(&lab, "check bare.toml"), @"error: bare.toml: not text, because byte 2 is zero; a config is TOML in UTF-8");
    insta::assert_snapshot!(refused(&lab, "check binary.toml"), @"error: binary.toml: not text, because byte 8 is zero; a config is TOML in UTF-8");
    insta::assert_snapshot!(refused(&lab, "check latin1.toml"), @"error: latin1.toml: not UTF-8 text from line 2 on; save the file as UTF-8");
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
    insta::assert_snapshot!(refused(&lab, "check tiny"), @"error: tiny/tiny.toml:21: `train.batch` must be an integer from 1 to 65536, got 0");
}

#[test]
fn an_empty_file_says_what_a_config_must_have() {
    let lab = Lab::new();
    lab.write("empty.toml", "");
    insta::assert_snapshot!(refused(&lab, "run empty.toml"), @r#"
    error: empty.toml: missing `name` in [task]; it must be one of digits, mqar, mnist, bytes, masked_bytes, delay, reconstruct, parity, associative_recall, induction_heads, copying, selective_copying, adding, state_tracking
    error: empty.toml: missing `steps` in [train]; it must be an integer >= 1
    error: empty.toml: missing `mixer` in [sweep]; it must be a list, each value one of attention, s4d, s4, h3, ema, hyena, m2, monarch, causal_monarch, or a pattern of them such as "s4d*3+attention"
    error: empty.toml: missing `seq_len` in [sweep]; it must be a list, each value an integer from 1 to 16777216
    "#);
}

#[test]
fn numbers_that_64_bits_round_away_are_refused_as_they_were_written() {
    let lab = Lab::new();
    insta::assert_snapshot!(refused(&lab, "run tiny --set optim.lr=1e-400"), @"error: --set optim.lr=1e-400: `optim.lr` must be a finite number >= 0, got 1e-400, which is too small for 64 bits and would count as 0");
    insta::assert_snapshot!(refused(&lab, "run tiny --set override.s4d.optim.lr=1e400"), @"error: --set override.s4d.optim.lr=1e400: `override.s4d.optim.lr` must be a finite number >= 0, got 1e400, which is too large for 64 bits and would be infinite");
    insta::assert_snapshot!(refused(&lab, "run tiny --set sweep.optim.lr=[0.1,1e-400]"), @"error: --set sweep.optim.lr=[0.1,1e-400]: each value of `sweep.optim.lr` must be a finite number >= 0, got 1e-400, which is too small for 64 bits and would count as 0");
    lab.write("tiny/tiny.toml", format!("{TINY}\"optim.lr\" = [\n  0.1,\n  0.1e-5000,\n]\n"));
    insta::assert_snapshot!(refused(&lab, "check tiny"), @"error: tiny/tiny.toml:30: each value of `sweep.optim.lr` must be a finite number >= 0, got 0.1e-5000, which is too small for 64 bits and would count as 0");
    lab.write("tiny/tiny.toml", TINY.replace("n_layers = 1", "n_layers = 0x10000000000000000"));
    insta::assert_snapshot!(refused(&lab, "check tiny"), @"error: tiny/tiny.toml:7: `model.n_layers` must be an integer from 1 to 64, got 0x10000000000000000, beyond what 64 bits hold");
    insta::assert_snapshot!(refused(&lab, "bench --seconds 1e-400"), @r#"
    error: invalid value '1e-400' for '--seconds <S>': must be a number above 0 and at most 86400, got 1e-400, which is too small for 64 bits and would count as 0
    
    For more information, try '--help'.
    "#);
    insta::assert_snapshot!(refused(&lab, "generate x --temperature 1e-400"), @r#"
    error: invalid value '1e-400' for '--temperature <T>': must be a number >= 0, got 1e-400, which is too small for 64 bits and would count as 0
    
    For more information, try '--help'.
    "#);
}

#[test]
fn numbers_print_as_they_would_be_written() {
    let lab = Lab::new();
    insta::assert_snapshot!(refused(&lab, "run tiny --set mixer.attention.softcap=1e300"), @"error: --set mixer.attention.softcap=1e300: `mixer.attention.softcap` must be 0 or a finite number >= 1e-30 and <= 1e30, got 1e300");
    insta::assert_snapshot!(refused(&lab, "run tiny --set mixer.s4d.dt_max=1e300"), @"error: --set mixer.s4d.dt_max=1e300: `mixer.s4d.dt_max` must be a finite number >= 1e-12 and <= 1e6, got 1e300");
    insta::assert_snapshot!(refused(&lab, "run tiny --set mixer.s4d.dt_max=1e-300"), @"error: --set mixer.s4d.dt_max=1e-300: `mixer.s4d.dt_max` must be a finite number >= 1e-12 and <= 1e6, got 1e-300");
    insta::assert_snapshot!(refused(&lab, "run tiny --set mixer.s4d.dt_max=1e-7"), @"error: --set mixer.s4d.dt_max=1e-7: dt_min = 0.001 exceeds dt_max = 1e-7; lower dt_min or raise dt_max");
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
    insta::assert_snapshot!(refused(&lab, "check tiny"), @"error: tiny/tiny.toml:4: `task.path` must be a text of one line, got 2024; put it in quotes");
    lab.write(
        "tiny/tiny.toml",
        TINY.replace("steps = 4", "steps = \"4\"").replace("[model]", "[model]\ncausal = \"true\""),
    );
    insta::assert_snapshot!(refused(&lab, "check tiny"), @r#"
    error: tiny/tiny.toml:6: `model.causal` must be true or false, got the string "true"; remove its quotes
    error: tiny/tiny.toml:21: `train.steps` must be an integer >= 1, got the string "4"; remove its quotes
    "#);
}

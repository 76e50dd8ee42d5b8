//! What a user of the crate relies on: the files, what is in them, and that they can be redrawn.
#![allow(clippy::unwrap_used)]

mod bounds;
mod committed;
mod fit;
mod scaling;

use std::path::Path;

use subquad_data::{Loss, Metric};
use subquad_plot::study::{self, Facts, Over, Standard};
use subquad_plot::summary::{Sample, aggregate, mean_and_range, seeds_per_line, smooth};
use subquad_plot::{Axis, Figure, Line, Panel, PlotError, Point, ScalingFigure, read_panels};

fn panel(title: &str, lines: Vec<Line>) -> Panel {
    Panel { title: title.into(), lines }
}

fn figure(panels: Vec<Panel>) -> Figure {
    Figure {
        name: "loss".into(),
        title: "Loss & such".into(),
        caption: vec!["Mean over n = 2 seeds.".into(), "Commit 0123abc.".into()],
        x: Axis::log2("sequence length (tokens)"),
        y: Axis::linear("loss (nats)"),
        panels,
        scaling: None,
    }
}

fn two_panels() -> Vec<Panel> {
    let line = |label: &str, k: f64| {
        let point = |x: f64| Point { x, y: k / x, low: k / x - 0.1, high: k / x + 1.0 / 3.0 };
        Line::new(label, [64.0, 144.0, 256.0].map(point).to_vec())
    };
    vec![
        panel("task, \"quoted\"", vec![line("s4d", 1e-7), line("attention", 0.1)]),
        panel("", vec![line("attention", 1e9 / 7.0)]),
    ]
}

fn sample(line: &str, seed: u64, x: f64, y: f64) -> Sample {
    Sample { panel: "length 64".into(), line: line.into(), seed, x, y }
}

fn facts() -> Facts {
    Facts { budget: "100 steps".into(), commit: "0123abc".into(), notes: vec!["One machine.".into()] }
}

#[test]
fn panels_survive_the_csv() {
    let dir = tempfile::tempdir().unwrap();
    let written = figure(two_panels()).write(dir.path()).unwrap();
    assert_eq!(read_panels(&written.csv).unwrap(), two_panels());
    let head = fs_err::read_to_string(&written.csv).unwrap();
    assert!(head.starts_with("panel,line,x,y,low,high\n"), "{head}");
}

#[test]
fn the_same_figure_gives_the_same_bytes_and_no_other_file() {
    let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let names = |dir: &Path| {
        let mut names: Vec<_> =
            fs_err::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    figure(two_panels()).write(a.path()).unwrap();
    // Writing again replaces the files.
    figure(two_panels()).write(b.path()).unwrap();
    figure(two_panels()).write(b.path()).unwrap();
    assert_eq!(names(b.path()), ["loss.csv", "loss.png", "loss.svg"]);
    for name in names(a.path()) {
        let read = |dir: &Path| fs_err::read(dir.join(&name)).unwrap();
        assert!(read(a.path()) == read(b.path()), "{name:?} differs");
    }
}

#[test]
fn the_svg_holds_every_word_as_text() {
    let dir = tempfile::tempdir().unwrap();
    let svg = fs_err::read_to_string(figure(two_panels()).write(dir.path()).unwrap().svg).unwrap();
    for words in [
        "Loss &amp; such",
        "attention",
        "s4d",
        "sequence length (tokens)",
        "loss (nats)",
        "task, &quot;quoted&quot;",
        "Mean over n = 2 seeds.",
        "Commit 0123abc.",
        "sans-serif",
    ] {
        assert!(svg.contains(words), "`{words}` is missing");
    }
    assert_eq!(svg.matches("\ns4d\n").count(), 1, "one legend for all panels");
}

#[test]
fn a_figure_without_a_drawable_point_is_an_error_and_leaves_no_file() {
    let nowhere = Line::new(
        "s4d",
        vec![Point::new(f64::NAN, 1.0), Point::new(-1.0, 1.0), Point::new(1.0, f64::INFINITY)],
    );
    let cases = [vec![], vec![panel("", vec![])], vec![panel("", vec![Line::new("m2", vec![]), nowhere])]];
    for panels in cases {
        let dir = tempfile::tempdir().unwrap();
        let error = figure(panels).write(dir.path()).unwrap_err();
        assert!(matches!(error, PlotError::Empty { .. }), "{error}");
        assert_eq!(fs_err::read_dir(dir.path()).unwrap().count(), 0);
    }
}

#[test]
fn names_that_the_csv_would_merge_are_an_error() {
    let line = || Line::new("s4d", vec![Point::new(1.0, 1.0)]);
    let cases =
        [vec![panel("a", vec![line(), line()])], vec![panel("a", vec![line()]), panel("a", vec![line()])]];
    for panels in cases {
        let error = figure(panels).write(Path::new("never-made")).unwrap_err();
        assert!(matches!(error, PlotError::Duplicate { .. }), "{error}");
    }
}

#[test]
fn errors_name_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("taken");
    fs_err::write(&file, "x,y\n1,2\n").unwrap();
    for error in [figure(two_panels()).write(&file).unwrap_err(), read_panels(&file).unwrap_err()] {
        assert!(error.to_string().contains("taken"), "{error}");
    }
}

#[test]
fn values_that_are_not_finite_break_a_curve_and_spoil_nothing_else() {
    let mut panels = two_panels();
    let points = &mut panels[0].lines[1].points;
    points[1] = Point { x: 144.0, y: f64::NAN, low: f64::NAN, high: f64::INFINITY };
    points[2].high = f64::INFINITY;
    let dir = tempfile::tempdir().unwrap();
    let written = figure(panels).write(dir.path()).unwrap();
    assert!(!fs_err::read_to_string(&written.svg).unwrap().contains("NaN"));
    let read = read_panels(&written.csv).unwrap();
    assert!(read[0].lines[1].points[1].y.is_nan(), "the table keeps what the runs gave");
}

#[test]
fn one_length_still_shows_a_marker_for_each_line() {
    let lone = |label: &str| Line { markers: false, ..Line::new(label, vec![Point::new(64.0, 0.5)]) };
    let dir = tempfile::tempdir().unwrap();
    let drawn = figure(vec![panel("", vec![lone("attention"), lone("s4d")])]).write(dir.path()).unwrap();
    let svg = fs_err::read_to_string(drawn.svg).unwrap();
    for colour in ["#0072B2", "#D55E00"] {
        assert_eq!(svg.matches(&format!("<polygon opacity=\"1\" fill=\"{colour}\"")).count(), 1, "{colour}");
    }
}

#[test]
fn seeds_become_a_mean_and_their_range_in_order_of_appearance() {
    let samples = [
        sample("s4d", 0, 2.0, 4.0),
        sample("attention", 0, 1.0, 7.0),
        sample("s4d", 0, 1.0, 1.0),
        sample("s4d", 1, 1.0, 2.0),
        sample("s4d", 1, 2.0, f64::NAN),
    ];
    let panels = aggregate(&samples);
    assert_eq!(panels.len(), 1);
    let labels: Vec<&str> = panels[0].lines.iter().map(|line| line.label.as_str()).collect();
    assert_eq!(labels, ["s4d", "attention"]);
    let points = &panels[0].lines[0].points;
    assert_eq!(points[0], Point { x: 1.0, y: 1.5, low: 1.0, high: 2.0 });
    assert!(points[1].x == 2.0 && points[1].y.is_nan(), "a diverged seed must not vanish from the mean");
    assert_eq!(panels[0].lines[1].points, [Point::new(1.0, 7.0)]);
    assert_eq!(seeds_per_line(&samples), (1, 2));
    assert!(mean_and_range(&[]).mean.is_nan());
}

#[test]
fn from_three_seeds_on_the_band_is_the_interval_of_the_mean() {
    let of = |ys: &[f64]| {
        let samples: Vec<Sample> = (0..).zip(ys).map(|(seed, y)| sample("m2", seed, 1.0, *y)).collect();
        aggregate(&samples)[0].lines[0].points[0]
    };
    // The standard error of 1, 2, 3 is 1 / sqrt(3), and t is 4.303 with two degrees of freedom.
    let point = of(&[3.0, 1.0, 2.0]);
    assert!(point.y == 2.0 && (point.high - point.y - 4.302_653 / 3.0_f64.sqrt()).abs() < 1e-5, "{point:?}");
    assert!((point.high + point.low - 4.0).abs() < 1e-12, "{point:?}");
    assert_eq!(of(&[3.0, 1.0]), Point { x: 1.0, y: 2.0, low: 1.0, high: 3.0 });
    assert!(of(&[3.0, f64::NAN, 2.0]).y.is_nan(), "a diverged seed must not vanish from the mean");
}

#[test]
fn smoothing_is_centred_and_stays_within_a_run() {
    let ys = [0.0, 3.0, 6.0, 0.0, 9.0];
    let run =
        |seed: u64, k: f64| ys.iter().zip(1..).map(move |(y, x)| sample("m2", seed, f64::from(x), y * k));
    let samples: Vec<Sample> = run(0, 1.0).chain(run(1, 10.0)).collect();
    let smoothed: Vec<f64> = smooth(&samples, 3).iter().map(|s| s.y).collect();
    assert_eq!(smoothed, [0.0, 3.0, 3.0, 5.0, 9.0, 0.0, 30.0, 30.0, 50.0, 90.0]);
    assert_eq!(smooth(&samples, 1), samples);
}

#[test]
fn captions_state_n_band_budget_commit_and_smoothing() {
    let samples: Vec<Sample> = (0..3).map(|seed| sample("m2", seed, 1.0, 2.0)).collect();
    let caption = study::loss_by_step(Loss::CrossEntropy, &samples, 24, &facts()).caption.join(" ");
    for words in [
        "n = 3 seeds",
        "95 % interval of the mean",
        "100 steps",
        "0123abc",
        "One machine.",
        "over 25 logged points",
    ] {
        assert!(caption.contains(words), "`{words}` is missing: {caption}");
    }
    let two = study::loss_by_step(Loss::CrossEntropy, &samples[..2], 1, &facts()).caption.join(" ");
    assert!(two.contains("n = 2 seeds. Band: minimum to maximum."), "{two}");
    let more = [&samples[..], &[sample("s4d", 0, 1.0, 1.0), sample("s4d", 1, 1.0, 1.0)]].concat();
    let both = study::loss_by_step(Loss::CrossEntropy, &more, 1, &facts()).caption.join(" ");
    assert!(
        both.contains("n = 2 to 3 seeds") && both.contains("or minimum to maximum of fewer than 3"),
        "{both}"
    );
    let single = study::loss_by_step(Loss::CrossEntropy, &samples[..1], 1, &facts()).caption.join(" ");
    assert!(single.contains("n = 1 seed, so no band") && !single.contains("average"), "{single}");
}

#[test]
fn every_standard_figure_is_found_by_its_name_and_redrawn_alike_from_its_csv() {
    let samples: Vec<Sample> = [64.0, 256.0]
        .iter()
        .flat_map(|&x| (0..2).map(move |seed| sample("m2", seed, x, x * 0.5 + seed as f64)))
        .collect();
    let standard = Standard::all().map(|standard| standard.of(&samples, &facts()));
    let scaling = ScalingFigure::ALL.map(|figure| figure.of(aggregate(&samples), vec![]));
    let figures: Vec<Figure> = standard.chain(scaling).collect();
    assert_eq!(figures.iter().map(|figure| figure.name.clone()).collect::<Vec<_>>(), study::names());
    for figure in figures {
        let dir = tempfile::tempdir().unwrap();
        let panels = read_panels(&figure.write(dir.path()).unwrap().csv).unwrap();
        assert_eq!(study::by_name(&figure.name, panels, figure.caption.clone()), Some(figure));
    }
    assert_eq!(study::by_name("no_such_figure", vec![], vec![]), None);
}

/// Committed tables and captions are found by these names.
#[test]
fn no_name_of_a_figure_has_changed() {
    let names = study::names();
    for name in [
        "loss_by_step",
        "squared_error_by_step",
        "accuracy_by_step",
        "accuracy_by_length",
        "accuracy_by_test_length",
        "accuracy_by_d_state",
        "bits_per_byte_by_step",
        "bits_per_byte_by_length",
        "normalised_error_by_step",
        "normalised_error_by_length",
        "normalised_error_by_d_state",
        "time_per_token",
        "peak_memory",
    ] {
        assert!(names.iter().any(|other| other == name), "{name}");
    }
}

#[test]
fn a_metric_has_the_title_and_the_axes_of_its_declaration() {
    let figure = |metric, over, high| {
        Standard::Score(metric, over)
            .of(&[sample("m2", 0, 64.0, 0.5), sample("m2", 0, 128.0, high)], &facts())
    };
    let accuracy = figure(Metric::Accuracy, Over::TestLength, 0.75);
    assert_eq!(accuracy.title, "Accuracy by length of the test sequences");
    assert_eq!(accuracy.x.label, "length of the test sequences (tokens)");
    assert_eq!((&*accuracy.y.label, accuracy.y.at_least), ("accuracy (fraction correct)", Some((0.0, 1.0))));
    let bits = figure(Metric::BitsPerByte, Over::Step, 0.75);
    assert_eq!((&*bits.title, &*bits.x.label), ("Bits per byte during training", "optimiser step"));
    assert_eq!((&*bits.y.label, bits.y.at_least), ("bits per byte", None));
    let error = figure(Metric::NormalisedError, Over::DState, 50.0);
    assert_eq!(
        (&*error.title, &*error.x.label),
        ("Error by size of the state", "states a channel (d_state)")
    );
    assert_eq!(error.y.scale, subquad_plot::Scale::Log10);
}

#[test]
fn scores_by_learning_rate_have_ticks_at_the_rates_that_were_tried() {
    let samples = [0.001, 0.003, 0.01].map(|rate| sample("s4d", 0, rate, 0.5));
    let figure = Standard::Score(Metric::Accuracy, Over::LearningRate).of(&samples, &facts());
    assert_eq!((&*figure.name, &*figure.title), ("accuracy_by_lr", "Accuracy by learning rate"));
    assert_eq!((&*figure.x.label, figure.x.scale), ("peak learning rate", subquad_plot::Scale::Log10));
    assert_eq!(figure.x.ticks, Some(vec![0.001, 0.003, 0.01]));
    let ringed = figure.panels.iter().flat_map(|panel| &panel.lines).filter(|line| line.ringed.is_some());
    assert_eq!(ringed.count(), 0);
}

#[test]
fn costs_go_logarithmic_beyond_a_decade() {
    let figure = |high: f64| {
        Standard::TimePerToken.of(&[sample("m2", 0, 64.0, 1.0), sample("m2", 0, 128.0, high)], &facts())
    };
    assert_eq!(figure(11.0).y.scale, subquad_plot::Scale::Log10);
    assert_eq!(figure(9.0).y.scale, subquad_plot::Scale::Linear);
    assert_eq!(figure(9.0).x.ticks, Some(vec![64.0, 128.0]));
}

fn ringed() -> Vec<Panel> {
    let mut panels = two_panels();
    panels[0].lines[1].ringed = Some(144.0);
    panels
}

#[test]
fn rings_survive_the_csv_and_are_drawn() {
    let dir = tempfile::tempdir().unwrap();
    let [plain, rings] = [two_panels(), ringed()].map(|panels| {
        let written = figure(panels).write(dir.path()).unwrap();
        [written.csv, written.svg].map(|path| fs_err::read_to_string(path).unwrap())
    });
    assert_eq!(read_panels(&dir.path().join("loss.csv")).unwrap(), ringed());
    assert!(rings[0].starts_with("panel,line,x,y,low,high,ringed\n"), "{}", rings[0]);
    assert_eq!(
        rings[0].lines().filter(|line| line.ends_with(",ringed")).count(),
        2,
        "the header and a point"
    );
    assert_eq!(rings[1].matches("<poly").count(), plain[1].matches("<poly").count() + 1);
}

#[test]
fn a_row_of_a_table_with_rings_must_have_all_of_its_fields() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("loss.csv");
    fs_err::write(&path, "panel,line,x,y,low,high,ringed\na,b,1,2,2,2\n").unwrap();
    assert!(matches!(read_panels(&path), Err(PlotError::Fields { line: 2, got: 6, .. })));
    fs_err::write(&path, "panel,line,x,y,low,high\na,b,1,2,2,2,ringed\n").unwrap();
    assert!(matches!(read_panels(&path), Err(PlotError::Fields { line: 2, got: 7, .. })));
    fs_err::write(&path, "panel,line,x,y,ringed,high\na,b,1,2,2,2\n").unwrap();
    assert!(matches!(read_panels(&path), Err(PlotError::Columns { .. })));
}

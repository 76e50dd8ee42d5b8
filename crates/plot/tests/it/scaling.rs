//! The scaling figures: what is drawn besides the points, and what the caption says about it.

use subquad_plot::{Figure, Line, Panel, Point, ScalingFigure, read_panels, study};

const LENGTHS: [f64; 8] = [64.0, 128.0, 256.0, 512.0, 1024.0, 2048.0, 4096.0, 8192.0];

fn line(label: &str, xs: &[f64], y: impl Fn(f64) -> f64) -> Line {
    let point = |&x: &f64| Point { x, y: y(x), low: y(x) / 1.1, high: y(x) * 1.1 };
    Line::new(label, xs.iter().map(point).collect())
}

/// Two curves that cross at 500.
fn quadratic_and_linear(title: &str, xs: &[f64]) -> Panel {
    let lines = vec![line("attention", xs, |x| x * x / 5e4), line("s4d", xs, |x| x / 1e2)];
    Panel { title: title.into(), lines }
}

fn svg(figure: &Figure) -> String {
    let dir = tempfile::tempdir().unwrap();
    fs_err::read_to_string(figure.write(dir.path()).unwrap().svg).unwrap()
}

fn assert_holds(text: &str, words: &[&str]) {
    for words in words {
        assert!(text.contains(words), "`{words}` is missing in: {text}");
    }
}

#[test]
fn the_caption_says_which_points_which_interval_and_where_curves_cross() {
    let given = vec!["Median of n = 20; band: quartiles.".to_owned()];
    let figure = ScalingFigure::TimeByLength.of(vec![quadratic_and_linear("", &LENGTHS)], given.clone());
    assert_eq!(figure.caption[..1], given);
    assert_holds(
        &figure.caption.join("\n"),
        &[
            "upper half of the points, at least 4; exponent of L with its 95 % t-interval",
            "Fitted: attention, s4d on 4 points from 1024 to 8192 tokens.",
            "Vertical line: crossover with attention",
            "Compared: attention costs more than s4d from 500 (413 to 605) tokens on.",
        ],
    );
}

#[test]
fn exponents_and_crossovers_stand_above_the_frame() {
    let svg = svg(&ScalingFigure::TimeByLength.of(vec![quadratic_and_linear("", &LENGTHS)], vec![]));
    assert_holds(
        &svg,
        &["\n2.00\n", "\n1.00\n", "\nL\n", "\n500\n", "local slope", "sequence length L (tokens)"],
    );
}

#[test]
fn panels_that_differ_each_have_their_sentences() {
    let panels =
        vec![quadratic_and_linear("length 64", &LENGTHS), quadratic_and_linear("length 128", &LENGTHS[..5])];
    let caption = ScalingFigure::MemoryByWidth.of(panels, vec![]).caption.join("\n");
    assert_holds(
        &caption,
        &[
            "Fitted, length 64: attention, s4d on 4 points from 1024 to 8192 channels.",
            "Fitted, length 128: attention, s4d on 4 points from 128 to 1024 channels.",
            "Compared: attention costs more than s4d from 500 (413 to 605) channels on.",
        ],
    );
}

#[test]
fn what_cannot_be_fitted_or_compared_is_said_and_the_rest_is_drawn() {
    let mut panel = quadratic_and_linear("", &LENGTHS);
    panel.lines[1].points[7].y = f64::NAN;
    panel.lines.push(line("m2", &LENGTHS[..3], |x| x));
    let figure = ScalingFigure::StateByLength.of(vec![panel], vec![]);
    assert_holds(
        &figure.caption.join("\n"),
        &[
            "attention on 4 points from 1024 to 8192 tokens; s4d, m2 not at all (fewer than 4 points, or a value that is \
         not positive)",
            "attention not with s4d, which has a value that is not positive or lies elsewhere",
            "attention costs less than m2 throughout, from 64 to 256 tokens",
        ],
    );
    assert!(!svg(&figure).contains("NaN"));
}

#[test]
fn a_curve_with_more_tokens_a_second_is_faster() {
    let caption =
        ScalingFigure::TokensPerSecondByContext.of(vec![quadratic_and_linear("", &LENGTHS)], vec![]).caption;
    assert_holds(
        &caption.join("\n"),
        &["Compared: attention is faster than s4d from 500 (413 to 605) tokens on."],
    );
}

#[test]
fn one_length_is_a_figure_without_fits_and_slopes() {
    let figure = ScalingFigure::TimeByLength.of(vec![quadratic_and_linear("", &LENGTHS[..1])], vec![]);
    assert!(!svg(&figure).contains("local slope"));
    assert!(!figure.caption.join("").contains("Lower panel"));
    assert_eq!(figure.x.ticks, Some(vec![64.0]));
}

#[test]
fn the_csv_of_the_points_redraws_the_figure_with_its_fits() {
    let dir = tempfile::tempdir().unwrap();
    let figure = ScalingFigure::TimeByLength
        .of(vec![quadratic_and_linear("width 64", &LENGTHS)], vec!["n = 20.".into()]);
    let written = figure.write(dir.path()).unwrap();
    let again =
        study::by_name(&figure.name, read_panels(&written.csv).unwrap(), figure.caption.clone()).unwrap();
    assert_eq!(again, figure);
    assert_eq!(svg(&again), fs_err::read_to_string(&written.svg).unwrap());
}

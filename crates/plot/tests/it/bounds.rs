//! What is drawn of many points: as much as pixels can show, and no page that viewers cannot open.

use subquad_plot::{Axis, Line, PlotError, Point, study};

use crate::{figure, panel};

const MANY: u32 = 100_000;

/// Evenly spread heights in no order.
fn height(i: u32) -> f64 {
    (f64::from(i) * 0.618_033_988_75).fract()
}

/// Corners of all shapes of the document: pairs in its lists of points.
fn corners(svg: &str) -> usize {
    svg.split("points=\"").skip(1).map(|rest| rest[..rest.find('"').unwrap()].matches(',').count()).sum()
}

fn svg_of(figure: &subquad_plot::Figure) -> String {
    let dir = tempfile::tempdir().unwrap();
    fs_err::read_to_string(figure.write(dir.path()).unwrap().svg).unwrap()
}

#[test]
fn a_curve_and_its_band_have_at_most_four_points_a_pixel() {
    let point = |i| {
        let y = height(i);
        Point { x: f64::from(i), y, low: y - height(i + 7), high: y + height(i + 3) }
    };
    let line = Line::new("attention", (0..MANY).map(point).collect());
    let mut figure = figure(vec![panel("", vec![line])]);
    figure.x = Axis::linear("step");
    // A panel is 380 points wide, and so 760 pixels.
    let (most, found) = (4 * 762, corners(&svg_of(&figure)));
    assert!((2 * most..3 * most + 500).contains(&found), "{found} corners");
}

#[test]
fn the_table_keeps_every_point_of_a_curve_that_is_drawn_thinner() {
    let line = Line::new("attention", (0..MANY).map(|i| Point::new(f64::from(i), height(i))).collect());
    let dir = tempfile::tempdir().unwrap();
    let written = figure(vec![panel("", vec![line])]).write(dir.path()).unwrap();
    let read = subquad_plot::read_panels(&written.csv).unwrap();
    assert_eq!(read[0].lines[0].points.len(), MANY as usize);
}

#[test]
fn lone_points_have_one_marker_a_pixel() {
    let point = |i: u32| {
        if i.is_multiple_of(2) { Point::new(f64::from(i % 50), 1.0) } else { Point::new(f64::NAN, 1.0) }
    };
    let mut figure = figure(vec![panel("", vec![Line::new("m2", (0..MANY).map(point).collect())])]);
    figure.x = Axis::linear("step");
    let markers = svg_of(&figure).matches("fill=\"#009E73\"").count();
    assert_eq!(markers, 25 + 1, "one a place, and one in the legend");
}

#[test]
fn many_lengths_have_grid_lines_that_can_be_told_apart() {
    let points = (1..MANY).map(|i| Point::new(f64::from(i), height(i))).collect();
    let panels = vec![panel("", vec![Line { markers: false, ..Line::new("m2", points) }])];
    let svg = svg_of(&study::by_name("accuracy_by_length", panels, vec![]).unwrap());
    let grid = svg.matches("stroke=\"#E4E4E4\"").count();
    assert!((20..=200).contains(&grid), "{grid} grid lines");
}

#[test]
fn a_page_taller_than_viewers_open_is_an_error_with_the_count_of_its_panels() {
    let of = |count: u32| {
        let line = || vec![Line::new("m2", vec![Point::new(1.0, 1.0), Point::new(2.0, 2.0)])];
        figure((0..count).map(|i| panel(&format!("length {i}"), line())).collect())
    };
    let dir = tempfile::tempdir().unwrap();
    let error = of(3000).write(dir.path()).unwrap_err();
    assert!(matches!(error, PlotError::TooTall { panels: 3000, labels: 1, .. }), "{error}");
    let words = error.to_string();
    assert!(words.contains("3000 panels") && words.contains("at most 16000 are drawn"), "{words}");
    assert_eq!(fs_err::read_dir(dir.path()).unwrap().count(), 0);
    assert!(of(40).write(dir.path()).is_ok());
}

#[test]
fn thousands_of_labels_are_told_apart_or_refused_and_not_waited_for() {
    let line = |i: u32| Line::new(format!("variant {i}"), vec![Point::new(1.0, height(i))]);
    let error = figure(vec![panel("", (0..20_000).map(line).collect())]).write("never-made".as_ref());
    assert!(matches!(error, Err(PlotError::TooTall { panels: 1, labels: 20_000, .. })), "{error:?}");
}

#[test]
fn curves_that_cross_everywhere_are_compared_and_drawn_without_a_page_of_marks() {
    let line = |label: &str, shift: u32| {
        let point = |i: u32| {
            let y = f64::from(i) * (1.0 + 0.2 * height(i + shift));
            Point { x: f64::from(i), y, low: y * 0.97, high: y * 1.03 }
        };
        Line::new(label, (1..20_000).map(point).collect())
    };
    let panels = vec![panel("", vec![line("attention", 0), line("s4d", 1)])];
    let found =
        subquad_plot::fit::crossovers(&panels[0].lines[0].points, &panels[0].lines[1].points).unwrap();
    assert!(found.crossovers.len() > 5000, "{}", found.crossovers.len());
    let svg = svg_of(&study::by_name("time_by_length", panels, vec![]).unwrap());
    assert!(corners(&svg) < 40_000, "{} corners", corners(&svg));
}

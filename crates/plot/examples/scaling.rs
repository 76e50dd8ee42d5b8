//! Draws the five scaling figures from made-up costs: `cargo run -p subquad-plot --example plot_scaling -- FOLDER`.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use subquad_plot::{Figure, Line, Panel, Point, ScalingFigure};

/// Milliseconds of a made-up layer at that length and width.
type Cost = fn(f64, f64) -> f64;

const TIME: [(&str, Cost); 3] = [
    ("attention", |l, d| 0.2 + l * d * d * 2e-7 + l * l * d * 1.5e-8),
    ("s4d", |l, d| 0.9 + l * d * d * 1e-7 + l * l.log2() * d * 9e-7),
    ("m2", |l, d| 0.5 + l * d * d * 1e-7 + l * l.log2() * d * 5e-7),
];
const MEMORY: [(&str, Cost); 3] = [
    ("attention", |l, d| 1.0 + l * d * 3e-4 + l * l * 4e-6),
    ("s4d", |l, d| 2.0 + l * d * 6e-4),
    ("m2", |l, d| 1.5 + l * d * 4e-4),
];
const STATE: [(&str, Cost); 3] =
    [("attention", |l, d| 2.0 * l * d), ("s4d", |_, d| 2.0 * 64.0 * d), ("m2", |l, d| 3.0 * l * d)];

/// A repeatable disturbance between -1 and 1.
fn disturbance(seed: f64) -> f64 {
    (seed * 12.9898).sin() * 43758.547 % 1.0
}

fn line(label: &str, xs: &[f64], spread: f64, cost: impl Fn(f64) -> f64) -> Line {
    let point = |&x: &f64| {
        let y = cost(x) * (1.0 + 0.4 * spread * disturbance(x + label.len() as f64));
        Point { x, y, low: y / (1.0 + spread), high: y * (1.0 + spread) }
    };
    Line::new(label, xs.iter().map(point).collect())
}

fn by_length(costs: &[(&str, Cost)], width: f64, spread: f64) -> Panel {
    let lengths: Vec<f64> = (6..=13).map(|power| f64::from(1 << power)).collect();
    let lines = costs.iter().map(|(label, cost)| line(label, &lengths, spread, |x| cost(x, width)));
    Panel { title: format!("width {width}"), lines: lines.collect() }
}

fn by_width(costs: &[(&str, Cost)], length: f64, spread: f64) -> Panel {
    let widths: Vec<f64> = (5..=10).map(|power| f64::from(1 << power)).collect();
    let lines = costs.iter().map(|(label, cost)| line(label, &widths, spread, |x| cost(length, x)));
    Panel { title: format!("length {length}"), lines: lines.collect() }
}

fn main() {
    let folder = std::env::args().nth(1).unwrap_or_else(|| "target/scaling-example".into());
    let caption =
        || vec!["Made-up costs. Point: median of n = 20. Band: quartiles. Commit 0123abc.".to_owned()];
    let figures: [Figure; 5] = [
        ScalingFigure::TimeByLength.of(vec![by_length(&TIME, 64.0, 0.06)], caption()),
        ScalingFigure::MemoryByLength.of(vec![by_length(&MEMORY, 64.0, 0.0)], caption()),
        ScalingFigure::StateByLength.of(vec![by_length(&STATE, 64.0, 0.0)], caption()),
        ScalingFigure::TimeByWidth
            .of(vec![by_width(&TIME, 256.0, 0.04), by_width(&TIME, 4096.0, 0.04)], caption()),
        ScalingFigure::MemoryByWidth
            .of([256.0, 1024.0, 4096.0].map(|l| by_width(&MEMORY, l, 0.0)).into(), caption()),
    ];
    for figure in figures {
        println!("{}", figure.write(folder.as_ref()).unwrap().png.display());
    }
}

//! The scaling figures, one panel per config.

use subquad_plot::{Figure, Line, Panel, Point, ScalingFigure};
use subquad_record::Cell;

use super::curves::{Curve, FORWARD_BACKWARD, MEMORY, Quantity, STATE, curves};
use super::{MeasuredConfig, models};
use crate::Along;
use crate::table::distinct;

/// Each, what it is drawn of, and what its points are; `{n}` stands for the numbers of repeats.
const FIGURES: [(ScalingFigure, Along, Quantity, &str); 5] = [
    (ScalingFigure::TimeByLength, Along::Length, FORWARD_BACKWARD, TIMES),
    (ScalingFigure::MemoryByLength, Along::Length, MEMORY, PEAKS),
    (ScalingFigure::StateByLength, Along::Length, STATE, STATES),
    (ScalingFigure::TimeByWidth, Along::Width, FORWARD_BACKWARD, TIMES),
    (ScalingFigure::MemoryByWidth, Along::Width, MEMORY, PEAKS),
];

const TIMES: &str = "Point: median over n = {n} interleaved repeats of one layer: forward, mean of squares, and \
                     backward to every parameter and the input. Band: quartiles.";
const PEAKS: &str = "Point: most bytes alive in a forward and backward pass, above the level before layer and input were made \
                     (counted by the allocator; median over n = {n} repeats).";
const STATES: &str = "Point: what decoding keeps of one sequence of this length. A layer without a line keeps no \
                      state of that kind.";

/// Those that have something to show.
pub(super) fn figures(measured: &[MeasuredConfig<'_>]) -> Vec<Figure> {
    let figure = |(figure, along, quantity, points): (ScalingFigure, Along, Quantity, &str)| {
        let panels = panels(measured, along, quantity);
        (!panels.is_empty()).then(|| figure.of(panels, caption(measured, along, points)))
    };
    FIGURES.into_iter().filter_map(figure).chain(models::figure(measured)).collect()
}

fn panels(measured: &[MeasuredConfig<'_>], along: Along, quantity: Quantity) -> Vec<Panel> {
    let several = measured.len() > 1;
    let panel = |measured: &MeasuredConfig<'_>| {
        let lines = curves(measured, along, quantity).into_iter().map(|curve| line(curve, quantity));
        let title = if several { measured.config.name() } else { String::new() };
        Panel { title, lines: lines.collect() }
    };
    measured.iter().map(panel).filter(|panel| !panel.lines.is_empty()).collect()
}

fn line(curve: Curve, Quantity { unit, .. }: Quantity) -> Line {
    let scaled = |p: &Point| Point { x: p.x, y: p.y / unit, low: p.low / unit, high: p.high / unit };
    Line::new(curve.mixer, curve.points.iter().map(scaled).collect())
}

fn caption(measured: &[MeasuredConfig<'_>], along: Along, points: &str) -> Vec<String> {
    let own = |measured: &MeasuredConfig<'_>| -> Vec<Cell> {
        let layers = measured.config.options.layers(along);
        measured.cells.iter().filter(|cell| layers.contains(&cell.mixer)).cloned().collect()
    };
    let cells: Vec<Cell> = measured.iter().flat_map(own).collect();
    let repeats = || cells.iter().map(|cell| cell.repeats);
    let n = format!("{} to {}", repeats().min().unwrap_or(0), repeats().max().unwrap_or(0));
    let held = format!("Held equal: {}. {}", held_equal(along, &cells), provenance(&cells));
    vec![points.replace("{n}", &n), held]
}

fn held_equal(along: Along, cells: &[Cell]) -> String {
    let list = |values: Vec<usize>| values.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ");
    let of = |f: fn(&Cell) -> usize| list(distinct(cells.iter().map(f)));
    match along {
        Along::Length => format!("batch {}, width {}", of(|c| c.batch), of(|c| c.d_model)),
        Along::Width => {
            let factors = distinct(cells.iter().filter_map(|c| Some(c.d_hidden? / c.d_model)));
            let blocks = distinct(cells.iter().filter_map(|c| c.n_blocks));
            let parts = [
                (factors, "hidden width ", " times the width"),
                (blocks, "", " blocks where there are blocks"),
            ];
            let there = parts.into_iter().filter(|(values, ..)| !values.is_empty());
            let parts = there.map(|(values, before, after)| format!(", {before}{}{after}", list(values)));
            format!("{} tokens{}", of(|c| c.seq_len), parts.collect::<String>())
        }
        Along::Context => unreachable!("no figure of cells is along contexts"),
    }
}

fn provenance(cells: &[Cell]) -> String {
    let of = |f: fn(&Cell) -> String| distinct(cells.iter().map(f)).join(", ");
    format!(
        "Commit {}; {}, {} form, {} threads, {}, {}; {} build.",
        of(|c| c.provenance.build_commit.clone().unwrap_or_else(|| "unknown".into())),
        of(|c| c.provenance.device.clone()),
        of(|c| c.provenance.form.clone()),
        of(|c| c.provenance.threads.to_string()),
        of(|c| c.provenance.machine.cpu.clone()),
        of(|c| c.provenance.instruction_set.clone()),
        if cfg!(debug_assertions) { "debug" } else { "release" }
    )
}

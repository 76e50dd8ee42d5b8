//! The scaling figures, one panel per config.

use subquad_plot::{Figure, Line, Panel, Point, ScalingFigure};
use subquad_record::Cell;

use super::MeasuredConfig;
use super::curves::{Curve, Quantity, curves};
use crate::report::distinct;
use crate::scaling::Along;

const FIGURES: [(ScalingFigure, Along, Quantity); 5] = [
    (ScalingFigure::TimeByLength, Along::Length, Quantity::ForwardBackward),
    (ScalingFigure::MemoryByLength, Along::Length, Quantity::Memory),
    (ScalingFigure::StateByLength, Along::Length, Quantity::State),
    (ScalingFigure::TimeByWidth, Along::Width, Quantity::ForwardBackward),
    (ScalingFigure::MemoryByWidth, Along::Width, Quantity::Memory),
];

/// The figures that have something to show.
pub(super) fn figures(measured: &[MeasuredConfig<'_>]) -> Vec<Figure> {
    let figure = |(figure, along, quantity): (ScalingFigure, Along, Quantity)| {
        let panels = panels(measured, along, quantity);
        (!panels.is_empty()).then(|| figure.of(panels, caption(measured, along, quantity)))
    };
    FIGURES.into_iter().filter_map(figure).collect()
}

fn panels(measured: &[MeasuredConfig<'_>], along: Along, quantity: Quantity) -> Vec<Panel> {
    let several = measured.len() > 1;
    let panel = |measured: &MeasuredConfig<'_>| {
        let lines = curves(measured, along, quantity).into_iter().map(|curve| line(curve, quantity));
        let title = if several { measured.name() } else { String::new() };
        Panel { title, lines: lines.collect() }
    };
    measured.iter().map(panel).filter(|panel| !panel.lines.is_empty()).collect()
}

fn line(curve: Curve, quantity: Quantity) -> Line {
    let unit = match quantity {
        Quantity::Memory => f64::from(1 << 20),
        Quantity::ForwardBackward | Quantity::Forward | Quantity::State => 1.0,
    };
    let scaled = |p: &Point| Point { x: p.x, y: p.y / unit, low: p.low / unit, high: p.high / unit };
    Line::new(curve.mixer, curve.points.iter().map(scaled).collect())
}

fn caption(measured: &[MeasuredConfig<'_>], along: Along, quantity: Quantity) -> Vec<String> {
    let names = |measured: &MeasuredConfig<'_>| match along {
        Along::Length => measured.config.options.mixers.clone(),
        Along::Width => measured.config.options.channel_mixers.clone(),
    };
    let own = |measured: &MeasuredConfig<'_>| -> Vec<Cell> {
        let names = names(measured);
        measured.cells.iter().filter(|cell| names.contains(&cell.mixer)).cloned().collect()
    };
    let cells: Vec<Cell> = measured.iter().flat_map(own).collect();
    vec![what(quantity, &cells), format!("Held equal: {}. {}", held_equal(along, &cells), provenance(&cells))]
}

fn what(quantity: Quantity, cells: &[Cell]) -> String {
    let repeats = || cells.iter().map(|cell| cell.repeats);
    let least = repeats().min().unwrap_or(0);
    let most = repeats().max().unwrap_or(0);
    match quantity {
        Quantity::ForwardBackward | Quantity::Forward => format!(
            "Point: median over n = {least} to {most} interleaved repeats of one layer: forward, mean of squares, and \
             backward to every parameter and the input. Band: quartiles."
        ),
        Quantity::Memory => {
            format!(
                "Point: most bytes alive in a forward and backward pass, above the level before layer and input were made \
                 (counted by the allocator; median over n = {least} to {most} repeats)."
            )
        }
        Quantity::State => {
            "Point: what decoding keeps of one sequence of this length. A layer without a line keeps no \
                            state of that kind."
                .into()
        }
    }
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

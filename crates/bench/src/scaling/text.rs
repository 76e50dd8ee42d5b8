//! What a study that measures prints on the terminal.

use super::curves::{FORWARD_BACKWARD, Quantity};
use super::growth::{Exponent, crossings, exponents};
use super::{MeasuredConfig, all_cells, all_models};
use crate::table::{distinct, table};
use crate::{cells_table, models_table};

const LEGEND: &str = "\
Exponents: the slope of a least-squares line on logarithms over the upper half of the points, at least four,
with its 95 % t-interval; a dash where there are fewer points or no such number.";

/// Every cell, then exponents and crossovers, and a line for what could not be measured.
pub fn scaling_report(measured: &[MeasuredConfig<'_>], failed: &[String]) -> String {
    let failed = failed.iter().map(|why| format!("Not shown, because they failed: {why}.\n"));
    let (cells, models) = (all_cells(measured), all_models(measured));
    let of_layers = if cells.is_empty() { String::new() } else { comparison(measured) };
    let of_models = if models.is_empty() { String::new() } else { models_table(&models) + "\n" };
    let between = if cells.is_empty() || models.is_empty() { "" } else { "\n" };
    of_layers + between + &of_models + &failed.collect::<String>()
}

fn comparison(measured: &[MeasuredConfig<'_>]) -> String {
    let several = measured.len() > 1;
    format!(
        "{}\n\n{}\n\n{LEGEND}\n\n{}\n",
        cells_table(&all_cells(measured)),
        exponent_table(&exponents(measured), several),
        crossing_lines(measured, several)
    )
}

fn exponent_table(exponents: &[Exponent], several: bool) -> String {
    let titles = Quantity::ALL.map(|quantity| quantity.title);
    let header = ["exponent over", "mixer", "fitted"].into_iter().chain(titles);
    let layers = distinct(exponents.iter().map(|e| (e.config.as_str(), e.along, e.mixer.as_str())));
    let lines = layers.into_iter().map(|(config, along, mixer)| -> Vec<String> {
        let quantities: Vec<&Exponent> = exponents
            .iter()
            .filter(|e| (e.config.as_str(), e.along, e.mixer.as_str()) == (config, along, mixer))
            .collect();
        let over = if several { format!("{along} ({config})") } else { along.to_owned() };
        let powers = Quantity::ALL.map(|quantity| power(&quantities, quantity));
        [over, mixer.to_owned(), fitted(&quantities)].into_iter().chain(powers).collect()
    });
    table(header, lines)
}

fn power(quantities: &[&Exponent], quantity: Quantity) -> String {
    let fit = quantities.iter().find(|e| e.quantity == quantity.column).and_then(|e| e.fit);
    fit.map_or("-".into(), |fit| fit.exponent_words())
}

fn fitted(quantities: &[&Exponent]) -> String {
    let range = quantities.iter().find_map(|e| e.fit).map(|fit| fit.range);
    range.map_or("-".into(), |(from, to)| format!("{from} to {to}"))
}

/// The crossovers in time. Those in memory and state are only in `summary.json`.
fn crossing_lines(measured: &[MeasuredConfig<'_>], several: bool) -> String {
    let time = FORWARD_BACKWARD.column;
    let all = crossings(measured);
    let lines = all.iter().filter(|crossing| crossing.quantity == time).map(|crossing| {
        let config = if several { format!(" ({})", crossing.config) } else { String::new() };
        format!("  {}{config}.", crossing.words)
    });
    let lines: Vec<String> = lines.collect();
    if lines.is_empty() {
        return "No two layers to compare.".into();
    }
    format!("In forward+backward time:\n{}", lines.join("\n"))
}

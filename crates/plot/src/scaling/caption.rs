//! The derived lines and marks of a scaling figure in words.

use super::Scaling;
use super::growth::Growth;
use crate::Panel;
use crate::fit::{LEAST_POINTS, short};

/// Paragraphs that say what was fitted, what the lower panel shows, and where the curves cross.
pub(super) fn caption(panels: &[Panel], scaling: &Scaling) -> Vec<String> {
    let growths: Vec<Growth> = panels.iter().map(Growth::of).collect();
    let each = |words: fn(&Panel, &Growth, &Scaling) -> String| {
        panels.iter().zip(&growths).map(|(panel, growth)| words(panel, growth, scaling)).collect::<Vec<_>>()
    };
    let mut caption = vec![method(&growths, scaling)];
    caption.extend(by_panel("Fitted", panels, &each(fitted)));
    if growths.iter().any(|growth| growth.crossovers().next().is_some()) {
        caption.push(marks(panels));
    }
    caption.extend(by_panel("Compared", panels, &each(compared)));
    caption
}

fn method(growths: &[Growth], Scaling { symbol, .. }: &Scaling) -> String {
    let mut words = format!(
        "Dashed: least squares on logarithms over the upper half of the points, at least {LEAST_POINTS}; exponent of \
         {symbol} with its 95 % t-interval"
    );
    if growths.iter().flat_map(|growth| growth.fits.iter().flatten()).any(|fit| fit.half_width < 0.005) {
        words += ", which is not written below 0.005";
    }
    let slopes = growths.iter().flat_map(|growth| &growth.slopes).any(|line| !line.points.is_empty());
    words + if slopes { ". Lower panel: slope between neighbouring points." } else { "." }
}

fn marks(panels: &[Panel]) -> String {
    let mut firsts: Vec<&str> = panels.iter().filter_map(|p| Some(&*p.lines.first()?.label)).collect();
    firsts.dedup();
    let first = if let [first] = firsts[..] { first } else { "the first curve of the panel" };
    format!(
        "Vertical line: crossover with {first}, the curves taken as straight between measured points; shaded where the \
         two bands overlap."
    )
}

/// One paragraph if the words are the same for all panels, otherwise one per panel; none for panels without words.
fn by_panel(lead: &str, panels: &[Panel], words: &[String]) -> Vec<String> {
    let same = words.windows(2).all(|pair| pair[0] == pair[1]);
    let paragraph = |(panel, words): (&Panel, &String)| match &*panel.title {
        title if !same && !title.is_empty() => format!("{lead}, {title}: {words}."),
        _ => format!("{lead}: {words}."),
    };
    let shown = if same { 1 } else { panels.len() };
    panels.iter().zip(words).take(shown).filter(|(_, words)| !words.is_empty()).map(paragraph).collect()
}

/// The range of every fit, lines of one range together: `attention, s4d on 4 points from 1024 to 8192 tokens`.
fn fitted(panel: &Panel, growth: &Growth, Scaling { unit, .. }: &Scaling) -> String {
    let mut groups: Vec<(String, Vec<&str>)> = Vec::new();
    for (line, fit) in panel.lines.iter().zip(&growth.fits) {
        let words = fit.map_or_else(
            || format!("not at all (fewer than {LEAST_POINTS} points, or a value that is not positive)"),
            |fit| {
                let (from, to) = (short(fit.range.0), short(fit.range.1));
                format!("on {} points from {from} to {to} {unit}", fit.points)
            },
        );
        match groups.iter_mut().find(|(known, _)| *known == words) {
            Some((_, labels)) => labels.push(&line.label),
            None => groups.push((words, vec![&line.label])),
        }
    }
    let groups = groups.iter().map(|(words, labels)| format!("{} {words}", labels.join(", ")));
    groups.collect::<Vec<_>>().join("; ")
}

fn compared(panel: &Panel, growth: &Growth, Scaling { unit, meaning, .. }: &Scaling) -> String {
    let pairs = panel.lines.iter().skip(1).zip(&growth.comparisons).map(|(line, comparison)| {
        let names = [&*panel.lines[0].label, &*line.label];
        match comparison {
            Some(comparison) => comparison.words(names, unit, *meaning),
            None => format!(
                "{} not with {}, which has a value that is not positive or lies elsewhere",
                names[0], names[1]
            ),
        }
    });
    pairs.collect::<Vec<_>>().join("; ")
}

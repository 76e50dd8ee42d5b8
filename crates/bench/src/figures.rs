//! The folder of a study's figures.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use serde_json::{Value, json};
use subquad_plot::{Figure, PlotError, study};

/// The folder within that of the study.
pub const FIGURES: &str = "figures";

/// Writes the figures that can be drawn into `folder` and removes all others there. Returns the captions of those it drew, by
/// name, and why others could not be drawn.
///
/// # Errors
/// If a file cannot be written or removed.
pub fn write_figures(folder: &Path, figures: &[Figure]) -> io::Result<(Value, Vec<String>)> {
    let (mut captions, mut undrawn) = (BTreeMap::new(), vec![]);
    for figure in figures {
        match figure.write(folder) {
            Ok(_) => _ = captions.insert(&figure.name, &figure.caption),
            Err(PlotError::Io(error)) => return Err(error),
            Err(error) => undrawn.push(error.to_string()),
        }
    }
    remove_other_figures(folder, |name| captions.contains_key(name))?;
    Ok((json!(captions), undrawn))
}

/// An earlier figure next to a summary that does not have it would claim something about other runs.
fn remove_other_figures(folder: &Path, is_drawn: impl Fn(&String) -> bool) -> io::Result<()> {
    for name in study::names().iter().filter(|name| !is_drawn(name)) {
        for ending in ["csv", "svg", "png"] {
            let path = folder.join(name).with_extension(ending);
            if path.exists() {
                fs_err::remove_file(path)?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use subquad_plot::{Line, Panel, Point};

    use super::*;

    #[test]
    fn a_figure_that_cannot_be_drawn_is_named_and_stops_no_other() {
        let of = |name: &str, y: f64| {
            let lines = vec![Line::new("m2", [1.0, 2.0].map(|x| Point::new(x, y)).to_vec())];
            study::by_name(name, vec![Panel { title: String::new(), lines }], vec![]).unwrap()
        };
        let folder = tempfile::tempdir().unwrap();
        let figures = [of("loss_by_step", f64::NAN), of("accuracy_by_step", 0.5)];
        let (captions, undrawn) = write_figures(folder.path(), &figures).unwrap();
        assert_eq!(captions, json!({ "accuracy_by_step": [] }));
        assert!(undrawn[0].contains("figure `loss_by_step` has no point to draw"), "{undrawn:?}");
        let has = |name: &str| folder.path().join(name).exists();
        assert!(has("accuracy_by_step.png") && !has("loss_by_step.png"));
    }
}

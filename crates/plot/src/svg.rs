//! A scene as SVG.

use std::error::Error;
use std::path::Path;

use plotters::backend::SVGBackend;
use plotters::prelude::{DrawingBackend, RGBAColor};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontDesc, FontFamily, FontStyle, FontTransform, ShapeStyle, TextStyle};

use crate::PlotError;
use crate::scene::{Anchor, Ink, Label, Mark, Scene, Xy};
use crate::text::FAMILY;

/// The backend places things at whole numbers, so it draws this many times larger and the header scales back.
const UNITS: f64 = 10.0;

/// The backend divides font sizes by this.
const BACKEND_FONT_RATIO: f64 = 1.24;

/// The backend's baseline lies this share of the font size below the top of a text.
const BACKEND_ASCENT: f64 = 0.76;

/// The document; `path` is only named in errors.
pub(crate) fn render(scene: &Scene, path: &Path) -> Result<String, PlotError> {
    let mut document = String::new();
    let mut backend = SVGBackend::with_string(&mut document, whole_size(scene));
    draw(scene, &mut backend)
        .map_err(|error| PlotError::Draw { path: path.to_owned(), reason: error.to_string() })?;
    drop(backend);
    Ok(scale_back(&document, scene))
}

fn draw(scene: &Scene, backend: &mut SVGBackend) -> Result<(), Box<dyn Error>> {
    let (width, height) = whole_size(scene);
    backend.draw_rect((0, 0), (width as i32, height as i32), &colour(Ink::WHITE), true)?;
    for mark in &scene.marks {
        match mark {
            Mark::Polygon { points, ink } => {
                backend.fill_polygon(points.iter().copied().map(whole), &colour(*ink))?;
            }
            Mark::Polyline { points, width, ink } => {
                let stroke_width = (width * UNITS).round() as u32;
                let style = ShapeStyle { color: colour(*ink), filled: false, stroke_width };
                backend.draw_path(points.iter().copied().map(whole), &style)?;
            }
            Mark::Text(label) => {
                backend.draw_text(&label.text, &text_style(label), whole(text_corner(label)))?;
            }
        }
    }
    Ok(backend.present()?)
}

fn whole_size(scene: &Scene) -> (u32, u32) {
    ((scene.width * UNITS).round() as u32, (scene.height * UNITS).round() as u32)
}

fn whole((x, y): Xy) -> (i32, i32) {
    ((x * UNITS).round() as i32, (y * UNITS).round() as i32)
}

fn colour(ink: Ink) -> RGBAColor {
    RGBAColor(ink.red, ink.green, ink.blue, ink.alpha)
}

/// The backend positions text by its top.
fn text_corner(Label { at: (x, y), size, turned, .. }: &Label) -> Xy {
    let rise = size * BACKEND_ASCENT;
    if *turned { (x - rise, *y) } else { (*x, y - rise) }
}

fn text_style(label: &Label) -> TextStyle<'static> {
    let turn = if label.turned { FontTransform::Rotate270 } else { FontTransform::None };
    let size = label.size * UNITS * BACKEND_FONT_RATIO;
    let font = FontDesc::new(FontFamily::Name(FAMILY), size, FontStyle::Normal).transform(turn);
    let h_pos = match label.anchor {
        Anchor::Start => HPos::Left,
        Anchor::Middle => HPos::Center,
        Anchor::End => HPos::Right,
    };
    font.color(&colour(label.ink).to_rgba()).pos(Pos::new(h_pos, VPos::Top))
}

/// Sets the nominal size in the header, and round corners: the backend leaves mitres, which turn noisy curves into spikes.
fn scale_back(document: &str, scene: &Scene) -> String {
    let (width, height) = whole_size(scene);
    let drawn = format!(r#"width="{width}" height="{height}""#);
    let shown = format!(
        r#"width="{}" height="{}" stroke-linejoin="round" stroke-linecap="butt""#,
        f64::from(width) / UNITS,
        f64::from(height) / UNITS
    );
    document.replacen(&drawn, &shown, 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Axis, Figure, Line, Panel, PlotError, Point, layout, study};

    /// Numbers that are hard to span, to divide or to take logarithms of.
    const AWKWARD: [f64; 16] = [
        0.0,
        -0.0,
        1.0,
        1.0 + f64::EPSILON,
        -1.0,
        5e-324,
        1e-310,
        1e-300,
        1e300,
        -1e300,
        1e308,
        -1e308,
        f64::MAX,
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
    ];

    /// Whether the document can be drawn: it contains no NaN or infinity, and no label is longer than the page is wide.
    fn assert_sound(figure: &Figure) {
        let scene = match layout::scene(figure) {
            Ok(scene) => scene,
            Err(PlotError::Empty { .. }) => return,
            Err(error) => panic!("{error}"),
        };
        let document = render(&scene, "awkward.svg".as_ref()).unwrap();
        let mut words = document.split(|c: char| !c.is_alphanumeric());
        let odd = words.find(|word| ["nan", "inf", "infinity"].contains(&&*word.to_lowercase()));
        assert_eq!(odd, None, "{:?}", figure.panels);
        assert!(scene.width < 2000.0 && scene.height < 2000.0, "{:?}", figure.panels);
    }

    fn figure(x: Axis, y: Axis, points: Vec<Point>) -> Figure {
        let panels = vec![Panel { title: String::new(), lines: vec![Line::new("m2", points)] }];
        Figure { name: "n".into(), title: "t".into(), caption: vec![], x, y, panels, scaling: None }
    }

    #[test]
    fn no_document_of_awkward_values_holds_a_number_that_is_none() {
        let axes = [Axis::linear(""), Axis::log2(""), Axis::log10("")];
        for (a, b) in AWKWARD.iter().flat_map(|a| AWKWARD.map(|b| (*a, b))) {
            let band = |x, y, other| Point { x, y, low: other, high: y };
            for (x, y) in axes.iter().flat_map(|x| axes.iter().map(move |y| (x, y))) {
                let figure = |points| figure(x.clone(), y.clone(), points);
                assert_sound(&figure(vec![band(1.0, a, b), band(2.0, b, a)]));
                assert_sound(&figure(vec![band(a, 1.0, b), band(b, 2.0, a), Point::new(3.0, 3.0)]));
            }
        }
    }

    #[test]
    fn no_standard_figure_of_awkward_values_holds_one_either() {
        let line = |label: &str, shift: usize| {
            let points = (0..AWKWARD.len()).map(|i| {
                let at = |k: usize| AWKWARD[(i + k) % AWKWARD.len()];
                Point { x: at(shift), y: at(3 * shift), low: at(0), high: at(1) }
            });
            Line::new(label, points.collect())
        };
        let positive = |label: &str, power: i32| {
            let point = |i: i32| Point::new(10f64.powi(i), 10f64.powi((i * power).clamp(-300, 300)));
            Line::new(label, (-300..300).step_by(60).map(point).collect())
        };
        for name in study::names() {
            for lines in [
                vec![line("m2", 1), line("s4", 2), line("s4d", 5)],
                vec![positive("m2", 1), positive("s4", -1), positive("s4d", 0)],
            ] {
                let panels = vec![Panel { title: "length 64".into(), lines }];
                assert_sound(&study::by_name(&name, panels, vec![]).unwrap());
            }
        }
    }
}

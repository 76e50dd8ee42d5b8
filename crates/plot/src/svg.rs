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

/// The document; `path` is named in errors only.
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

/// The backend hangs text from its top.
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

/// Nominal size in the header, and round corners: the backend leaves mitres, which turn noisy curves into spikes.
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

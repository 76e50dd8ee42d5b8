//! A scene as pixels. Edges are smoothed by the share of each pixel that a shape covers.

use std::f64::consts::TAU;
use std::ops::Range;
use std::path::Path;

use ab_glyph::{Font, point};
use plotters::backend::BitMapBackend;
use plotters::prelude::DrawingBackend;

use crate::PlotError;
use crate::scene::{Anchor, Ink, Label, Mark, Scene, Xy};
use crate::text;

/// Pixels per point.
const PIXELS: f64 = 2.0;

/// Samples per pixel from top to bottom; from left to right the cover is exact.
const ROWS: usize = 8;

/// Draws the scene and encodes it; `path` must end in `.png`.
pub(crate) fn write(scene: &Scene, path: &Path) -> Result<(), PlotError> {
    let canvas = paint(scene);
    let size = (canvas.width as u32, canvas.height as u32);
    let mut backend = BitMapBackend::new(path, size);
    backend
        .blit_bitmap((0, 0), size, &canvas.rgb)
        .and_then(|()| backend.present())
        .map_err(|error| PlotError::Draw { path: path.to_owned(), reason: error.to_string() })
}

fn paint(scene: &Scene) -> Canvas {
    let mut canvas =
        Canvas::white((scene.width * PIXELS).round() as usize, (scene.height * PIXELS).round() as usize);
    for mark in &scene.marks {
        match mark {
            Mark::Polygon { points, ink } => canvas.cover(&[pixels(points)], *ink),
            Mark::Polyline { points, width, ink } => {
                canvas.cover(&stroke(&pixels(points), width * PIXELS / 2.0), *ink);
            }
            Mark::Text(label) => canvas.write(label),
        }
    }
    canvas
}

fn pixels(points: &[Xy]) -> Vec<Xy> {
    points.iter().map(|&(x, y)| (x * PIXELS, y * PIXELS)).collect()
}

/// A thick line as one quadrilateral per segment, and a disc at each corner.
fn stroke(points: &[Xy], radius: f64) -> Vec<Vec<Xy>> {
    let segments = points.windows(2).filter_map(|ends| segment(ends[0], ends[1], radius));
    let corners = points.iter().skip(1).rev().skip(1).map(|&at| disc(at, radius));
    segments.chain(corners).collect()
}

fn segment((ax, ay): Xy, (bx, by): Xy, radius: f64) -> Option<Vec<Xy>> {
    let length = (bx - ax).hypot(by - ay);
    let (nx, ny) = ((ay - by) / length * radius, (bx - ax) / length * radius);
    (length > 0.0)
        .then(|| vec![(ax + nx, ay + ny), (bx + nx, by + ny), (bx - nx, by - ny), (ax - nx, ay - ny)])
}

fn disc((x, y): Xy, radius: f64) -> Vec<Xy> {
    (0..12)
        .map(|i| (TAU * f64::from(i) / 12.0).sin_cos())
        .map(|(s, c)| (x + radius * c, y + radius * s))
        .collect()
}

struct Canvas {
    width: usize,
    height: usize,
    rgb: Vec<u8>,
}

impl Canvas {
    fn white(width: usize, height: usize) -> Self {
        Self { width, height, rgb: vec![255; width * height * 3] }
    }

    /// Inks what any of the shapes covers, only once: overlapping shapes do not add up.
    fn cover(&mut self, shapes: &[Vec<Xy>], ink: Ink) {
        let Some(mut mask) = Mask::around(shapes, self.width, self.height) else { return };
        shapes.iter().for_each(|shape| mask.add(shape));
        for (row, cells) in mask.cells.chunks(mask.width).enumerate() {
            for (column, &share) in cells.iter().enumerate() {
                self.blend(mask.left + column, mask.top + row, ink, share);
            }
        }
    }

    fn blend(&mut self, x: usize, y: usize, ink: Ink, share: f32) {
        let weight = share.min(1.0) * ink.alpha as f32;
        if weight <= 0.0 || x >= self.width || y >= self.height {
            return;
        }
        let start = (y * self.width + x) * 3;
        for (under, over) in self.rgb[start..start + 3].iter_mut().zip([ink.red, ink.green, ink.blue]) {
            let mixed = f32::from(*under) * (1.0 - weight) + f32::from(over) * weight;
            *under = mixed.round() as u8;
        }
    }

    fn write(&mut self, label: &Label) {
        let size = label.size * PIXELS;
        let (starts, width) = text::offsets(&label.text, size);
        let shift = match label.anchor {
            Anchor::Start => 0.0,
            Anchor::Middle => -width / 2.0,
            Anchor::End => -width,
        };
        for (character, start) in label.text.chars().zip(starts) {
            let at = point(start + shift as f32, 0.0);
            let glyph = text::FONT.glyph_id(character).with_scale_and_position(text::px_scale(size), at);
            let Some(outline) = text::FONT.outline_glyph(glyph) else { continue };
            let corner = outline.px_bounds().min;
            outline.draw(|x, y, share| {
                let (x, y) = placed(label, corner.x as i32 + x as i32, corner.y as i32 + y as i32);
                self.blend(x, y, label.ink, share);
            });
        }
    }
}

/// From a label's own pixel (right of its anchor, below its baseline) to the canvas; far outside if negative.
fn placed(label: &Label, right: i32, down: i32) -> (usize, usize) {
    let (x, y) = ((label.at.0 * PIXELS).round() as i32, (label.at.1 * PIXELS).round() as i32);
    let (x, y) = if label.turned { (x + down, y - 1 - right) } else { (x + right, y + down) };
    (usize::try_from(x).unwrap_or(usize::MAX), usize::try_from(y).unwrap_or(usize::MAX))
}

/// How much of each pixel is covered, within the smallest rectangle that holds the shapes.
struct Mask {
    left: usize,
    top: usize,
    width: usize,
    cells: Vec<f32>,
}

impl Mask {
    fn around(shapes: &[Vec<Xy>], width: usize, height: usize) -> Option<Self> {
        let [left, top, width, height] = bounds(shapes.iter().flatten(), width, height)?;
        Some(Self { left, top, width, cells: vec![0.0; width * height] })
    }

    /// Adds one closed shape (even-odd): the larger cover of old and new stays. Only what the shape touches is looked at.
    fn add(&mut self, shape: &[Xy]) {
        let (right, bottom) = (self.left + self.width, self.top + self.cells.len() / self.width);
        let Some([left, top, width, height]) = bounds(shape.iter(), right, bottom) else { return };
        let (mut shares, mut places) = (vec![0.0; width], Vec::new());
        for row in top..top + height {
            let mut touched = width..0;
            for sample in 0..ROWS {
                crossings(shape, row as f64 + (sample as f64 + 0.5) / ROWS as f64, &mut places);
                for pair in places.chunks_exact(2) {
                    let span = add_span(&mut shares, pair[0] - left as f64, pair[1] - left as f64);
                    touched = touched.start.min(span.start)..touched.end.max(span.end);
                }
            }
            let start = (row - self.top) * self.width + (left - self.left);
            for column in touched {
                let cell = &mut self.cells[start + column];
                *cell = cell.max(std::mem::take(&mut shares[column]));
            }
        }
    }
}

/// Left, top, width and height of the pixels that contain the points, within a canvas; `None` if there are none.
fn bounds<'a>(
    points: impl Iterator<Item = &'a Xy> + Clone,
    right: usize,
    bottom: usize,
) -> Option<[usize; 4]> {
    let span = |values: &mut dyn Iterator<Item = f64>, limit: usize| {
        let (low, high) = values.fold((f64::MAX, f64::MIN), |(low, high), v| (low.min(v), high.max(v)));
        // A float too low or too high becomes the nearest whole number that fits.
        (low.floor() as usize, (high.ceil() as usize).min(limit))
    };
    let (left, right) = span(&mut points.clone().map(|p| p.0), right);
    let (top, bottom) = span(&mut points.map(|p| p.1), bottom);
    let (width, height) = (right.checked_sub(left)?, bottom.checked_sub(top)?);
    (width > 0 && height > 0).then_some([left, top, width, height])
}

/// Where the outline crosses the height `y`, from left to right.
fn crossings(shape: &[Xy], y: f64, places: &mut Vec<f64>) {
    let next = shape.iter().cycle().skip(1);
    let sides = shape.iter().zip(next).filter(|((_, ay), (_, by))| (*ay <= y) != (*by <= y));
    places.clear();
    places.extend(sides.map(|((ax, ay), (bx, by))| ax + (y - ay) / (by - ay) * (bx - ax)));
    places.sort_unstable_by(f64::total_cmp);
}

/// Adds one sampled row of a span to the cover of each pixel, and returns which pixels.
fn add_span(cover: &mut [f32], from: f64, to: f64) -> Range<usize> {
    let (first, last) = (from.max(0.0) as usize, (to.ceil().max(0.0) as usize).min(cover.len()));
    for (column, share) in cover.iter_mut().enumerate().take(last).skip(first) {
        let inside = to.min((column + 1) as f64) - from.max(column as f64);
        *share += inside.max(0.0) as f32 / ROWS as f32;
    }
    first..last
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::thin::thin;

    #[test]
    fn a_pixel_takes_the_share_that_a_shape_covers() {
        let mut canvas = Canvas::white(4, 3);
        canvas.cover(&[vec![(1.0, 1.0), (2.5, 1.0), (2.5, 2.0), (1.0, 2.0)]], Ink::rgb(0, 0, 0));
        let row: Vec<u8> = canvas.rgb[12..24].iter().step_by(3).copied().collect();
        assert_eq!(row, [255, 0, 128, 255]);
        assert!(canvas.rgb[..12].iter().chain(&canvas.rgb[24..]).all(|&v| v == 255));
    }

    #[test]
    fn a_noisy_curve_of_the_points_that_pixels_show_is_the_same_picture() {
        // Multiples of the golden ratio, cut to their fractions, are evenly spread and in no order.
        let noise = |i: u32| (f64::from(i) * 0.618_033_988_75).fract();
        let path: Vec<Xy> =
            (0..20_000).map(|i| (4.0 + f64::from(i) * 0.005, 10.0 + 60.0 * noise(i).powi(4))).collect();
        let picture = |points: Vec<Xy>| {
            let mut scene = Scene { width: 110.0, height: 80.0, ..Scene::default() };
            scene.polyline(points, 1.6, Ink::rgb(0, 0, 0));
            paint(&scene).rgb
        };
        let few = thin(&path);
        assert!(few.len() <= 4 * 201, "{}", few.len());
        let (whole, few) = (picture(path), picture(few));
        // What differs is the shade of pixels at the edge, where a second peak of a column reached into the next.
        let others = |shades| whole.iter().zip(&few).filter(|(a, b)| a.abs_diff(**b) > shades).count();
        let counts = [16, 64, 128].map(|shades| others(shades) as f64 / whole.len() as f64);
        assert!(counts[0] < 0.01 && counts[1] < 0.002 && counts[2] < 1e-4, "{counts:?}");
    }

    #[test]
    fn shapes_that_overlap_do_not_add_up() {
        let square = vec![(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)];
        let mut canvas = Canvas::white(1, 1);
        canvas.cover(&[square.clone(), square], Ink::rgb(0, 0, 0).with_alpha(0.2));
        assert_eq!(canvas.rgb, [204, 204, 204]);
    }
}

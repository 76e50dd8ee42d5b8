//! A laid-out figure: shapes and words at positions, before it becomes SVG or pixels. Lengths are in points, y grows downwards.

/// A position.
pub(crate) type Xy = (f64, f64);

/// A colour and its opacity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Ink {
    pub(crate) red: u8,
    pub(crate) green: u8,
    pub(crate) blue: u8,
    pub(crate) alpha: f64,
}

impl Ink {
    pub(crate) const WHITE: Self = Self::rgb(255, 255, 255);
    pub(crate) const TEXT: Self = Self::rgb(20, 20, 20);
    pub(crate) const SOFT_TEXT: Self = Self::rgb(70, 70, 70);
    pub(crate) const AXIS: Self = Self::rgb(90, 90, 90);
    pub(crate) const GRID: Self = Self::rgb(228, 228, 228);

    pub(crate) const fn rgb(red: u8, green: u8, blue: u8) -> Self {
        Self { red, green, blue, alpha: 1.0 }
    }

    pub(crate) const fn with_alpha(self, alpha: f64) -> Self {
        Self { alpha, ..self }
    }
}

/// Which end of a text is at its position.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// One line of text; `at` lies on its baseline.
#[derive(Clone, Debug)]
pub(crate) struct Label {
    pub(crate) text: String,
    pub(crate) at: Xy,
    pub(crate) size: f64,
    pub(crate) anchor: Anchor,
    pub(crate) ink: Ink,
    /// Whether the text reads upwards.
    pub(crate) turned: bool,
}

/// One thing to draw.
#[derive(Clone, Debug)]
pub(crate) enum Mark {
    Polygon { points: Vec<Xy>, ink: Ink },
    Polyline { points: Vec<Xy>, width: f64, ink: Ink },
    Text(Label),
}

/// Everything to draw, back to front, on white.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scene {
    pub(crate) width: f64,
    pub(crate) height: f64,
    pub(crate) marks: Vec<Mark>,
}

impl Scene {
    pub(crate) fn polygon(&mut self, points: Vec<Xy>, ink: Ink) {
        self.marks.push(Mark::Polygon { points, ink });
    }

    pub(crate) fn polyline(&mut self, points: Vec<Xy>, width: f64, ink: Ink) {
        self.marks.push(Mark::Polyline { points, width, ink });
    }

    pub(crate) fn text(&mut self, text: &str, at: Xy, size: f64, anchor: Anchor, ink: Ink) {
        self.marks.push(Mark::Text(Label { text: text.to_owned(), at, size, anchor, ink, turned: false }));
    }

    pub(crate) fn turned_text(&mut self, text: &str, at: Xy, size: f64, ink: Ink) {
        let anchor = Anchor::Middle;
        self.marks.push(Mark::Text(Label { text: text.to_owned(), at, size, anchor, ink, turned: true }));
    }
}

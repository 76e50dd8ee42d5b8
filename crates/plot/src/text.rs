//! How wide words are. One font, embedded in the binary, serves for measuring and for the PNG.

use std::sync::LazyLock;

use ab_glyph::{Font, FontRef, PxScale, ScaleFont};

/// The font that the SVG asks for; a viewer without it takes its own plain one.
pub(crate) const FAMILY: &str = "Ubuntu Light, Ubuntu, sans-serif";

/// Height of a capital or a digit, as a share of the font size.
pub(crate) const CAP_HEIGHT: f64 = 0.69;

pub(crate) static FONT: LazyLock<FontRef<'static>> = LazyLock::new(|| {
    FontRef::try_from_slice(epaint_default_fonts::UBUNTU_LIGHT)
        .unwrap_or_else(|e| panic!("the font inside epaint_default_fonts does not parse: {e}"))
});

/// ab_glyph counts a size from the lowest to the highest stroke; a font size is counted in ems.
pub(crate) fn px_scale(size: f64) -> PxScale {
    let em = FONT.units_per_em().unwrap_or(1000.0);
    PxScale::from(size as f32 * FONT.height_unscaled() / em)
}

/// Width of one line of text.
pub(crate) fn width(text: &str, size: f64) -> f64 {
    offsets(text, size).1
}

/// Where each character starts, and where the last one ends.
pub(crate) fn offsets(text: &str, size: f64) -> (Vec<f32>, f64) {
    let font = FONT.as_scaled(px_scale(size));
    let (mut starts, mut x, mut previous) = (Vec::new(), 0.0, None);
    for glyph in text.chars().map(|c| font.glyph_id(c)) {
        x += previous.map_or(0.0, |previous| font.kern(previous, glyph));
        starts.push(x);
        x += font.h_advance(glyph);
        previous = Some(glyph);
    }
    (starts, f64::from(x))
}

/// The text in lines no wider than `room`, broken at spaces; a longer word has a line of its own.
pub(crate) fn wrap(text: &str, size: f64, room: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if width(&format!("{line} {word}"), size) <= room => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrapped_lines_fit_and_lose_no_word() {
        let text = "Mean over n = 2 seeds; the band reaches from the smallest to the largest of them.";
        let lines = wrap(text, 9.0, 120.0);
        assert!(lines.len() > 1 && lines.iter().all(|line| width(line, 9.0) <= 120.0), "{lines:?}");
        assert_eq!(lines.join(" "), text);
    }
}

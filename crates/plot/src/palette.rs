//! One look per label, in every figure: Okabe and Ito's colours and one more, which colour-blind readers can tell
//! apart, and marker shapes, which can be told apart without colour.

use crate::scene::Ink;

/// Outline of a marker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Circle,
    Square,
    Triangle,
    Diamond,
    TriangleDown,
    Cross,
    Plus,
    Star,
}

/// How the curves of one label look.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Look {
    pub(crate) ink: Ink,
    pub(crate) shape: Shape,
    /// Whether markers are outlined, as for labels that are not in the palette.
    pub(crate) hollow: bool,
}

const BLUE: Ink = Ink::rgb(0x00, 0x72, 0xB2);
const VERMILLION: Ink = Ink::rgb(0xD5, 0x5E, 0x00);
const GREEN: Ink = Ink::rgb(0x00, 0x9E, 0x73);
const PURPLE: Ink = Ink::rgb(0xCC, 0x79, 0xA7);
const ORANGE: Ink = Ink::rgb(0xE6, 0x9F, 0x00);
const SKY: Ink = Ink::rgb(0x56, 0xB4, 0xE9);
const BLACK: Ink = Ink::rgb(0x00, 0x00, 0x00);

/// From Paul Tol's muted scheme. Its CIEDE2000 distance to the nearest colour above is 20.8, including for the three
/// kinds of colour blindness (simulated after Machado 2009), while the closest two of those above are 10.9 apart; its
/// contrast on white is 8.7.
const WINE: Ink = Ink::rgb(0x88, 0x22, 0x55);

const KNOWN: [(&str, Ink, Shape); 8] = [
    ("attention", BLUE, Shape::Circle),
    ("s4d", VERMILLION, Shape::Square),
    ("m2", GREEN, Shape::Triangle),
    ("s4", PURPLE, Shape::Diamond),
    ("hyena", ORANGE, Shape::TriangleDown),
    ("monarch", SKY, Shape::Cross),
    ("causal_monarch", BLACK, Shape::Plus),
    ("h3", WINE, Shape::Star),
];

/// The colours of outlined markers. Okabe and Ito's yellow is missing, because it is too faint for a line on white. One
/// more colour here would change the looks of all labels outside the palette.
const INKS: [Ink; 7] = [BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, BLACK];

const HOLLOW: [Shape; 5] =
    [Shape::Circle, Shape::Square, Shape::Triangle, Shape::Diamond, Shape::TriangleDown];

/// The looks of a figure's labels, in their order. A label outside the palette gets an outlined marker that its name
/// decides; if two such labels of one figure would share colour or marker, the later one gets what is free.
pub(crate) fn looks(labels: &[&str]) -> Vec<Look> {
    let mut taken = Taken { looks: [0; LOOKS], inks: [0; INKS.len()], shapes: [0; HOLLOW.len()] };
    labels.iter().map(|label| known(label).unwrap_or_else(|| taken.free(name_hash(label)))).collect()
}

/// How often each look outside the palette is taken, and its colour and marker: by index in [`INKS`] and [`HOLLOW`].
struct Taken {
    looks: [usize; LOOKS],
    inks: [usize; INKS.len()],
    shapes: [usize; HOLLOW.len()],
}

/// 7 and 5 share no divisor, so 35 indices give 35 looks.
const LOOKS: usize = INKS.len() * HOLLOW.len();

impl Taken {
    /// The look from `first` on that shares least with those taken: colour counts more than marker.
    fn free(&mut self, first: usize) -> Look {
        let shared = |index: &usize| {
            let index = *index % LOOKS;
            [self.looks[index], self.inks[index % INKS.len()], self.shapes[index % HOLLOW.len()]]
        };
        let index = (first..first + LOOKS).min_by_key(shared).expect("there are looks") % LOOKS;
        self.looks[index] += 1;
        self.inks[index % INKS.len()] += 1;
        self.shapes[index % HOLLOW.len()] += 1;
        fallback(index)
    }
}

fn known(label: &str) -> Option<Look> {
    let (_, ink, shape) = *KNOWN.iter().find(|(name, _, _)| *name == label)?;
    Some(Look { ink, shape, hollow: false })
}

fn fallback(index: usize) -> Look {
    Look { ink: INKS[index % INKS.len()], shape: HOLLOW[index % HOLLOW.len()], hollow: true }
}

/// FNV-1a, cut short of overflow: the same on every machine and in every version.
fn name_hash(label: &str) -> usize {
    let hash = label.bytes().fold(0x811c_9dc5_u32, |hash, b| (hash ^ u32::from(b)).wrapping_mul(0x0100_0193));
    hash as usize % LOOKS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all_differ<T: PartialEq>(items: &[T]) -> bool {
        items.iter().enumerate().all(|(i, a)| items[..i].iter().all(|b| a != b))
    }

    #[test]
    fn known_labels_differ_in_colour_and_in_shape() {
        let looks = looks(&KNOWN.map(|(name, _, _)| name));
        assert!(all_differ(&looks.iter().map(|look| look.ink).collect::<Vec<_>>()));
        assert!(all_differ(&looks.iter().map(|look| look.shape).collect::<Vec<_>>()));
    }

    #[test]
    fn thirty_unknown_labels_differ() {
        let names: Vec<String> = (0..30).map(|i| format!("variant {i}")).collect();
        assert!(all_differ(&looks(&names.iter().map(String::as_str).collect::<Vec<_>>())));
    }

    #[test]
    fn a_few_unknown_labels_differ_in_colour_and_in_shape() {
        let looks =
            looks(&["s4d init=legs", "s4d init=lin", "s4d init=fout", "s4d init=real", "s4d init=rand"]);
        assert!(all_differ(&looks.iter().map(|look| look.ink).collect::<Vec<_>>()));
        assert!(all_differ(&looks.iter().map(|look| look.shape).collect::<Vec<_>>()));
    }

    #[test]
    fn a_label_looks_alike_in_every_figure() {
        assert_eq!(looks(&["attention", "s4d"])[1], looks(&["s4d"])[0]);
        assert_eq!(looks(&["s4d", "retnet"])[1], looks(&["retnet", "m2"])[0]);
    }
}

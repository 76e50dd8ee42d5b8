//! Whether layers can have their sizes, and whether they fit into memory at all.

use super::{Place, Sizes, Subject};
use crate::room::{Had, had, in_words};

/// Refuses sizes that a layer cannot have, or that obviously need more memory than is free, before a machine starts to
/// swap or kills programs.
///
/// # Errors
/// Every layer that cannot be measured, and why. Where the system does not tell what is free, nothing is too large.
pub fn check_sizes(subjects: &[&Subject], sizes: &[Sizes], place: &Place) -> Result<(), Vec<String>> {
    let had = had_at(place);
    let mut wrong = vec![];
    for subject in subjects {
        let refused = |sizes| can_be(subject, sizes).and_then(|()| fits(subject, sizes, had)).err();
        // The longest one says enough.
        wrong.extend(sizes.iter().rev().find_map(refused));
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

/// What layers can have where they run; `None` where nothing tells.
pub(crate) fn had_at(place: &Place) -> Option<Had> {
    had().filter(|_| place.is_host())
}

/// Whether the layer can have these sizes.
pub(crate) fn can_be(subject: &Subject, sizes: &Sizes) -> Result<(), String> {
    (subject.check)(sizes).map_err(|error| format!("{}: {error}", subject.name))
}

/// Whether it fits into memory.
pub(crate) fn fits(subject: &Subject, sizes: &Sizes, had: Option<Had>) -> Result<(), String> {
    let needed = (subject.alive)(sizes) * size_of::<f32>() as f64;
    match had {
        Some(had) if needed > had.bytes as f64 => Err(format!(
            "{} of batch {}, length {} and width {} needs about {} of memory, but only {} can be had: {}; choose smaller sizes",
            subject.name,
            sizes.batch,
            sizes.seq_len,
            sizes.d_model,
            in_words(needed as u64),
            in_words(had.bytes),
            had.bound
        )),
        _ => Ok(()),
    }
}

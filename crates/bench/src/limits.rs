//! Whether layers can have their sizes, and whether they fit into memory at all.

use crate::available::{Available, available};
use crate::{Site, Sizes, Subject};

/// Refuses sizes that a layer cannot have, or that obviously need more memory than is free, before a machine starts to
/// swap or kills programs.
///
/// # Errors
/// Every layer that cannot be measured, and why. If the system does not report what is free, nothing is too large.
pub fn check_sizes(subjects: &[&Subject], sizes: &[Sizes], site: &Site) -> Result<(), Vec<String>> {
    let available = available_at(site);
    let mut wrong = vec![];
    for subject in subjects {
        let refused =
            |sizes| accepts(subject, sizes).and_then(|()| fits_in_memory(subject, sizes, available)).err();
        // The longest size that is refused says enough.
        wrong.extend(sizes.iter().rev().find_map(refused));
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

/// What memory layers have where they run; `None` if that is unknown.
pub fn available_at(site: &Site) -> Option<Available> {
    available().filter(|_| site.is_host())
}

/// Whether the layer can have these sizes.
///
/// # Errors
/// Why not, in the layer's own words.
pub fn accepts(subject: &Subject, sizes: &Sizes) -> Result<(), String> {
    (subject.check)(sizes).map_err(|error| format!("{}: {error}", subject.name))
}

/// Whether the layer fits into memory at these sizes.
///
/// # Errors
/// What it needs and what there is, if it does not fit.
pub fn fits_in_memory(subject: &Subject, sizes: &Sizes, available: Option<Available>) -> Result<(), String> {
    let needed = (subject.alive)(sizes) * size_of::<f32>() as f64;
    match available {
        Some(available) if needed > available.bytes as f64 => Err(format!(
            "{} of batch {}, length {} and width {} needs {}; choose smaller sizes",
            subject.name,
            sizes.batch,
            sizes.seq_len,
            sizes.d_model,
            available.shortage(needed as u64)
        )),
        _ => Ok(()),
    }
}

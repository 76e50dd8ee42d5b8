//! "Did you mean": the valid name nearest to a mistyped one.

use strsim::damerau_levenshtein;

/// The nearest candidate, if it is near enough to be a plausible slip: at most a third of the letters differ, or `name`
/// is its beginning.
pub fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str> + Clone) -> Option<&'a str> {
    let name = name.to_lowercase().replace('-', "_");
    let slips = (name.chars().count() / 3).max(1);
    let near = candidates.clone().map(|candidate| (damerau_levenshtein(&name, candidate), candidate));
    let nearest = near.filter(|(distance, _)| *distance <= slips).min_by_key(|(distance, _)| *distance);
    nearest.map(|(_, candidate)| candidate).or_else(|| completion(&name, candidates))
}

fn completion<'a>(name: &str, mut candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    candidates.find(|candidate| name.len() >= 3 && candidate.starts_with(name))
}

/// The words that offer `meant`, or nothing.
pub fn hint(meant: Option<&str>) -> String {
    meant.map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default()
}

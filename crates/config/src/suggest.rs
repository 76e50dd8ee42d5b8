//! "Did you mean": the valid name nearest to a mistyped one.

use strsim::damerau_levenshtein;
use subquad_options::read_pattern;

/// The nearest candidate, if it is near enough to be a plausible slip: at most a third of the letters differ, or `name`
/// is its beginning.
pub fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str> + Clone) -> Option<&'a str> {
    let name = name.to_lowercase().replace('-', "_");
    let slips = (name.chars().count() / 3).max(1);
    let near = candidates.clone().map(|candidate| (damerau_levenshtein(&name, candidate), candidate));
    let nearest = near.filter(|(distance, _)| *distance <= slips).min_by_key(|(distance, _)| *distance);
    nearest.map(|(_, candidate)| candidate).or_else(|| completion(&name, candidates))
}

/// The pattern of the nearest words, if every word of `text` is near enough to one.
pub(crate) fn nearest_pattern(text: &str, words: &[&'static str]) -> Option<String> {
    let part = |part: &str| {
        let (word, count) = part.split_once('*').map_or((part, None), |(word, count)| (word, Some(count)));
        let word = nearest(word.trim(), words.iter().copied())?;
        Some(count.map_or_else(|| word.to_owned(), |count| format!("{word}*{}", count.trim())))
    };
    let meant = text.split('+').map(part).collect::<Option<Vec<_>>>()?.join("+");
    (meant != text && read_pattern(&meant, words).is_some()).then_some(meant)
}

fn completion<'a>(name: &str, mut candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    candidates.find(|candidate| name.len() >= 3 && candidate.starts_with(name))
}

/// The words that offer `meant`, or nothing.
pub fn hint(meant: Option<&str>) -> String {
    meant.map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default()
}

//! Where tasks about texts find their text, and the parts of it that train and test.

use std::io::Read;
use std::path::{Path, PathBuf};

use subquad_options::Refusal;

use crate::files::{DATA, bad, data_folder, digest, places, read};
use crate::options::{share, wrong_length};
use crate::{Draws, TaskError};

/// This repository's documentation; see `assets/README.md`.
const ASSET: &[u8] = include_bytes!("../assets/docs.txt.gz");

/// What `make` builds from the text in the file, or from the embedded one if the path is empty. Its refusals of
/// options are reported as errors in the file.
pub(crate) fn open<T>(
    path: &Path,
    task: &'static str,
    make: impl FnOnce(Vec<u8>) -> Result<T, TaskError>,
) -> Result<T, TaskError> {
    if path.as_os_str().is_empty() {
        return make(embedded());
    }
    let path = find(path, data_folder().as_deref(), task)?;
    let text = read(&path)?;
    if let Err(error) = std::str::from_utf8(&text) {
        return Err(bad(&path, format!("not UTF-8 at byte {}; save the text as UTF-8", error.valid_up_to())));
    }
    make(text).map_err(|error| match error {
        TaskError::Options { refusal, .. } => bad(&path, refusal.reason),
        other => other,
    })
}

fn embedded() -> Vec<u8> {
    let mut text = Vec::new();
    flate2::read::GzDecoder::new(ASSET).read_to_end(&mut text).expect("the embedded text is gzipped");
    text
}

fn find(path: &Path, folder: Option<&Path>, task: &'static str) -> Result<PathBuf, TaskError> {
    let places = places(path, folder);
    let found = places.iter().find(|place| place.is_file()).cloned();
    found.ok_or_else(|| no_text(&places, folder.is_some(), task))
}

fn no_text(places: &[PathBuf], has_folder: bool, task: &'static str) -> TaskError {
    let looked_for: Vec<_> = places.iter().map(|place| place.display().to_string()).collect();
    let folder =
        if has_folder { String::new() } else { format!(", set {DATA} to the folder of your data sets") };
    let advice = format!("set task.path to a text file{folder}, or leave it empty for the embedded text");
    TaskError::NoData { task, looked_for: format!("looked for {}", looked_for.join(", ")), advice }
}

/// Refuses examples without a byte.
pub(crate) fn no_byte(seq_len: usize) -> Option<Refusal> {
    (seq_len == 0).then(|| wrong_length("an example has at least one byte", 1))
}

/// A text whose first nine tenths train, anywhere, and whose last tenth tests, in windows one after the other. Before the test part, a
/// share of the nine tenths validates, in windows too.
#[derive(Debug)]
pub(crate) struct Windows {
    text: Vec<u8>,
    /// Number of bytes for training.
    train: usize,
    /// Number of bytes before those for testing.
    cut: usize,
    seq_len: usize,
    /// Bytes of a window: those that are read, and those after them that are predicted.
    span: usize,
    /// Number of validation windows.
    pub(crate) validations: usize,
    /// Number of test windows.
    pub(crate) tests: usize,
}

impl Windows {
    /// Windows of `span` bytes, `seq_len` apart in tests, of which there are at most `most`; 0: all.
    pub(crate) fn new(
        text: Vec<u8>,
        task: &'static str,
        [seq_len, span]: [usize; 2],
        most: usize,
        validation: f64,
    ) -> Result<Self, TaskError> {
        let cut = text.len() * 9 / 10;
        let train = cut - share(validation, cut);
        let windows = |bytes: usize| bytes.saturating_sub(span - seq_len) / seq_len;
        let (validations, tests) = (windows(cut - train), windows(text.len() - cut));
        if tests == 0 {
            return Err(too_short(task, text.len(), seq_len, span));
        }
        if validations == 0 && validation > 0.0 || train < span {
            return Err(no_validation(task, cut, seq_len, validation));
        }
        let at_most = |windows: usize| if most == 0 { windows } else { most.min(windows) };
        let [validations, tests] = [validations, tests].map(at_most);
        Ok(Self { text, train, cut, seq_len, span, validations, tests })
    }

    pub(crate) fn train(&self, draws: &mut Draws) -> &[u8] {
        &self.text[draws.below(self.train - self.span + 1)..][..self.span]
    }

    pub(crate) fn validation(&self, window: usize) -> &[u8] {
        &self.text[self.train + window * self.seq_len..][..self.span]
    }

    pub(crate) fn test(&self, window: usize) -> &[u8] {
        &self.text[self.cut + window * self.seq_len..][..self.span]
    }

    pub(crate) fn digest(&self) -> String {
        digest([self.text.as_slice()])
    }
}

/// The last tenth must hold `window` bytes.
fn too_short(task: &'static str, len: usize, seq_len: usize, window: usize) -> TaskError {
    let wanted = window * 10;
    let problem = format!(
        "a text of {len} bytes is too short for seq_len = {seq_len}: its last tenth is for testing, so it needs about {wanted}"
    );
    TaskError::Options { task, refusal: Refusal::new(problem, &["path"]) }
}

/// Both the validation part and what is left for training must hold a window.
fn no_validation(task: &'static str, len: usize, seq_len: usize, validation: f64) -> TaskError {
    let problem = format!(
        "validation = {validation:?} of {len} bytes for training leaves too little for seq_len = {seq_len}, for validation or for training"
    );
    TaskError::Options { task, refusal: Refusal::new(problem, &["validation"]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_text_is_the_one_that_was_written_down() {
        let text = embedded();
        assert!(std::str::from_utf8(&text).is_ok());
        assert_eq!((text.len(), digest([text.as_slice()]).as_str()), (EMBEDDED_LEN, EMBEDDED_DIGEST));
    }

    const EMBEDDED_LEN: usize = 151_168;
    /// A changed text is a different task: its runs get different names.
    const EMBEDDED_DIGEST: &str = "1aa102101dc71499";
}

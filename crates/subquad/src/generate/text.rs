//! Bytes of text, as they come.

use std::io::{self, Write};
use std::str::from_utf8;

/// Writes bytes as soon as they form whole characters, or no longer can.
///
/// Every byte is written, in order, unless the text is shown on a terminal. There, bytes that are not UTF-8, and
/// control characters other than newline and tab, are shown as `U+FFFD`: a poorly trained model writes any byte, and
/// some would change the terminal.
#[derive(Debug)]
pub struct TextWriter<W> {
    out: W,
    shown: bool,
    /// The start of a character.
    pending: Vec<u8>,
}

impl<W: Write> TextWriter<W> {
    /// `shown`: whether `out` is a terminal.
    pub fn new(out: W, shown: bool) -> Self {
        Self { out, shown, pending: vec![] }
    }

    /// Takes the next byte, and writes and flushes what is complete.
    ///
    /// # Errors
    /// If writing fails.
    pub fn push(&mut self, byte: u8) -> io::Result<()> {
        self.pending.push(byte);
        let complete = complete(&self.pending);
        if complete > 0 {
            let bytes: Vec<u8> = self.pending.drain(..complete).collect();
            self.write(&bytes)?;
        }
        Ok(())
    }

    /// Writes what is left, even if it is not a whole character.
    ///
    /// # Errors
    /// If writing fails.
    pub fn finish(mut self) -> io::Result<()> {
        let rest = std::mem::take(&mut self.pending);
        self.write(&rest)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self.shown {
            true => self.out.write_all(harmless(bytes).as_bytes())?,
            false => self.out.write_all(bytes)?,
        }
        self.out.flush()
    }
}

/// How many of the first bytes can be written: all except the start of a character that may still become whole.
fn complete(bytes: &[u8]) -> usize {
    match from_utf8(bytes) {
        Ok(_) => bytes.len(),
        Err(error) => match error.error_len() {
            None => error.valid_up_to(),
            // A character may start after the invalid bytes.
            Some(wrong) => {
                let end = error.valid_up_to() + wrong;
                end + complete(&bytes[end..])
            }
        },
    }
}

fn harmless(bytes: &[u8]) -> String {
    let unsafe_to_show = |c: char| c.is_control() && c != '\n' && c != '\t';
    String::from_utf8_lossy(bytes).replace(unsafe_to_show, "\u{FFFD}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What has been written after each byte and at the end.
    fn written(bytes: &[u8], shown: bool) -> Vec<Vec<u8>> {
        let mut out = vec![];
        let mut text = TextWriter::new(&mut out, shown);
        let mut stages = vec![];
        for byte in bytes {
            text.push(*byte).unwrap();
            stages.push(text.out.clone());
        }
        text.finish().unwrap();
        stages.push(out);
        stages
    }

    #[test]
    fn characters_are_written_when_they_are_whole() {
        let stages = written("aé€".as_bytes(), false);
        let texts: Vec<_> = stages.iter().map(|bytes| from_utf8(bytes).unwrap()).collect();
        assert_eq!(texts, ["a", "a", "aé", "aé", "aé", "aé€", "aé€"]);
    }

    #[test]
    fn every_byte_arrives() {
        let all: Vec<u8> = (0..=255).chain((0..=255).rev()).chain("é€".bytes()).chain([0xe2, 0x82]).collect();
        assert_eq!(written(&all, false).last(), Some(&all));
    }

    #[test]
    fn wrong_bytes_are_written_once_they_cannot_become_a_character() {
        let stages = written(b"\xe2\x82a\xff", false);
        assert_eq!(
            stages,
            [
                b"".to_vec(),
                vec![],
                b"\xe2\x82a".to_vec(),
                b"\xe2\x82a\xff".to_vec(),
                b"\xe2\x82a\xff".to_vec()
            ]
        );
    }

    #[test]
    fn a_terminal_gets_nothing_that_changes_it() {
        let shown = written(b"a\n\tb\x1b[31m\x07\xff\r", true);
        assert_eq!(
            shown.last().map(|bytes| from_utf8(bytes).unwrap()),
            Some("a\n\tb\u{FFFD}[31m\u{FFFD}\u{FFFD}\u{FFFD}")
        );
    }
}

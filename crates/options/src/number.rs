//! Numbers as they were written, compared with their 64-bit values.

/// The longest text of a number that a message repeats in full.
const SHORT: usize = 40;

/// The number that a text means; the error says what it is instead, phrased to follow "got".
///
/// Parsing rounds: `1e-400` would silently become 0, and `1e400` infinite.
pub fn real(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| short(text))?;
    let digits = text.split(['e', 'E']).next().unwrap_or_default();
    let is_digits = digits.bytes().any(|byte| byte.is_ascii_digit());
    let is_zero = !digits.bytes().any(|byte| matches!(byte, b'1'..=b'9'));
    match value {
        0.0 if !is_zero => {
            Err(format!("{}, which is too small for 64 bits and would count as 0", short(text)))
        }
        value if value.is_infinite() && is_digits => {
            Err(format!("{}, which is too large for 64 bits and would be infinite", short(text)))
        }
        value => Ok(value),
    }
}

/// The number of a flag, if it is one of those `wanted`; the error names these.
pub fn of_flag(text: &str, wanted: &str, is_wanted: impl Fn(f64) -> bool) -> Result<f64, String> {
    match real(text) {
        Ok(value) if is_wanted(value) => Ok(value),
        Err(got) if text.parse::<f64>().is_ok() => Err(format!("{wanted}, got {got}")),
        Ok(_) | Err(_) => Err(wanted.to_owned()),
    }
}

/// A text of many digits, shortened in the middle.
pub fn short(text: &str) -> String {
    short_of(text, SHORT)
}

/// A text of more than `most` characters, shortened in the middle.
pub fn short_of(text: &str, most: usize) -> String {
    let letters: Vec<char> = text.chars().collect();
    if letters.len() <= most {
        return text.to_owned();
    }
    let end = most * 3 / 10;
    let ends = [&letters[..end], &letters[letters.len() - end..]];
    let [start, end] = ends.map(|part| part.iter().collect::<String>());
    format!("{start}..{end} ({} characters)", letters.len())
}

/// A number for a message: written as usual, or in powers of ten if it is very large or very small.
pub fn brief(value: f64) -> String {
    let is_usual = value == 0.0 || (1e-4..1e6).contains(&value.abs());
    if is_usual { value.to_string() } else { format!("{value:e}") }
}

/// `815,730,721`
pub fn grouped(number: u128) -> String {
    let digits = number.to_string();
    let comma = |i: usize| if i > 0 && (digits.len() - i).is_multiple_of(3) { "," } else { "" };
    digits.chars().enumerate().map(|(i, digit)| format!("{}{digit}", comma(i))).collect()
}

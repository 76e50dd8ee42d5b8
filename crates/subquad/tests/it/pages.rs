//! The numbers that pages quote are those of the committed results.
//!
//! A page lists its quotes in hidden comments, one per line: the words of the page, then where their numbers come
//! from.
//!
//! ```text
//! <!-- numbers of results/01-scaling
//! 0.71 | 3.2 = forward_backward_ms mixer=attention seq_len=64|256
//! 1.76 ± 0.16 = exponent,half_width @exponents quantity=forward_ms along=length mixer=attention
//! 2.6 times = forward_ms mixer=dense d_model=1024 / forward_ms mixer=block_diagonal d_model=1024
//! 0.875 (0.833..0.916) = spread accuracy mixer=attention
//! -->
//! ```
//!
//! A query names columns and selects rows; `a|b` asks for one row after the other. If several rows match, `mean`,
//! `min`, `max`, `range` (min, max) or `spread` (mean, min, max) says which numbers they give. Rows are those of
//! `summary.csv`, of another CSV file (`@figures/x.csv`), or of a list in `summary.json` (`@exponents`). Two queries
//! may be divided or subtracted.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

use crate::lab::{files, repository};

/// The columns of a row, by name; what is nested has a dotted name.
type Row = BTreeMap<String, String>;

const LIST: &str = "<!-- numbers of ";

/// The pages that quote results. That of a study that has none yet holds only its prediction.
fn pages() -> Vec<PathBuf> {
    let readmes = ["README.md", "crates/monarch/README.md"].map(|page| repository().join(page));
    let studies = files(&repository().join("experiments")).into_iter();
    let has_results =
        |study: &PathBuf| repository().join("results").join(study.file_name().unwrap()).is_dir();
    let studies = studies.filter(has_results).map(|study| study.join("README.md"));
    readmes.into_iter().chain(studies).collect()
}

/// What is wrong with the quotes of a page, one line each.
fn mistakes(page: &str) -> Vec<String> {
    let (words, quotes) = split(page);
    let mistakes = quotes.iter().filter_map(|(study, line)| mistake(&words, study, line));
    mistakes.collect()
}

/// The words that a reader sees, and the lines of every list with the study that they quote.
fn split(page: &str) -> (String, Vec<(String, String)>) {
    let (mut words, mut quotes, mut rest) = (String::new(), Vec::new(), page);
    while let Some((before, list)) = rest.split_once(LIST) {
        let (list, after) = list.split_once("-->").expect("a list of numbers that ends");
        let (study, lines) = list.split_once('\n').expect("a list of numbers with lines");
        quotes.extend(lines.lines().map(|line| (study.trim().to_owned(), line.to_owned())));
        words.push_str(before);
        rest = after;
    }
    words.push_str(rest);
    (plain(&words), quotes)
}

/// Without emphasis and line breaks.
fn plain(text: &str) -> String {
    text.replace('*', "").split_whitespace().collect::<Vec<_>>().join(" ")
}

fn mistake(words: &str, study: &str, line: &str) -> Option<String> {
    let (quote, formula) = line.split_once(" = ").unwrap_or_else(|| panic!("no ` = ` in {line}"));
    if !words.contains(&plain(quote)) {
        return Some(format!("the page does not say: {quote}"));
    }
    let (quoted, measured) = (numbers(quote), evaluate(study, formula));
    let equal = quoted.len() == measured.len()
        && quoted.iter().zip(&measured).all(|(quoted, measured)| rounds_to(*measured, quoted));
    (!equal).then(|| format!("{quote}: {study} has {measured:?} for {formula}"))
}

/// Numbers, with a comma for thousands, that are not part of a word such as `S4D`.
fn numbers(quote: &str) -> Vec<&str> {
    let belongs = |c: char| c.is_alphanumeric() || ".,_".contains(c);
    let tokens = quote.split(|c: char| !belongs(c)).flat_map(|token| token.split(".."));
    let numerals = tokens.map(|token| token.trim_matches(['.', ',']));
    numerals.filter(|token| token.starts_with(|c: char| c.is_ascii_digit())).collect()
}

/// Whether a measured number equals the quoted one in all quoted digits.
fn rounds_to(measured: f64, quoted: &str) -> bool {
    let quoted = quoted.replace(',', "");
    let decimals = quoted.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let half = 0.5 * 0.1_f64.powi(i32::try_from(decimals).unwrap());
    // A number that lies between two quotes, such as 0.8975, may be either.
    (measured - quoted.parse::<f64>().unwrap()).abs() <= half * (1.0 + 1e-6)
}

fn evaluate(study: &str, formula: &str) -> Vec<f64> {
    if let Some((above, below)) = formula.split_once(" / ") {
        return pairwise(&query(study, above), &query(study, below), |above, below| above / below);
    }
    if let Some((from, less)) = formula.split_once(" - ") {
        return pairwise(&query(study, from), &query(study, less), |from, less| from - less);
    }
    query(study, formula)
}

/// The second list may also be one number for all of the first.
fn pairwise(first: &[f64], second: &[f64], of: impl Fn(f64, f64) -> f64) -> Vec<f64> {
    assert!(second.len() == 1 || second.len() == first.len(), "{first:?} and {second:?}");
    first.iter().zip(second.iter().cycle()).map(|(&first, &second)| of(first, second)).collect()
}

fn query(study: &str, text: &str) -> Vec<f64> {
    if let Ok(constant) = text.parse() {
        return vec![constant];
    }
    let (mut words, wanted) = words_and_filters(text);
    let source = words.extract_if(.., |word| word.starts_with('@')).next();
    let columns = words.pop().unwrap_or_else(|| panic!("no column in {text}"));
    let rows = rows(study, source.as_deref());
    let values = choices(&wanted).into_iter().flat_map(|choice| {
        let fits = |row: &&Row| {
            is_compared(row, &choice) && choice.iter().all(|(key, value)| row.get(key) == Some(value))
        };
        let rows: Vec<&Row> = rows.iter().filter(fits).collect();
        columns.split(',').flat_map(|column| reduce(words.first(), column, &rows, text)).collect::<Vec<_>>()
    });
    values.collect()
}

/// Whether a row is of a test, and of a run that was chosen if its study chooses; a query may ask for others.
fn is_compared(row: &Row, asked: &Row) -> bool {
    let other = [("split", "validation"), ("chosen", "no")];
    other
        .iter()
        .all(|(key, value)| asked.contains_key(*key) || row.get(*key).map(String::as_str) != Some(value))
}

/// The words of a query before its filters, and the filters; a value may hold spaces.
fn words_and_filters(text: &str) -> (Vec<String>, Vec<(String, String)>) {
    let (mut words, mut filters) = (Vec::new(), Vec::<(String, String)>::new());
    for word in text.split(' ') {
        match (word.split_once('='), filters.last_mut()) {
            (Some((key, value)), _) => filters.push((key.to_owned(), value.to_owned())),
            (None, Some((_, value))) => *value = format!("{value} {word}"),
            (None, None) => words.push(word.to_owned()),
        }
    }
    (words, filters)
}

/// Every combination of the alternatives of filters, in their order.
fn choices(filters: &[(String, String)]) -> Vec<Row> {
    filters.iter().fold(vec![Row::new()], |choices, (key, alternatives)| {
        let with = |choice: &Row, value: &str| {
            let mut choice = choice.clone();
            choice.insert(key.clone(), value.to_owned());
            choice
        };
        let all = |choice: &Row| alternatives.split('|').map(|value| with(choice, value)).collect::<Vec<_>>();
        choices.iter().flat_map(all).collect()
    })
}

fn reduce(how: Option<&String>, column: &str, rows: &[&Row], query: &str) -> Vec<f64> {
    let cell = |row: &&Row| row[column].parse().unwrap_or_else(|_| panic!("no {column} for {query}"));
    let values: Vec<f64> = rows.iter().map(cell).collect();
    assert!(!values.is_empty(), "no row for {query}");
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let (min, max) = values.iter().fold((mean, mean), |(min, max), &v| (v.min(min), v.max(max)));
    match how.map(String::as_str) {
        None => {
            assert_eq!(values.len(), 1, "several rows for {query}");
            values
        }
        Some("mean") => vec![mean],
        Some("min") => vec![min],
        Some("max") => vec![max],
        Some("range") => vec![min, max],
        Some("spread") => vec![mean, min, max],
        Some(other) => panic!("`{other}` in {query}"),
    }
}

fn rows(study: &str, source: Option<&str>) -> Vec<Row> {
    let folder = repository().join(study);
    let read = |file: &str| fs_err::read_to_string(folder.join(file)).unwrap();
    match source.map(|source| &source[1..]) {
        None => csv_rows(&read("summary.csv")),
        Some(file) if file.ends_with(".csv") => csv_rows(&read(file)),
        Some(list) => {
            let summary: Value = serde_json::from_str(&read("summary.json")).unwrap();
            summary[list].as_array().unwrap().iter().map(json_row).collect()
        }
    }
}

fn csv_rows(text: &str) -> Vec<Row> {
    assert!(!text.contains('"'), "quoted cells are not read here");
    let cells = |line: &str| line.split(',').map(str::to_owned).collect::<Vec<_>>();
    let (header, rows) = text.split_once('\n').unwrap();
    rows.lines().map(|line| cells(header).into_iter().zip(cells(line)).collect()).collect()
}

fn json_row(value: &Value) -> Row {
    let mut row = Row::new();
    add_columns("", value, &mut row);
    row
}

fn add_columns(name: &str, value: &Value, row: &mut Row) {
    let below = |part: &str| if name.is_empty() { part.to_owned() } else { format!("{name}.{part}") };
    match value {
        Value::Object(parts) => parts.iter().for_each(|(key, part)| add_columns(&below(key), part, row)),
        Value::Array(parts) => {
            parts.iter().enumerate().for_each(|(i, part)| add_columns(&below(&i.to_string()), part, row));
        }
        Value::String(text) => drop(row.insert(name.to_owned(), text.clone())),
        Value::Null | Value::Bool(_) | Value::Number(_) => {
            drop(row.insert(name.to_owned(), value.to_string()));
        }
    }
}

#[test]
fn pages_quote_the_committed_results() {
    for path in pages() {
        let page = fs_err::read_to_string(&path).unwrap();
        assert!(page.contains(LIST), "{} lists no number that it quotes", path.display());
        let mistakes = mistakes(&page);
        assert!(mistakes.is_empty(), "{}:\n{}", path.display(), mistakes.join("\n"));
    }
}

/// What the test above must find: a number that is not in the results, and a quote that is no longer on the page.
#[test]
fn a_quote_that_differs_from_the_results_is_found() {
    let list = "= places.0.at @crossovers quantity=forward_backward_ms first=attention second=s4d";
    let page = |said: &str, listed: &str| {
        format!("S4D is\ncheaper **{said} on**.\n{LIST}results/01-scaling\n{listed} {list}\n-->\n")
    };
    assert_eq!(mistakes(&page("from 315 tokens", "315 tokens on")), Vec::<String>::new());
    assert_eq!(mistakes(&page("from 218 tokens", "218 tokens on")).len(), 1);
    assert_eq!(mistakes(&page("from 218 tokens", "315 tokens on")), ["the page does not say: 315 tokens on"]);
}

#[test]
fn numerals_are_read_as_pages_write_them() {
    assert_eq!(
        numbers("S4D: 0.971 (0.969..0.972), 2,097,152 at L^1.76 ± 0.16; 5.2, 5."),
        ["0.971", "0.969", "0.972", "2,097,152", "1.76", "0.16", "5.2", "5"]
    );
    assert!(rounds_to(315.2, "315") && rounds_to(0.8975, "0.897") && !rounds_to(0.8986, "0.898"));
}

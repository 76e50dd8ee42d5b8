//! Checks the sizes of a config against the shapes of the tensors that the file holds.
//!
//! A number in a config costs its writer nothing. Nothing may be built from it before a tensor of the file has
//! confirmed it.

use burn::tensor::TensorData;

use super::{Case, CaseError};

/// One axis of a tensor as the config asks for it: in the config's words, such as `d_state / 2`, and how long that is.
///
/// A product that may be too large for a `usize` saturates: no axis of a tensor is that long.
pub type Axis<'a> = (&'a str, usize);

/// The most numbers that a replay computes from sizes that the file confirms only one by one. The portable form of a
/// kernel needs about 30 bytes for each: 8 GiB.
pub const MOST_NUMBERS: usize = 1 << 28;

/// The longest `l_max` that a replay takes if no tensor confirms it: time and memory grow with it.
pub const LONGEST: usize = 1 << 20;

/// A tensor does not have the sizes that the config asks for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("tensor `{name}` has shape {got:?}, but the config{options} asks for {axes} = {wanted:?}")]
pub struct WrongAxes {
    /// The tensor.
    pub name: String,
    /// Its shape.
    pub got: Vec<usize>,
    /// The shape that the config asks for.
    pub wanted: Vec<usize>,
    /// That shape in the config's words.
    pub axes: String,
    /// What the config says about them.
    pub options: String,
}

impl Case {
    /// Whether a parameter has the axes that the config asks for. Call it for every parameter before a layer is built
    /// from the sizes of the config.
    ///
    /// # Errors
    /// If there is none of this name, or its shape differs.
    pub fn check_parameter(&self, name: &str, axes: &[Axis]) -> Result<(), CaseError> {
        let data = self.parameters.get(name).ok_or_else(|| self.missing(name))?;
        self.check_axes(name, data, axes)
    }

    /// [`check_parameter`](Self::check_parameter) for a tensor that is not a parameter, such as `input`.
    ///
    /// # Errors
    /// As for [`check_parameter`](Self::check_parameter).
    pub fn check_tensor(&self, name: &str, axes: &[Axis]) -> Result<(), CaseError> {
        let data = self.tensors.get(name).ok_or_else(|| self.missing(name))?;
        self.check_axes(name, data, axes)
    }

    /// The shape of a tensor that is not a parameter.
    ///
    /// # Errors
    /// If there is none of this name, or its rank is not `D`.
    pub fn tensor_axes<const D: usize>(&self, name: &str) -> Result<[usize; D], CaseError> {
        let got = self.tensors.get(name).ok_or_else(|| self.missing(name))?.shape().to_vec();
        got.try_into().map_err(|got| CaseError::Rank { name: name.into(), got, wanted: D })
    }

    /// Whether the case has recorded a tensor, so that it is worth computing. What was not recorded is not compared.
    ///
    /// # Errors
    /// If it was recorded with another shape.
    pub fn records(&self, name: &str, axes: &[Axis]) -> Result<bool, CaseError> {
        match self.tensors.get(name) {
            Some(data) => self.check_axes(name, data, axes).map(|()| true),
            None => Ok(false),
        }
    }

    /// Whether the product of `axes` is not too many numbers to compute.
    ///
    /// # Errors
    /// If it is more than [`MOST_NUMBERS`].
    pub fn check_amount(&self, what: &str, axes: &[Axis]) -> Result<(), CaseError> {
        let amount = axes.iter().fold(1usize, |product, (_, size)| product.saturating_mul(*size));
        if amount <= MOST_NUMBERS {
            return Ok(());
        }
        let (words, sizes) = (words(axes), sizes(axes));
        Err(self.wrong_config(format!(
            "{what} takes {words} = {sizes:?} numbers, altogether more than {MOST_NUMBERS}; record a smaller case"
        )))
    }

    /// Whether a length that no tensor confirms may be computed with.
    ///
    /// # Errors
    /// If it is 0 or above [`LONGEST`].
    pub fn check_unseen_length(&self, key: &str, length: usize) -> Result<(), CaseError> {
        match (1..=LONGEST).contains(&length) {
            true => Ok(()),
            false => Err(self.wrong_config(format!(
                "{key} = {length}, but a length that no tensor of the file confirms must be 1 to {LONGEST} tokens"
            ))),
        }
    }

    fn wrong_config(&self, message: String) -> CaseError {
        CaseError::Config { layer: self.layer.clone(), message }
    }

    fn check_axes(&self, name: &str, data: &TensorData, axes: &[Axis]) -> Result<(), CaseError> {
        let (got, wanted) = (data.shape().to_vec(), sizes(axes));
        if got == wanted {
            return Ok(());
        }
        let differs = |index: usize| got.len() != axes.len() || got[index] != wanted[index];
        let wrong =
            axes.iter().enumerate().filter(|(index, _)| differs(*index)).map(|(_, (words, _))| *words);
        let options = self.options(wrong);
        let name = name.into();
        Err(CaseError::Axes(Box::new(WrongAxes { name, got, wanted, axes: words(axes), options })))
    }

    /// What the config says about the keys that occur in `words`: ` (d_state = 16)`; empty if it says nothing.
    fn options<'a>(&self, words: impl Iterator<Item = &'a str>) -> String {
        let keys = words.flat_map(|words| words.split(|c: char| !(c.is_alphanumeric() || c == '_')));
        let said = keys.filter_map(|key| Some(format!("{key} = {}", self.config.get(key)?)));
        let said = said.fold(Vec::new(), |mut all, one| {
            if !all.contains(&one) {
                all.push(one);
            }
            all
        });
        if said.is_empty() { String::new() } else { format!(" ({})", said.join(", ")) }
    }
}

fn words(axes: &[Axis]) -> String {
    let words: Vec<&str> = axes.iter().map(|(words, _)| *words).collect();
    format!("[{}]", words.join(", "))
}

fn sizes(axes: &[Axis]) -> Vec<usize> {
    axes.iter().map(|(_, size)| *size).collect()
}

/// Refuses a number that is infinite or NaN.
///
/// # Errors
/// If there is one, with its place.
pub(super) fn check_finite(name: &str, data: &TensorData) -> Result<(), CaseError> {
    match first_not_finite(data.iter::<f64>(), data.shape()) {
        None => Ok(()),
        Some((index, value)) => {
            Err(CaseError::NotFinite { name: name.into(), index, value: format!("{value:?}") })
        }
    }
}

/// The first number of a tensor of this shape that is not finite in f32, with its index along every axis.
pub fn first_not_finite(values: impl IntoIterator<Item = f64>, shape: &[usize]) -> Option<(Vec<usize>, f64)> {
    let (flat, value) = values.into_iter().enumerate().find(|(_, value)| !(*value as f32).is_finite())?;
    Some((place(flat, shape), value))
}

/// The index along every axis of the number `flat`, counted along the last axis first.
fn place(mut flat: usize, shape: &[usize]) -> Vec<usize> {
    let mut place: Vec<usize> = shape
        .iter()
        .rev()
        .map(|axis| {
            let along = flat % axis.max(&1);
            flat /= axis.max(&1);
            along
        })
        .collect();
    place.reverse();
    place
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn case() -> Case {
        let config = serde_json::json!({ "d_state": 100_000, "n_ssm": 4 });
        let a = TensorData::new(vec![0f32; 32], [4, 8]);
        let parameters = [("a".to_owned(), a)].into();
        Case { layer: "s4_block".into(), config, parameters, tensors: Default::default() }
    }

    #[test]
    fn a_size_that_no_tensor_shows_is_named_with_what_was_wanted_and_got() {
        let error = case().check_parameter("a", &[("n_ssm", 4), ("d_state / 2", 50_000)]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "tensor `a` has shape [4, 8], but the config (d_state = 100000) asks for [n_ssm, d_state / 2] = [4, 50000]"
        );
        let of_another_rank = case().check_parameter("a", &[("n_ssm", 4)]).unwrap_err().to_string();
        assert!(of_another_rank.contains("(n_ssm = 4) asks for [n_ssm] = [4]"), "{of_another_rank}");
        assert!(case().check_parameter("a", &[("n_ssm", 4), ("d_state / 2", 8)]).is_ok());
    }

    #[test]
    fn a_product_of_sizes_has_a_limit_and_does_not_overflow() {
        let amount = |sizes: [usize; 2]| case().check_amount("a kernel", &[("a", sizes[0]), ("b", sizes[1])]);
        assert!(amount([1 << 16, 1 << 12]).is_ok());
        for sizes in [[1 << 16, (1 << 12) + 1], [usize::MAX, usize::MAX]] {
            assert!(
                amount(sizes).unwrap_err().to_string().contains("a kernel takes [a, b] = ["),
                "{sizes:?}"
            );
        }
    }

    #[test]
    fn a_number_that_is_none_is_named_with_its_place() {
        let values = [1.0, 2.0, 3.0, 4.0, f64::INFINITY, f64::NAN];
        let (place, value) = first_not_finite(values, &[1, 3, 2]).unwrap();
        assert_eq!((place, value), (vec![0, 2, 0], f64::INFINITY));
        assert_eq!(first_not_finite([1.0], &[]), None);
        assert_eq!(first_not_finite([f64::NEG_INFINITY], &[]).unwrap().0, Vec::<usize>::new());
    }
}

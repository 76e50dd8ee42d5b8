//! Layers under the names of their published implementations.
//!
//! A [`Case`] is one recorded run of a published layer: its parameters, an input, the output and the gradients. Each
//! layer crate has a function `replay` that builds its own layer from the parameters, runs it, and returns the same
//! tensors under the same names; comparing the two shows whether the layers are the same.

mod compare;
mod file;
pub mod json;
mod sizes;

pub use compare::{Comparison, GRADIENT_LIMIT, OUTPUT_LIMIT, Values, compare, rel_error, to_f64};
pub use file::{FileError, read as read_case};
pub use sizes::{Axis, LONGEST, MOST_NUMBERS, WrongAxes, first_not_finite};

use std::collections::BTreeMap;

use burn::tensor::{Device, Tensor, TensorData};
use serde_json::Value;

/// One recorded run of a published layer.
#[derive(Debug, Clone)]
pub struct Case {
    /// Which layer, such as `s4_block`.
    pub layer: String,
    /// Its sizes and options, as the published implementation names them.
    pub config: Value,
    /// Its parameters and buffers by published name. [`take`](Self::take) removes them, so what is left was ignored.
    pub parameters: BTreeMap<String, TensorData>,
    /// Every other tensor: `input`, `output`, `grad_output`, `grad.<parameter>`, and what the layer computes inside.
    pub tensors: BTreeMap<String, TensorData>,
}

/// What our layer computes for a [`Case`], under the names of its `tensors`.
pub type Replay = BTreeMap<String, TensorData>;

mod fixed;
mod stepping;

impl Case {
    /// Removes and returns a parameter.
    ///
    /// # Errors
    /// If there is none of this name, its shape differs, or a number in it is infinite or NaN.
    pub fn take(&mut self, name: &str, shape: &[usize]) -> Result<TensorData, CaseError> {
        let data = self.parameters.remove(name).ok_or_else(|| self.missing(name))?;
        check_shape(name, &data, shape)?;
        sizes::check_finite(name, &data)?;
        Ok(data)
    }

    /// [`take`](Self::take) of one parameter that has several names, any of which a file may hold. All that are there
    /// are removed.
    ///
    /// # Errors
    /// If there is none of these names, its shape differs, a number in it is infinite or NaN, or two of them hold
    /// different values.
    pub fn take_shared(
        &mut self,
        names: &[impl AsRef<str>],
        shape: &[usize],
    ) -> Result<TensorData, CaseError> {
        let names = names.iter().map(AsRef::as_ref);
        let found = names.clone().filter_map(|name| Some((name, self.parameters.remove(name)?)));
        let mut found = found.collect::<Vec<_>>().into_iter();
        let Some((first, data)) = found.next() else {
            return Err(self.missing(&names.collect::<Vec<_>>().join("` or `")));
        };
        found.try_for_each(|(second, other)| check_shared([first, second], [&data, &other]))?;
        check_shape(first, &data, shape)?;
        sizes::check_finite(first, &data)?;
        Ok(data)
    }

    /// Whether a parameter exists with this shape.
    ///
    /// # Errors
    /// As for [`take`](Self::take).
    pub fn check(&self, name: &str, shape: &[usize]) -> Result<(), CaseError> {
        check_shape(name, self.parameters.get(name).ok_or_else(|| self.missing(name))?, shape)
    }

    /// [`take`](Self::take) as a tensor of rank `D`.
    ///
    /// # Errors
    /// As for [`take`](Self::take).
    pub fn take_tensor<const D: usize>(
        &mut self,
        name: &str,
        shape: [usize; D],
        device: &Device,
    ) -> Result<Tensor<D>, CaseError> {
        Ok(Tensor::from_data(self.take(name, &shape)?, device))
    }

    /// A tensor that is not a parameter, such as `input`.
    ///
    /// # Errors
    /// If there is none of this name, its rank is not `D`, or a number in it is infinite or NaN.
    pub fn tensor<const D: usize>(&self, name: &str, device: &Device) -> Result<Tensor<D>, CaseError> {
        let data = self.tensors.get(name).ok_or_else(|| self.missing(name))?;
        let got = data.shape().to_vec();
        if got.len() != D {
            return Err(CaseError::Rank { name: name.into(), got, wanted: D });
        }
        sizes::check_finite(name, data)?;
        Ok(Tensor::from_data(data.clone(), device))
    }

    /// [`tensor`](Self::tensor) whose last axis must be `width`.
    ///
    /// # Errors
    /// As for [`tensor`](Self::tensor), and if the last axis differs or an axis is empty.
    pub fn tensor_of_width<const D: usize>(
        &self,
        name: &str,
        width: usize,
        device: &Device,
    ) -> Result<Tensor<D>, CaseError> {
        let tensor = self.tensor::<D>(name, device)?;
        let mut wanted = tensor.dims().map(|axis| axis.max(1));
        wanted[D - 1] = width;
        match tensor.dims() == wanted {
            true => Ok(tensor),
            false => Err(CaseError::wrong_shape(name, &tensor.dims(), &wanted)),
        }
    }

    /// The recorded gradient of the output, which must be shaped as ours.
    ///
    /// # Errors
    /// As for [`tensor`](Self::tensor), and if the shape differs.
    pub fn grad_output<const D: usize>(
        &self,
        output: &Tensor<D>,
        device: &Device,
    ) -> Result<Tensor<D>, CaseError> {
        let grad = self.tensor::<D>("grad_output", device)?;
        match grad.dims() == output.dims() {
            true => Ok(grad),
            false => Err(CaseError::wrong_shape("grad_output", &grad.dims(), &output.dims())),
        }
    }

    /// The config as a type of the layer crate, which should deny unknown fields.
    ///
    /// # Errors
    /// If a key is missing, unknown or of another type.
    pub fn parse_config<T: serde::de::DeserializeOwned>(&self) -> Result<T, CaseError> {
        serde_json::from_value(self.config.clone())
            .map_err(|source| CaseError::Config { layer: self.layer.clone(), message: source.to_string() })
    }

    /// What `load` makes of the parameters whose names begin with `prefix`; it gets them without the prefix. Those that
    /// it does not take stay.
    ///
    /// # Errors
    /// The errors of `load`, with full names.
    pub fn part<T>(
        &mut self,
        prefix: &str,
        load: impl FnOnce(&mut Self) -> Result<T, CaseError>,
    ) -> Result<T, CaseError> {
        let whole = std::mem::take(&mut self.parameters);
        let (inside, outside): (BTreeMap<_, _>, _) =
            whole.into_iter().partition(|(name, _)| name.starts_with(prefix));
        let stripped = inside.into_iter().map(|(name, data)| (name[prefix.len()..].to_owned(), data));
        self.parameters = stripped.collect();
        let loaded = load(self);
        let left = std::mem::replace(&mut self.parameters, outside);
        self.parameters.extend(left.into_iter().map(|(name, data)| (format!("{prefix}{name}"), data)));
        loaded.map_err(|error| error.under(prefix))
    }

    fn missing(&self, name: &str) -> CaseError {
        CaseError::Missing { name: name.into(), layer: self.layer.clone() }
    }
}

/// Two tensors that are one parameter.
fn check_shared(names: [&str; 2], [first, second]: [&TensorData; 2]) -> Result<(), CaseError> {
    let difference = match (first.shape(), second.shape()) {
        (one, other) if one != other => {
            format!("have the shapes {:?} and {:?}", one.to_vec(), other.to_vec())
        }
        _ if first != second => "hold different values".to_owned(),
        _ => return Ok(()),
    };
    let [first, second] = names.map(str::to_owned);
    Err(CaseError::NotShared { first, second, difference })
}

fn check_shape(name: &str, data: &TensorData, wanted: &[usize]) -> Result<(), CaseError> {
    let got = data.shape().to_vec();
    if got == wanted {
        return Ok(());
    }
    Err(CaseError::wrong_shape(name, &got, wanted))
}

impl CaseError {
    fn wrong_shape(name: &str, got: &[usize], wanted: &[usize]) -> Self {
        Self::Shape { name: name.into(), got: got.to_vec(), wanted: wanted.to_vec() }
    }

    /// The same error about tensors whose names begin with `prefix`.
    #[must_use]
    pub fn under(self, prefix: &str) -> Self {
        let whole = |name: String| format!("{prefix}{name}");
        match self {
            Self::Missing { name, layer } => Self::Missing { name: whole(name), layer },
            Self::Shape { name, got, wanted } => Self::Shape { name: whole(name), got, wanted },
            Self::Rank { name, got, wanted } => Self::Rank { name: whole(name), got, wanted },
            Self::Axes(mut wrong) => {
                wrong.name = whole(wrong.name);
                Self::Axes(wrong)
            }
            Self::NotFinite { name, index, value } => Self::NotFinite { name: whole(name), index, value },
            Self::NotShared { first, second, difference } => {
                Self::NotShared { first: whole(first), second: whole(second), difference }
            }
            other @ (Self::Config { .. } | Self::Unsupported { .. }) => other,
        }
    }
}

/// Why a case cannot be replayed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CaseError {
    /// A tensor that the layer needs is missing.
    #[error("tensor `{name}` is missing, which layer `{layer}` needs")]
    Missing {
        /// The tensor.
        name: String,
        /// The layer.
        layer: String,
    },
    /// A tensor's shape is not the one that the config asks for.
    #[error("tensor `{name}` has shape {got:?}, but the config asks for {wanted:?}")]
    Shape {
        /// The tensor.
        name: String,
        /// Its shape.
        got: Vec<usize>,
        /// The shape that the config asks for.
        wanted: Vec<usize>,
    },
    /// A tensor has a different number of axes than the layer takes.
    #[error("tensor `{name}` has shape {got:?}, but the layer takes {wanted} axes")]
    Rank {
        /// The tensor.
        name: String,
        /// Its shape.
        got: Vec<usize>,
        /// The number of axes.
        wanted: usize,
    },
    /// A tensor does not have the sizes that the config asks for.
    #[error(transparent)]
    Axes(Box<WrongAxes>),
    /// A number that the layer computes with is infinite or NaN.
    #[error("tensor `{name}` holds {value} at {index:?}; a layer needs numbers that are finite in f32")]
    NotFinite {
        /// The tensor.
        name: String,
        /// The first such number's index along every axis.
        index: Vec<usize>,
        /// What is there: `NaN`, `inf` or `-inf`.
        value: String,
    },
    /// The config does not fit the layer.
    #[error("config of layer `{layer}`: {message}")]
    Config {
        /// The layer.
        layer: String,
        /// What is wrong.
        message: String,
    },
    /// Our layer cannot do what the config asks for.
    #[error("layer `{layer}`: not implemented here: {what}")]
    Unsupported {
        /// The layer.
        layer: String,
        /// What is missing.
        what: String,
    },
    /// Two names of one parameter hold different tensors.
    #[error(
        "tensors `{first}` and `{second}` are one parameter, so they must be equal, but they {difference}"
    )]
    NotShared {
        /// One of them.
        first: String,
        /// The other.
        second: String,
        /// What differs.
        difference: String,
    },
}

//! The Monarch matrix nearest to a dense one, and the low-rank one for comparison. Plain slices, f64, on the host.
//!
//! ```text
//! M [d_output, d_input], rows seen as (t, l) and columns as (i, q): for each (l, i)
//! the slice M[(., l), (i, .)] = sum of sigma_j u_j v_j^*, of which the `rank` largest are kept:
//! W2[l, ., (i, j)] = sqrt(sigma_j) u_j        W1[i, (j, l), .] = sqrt(sigma_j) v_j^*
//! ```
//! A Monarch matrix of two factors is any matrix whose slices have at most that rank, and the slices share no entry; so
//! the best slices make the best matrix in the Frobenius norm: Dao et al. 2022, <https://arxiv.org/abs/2204.00595>,
//! section 3.3. If the blocks do not divide a width, the matrix is padded with zeros, which changes neither statement.

mod factors;
mod low_rank;

use burn::module::Param;
use burn::nn::Linear;
use burn::tensor::{Tensor, TensorData};
use subquad_backend::svd::{Scalar, Singular, norm_sqr, svd};
use subquad_backend::{Form, read};
use subquad_mixer::Refusal;

use crate::{MonarchLinear, MonarchLinearConfig};
pub use factors::MonarchFactors;
pub use low_rank::{LowRank, low_rank, rank_of_parameters};

/// Why a matrix cannot be projected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProjectionError {
    /// The config contradicts itself.
    #[error(transparent)]
    Config(#[from] Refusal),
    /// There is no closed form for more than two factors.
    #[error(
        "order = {order}, but only matrices of 2 factors have a nearest one in closed form; use order = 2"
    )]
    Order {
        /// The number of factors asked for.
        order: usize,
    },
    /// The matrix does not have the size of the config.
    #[error("a matrix of {d_output} x {d_input} has {} entries, got {got}", d_output * d_input)]
    Entries {
        /// Its rows.
        d_output: usize,
        /// Its columns.
        d_input: usize,
        /// Number of entries that were given.
        got: usize,
    },
    /// The layer's widths are not those of the config.
    #[error("the layer maps {got:?} features, the config {wanted:?}")]
    Widths {
        /// Input and output of the config.
        wanted: [usize; 2],
        /// Input and output of the layer.
        got: [usize; 2],
    },
}

/// The Monarch matrix of `config` (widths, axes, rank, `pre_permute`) that is nearest in the Frobenius norm to `dense`, row-major
/// `[d_output, d_input]`, real or complex.
///
/// # Errors
/// If the config fails its check or has more than two factors, or `dense` is of another size.
pub fn project<T: Scalar>(
    config: &MonarchLinearConfig,
    dense: &[T],
) -> Result<MonarchFactors<T>, ProjectionError> {
    config.check()?;
    let MonarchLinearConfig { d_input, d_output, order, .. } = *config;
    if order != 2 {
        return Err(ProjectionError::Order { order });
    }
    if dense.len() != d_input * d_output {
        return Err(ProjectionError::Entries { d_output, d_input, got: dense.len() });
    }
    let mut factors = MonarchFactors::zeros(config);
    let slices = factors.slices();
    slices
        .into_iter()
        .for_each(|slice| factors.set(slice, largest(factors.columns_of(slice, dense), config.rank)));
    Ok(factors)
}

impl MonarchLinear {
    /// The layer of `config` whose matrix is nearest to that of a dense layer; the bias is the dense layer's.
    ///
    /// # Errors
    /// If the config fails its check, has more than two factors, or its widths are not those of the layer.
    pub fn project(dense: &Linear, config: &MonarchLinearConfig) -> Result<Self, ProjectionError> {
        let (weight, &MonarchLinearConfig { d_input, d_output, .. }) = (dense.weight.val(), config);
        let (wanted, got) = ([d_input, d_output], weight.dims());
        if wanted != got {
            return Err(ProjectionError::Widths { wanted, got });
        }
        // burn keeps [d_input, d_output].
        let entries: Vec<f64> = read(weight.clone().transpose()).iter::<f64>().collect();
        let MonarchFactors { first, last, shape, .. } = project(config, &entries)?;
        let device = weight.device();
        let tensor = |(values, size): (Vec<f64>, [usize; 3])| {
            let values: Vec<f32> = values.into_iter().map(|v| v as f32).collect();
            Param::from_tensor(Tensor::from_data(TensorData::new(values, size), &device))
        };
        Ok(Self {
            factors: [first, last].into_iter().zip(shape.factors()).map(tensor).collect(),
            bias: dense.bias.as_ref().map(|bias| Param::from_tensor(bias.val())),
            d_input,
            d_output,
            shape,
            form: Form::for_device(&device),
        })
    }
}

/// How far apart two matrices are, as a share of the first one's size, in the Frobenius norm.
pub fn relative_distance<T: Scalar>(dense: &[T], approximation: &[T]) -> f64 {
    assert_eq!(dense.len(), approximation.len(), "two matrices of one size");
    let rest: Vec<T> = dense.iter().zip(approximation).map(|(x, y)| *x - *y).collect();
    let (size, rest) = (norm_sqr(dense), norm_sqr(&rest));
    if size == 0.0 { rest.sqrt() } else { (rest / size).sqrt() }
}

/// The `rank` largest parts of a matrix given by its columns.
fn largest<T: Scalar>(columns: Vec<Vec<T>>, rank: usize) -> Vec<Singular<T>> {
    let rows = columns.first().map_or(0, Vec::len);
    let mut all = match columns.len() > rows {
        false => svd(columns),
        // M^* has the same values, and left and right change places.
        true => svd(adjoint(&columns)).into_iter().map(swapped).collect(),
    };
    all.reverse();
    all.truncate(rank);
    all
}

fn adjoint<T: Scalar>(columns: &[Vec<T>]) -> Vec<Vec<T>> {
    (0..columns[0].len()).map(|i| columns.iter().map(|column| column[i].conj()).collect()).collect()
}

fn swapped<T>(Singular { value, left, right }: Singular<T>) -> Singular<T> {
    Singular { value, left: right, right: left }
}

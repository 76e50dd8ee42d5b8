//! The entries of a Monarch matrix by their formula: for two factors,
//!
//! ```text
//! M[(t, l), (i, q)] = sum_j W2[l, t, (i, j)] W1[i, (j, l), q]          j < rank
//! ```
//! and in general a product of one entry of each factor, summed over the rank. It costs as many multiplications as the
//! matrix has entries, times the rank; pushing the identity through the factors costs more by a factor of the square
//! root of its size.

use burn::tensor::Tensor;

use super::shape::MonarchShape;

/// `[n_output, n_input]`, for a middle that is a whole number of ranks.
pub(super) fn entries(factors: &[Tensor<3>], shape: &MonarchShape) -> Tensor<2> {
    let [blocks, out, a_p] = factors[0].dims();
    let first = factors[0].clone().reshape([blocks * out, a_p]);
    let read = shape.input.iter();
    let product = factors[1..].iter().zip(read).fold(first, |m, (factor, read)| extend(m, factor, *read));
    in_order(product, shape)
}

/// `m` maps the input axes read so far to what its factors have written; `factor` reads one more axis, and the rank if
/// it reads more numbers than that axis has.
fn extend(m: Tensor<2>, factor: &Tensor<3>, read: usize) -> Tensor<2> {
    let ([_, columns], [l, s, r]) = (m.dims(), factor.dims());
    let rank = r / read;
    let m = m.reshape([read, rank, l, columns]).permute([2, 0, 1, 3]); // [l, read, rank, columns]
    let factor = factor.clone().reshape([l, s, read, rank]).swap_dims(1, 2); // [l, read, s, rank]
    factor.matmul(m).permute([0, 2, 3, 1]).reshape([l * s, columns * read])
}

/// The first factor wrote the slowest row axis and read the slowest column axis; both are the fastest of the layer.
fn in_order(m: Tensor<2>, shape: &MonarchShape) -> Tensor<2> {
    let ([n_output, n_input], b_p, a_p) = (m.dims(), shape.first_written(), shape.first_read());
    let m = m.reshape([b_p, n_output / b_p, a_p, n_input / a_p]);
    let m = if shape.pre_permute { m.permute([1, 0, 2, 3]) } else { m.permute([1, 0, 3, 2]) };
    m.reshape([n_output, n_input])
}

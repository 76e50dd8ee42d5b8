//! One block-diagonal factor of a Monarch matrix, applied along the sequence.
//!
//! ```text
//! within   y[p o + i] = sum over j of w[p, i, j] x[p s + j]        block p: s neighbours to o neighbours
//! across   y[i n + p] = sum over j of w[p, i, j] x[j n + p]        block p of n: every n-th token
//! ```
//! One of each is an order-2 Monarch matrix: Dao et al. 2022, <https://arxiv.org/abs/2204.00595>, section 3. Each head has
//! blocks of its own for its features, which are neighbours.
//!
//! Tokens are rows throughout: a block multiplies the rows where they are, and no axis is moved.

mod fused;

use burn::tensor::Tensor;
use subquad_backend::Form;
use subquad_backend::kernel::apply;

/// Which tokens a block mixes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lines {
    /// Neighbours.
    Within,
    /// Those at the same place of every group of neighbours.
    Across,
}

/// Which entries `(i, j)` of a block are used; the others count as zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entries {
    /// All.
    All,
    /// Entries with `j <= i + this`.
    Lower(i64),
}

impl Entries {
    /// How many entries rows up to `row` have, of `columns`.
    fn until(self, row: usize, columns: usize) -> usize {
        match self {
            Self::All => columns,
            Self::Lower(diagonal) => (row as i64 + diagonal + 1).clamp(0, columns as i64) as usize,
        }
    }

    /// The first row, of `rows`, that has an entry in this column.
    fn from(self, column: usize, rows: usize) -> usize {
        match self {
            Self::All => 0,
            Self::Lower(diagonal) => (column as i64 - diagonal).clamp(0, rows as i64) as usize,
        }
    }

    fn clear_others(self, block: &mut [f32], columns: usize) {
        block.chunks_mut(columns).enumerate().for_each(|(i, row)| row[self.until(i, columns)..].fill(0.0));
    }
}

/// # Shapes
/// - `x`: `[batch, tokens, d_model]`
/// - `weight`: `[n_heads, n_blocks, outputs, inputs]`, where `n_blocks * inputs = tokens`
/// - output: `[batch, n_blocks * outputs, d_model]`
///
/// # Panics
/// If the sizes do not fit.
pub(crate) fn product(
    x: Tensor<3>,
    weight: Tensor<4>,
    lines: Lines,
    entries: Entries,
    form: Form,
) -> Tensor<3> {
    let ([_, tokens, d_model], [n_heads, n_blocks, _, inputs]) = (x.dims(), weight.dims());
    assert_eq!(tokens, n_blocks * inputs, "a factor of {n_blocks} blocks of {inputs} got {tokens} tokens");
    assert!(d_model.is_multiple_of(n_heads), "{n_heads} heads cannot share {d_model} features");
    match form {
        Form::Portable => portable(x, weight, lines, entries),
        Form::Fused => apply(fused::Product { lines, entries }, [x.into(), weight.into()]),
    }
}

/// One batch of matrix products, over views.
fn portable(x: Tensor<3>, weight: Tensor<4>, lines: Lines, entries: Entries) -> Tensor<3> {
    let ([batch, _, d_model], [heads, blocks, outputs, inputs]) = (x.dims(), weight.dims());
    let weight = match entries {
        Entries::All => weight,
        Entries::Lower(diagonal) => weight.tril(diagonal),
    };
    let d_head = d_model / heads;
    // To [batch, heads, blocks, tokens of a block, d_head] and back.
    let (split, order, back) = match lines {
        Lines::Within => ([batch, blocks, inputs, heads, d_head], [0, 3, 1, 2, 4], [0, 2, 3, 1, 4]),
        Lines::Across => ([batch, inputs, blocks, heads, d_head], [0, 3, 2, 1, 4], [0, 3, 2, 1, 4]),
    };
    let x = x.reshape(split).permute(order);
    let y = weight.unsqueeze_dim::<5>(0).matmul(x);
    y.permute(back).reshape([batch, blocks * outputs, d_model])
}

#[cfg(test)]
mod tests {
    use burn::tensor::Tensor;
    use subquad_testkit::{assert_rel_close, cpu, seeded_tensor, to_f64};

    use super::*;

    /// Sums of up to a hundred f32 numbers of size one, and twice as many for gradients.
    const TOL: f64 = 1e-5;

    /// Heads, blocks, outputs, inputs, features of a head: fewer and more than a group of rows, a vector and a strip.
    const SIZES: [[usize; 5]; 7] = [
        [1, 1, 1, 1, 1],
        [2, 3, 4, 5, 3],
        [1, 5, 9, 9, 16],
        [3, 2, 17, 8, 20],
        [1, 7, 33, 35, 70],
        [2, 3, 1, 40, 64],
        [1, 4, 40, 1, 5],
    ];

    fn by_loops(
        x: &[f64],
        w: &[f64],
        [heads, blocks, outputs, inputs, d_head]: [usize; 5],
        lines: Lines,
        entries: Entries,
    ) -> Vec<f64> {
        let d = heads * d_head;
        let place = |p: usize, i: usize, size: usize| match lines {
            Lines::Within => p * size + i,
            Lines::Across => i * blocks + p,
        };
        let mut y = vec![0.0; blocks * outputs * d];
        for p in 0..blocks {
            for i in 0..outputs {
                for j in 0..inputs {
                    let there = match entries {
                        Entries::All => true,
                        Entries::Lower(diagonal) => j as i64 <= i as i64 + diagonal,
                    };
                    for f in (0..d).filter(|_| there) {
                        let w = w[((f / d_head * blocks + p) * outputs + i) * inputs + j];
                        y[place(p, i, outputs) * d + f] += w * x[place(p, j, inputs) * d + f];
                    }
                }
            }
        }
        y
    }

    #[test]
    fn both_forms_equal_loops_and_have_the_same_gradients() {
        let device = cpu().autodiff();
        for sizes @ [heads, blocks, outputs, inputs, d_head] in SIZES {
            let d = heads * d_head;
            for lines in [Lines::Within, Lines::Across] {
                for entries in [Entries::All, Entries::Lower(0), Entries::Lower(-1), Entries::Lower(3)] {
                    let what = format!("{sizes:?}, {lines:?}, {entries:?}");
                    let x = seeded_tensor::<3>([2, blocks * inputs, d], 1, &device).require_grad();
                    let w = seeded_tensor::<4>([heads, blocks, outputs, inputs], 2, &device).require_grad();
                    let weights = seeded_tensor::<3>([2, blocks * outputs, d], 3, &device);
                    let expected: Vec<f64> = to_f64(x.clone())
                        .chunks(blocks * inputs * d)
                        .flat_map(|x| by_loops(x, &to_f64(w.clone()), sizes, lines, entries))
                        .collect();
                    let run = |form| {
                        let y = product(x.clone(), w.clone(), lines, entries, form);
                        assert_rel_close(y.clone(), expected.as_slice(), TOL, format!("{what}, {form:?}"));
                        let grads = (y * weights.clone()).sum().backward();
                        (x.grad(&grads).expect("tracked"), w.grad(&grads).expect("tracked"))
                    };
                    let (fused, portable) = (run(Form::Fused), run(Form::Portable));
                    assert_rel_close(fused.0, portable.0, TOL, format!("{what}, gradient of x"));
                    assert_rel_close(fused.1, portable.1, TOL, format!("{what}, gradient of w"));
                }
            }
        }
    }

    #[test]
    fn entries_that_are_not_there_change_no_bit() {
        let device = cpu();
        let w = seeded_tensor::<4>([1, 3, 12, 12], 1, &device);
        let x = seeded_tensor::<3>([1, 36, 5], 2, &device);
        for form in [Form::Fused, Form::Portable] {
            for lines in [Lines::Within, Lines::Across] {
                let run = |w: Tensor<4>| product(x.clone(), w, lines, Entries::Lower(0), form).into_data();
                run(w.clone()).assert_eq(&run(w.clone().tril(0)), true);
            }
        }
    }
}

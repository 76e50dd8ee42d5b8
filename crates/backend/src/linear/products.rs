//! The products of a linear layer over slices.
//!
//! | | as a rule | a weight that outweighs its tokens |
//! | --- | --- | --- |
//! | `y = x W + b` | threads take tokens, `W` in panels | large: threads take columns of `W` |
//! | `dx = dy W^T` | threads take tokens, `W^T` in panels | `dx^T = W dy^T`: threads take rows of `W`, `dy^T` in panels |
//! | `dW = x^T dy` | threads take parts of the tokens, and rows where there are more threads | wide: threads take rows; `x^T` copied, `dy` in panels |
//!
//! The sizes determine the order of every sum, and for `y` and `dx` the number of terms alone does: a token's results
//! have the same bits whatever the other tokens are.

use crate::simd::Lockstep;
use rayon::prelude::*;

use super::multiply::{Multiply, Out, Panels, Right, Start};
use super::sums::{PARTS, sum_of_parts};
use super::transpose::transpose;
use crate::kernel::{Part, Unwritten};
use crate::micro::{Scalars, TALLEST};

/// What the products of a layer share.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    pub(super) tokens: usize,
    pub(super) d_input: usize,
    pub(super) d_output: usize,
}

/// Most rows of a product whose right operand is shared that one thread makes at a time.
const ROWS: usize = 8 * TALLEST;
/// Fewest that are worth a task, if there are so many.
const FEW_ROWS: usize = 16;
/// Columns of `y` that one thread makes at a time.
const COLUMNS: usize = 256;
/// How many numbers make a weight too large for a core's own cache.
const LARGE: usize = 1 << 20;
/// Row distance, in numbers, at which blocks of columns evict each other from a core's cache.
const FAR: usize = 1 << 12;

impl Sizes {
    /// Whether the weight has more numbers than input and output: then it is worth copying those instead.
    fn weight_outweighs(&self) -> bool {
        self.d_input * self.d_output > self.tokens * (self.d_input + self.d_output)
    }

    fn large_weight(&self) -> bool {
        self.weight_outweighs() && self.d_input * self.d_output >= LARGE
    }

    fn wide_weight(&self) -> bool {
        self.weight_outweighs() && self.d_input.max(self.d_output) >= FAR
    }

    /// Parts of the sum over tokens: as many as produce no more numbers than input and output have.
    fn parts(&self) -> usize {
        let affordable = self.tokens * (self.d_input + self.d_output) / (self.d_input * self.d_output);
        affordable.clamp(1, PARTS)
    }
}

/// Rows of a task, of `count` that each of `parts` has, where every task copies the right operand: as many as leave each thread
/// two. No sum depends on it, so it may depend on the number of threads.
pub(crate) fn rows_at_once(count: usize, parts: usize) -> usize {
    let wanted = (2 * rayon::current_num_threads()).div_ceil(parts).min(count / FEW_ROWS).max(1);
    whole_blocks(count.div_ceil(wanted))
}

/// The same where the right operand is copied once for all.
fn shared_rows_at_once(count: usize) -> usize {
    rows_at_once(count, 1).min(ROWS)
}

/// A few rows more, so that blocks of sums are of one height.
fn whole_blocks(rows: usize) -> usize {
    let height = if rows >= 2 * TALLEST { TALLEST } else { ROWS_TOGETHER };
    rows.next_multiple_of(height).max(height)
}

/// Rows of the lower blocks of sums.
const ROWS_TOGETHER: usize = 4;

/// `start + a b` for `a [rows, terms]`, threads taking rows. There must be terms.
pub(crate) fn by_rows(a: &[f32], b: &Panels, sizes: [usize; 3], start: Start<'_>) -> Vec<f32> {
    let [rows, _, cols] = sizes;
    let mut out = Unwritten::new(rows * cols);
    out.parts((rows * cols).max(1)).into_iter().for_each(|part| by_rows_into(part, a, b, sizes, start));
    out.into_vec()
}

/// The same, into `out`.
pub(crate) fn by_rows_into(
    out: Part<'_>,
    a: &[f32],
    b: &Panels,
    [rows, terms, cols]: [usize; 3],
    start: Start<'_>,
) {
    let at_once = shared_rows_at_once(rows);
    let chunks = out.parts(at_once * cols).into_par_iter().zip(a.par_chunks(at_once * terms));
    chunks.for_each(|(out, a)| {
        let a = Scalars::rows(a, terms);
        Multiply { out: Out::part(out, cols), a, b: b.all(), terms, cols, start }.run();
    });
}

/// `x W`, plus `bias` if there is one.
pub(super) fn output(x: &[f32], weight: &[f32], bias: Option<&[f32]>, sizes: Sizes) -> Vec<f32> {
    let Sizes { tokens, d_input, d_output } = sizes;
    if sizes.large_weight() {
        return output_by_columns(x, weight, bias, sizes);
    }
    let panels = Panels::of_rows(weight, [d_input, d_output]);
    by_rows(x, &panels, [tokens, d_input, d_output], bias.into())
}

fn output_by_columns(x: &[f32], weight: &[f32], bias: Option<&[f32]>, sizes: Sizes) -> Vec<f32> {
    let Sizes { tokens, d_input, d_output } = sizes;
    let mut y = vec![0.0; tokens * d_output];
    let block = |first: usize| {
        let cols = COLUMNS.min(d_output - first);
        let mut out = vec![0.0; tokens * cols];
        let (a, b) = (Scalars::rows(x, d_input), Right::Rows { data: &weight[first..], stride: d_output });
        let start = bias.map(|bias| &bias[first..first + cols]).into();
        Multiply { out: Out::whole(&mut out, cols), a, b, terms: d_input, cols, start }.run();
        out
    };
    let starts: Vec<usize> = (0..d_output).step_by(COLUMNS).collect();
    let blocks: Vec<Vec<f32>> = starts.into_par_iter().map(block).collect();
    y.par_chunks_mut(d_output).enumerate().for_each(|(token, y)| {
        for (y, block) in y.chunks_mut(COLUMNS).lockstep(&blocks) {
            y.copy_from_slice(&block[token * y.len()..][..y.len()]);
        }
    });
    y
}

/// `dy W^T`
pub(super) fn input_grad(dy: &[f32], weight: &[f32], sizes: Sizes) -> Vec<f32> {
    let Sizes { tokens, d_input, d_output } = sizes;
    if tokens == 0 {
        return vec![];
    }
    if sizes.weight_outweighs() {
        return transposed_input_grad(dy, weight, sizes);
    }
    let panels = Panels::of_columns(weight, [d_output, d_input]);
    by_rows(dy, &panels, [tokens, d_output, d_input], Start::Zeros)
}

/// `dx^T = W dy^T`, then transposed.
fn transposed_input_grad(dy: &[f32], weight: &[f32], sizes: Sizes) -> Vec<f32> {
    let Sizes { tokens, d_input, d_output } = sizes;
    let panels = Panels::of_columns(dy, [d_output, tokens]);
    let columns = by_rows(weight, &panels, [d_input, d_output, tokens], Start::Zeros);
    transpose_all(&columns, [d_input, tokens])
}

/// `from^T` for `from [rows, cols]`.
fn transpose_all(from: &[f32], [rows, cols]: [usize; 2]) -> Vec<f32> {
    let mut to = vec![0.0; rows * cols];
    to.par_chunks_mut(FEW_ROWS * rows).enumerate().for_each(|(index, to)| {
        let count = to.len() / rows;
        transpose(&from[index * FEW_ROWS..], cols, [rows, count], to, rows);
    });
    to
}

/// `x^T dy`
pub(super) fn weight_grad(x: &[f32], dy: &[f32], sizes: Sizes) -> Vec<f32> {
    let Sizes { tokens, d_input, d_output } = sizes;
    if tokens == 0 {
        return vec![0.0; d_input * d_output];
    }
    if sizes.wide_weight() {
        return wide_weight_grad(x, dy, sizes);
    }
    let part = tokens.div_ceil(sizes.parts());
    let rows = rows_at_once(d_input, sizes.parts());
    let weight = d_input * d_output;
    let mut parts = Unwritten::new(tokens.div_ceil(part) * weight);
    let chunks = parts.parts(weight).into_par_iter().zip(x.par_chunks(part * d_input));
    chunks.zip(dy.par_chunks(part * d_output)).for_each(|((weight, x), dy)| {
        weight.parts(rows * d_output).into_par_iter().enumerate().for_each(|(index, out)| {
            let a = Scalars::columns(&x[index * rows..], d_input);
            let (b, terms) = (Right::Rows { data: dy, stride: d_output }, dy.len() / d_output);
            Multiply { out: Out::part(out, d_output), a, b, terms, cols: d_output, start: Start::Zeros }
                .run();
        });
    });
    sum_of_parts(parts.into_vec(), weight)
}

/// With operands that are copied first.
fn wide_weight_grad(x: &[f32], dy: &[f32], sizes: Sizes) -> Vec<f32> {
    let Sizes { tokens, d_input, d_output } = sizes;
    let columns = transpose_all(x, [tokens, d_input]);
    let panels = Panels::of_rows(dy, [tokens, d_output]);
    by_rows(&columns, &panels, [d_input, tokens, d_output], Start::Zeros)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linear::sums::sum_of_rows;

    /// Widths that are no whole vectors, one, several, more than a panel and more terms than one block; tokens from none to
    /// more than a part; a large weight and wide ones.
    const SIZES: [[usize; 3]; 19] = [
        [0, 3, 5],
        [1, 1, 1],
        [1, 3, 5],
        [2, 5, 3],
        [3, 17, 63],
        [5, 130, 1],
        [7, 1, 130],
        [1, 512, 17],
        [33, 63, 130],
        [64, 384, 64],
        [100, 64, 176],
        [257, 16, 16],
        [301, 5, 17],
        [1000, 3, 1],
        [9, 513, 300],
        [2, 300, 1500],
        [35, 1100, 1000],
        [3, 4100, 9],
        [5, 70, 4099],
    ];
    /// Roundings of f32, 6e-8 of what has been summed so far each: up to 256 in a block, of either sign. Of the sum of the
    /// terms' magnitudes.
    const REL_TOL: f64 = 1e-6;

    struct Case {
        sizes: Sizes,
        x: Vec<f32>,
        weight: Vec<f32>,
        bias: Vec<f32>,
        dy: Vec<f32>,
    }

    impl Case {
        fn new([tokens, d_input, d_output]: [usize; 3]) -> Self {
            let values = |count: usize, seed: usize| -> Vec<f32> {
                (0..count).map(|i| ((i * 7919 + seed * 31) % 1009) as f32 / 1009.0 - 0.5).collect()
            };
            Self {
                sizes: Sizes { tokens, d_input, d_output },
                x: values(tokens * d_input, 1),
                weight: values(d_input * d_output, 2),
                bias: values(d_output, 3),
                dy: values(tokens * d_output, 4),
            }
        }
    }

    /// `a b` for `a [rows, terms]` and `b [terms, cols]`, each given by its entries: sums, and sums of magnitudes.
    fn by_loops(
        [rows, terms, cols]: [usize; 3],
        a: impl Fn(usize, usize) -> f32,
        b: impl Fn(usize, usize) -> f32,
    ) -> Vec<[f64; 2]> {
        let term = |i, j, t| f64::from(a(i, t)) * f64::from(b(t, j));
        let sum = |i, j, f: fn(f64) -> f64| (0..terms).map(|t| f(term(i, j, t))).sum();
        let entries = (0..rows).flat_map(|i| (0..cols).map(move |j| (i, j)));
        entries.map(|(i, j)| [sum(i, j, |term| term), sum(i, j, f64::abs)]).collect()
    }

    fn assert_close(got: &[f32], expected: &[[f64; 2]], what: &str) {
        assert_eq!(got.len(), expected.len(), "{what}");
        for (got, [sum, magnitude]) in got.iter().zip(expected) {
            let error = (f64::from(*got) - sum).abs();
            assert!(error <= REL_TOL * magnitude, "{what}: {got} for {sum}");
        }
    }

    #[test]
    fn all_products_equal_loops_in_f64_at_any_sizes() {
        for all @ [tokens, d_input, d_output] in SIZES {
            let Case { sizes, x, weight, bias, dy } = Case::new(all);
            let what = |name: &str| format!("{name} of {tokens} tokens, {d_input} to {d_output}");
            let x_at = |t: usize, i: usize| x[t * d_input + i];
            let w_at = |i: usize, o: usize| weight[i * d_output + o];
            let dy_at = |t: usize, o: usize| dy[t * d_output + o];

            let mut y = by_loops([tokens, d_input, d_output], x_at, w_at);
            assert_close(&output(&x, &weight, None, sizes), &y, &what("y without bias"));
            for (at, [y, magnitude]) in y.iter_mut().enumerate() {
                let bias = f64::from(bias[at % d_output]);
                (*y, *magnitude) = (*y + bias, *magnitude + bias.abs());
            }
            assert_close(&output(&x, &weight, Some(&bias), sizes), &y, &what("y"));

            let dx = by_loops([tokens, d_output, d_input], dy_at, |o, i| w_at(i, o));
            assert_close(&input_grad(&dy, &weight, sizes), &dx, &what("dx"));
            let dw = by_loops([d_input, tokens, d_output], |i, t| x_at(t, i), dy_at);
            assert_close(&weight_grad(&x, &dy, sizes), &dw, &what("dW"));
            let db = by_loops([1, tokens, d_output], |_, _| 1.0, dy_at);
            assert_close(&sum_of_rows(&dy, d_output), &db, &what("db"));
        }
    }

    #[test]
    fn a_token_is_the_same_bits_alone_and_in_company_on_any_number_of_threads() {
        for all @ [_, d_input, d_output] in [[700, 20, 33], [300, 300, 70], [3, 1100, 1000], [9, 30, 4100]] {
            let Case { sizes, x, weight, bias, dy } = Case::new(all);
            let y = output(&x, &weight, Some(&bias), sizes);
            let dx = input_grad(&dy, &weight, sizes);
            let alone = Sizes { tokens: 1, ..sizes };
            for token in [0, 1, sizes.tokens - 1] {
                let (inputs, outputs) = (token * d_input.., token * d_output..);
                let (x, dy) = (&x[inputs.clone()][..d_input], &dy[outputs.clone()][..d_output]);
                assert_eq!(output(x, &weight, Some(&bias), alone), y[outputs][..d_output], "{all:?}");
                assert_eq!(input_grad(dy, &weight, alone), dx[inputs][..d_input], "{all:?}");
            }
            let dw = weight_grad(&x, &dy, sizes);
            for threads in [1, 5] {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
                pool.install(|| {
                    assert_eq!(output(&x, &weight, Some(&bias), sizes), y, "{all:?}");
                    assert_eq!(input_grad(&dy, &weight, sizes), dx, "{all:?}");
                    assert_eq!(weight_grad(&x, &dy, sizes), dw, "{all:?}");
                });
            }
        }
    }
}

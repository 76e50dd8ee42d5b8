//! How a Monarch matrix cuts its input and output, and what follows for its factors.

/// Input and output as row-major arrays of as many axes as there are factors, and the width between the factors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MonarchShape {
    /// `a_1 .. a_p`
    pub(crate) input: Vec<usize>,
    /// `b_1 .. b_p`
    pub(crate) output: Vec<usize>,
    /// Rows of a block of the first factor: `rank * b_p`. Published layers of two factors may have any number here that
    /// divides evenly among the blocks.
    pub(crate) middle: usize,
    /// Whether the first factor reads the input's slowest axis, not its fastest.
    pub(crate) pre_permute: bool,
}

impl MonarchShape {
    pub(crate) fn new(input: Vec<usize>, output: Vec<usize>, rank: usize, pre_permute: bool) -> Self {
        let middle = rank * output[output.len() - 1];
        Self { input, output, middle, pre_permute }
    }

    /// The shape of published factors of these sizes.
    ///
    /// # Panics
    /// If they do not fit each other.
    pub(crate) fn of_two([k, q, p]: [usize; 3], [c, s, r]: [usize; 3]) -> Self {
        assert_eq!(k * q, c * r, "the first factor writes {} numbers, the second one reads {}", k * q, c * r);
        Self { input: vec![k, p], output: vec![s, c], middle: q, pre_permute: false }
    }

    /// Number of factors.
    pub(crate) fn order(&self) -> usize {
        self.input.len()
    }

    /// The width of the padded input.
    pub(crate) fn n_input(&self) -> usize {
        self.input.iter().product()
    }

    /// The width of the output before it is cut.
    pub(crate) fn n_output(&self) -> usize {
        self.output.iter().product()
    }

    /// The axis of the input that the first factor reads: `a_p`.
    pub(crate) fn first_read(&self) -> usize {
        self.input[self.order() - 1]
    }

    /// The axis of the output that the first factor writes: `b_p`.
    pub(crate) fn first_written(&self) -> usize {
        self.output[self.order() - 1]
    }

    /// Number of matrices with slices of rank one that this matrix is a sum of; `None` if the middle is not a whole
    /// number of them.
    pub(crate) fn rank(&self) -> Option<usize> {
        let (rank, rest) = (self.middle / self.first_written(), self.middle % self.first_written());
        (rest == 0).then_some(rank)
    }

    /// `[blocks, rows, columns]` of each factor.
    ///
    /// The first factor replaces `a_p` by `b_p`, the next ones `a_1` by `b_1`, `a_2` by `b_2` and so on; the last one sums
    /// over the rank as well.
    pub(crate) fn factors(&self) -> Vec<[usize; 3]> {
        let (last, a_p) = (self.order() - 2, self.first_read());
        let mut shapes = vec![[self.n_input() / a_p, self.middle, a_p]];
        for (t, (read, written)) in self.input.iter().zip(&self.output).enumerate().take(last + 1) {
            let [blocks, rows, _] = shapes[t];
            let columns = if t == last { read * self.middle / self.first_written() } else { *read };
            shapes.push([blocks * rows / columns, *written, columns]);
        }
        shapes
    }

    /// Number of entries of all factors.
    pub(crate) fn n_weights(&self) -> usize {
        self.factors().into_iter().map(|shape| shape.into_iter().product::<usize>()).sum()
    }
}

/// The `order` numbers, ascending, whose product is at least `width` and that cost the fewest multiplications as the axes
/// of a square matrix: product times sum. They are near the root of the width, and without padding if that costs at
/// most a tenth more.
pub(crate) fn near_root(width: usize, order: usize) -> Vec<usize> {
    let cost = |cut: &Vec<usize>| {
        let product = cut.iter().product::<usize>();
        let tenths = if product == width { 9 } else { 10 };
        (product * cut.iter().sum::<usize>() * tenths, product)
    };
    cuts(width, order, 1).into_iter().min_by_key(cost).unwrap_or_else(|| vec![width; order])
}

/// All ways to cover `width` by `order` ascending numbers of at least `least`, none of which could be smaller.
fn cuts(width: usize, order: usize, least: usize) -> Vec<Vec<usize>> {
    if order == 1 {
        return vec![vec![width.max(least)]];
    }
    // The smallest of them is at most the root, rounded up.
    let fits = |first: &usize| *first == least || (first - 1).pow(order as u32) < width;
    let with = |first: usize| {
        cuts(width.div_ceil(first), order - 1, first)
            .into_iter()
            .map(move |rest| [vec![first], rest].concat())
    };
    (least..).take_while(fits).flat_map(with).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_cut_near_their_root_and_padded_only_where_that_is_cheaper() {
        let cut = |width, order| near_root(width, order);
        assert_eq!([1, 2, 64, 784, 1024].map(|n| cut(n, 2)), [[1, 1], [1, 2], [8, 8], [28, 28], [32, 32]]);
        assert_eq!([96, 200, 768].map(|n| cut(n, 2)), [[8, 12], [10, 20], [24, 32]]);
        assert_eq!(cut(127, 2), [10, 13]);
        assert_eq!(cut(64, 3), [4, 4, 4]);
        assert_eq!(cut(1000, 3), [10, 10, 10]);
        assert_eq!(cut(4096, 4), [8, 8, 8, 8]);
    }

    #[test]
    fn factors_have_the_sizes_of_the_definition() {
        let two = MonarchShape::new(vec![3, 4], vec![6, 5], 2, false);
        assert_eq!(two.factors(), [[3, 2 * 5, 4], [5, 6, 3 * 2]]);
        let three = MonarchShape::new(vec![2, 3, 4], vec![5, 6, 7], 2, false);
        assert_eq!(three.factors(), [[2 * 3, 2 * 7, 4], [3 * 2 * 7, 5, 2], [7 * 5, 6, 3 * 2]]);
        assert_eq!((three.n_input(), three.n_output(), three.rank()), (24, 210, Some(2)));
    }

    #[test]
    fn a_published_middle_need_not_be_a_whole_rank() {
        let shape = MonarchShape { middle: 3, ..MonarchShape::new(vec![4, 3], vec![3, 4], 1, false) };
        assert_eq!((shape.factors(), shape.rank()), (vec![[4, 3, 3], [4, 3, 3]], None));
    }
}

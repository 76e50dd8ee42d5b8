//! A sequence in blocks of tokens.

/// `n_blocks` blocks of `block` tokens: the two sizes of a Monarch matrix along the sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Split {
    pub(crate) block: usize,
    pub(crate) n_blocks: usize,
}

impl Split {
    /// Blocks for `l_max` tokens, or slightly more if the blocks do not divide it.
    pub(crate) fn new(l_max: usize, block: Option<usize>) -> Self {
        let block = block.unwrap_or_else(|| near_square_root(l_max));
        Self { block, n_blocks: l_max.div_ceil(block) }
    }

    /// Number of tokens of all blocks.
    pub(crate) fn tokens(self) -> usize {
        self.block * self.n_blocks
    }

    /// Number of blocks that hold `seq` tokens.
    pub(crate) fn used(self, seq: usize) -> usize {
        seq.div_ceil(self.block)
    }
}

/// The smallest divisor not below the square root, unless it is more than twice the root: then the root, rounded up.
fn near_square_root(l_max: usize) -> usize {
    let root = l_max.isqrt() + usize::from(l_max.isqrt().pow(2) < l_max);
    (root..=2 * root).find(|block| l_max.is_multiple_of(*block)).unwrap_or(root)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_about_as_long_as_they_are_many() {
        let sizes = |l_max| {
            let Split { block, n_blocks } = Split::new(l_max, None);
            [block, n_blocks]
        };
        assert_eq!(sizes(1), [1, 1]);
        assert_eq!(sizes(2), [2, 1]);
        assert_eq!(sizes(64), [8, 8]);
        assert_eq!(sizes(784), [28, 28]);
        assert_eq!(sizes(2048), [64, 32]);
        assert_eq!(sizes(1009), [32, 32]);
    }

    #[test]
    fn a_rest_is_a_block_of_its_own() {
        let split = Split::new(10, Some(4));
        assert_eq!((split.n_blocks, split.tokens()), (3, 12));
        assert_eq!([1, 4, 5, 10].map(|seq| split.used(seq)), [1, 1, 2, 3]);
    }
}

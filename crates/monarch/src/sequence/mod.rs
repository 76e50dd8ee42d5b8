//! The parts of the Monarch matrices along the sequence.

mod gates;
mod init;
mod inverse;
mod product;
mod split;

use subquad_mixer::Refusal;

pub(crate) use gates::Gates;
pub use init::SequenceInit;
pub(crate) use init::{factor, near_identity};
pub(crate) use inverse::inverse;
pub(crate) use product::{Entries, Lines, product};
pub(crate) use split::Split;

/// The most numbers of one factor: 8 GiB.
const MOST_NUMBERS: u64 = 1 << 31;
/// The longest matrix whose factors have no more numbers than that: 1290 blocks of 1290 tokens.
pub(crate) const LONGEST_MATRIX: usize = 1290 * 1290;
/// The longest block of such a matrix, which is then its only one.
pub(crate) const LONGEST_BLOCK: usize = 46340;

/// What does not go together when every number is in its range: heads that do not divide the width, a block longer than
/// the sequence, or a factor of more than 8 GiB.
pub(crate) fn contradictions(
    d_model: usize,
    l_max: usize,
    block: Option<usize>,
    n_heads: usize,
) -> Vec<Refusal> {
    let uneven_heads = Refusal::when(!d_model.is_multiple_of(n_heads), &["n_heads", "d_model"], || {
        format!(
            "{n_heads} heads cannot share d_model = {d_model} equally; choose n_heads among the divisors of {d_model}"
        )
    });
    let size = long_block(l_max, block).or_else(|| too_large(l_max, block, n_heads));
    uneven_heads.into_iter().chain(size).collect()
}

fn long_block(l_max: usize, block: Option<usize>) -> Option<Refusal> {
    let block = block?;
    Refusal::when(block > l_max, &["block", "l_max"], || {
        format!("block = {block} exceeds l_max = {l_max}; choose a block near the square root of l_max, or 0")
    })
}

fn too_large(l_max: usize, block: Option<usize>, n_heads: usize) -> Option<Refusal> {
    let Split { block, n_blocks } = Split::new(l_max, block);
    let numbers =
        [block, n_blocks, block.max(n_blocks), n_heads].map(|size| size as u64).iter().product::<u64>();
    Refusal::when(numbers > MOST_NUMBERS, &["block", "l_max", "n_heads"], || {
        format!(
            "with block = {block} and n_heads = {n_heads}, a factor for l_max = {l_max} has more than 2^31 numbers; use \
             block = 0, which is near the square root of l_max, fewer heads or a shorter l_max"
        )
    })
}

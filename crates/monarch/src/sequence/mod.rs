//! What the Monarch matrices along the sequence are made of.

mod gates;
mod init;
mod inverse;
mod product;
mod split;

pub(crate) use gates::Gates;
pub use init::SequenceInit;
pub(crate) use init::{factor, near_identity, zeros};
pub(crate) use inverse::inverse;
pub(crate) use product::{Entries, Lines, product};
pub(crate) use split::{Split, pad};

/// Why the config of a Monarch matrix along the sequence is refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum MonarchSequenceConfigError {
    /// A size is 0.
    #[error("{what} = 0, but a Monarch matrix along the sequence needs at least 1")]
    ZeroSize {
        /// The size.
        what: &'static str,
    },
    /// Heads of different widths.
    #[error("{n_heads} heads cannot share d_model = {d_model} equally; choose a divisor of {d_model}")]
    UnevenHeads {
        /// The heads asked for.
        n_heads: usize,
        /// Width of the layer.
        d_model: usize,
    },
    /// A block that no sequence fills.
    #[error("block = {block} exceeds l_max = {l_max}; choose a block near the square root of l_max, or none")]
    LongBlock {
        /// The block asked for, in tokens.
        block: usize,
        /// The longest sequence, in tokens.
        l_max: usize,
    },
    /// A factor that no memory holds.
    #[error(
        "with block = {block}, a factor for l_max = {l_max} has more than 2^31 numbers; leave block out, which takes one near the \
         square root of l_max, or shorten l_max"
    )]
    TooLarge {
        /// The block, in tokens.
        block: usize,
        /// The longest sequence, in tokens.
        l_max: usize,
    },
    /// A size or the frequency does not fit the filter.
    #[error(transparent)]
    Filter(#[from] crate::ImplicitFilterConfigError),
    /// A learning rate or weight decay is negative or not a number.
    #[error("{what} = {value:?}, but it must be a finite number of at least 0")]
    Rate {
        /// Which.
        what: &'static str,
        /// Its value.
        value: f64,
    },
}

/// Numbers of one factor: 8 GiB.
const MOST_NUMBERS: usize = 1 << 31;

/// # Errors
/// If a size is 0, heads cannot be equally wide, a block is longer than the sequence, or a factor would hold more numbers than
/// 8 GiB.
pub(crate) fn check_sizes(
    d_model: usize,
    l_max: usize,
    block: Option<usize>,
    n_heads: usize,
) -> Result<(), MonarchSequenceConfigError> {
    let sizes = [("d_model", d_model), ("l_max", l_max), ("block", block.unwrap_or(1)), ("n_heads", n_heads)];
    if let Some((what, _)) = sizes.into_iter().find(|(_, size)| *size == 0) {
        return Err(MonarchSequenceConfigError::ZeroSize { what });
    }
    if !d_model.is_multiple_of(n_heads) {
        return Err(MonarchSequenceConfigError::UnevenHeads { n_heads, d_model });
    }
    if let Some(block) = block.filter(|block| *block > l_max) {
        return Err(MonarchSequenceConfigError::LongBlock { block, l_max });
    }
    let Split { block, n_blocks } = Split::new(l_max, block);
    let numbers = block.max(n_blocks).checked_mul(block).and_then(|n| n.checked_mul(n_blocks));
    match numbers.and_then(|n| n.checked_mul(n_heads)).filter(|n| *n <= MOST_NUMBERS) {
        Some(_) => Ok(()),
        None => Err(MonarchSequenceConfigError::TooLarge { block, l_max }),
    }
}

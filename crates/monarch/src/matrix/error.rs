//! Why a config of a Monarch layer is refused.

/// Why a [`MonarchLinearConfig`](super::MonarchLinearConfig) is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MonarchLinearConfigError {
    /// A size is 0.
    #[error("{what} = 0, but a Monarch layer needs at least 1")]
    ZeroSize {
        /// The size, or the shape that holds it.
        what: &'static str,
    },
    /// One factor is no Monarch matrix, and no width can be cut into so many.
    #[error("order = {order}, but a Monarch matrix has 2 to 32 factors")]
    Order {
        /// The factors asked for.
        order: usize,
    },
    /// One number cuts a width into two axes, not into more.
    #[error(
        "n_blocks cuts a layer of two factors; with order = {order} give input_shape and output_shape instead"
    )]
    BlocksOfMore {
        /// The factors asked for.
        order: usize,
    },
    /// Two options say the same thing.
    #[error("n_blocks and {what} both cut the layer; leave one of them out")]
    CutTwice {
        /// The shape.
        what: &'static str,
    },
    /// Some blocks would hold nothing but padding.
    #[error("{n_blocks} blocks cannot share {what} = {width}; choose at most {width} blocks")]
    TooManyBlocks {
        /// The width.
        what: &'static str,
        /// Its value.
        width: usize,
        /// The blocks asked for.
        n_blocks: usize,
    },
    /// A shape has not one axis a factor.
    #[error("{what} = {shape:?} has {} axes, but order = {order} needs {order}", shape.len())]
    Axes {
        /// The shape.
        what: &'static str,
        /// Its value.
        shape: Vec<usize>,
        /// The factors asked for.
        order: usize,
    },
    /// A shape that no memory holds.
    #[error("{what} = {shape:?} holds more numbers than can be counted; choose smaller axes")]
    TooLarge {
        /// The shape.
        what: &'static str,
        /// Its value.
        shape: Vec<usize>,
    },
    /// A shape cannot hold its width.
    #[error(
        "{what} = {shape:?} holds {} numbers, fewer than {width_name} = {width}; choose larger axes",
        shape.iter().product::<usize>()
    )]
    TooSmall {
        /// The shape.
        what: &'static str,
        /// Its value.
        shape: Vec<usize>,
        /// Which width.
        width_name: &'static str,
        /// Its value.
        width: usize,
    },
    /// Ranks beyond a slice's own add parameters alone.
    #[error("rank = {rank}, but slices of {rows} x {columns} have at most rank {}", rows.min(columns))]
    Rank {
        /// The rank asked for.
        rank: usize,
        /// Rows of a slice.
        rows: usize,
        /// Columns of a slice.
        columns: usize,
    },
    /// The factors cannot all be identities.
    #[error(
        "the identity needs input and output cut alike and no pre_permute, but they are {input:?} and {output:?}; \
         give equal input_shape and output_shape"
    )]
    Identity {
        /// The input's shape.
        input: Vec<usize>,
        /// The output's shape.
        output: Vec<usize>,
    },
}

//! Several sequences in one row, and padding.

use std::collections::HashMap;
use std::sync::Arc;

/// Which tokens belong together: every token of a batch has the number of its segment, 0 for padding.
///
/// With segments a token sees only tokens of its own segment. Padding sees nothing, and nothing sees it: its attention
/// and its gradient are zero, whatever finite numbers it holds. So a row can be one padded sequence, or many sequences one
/// after another ("packed": Krell et al. 2021, <https://arxiv.org/abs/2107.02027>).
///
/// ```
/// use subquad_attention::Segments;
///
/// let segments = Segments::packed(&[vec![2, 3], vec![4]], 6);
/// assert_eq!(segments.row(0), [1, 1, 2, 2, 2, 0]);
/// assert_eq!(segments.row(1), [1, 1, 1, 1, 0, 0]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segments {
    batch: usize,
    seq: usize,
    /// `[batch, seq]`
    ids: Arc<[u32]>,
}

impl Segments {
    /// From the segment of each token, `ids [batch, seq]` row by row; 0 is padding. Only which tokens of a row share an id
    /// matters: other ids are renumbered from 1 in the order in which they appear.
    ///
    /// # Panics
    /// If there are not `batch * seq` ids.
    pub fn new(batch: usize, seq: usize, ids: Vec<u32>) -> Self {
        assert_eq!(ids.len(), batch * seq, "segments of {batch} rows of {seq} tokens, but {} ids", ids.len());
        Self { batch, seq, ids: ids.chunks(seq.max(1)).flat_map(renumber).collect() }
    }

    /// One sequence per row, at its start; the rest is padding.
    ///
    /// # Panics
    /// If a length is greater than `seq`.
    pub fn padded(lengths: &[usize], seq: usize) -> Self {
        Self::packed(&lengths.iter().map(|&length| vec![length]).collect::<Vec<_>>(), seq)
    }

    /// Sequences one after another, given by their lengths for each row. What follows the last is padding.
    ///
    /// # Panics
    /// If a row's lengths add up to more than `seq`.
    pub fn packed(rows: &[Vec<usize>], seq: usize) -> Self {
        Self::new(rows.len(), seq, rows.iter().flat_map(|lengths| row_ids(lengths, seq)).collect())
    }

    /// Rows and tokens in each.
    pub fn dims(&self) -> [usize; 2] {
        [self.batch, self.seq]
    }

    /// The segment of every token of a row, 0 for padding.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn row(&self, row: usize) -> &[u32] {
        &self.ids[row * self.seq..(row + 1) * self.seq]
    }

    /// Whether token `i` of a row sees token `j`.
    pub fn sees(&self, row: usize, i: usize, j: usize) -> bool {
        let ids = self.row(row);
        ids[i] == ids[j] && ids[i] != 0
    }
}

/// Small numbers are exact in every form, and since they rise, a kernel sees from a few of them that two tiles share no segment.
fn renumber(ids: &[u32]) -> Vec<u32> {
    let mut numbers = HashMap::from([(0, 0)]);
    let mut number = |&id| {
        let next = numbers.len() as u32;
        *numbers.entry(id).or_insert(next)
    };
    ids.iter().map(&mut number).collect()
}

fn row_ids(lengths: &[usize], seq: usize) -> Vec<u32> {
    let total: usize = lengths.iter().sum();
    assert!(total <= seq, "sequences of {total} tokens do not fit a row of {seq}");
    let numbered = (1u32..).zip(lengths).flat_map(|(id, &length)| std::iter::repeat_n(id, length));
    numbered.chain(std::iter::repeat_n(0, seq - total)).collect()
}

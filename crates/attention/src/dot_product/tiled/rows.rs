//! Rows of heads in arrays of any layout.
#![allow(unsafe_code)]

use std::marker::PhantomData;

/// Where the row of a token of a head starts. No two rows of a layout share a number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layout {
    first: usize,
    sequence: usize,
    head: usize,
    token: usize,
}

impl Layout {
    /// The layout of `[batch, heads, seq, d_head]`.
    pub(crate) fn by_head(heads: usize, seq: usize, d_head: usize) -> Self {
        Self { first: 0, sequence: heads * seq * d_head, head: seq * d_head, token: d_head }
    }

    /// The layout of `heads` adjacent heads from feature `first` on in `[batch, seq, width]`.
    ///
    /// # Panics
    /// If they do not fit into `width`: the last heads of a token would share numbers with the next token.
    pub(crate) fn by_token(first: usize, heads: usize, seq: usize, width: usize, d_head: usize) -> Self {
        assert!(
            first + heads * d_head <= width,
            "{heads} heads of {d_head} features from feature {first} on do not fit into rows of {width}"
        );
        Self { first, sequence: seq * width, head: d_head, token: width }
    }

    #[inline(always)]
    fn at(&self, sequence: usize, head: usize, token: usize) -> usize {
        self.first + sequence * self.sequence + head * self.head + token * self.token
    }
}

/// Rows to read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rows<'a> {
    pub(crate) data: &'a [f32],
    pub(crate) layout: Layout,
    pub(crate) d_head: usize,
}

impl<'a> Rows<'a> {
    #[inline(always)]
    pub(super) fn row(&self, sequence: usize, head: usize, token: usize) -> &'a [f32] {
        &self.data[self.layout.at(sequence, head, token)..][..self.d_head]
    }
}

/// Rows that several threads may write at the same time, each thread its own.
#[derive(Debug, Clone, Copy)]
pub(super) struct SharedRows<'a> {
    data: *mut f32,
    len: usize,
    layout: Layout,
    d_head: usize,
    lifetime: PhantomData<&'a mut [f32]>,
}

// SAFETY: it stands for a `&mut [f32]`, which may go to another thread; callers of `row` promise that no two threads
// write one row.
unsafe impl Send for SharedRows<'_> {}
// SAFETY: as above.
unsafe impl Sync for SharedRows<'_> {}

impl<'a> SharedRows<'a> {
    pub(super) fn new(data: &'a mut [f32], layout: Layout, d_head: usize) -> Self {
        Self { len: data.len(), data: data.as_mut_ptr(), layout, d_head, lifetime: PhantomData }
    }

    /// Other rows of the same array.
    pub(super) fn with_layout(self, layout: Layout) -> Self {
        Self { layout, ..self }
    }

    /// # Safety
    /// Nobody else may hold the same row, of this or of another layout of the same array, while the result lives.
    #[inline(always)]
    pub(super) unsafe fn row(&self, sequence: usize, head: usize, token: usize) -> &'a mut [f32] {
        let at = self.layout.at(sequence, head, token);
        assert!(at + self.d_head <= self.len, "a row lies in its array");
        // SAFETY: in bounds by the assertion; exclusive by the caller's promise and, toward the rest of the program, because
        // `new` borrowed the array mutably for 'a.
        unsafe { std::slice::from_raw_parts_mut(self.data.add(at), self.d_head) }
    }
}

/// Where the gradients by queries, keys and values are written: an array and a layout for each. They may share an array.
pub(crate) struct GradRows<'a>(pub(super) [SharedRows<'a>; 3]);

impl<'a> GradRows<'a> {
    /// All three in one array.
    ///
    /// # Safety
    /// No row of one layout may share a number with a row of another.
    pub(crate) unsafe fn in_one(data: &'a mut [f32], layouts: [Layout; 3], d_head: usize) -> Self {
        let shared = SharedRows::new(data, layouts[0], d_head);
        Self(layouts.map(|layout| shared.with_layout(layout)))
    }

    /// Each gradient in an array of its own.
    pub(crate) fn apart(data: [&'a mut [f32]; 3], layouts: [Layout; 3], d_head: usize) -> Self {
        let mut layouts = layouts.into_iter();
        Self(data.map(|data| SharedRows::new(data, layouts.next().expect("three layouts"), d_head)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_heads_of_a_token_may_fill_its_row() {
        let layout = Layout::by_token(4, 2, 3, 12, 4);
        assert_eq!((layout.at(0, 1, 0), layout.at(0, 0, 1), layout.at(1, 0, 0)), (8, 16, 40));
    }

    #[test]
    #[should_panic(expected = "3 heads of 4 features from feature 4 on do not fit into rows of 12")]
    fn heads_that_reach_into_the_next_token_are_refused() {
        Layout::by_token(4, 3, 3, 12, 4);
    }
}

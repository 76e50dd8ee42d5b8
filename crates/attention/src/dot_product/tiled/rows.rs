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
    /// Of `[batch, heads, seq, d_head]`.
    pub(crate) fn by_head(heads: usize, seq: usize, d_head: usize) -> Self {
        Self { first: 0, sequence: heads * seq * d_head, head: seq * d_head, token: d_head }
    }

    /// Of the heads from feature `first` on in `[batch, seq, width]`, one beside the other.
    pub(crate) fn by_token(first: usize, seq: usize, width: usize, d_head: usize) -> Self {
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

/// Rows to write, by several threads at a time, each its own.
#[derive(Debug, Clone, Copy)]
pub(super) struct SharedRows<'a> {
    data: *mut f32,
    len: usize,
    layout: Layout,
    d_head: usize,
    lifetime: PhantomData<&'a mut [f32]>,
}

// SAFETY: it stands for a `&mut [f32]`, which may go to another thread; that no two threads write one row is what callers
// of `row` promise.
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

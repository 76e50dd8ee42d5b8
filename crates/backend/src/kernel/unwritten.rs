//! Memory for results that many threads write, without one thread zeroing all of it first.
#![allow(unsafe_code)]

use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Numbers that are still to be written, in [parts](Self::parts).
#[derive(Debug)]
pub struct Unwritten {
    values: Box<[MaybeUninit<f32>]>,
    written: AtomicUsize,
}

/// A part of them, to be written by one thread.
#[derive(Debug)]
pub struct Part<'a> {
    values: &'a mut [MaybeUninit<f32>],
    written: &'a AtomicUsize,
}

impl Unwritten {
    /// This many numbers.
    pub fn new(len: usize) -> Self {
        Self { values: Box::new_uninit_slice(len), written: AtomicUsize::new(0) }
    }

    /// All of them, in parts of `len`; the last has the rest.
    ///
    /// # Panics
    /// If `len` is 0.
    pub fn parts(&mut self, len: usize) -> Vec<Part<'_>> {
        let Self { values, written } = self;
        *written.get_mut() = 0;
        Part { values, written }.parts(len)
    }

    /// The numbers.
    ///
    /// # Panics
    /// If a part has not been written.
    pub fn into_vec(self) -> Vec<f32> {
        let Self { values, written } = self;
        assert_eq!(written.into_inner(), values.len(), "numbers written of those asked for");
        // SAFETY: parts do not overlap, each adds its length once, when it is written from end to end (it is used up by that),
        // and the sum started from 0 when the parts that can add to it were made; so where it is the whole length, all are written.
        unsafe { values.assume_init() }.into_vec()
    }
}

impl<'a> Part<'a> {
    /// How many.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The same numbers in smaller parts.
    ///
    /// # Panics
    /// If `len` is 0.
    pub fn parts(self, len: usize) -> Vec<Part<'a>> {
        let Self { values, written } = self;
        values.chunks_mut(len).map(|values| Part { values, written }).collect()
    }

    /// The first `len` numbers, and the others.
    ///
    /// # Panics
    /// If there are not as many.
    pub fn split_at(self, len: usize) -> (Self, Self) {
        let Self { values, written } = self;
        let (first, second) = values.split_at_mut(len);
        (Self { values: first, written }, Self { values: second, written })
    }

    /// Numbers copied from `values`.
    ///
    /// # Panics
    /// If there are not as many.
    pub fn copied(self, values: &[f32]) -> &'a mut [f32] {
        assert_eq!(self.len(), values.len(), "numbers copied to a part");
        // SAFETY: it writes all, since the lengths are equal.
        unsafe { self.write(|to| _ = to.write_copy_of_slice(values)) }
    }

    /// Zeros, to be written over: cheap where they fit in a core's cache.
    pub fn zeros(self) -> &'a mut [f32] {
        // SAFETY: it writes all, and bytes that are 0 are a float that is 0.
        unsafe { self.write(|values| values.as_mut_ptr().write_bytes(0, values.len())) }
    }

    /// Numbers that `write` has written.
    ///
    /// # Safety
    /// It must write every one of them.
    pub(crate) unsafe fn write(self, write: impl FnOnce(&mut [MaybeUninit<f32>])) -> &'a mut [f32] {
        let Self { values, written } = self;
        write(values);
        written.fetch_add(values.len(), Ordering::Relaxed);
        // SAFETY: the caller vouches for it.
        unsafe { values.assume_init_mut() }
    }
}

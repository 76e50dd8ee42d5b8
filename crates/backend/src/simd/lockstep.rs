//! What the standard library has too, but does not mark to be inlined.
//!
//! A kernel is compiled for an instruction set only with what is inlined into it. `Iterator::zip`, `array::from_fn` and the iterator
//! of an array by value become calls in a build without optimisation across units of code generation, which is what keeps the
//! first build short; and a call in an inner loop costs more than its sums.
#![allow(unsafe_code)]

use std::iter::{Enumerate, Map, Rev, Skip, StepBy, Take};
use std::ops::{AddAssign, Range};
use std::slice;

/// An iterator whose length can be relied on, so that a loop over two of them has one end to look for: compilers vectorise that.
///
/// # Safety
/// `next` must give as many items as `len` says.
pub unsafe trait Counted: ExactSizeIterator {}

/// # Safety
/// All of these are of the standard library, which documents their length as exact.
macro_rules! counted {
    ($([$($generics:tt)*] $iterator:ty;)*) => {
        // SAFETY: above.
        $(unsafe impl<$($generics)*> Counted for $iterator {})*
    };
}

counted! {
    [T] slice::Iter<'_, T>;
    [T] slice::IterMut<'_, T>;
    [T] slice::Chunks<'_, T>;
    [T] slice::ChunksMut<'_, T>;
    [T] slice::ChunksExact<'_, T>;
    [T] slice::ChunksExactMut<'_, T>;
    [T] slice::Windows<'_, T>;
    [] Range<usize>;
    [I: Counted] Enumerate<I>;
    [I: Counted] Skip<I>;
    [I: Counted] StepBy<I>;
    [I: Counted] Take<I>;
    [I: Counted + DoubleEndedIterator] Rev<I>;
    [B, I: Counted, F: FnMut(I::Item) -> B] Map<I, F>;
    [I: Counted] &mut I;
}

/// Two iterators in step, as [`Iterator::zip`] has them: always inlined.
pub trait Lockstep: Counted + Sized {
    /// Pairs of the items of both, until either ends.
    #[inline(always)]
    fn lockstep<I: IntoIterator<IntoIter: Counted>>(self, other: I) -> Pairs<Self, I::IntoIter> {
        let second = other.into_iter();
        Pairs { left: self.len().min(second.len()), first: self, second }
    }
}

impl<I: Counted> Lockstep for I {}

/// The iterator of [`Lockstep::lockstep`].
#[derive(Debug, Clone)]
pub struct Pairs<A, B> {
    first: A,
    second: B,
    left: usize,
}

impl<A: Counted, B: Counted> Iterator for Pairs<A, B> {
    type Item = (A::Item, B::Item);

    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        // SAFETY: both had at least as many items as were left, and have given one for each that has been taken since.
        Some(unsafe { (self.first.next().unwrap_unchecked(), self.second.next().unwrap_unchecked()) })
    }

    #[inline(always)]
    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<A: Counted, B: Counted> ExactSizeIterator for Pairs<A, B> {}

// SAFETY: `next` counts `left` down to 0.
unsafe impl<A: Counted, B: Counted> Counted for Pairs<A, B> {}

/// `[f(0), f(1), ...]`, at least one, as [`std::array::from_fn`] makes it: always inlined.
#[inline(always)]
pub fn array<T: Copy, const N: usize>(f: impl Fn(usize) -> T) -> [T; N] {
    const { assert!(N > 0, "an array has a first item") };
    let mut all = [f(0); N];
    for (i, item) in all.iter_mut().enumerate().skip(1) {
        *item = f(i);
    }
    all
}

/// The sum of `values` in their order, as [`Iterator::sum`] has it: always inlined.
#[inline(always)]
pub fn total<T>(values: impl Iterator<Item = T>) -> f32
where
    f32: AddAssign<T>,
{
    let mut sum = 0.0;
    for value in values {
        sum += value;
    }
    sum
}

/// Copies as many numbers as `to` has, as [`slice::copy_from_slice`] does: always inlined, so that a length known to the compiler
/// needs no call.
///
/// # Panics
/// If `from` has fewer.
#[inline(always)]
pub fn copy<T: Copy>(to: &mut [T], from: &[T]) {
    let from = &from[..to.len()];
    // SAFETY: both have as many numbers, and what is borrowed mutably overlaps nothing else.
    unsafe { to.as_mut_ptr().copy_from_nonoverlapping(from.as_ptr(), to.len()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_end_with_the_shorter_of_both() {
        let (long, short) = ([1, 2, 3, 4, 5], [10, 20, 30]);
        let expected = vec![(1, 10), (2, 20), (3, 30)];
        let of = |pairs: Vec<(&i32, &i32)>| pairs.into_iter().map(|(a, b)| (*a, *b)).collect::<Vec<_>>();
        assert_eq!(of(long.iter().lockstep(&short).collect()), expected);
        let turned = short.iter().lockstep(&long).map(|(a, b)| (b, a));
        assert_eq!(of(turned.collect()), expected);
        assert_eq!(long.iter().lockstep(&[] as &[i32]).count(), 0);
    }

    #[test]
    fn lengths_are_those_of_the_standard_library() {
        let numbers: Vec<usize> = (0..23).collect();
        for size in [1, 2, 5, 23, 40] {
            let all = numbers.iter().lockstep(numbers.iter().rev()).lockstep(1..numbers.len());
            let steps = all.clone().skip(3).step_by(size).enumerate();
            assert_eq!(steps.len(), steps.clone().count());
            for (counted, zipped) in [
                (
                    numbers.chunks(size).lockstep(numbers.windows(2)).count(),
                    numbers.chunks(size).zip(numbers.windows(2)).count(),
                ),
                (
                    numbers.chunks_exact(size).lockstep(numbers.iter().take(3)).count(),
                    numbers.chunks_exact(size).zip(numbers.iter().take(3)).count(),
                ),
            ] {
                assert_eq!(counted, zipped, "steps of {size}");
            }
        }
    }

    #[test]
    fn an_array_a_total_and_a_copy() {
        assert_eq!(array::<_, 4>(|i| i * i), [0, 1, 4, 9]);
        assert_eq!(total([1.0_f32, 2.5].iter()), 3.5);
        let mut to = [0; 3];
        copy(&mut to, &[7, 8, 9, 10]);
        assert_eq!(to, [7, 8, 9]);
    }
}

//! Passes over a fixed set: every example once per epoch, each epoch in its own order.

use crate::Stream;

/// The order of a training set's examples, with random access.
///
/// Example `g = step * batch + i` is number `g mod len` of the order of epoch `g / len`.
#[derive(Clone, Debug)]
pub(crate) struct Epochs {
    stream: Stream,
    len: usize,
}

impl Epochs {
    pub(crate) fn new(stream: Stream, len: usize) -> Self {
        Self { stream, len }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Which examples batch number `step` contains. An order costs O(len), once for each epoch the batch touches.
    pub(crate) fn batch(&self, step: usize, batch: usize) -> Vec<usize> {
        let first = step * batch;
        let mut order = Vec::new();
        let mut indices = Vec::with_capacity(batch);
        for example in first..first + batch {
            if order.is_empty() || example % self.len == 0 {
                order = self.order(example / self.len);
            }
            indices.push(order[example % self.len]);
        }
        indices
    }

    fn order(&self, epoch: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.len).collect();
        self.stream.at(epoch as u64, 0).shuffle(&mut order);
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_comes_once_an_epoch_at_any_batch_size() {
        for batch in [1, 3, 10, 25] {
            let epochs = Epochs::new(Stream::new(0, "test"), 10);
            let seen: Vec<usize> =
                (0..60_usize.div_ceil(batch)).flat_map(|step| epochs.batch(step, batch)).collect();
            for epoch in seen.chunks_exact(10) {
                let mut sorted = epoch.to_vec();
                sorted.sort_unstable();
                assert_eq!(sorted, (0..10).collect::<Vec<_>>(), "batch = {batch}");
            }
        }
    }

    #[test]
    fn the_order_of_examples_does_not_depend_on_the_batch_size() {
        let epochs = Epochs::new(Stream::new(0, "test"), 10);
        let one_by_one: Vec<usize> = (0..30).flat_map(|step| epochs.batch(step, 1)).collect();
        assert_eq!(epochs.batch(0, 30), one_by_one);
        assert_ne!(one_by_one[..10], one_by_one[10..20]);
    }
}

//! Decoding without tensors.

/// One sequence, token by token, over plain slices: a causal mixer with its weights and its state in one place.
///
/// The same map as [`SequenceMixer::step`](crate::SequenceMixer::step) for a batch of one, without burn, gradients or
/// other threads. Once warmed, a step allocates nothing until the state needs more room than was asked for.
pub trait SliceStepper: std::fmt::Debug {
    /// One token.
    ///
    /// # Shapes
    /// - `x`, `y`: `[d_model]`
    ///
    /// # Panics
    /// If a slice is not as wide as the layer.
    fn step(&mut self, x: &[f32], y: &mut [f32]);

    /// Tokens seen so far.
    fn seq(&self) -> usize;

    /// Bytes of what is kept of them, without room for more.
    fn state_bytes(&self) -> usize;

    /// Forgets every token, and keeps the room.
    fn reset(&mut self);

    /// A copy that goes its own way.
    fn boxed(&self) -> Box<dyn SliceStepper>;
}

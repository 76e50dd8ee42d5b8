//! Decoding without tensors.

/// One sequence, token by token, over plain slices: a causal mixer with its weights and its state in one place.
///
/// The same map as [`SequenceMixer::step`](crate::SequenceMixer::step) for a batch of one, without burn, gradients or
/// other threads. Once warmed up, a step allocates nothing until the state needs more room than was asked for.
pub trait SliceStepper: std::fmt::Debug {
    /// One token.
    ///
    /// # Shapes
    /// - `x`, `y`: `[d_model]`
    ///
    /// # Panics
    /// If a slice is not as wide as the layer, or there are more tokens than the layer takes
    /// ([`check_length`](crate::SequenceMixer::check_length)).
    fn step(&mut self, x: &[f32], y: &mut [f32]);

    /// Tokens seen so far.
    fn seq(&self) -> usize;

    /// Bytes of the state, without room for more tokens.
    fn state_bytes(&self) -> usize;

    /// Forgets every token, but keeps the allocated room.
    fn reset(&mut self);

    /// An independent copy.
    fn boxed(&self) -> Box<dyn SliceStepper>;
}

//! What the layer asks of a state space, diagonal or with a low-rank part.

use std::fmt::Debug;

use burn::module::{Module, ModuleDisplay};
use burn::tensor::Tensor;
use subquad_backend::Form;
use subquad_mixer::MixerError;

use crate::lines::Lines;
use crate::{Modes, S4State};

/// A linear state space on every channel: a convolution kernel, and the same map from a state.
///
/// Written for [`Diagonal`](crate::Diagonal) and [`Dplr`](crate::Dplr), the two kinds there are.
pub trait StateSpace: Module + ModuleDisplay + Debug + Sync + 'static {
    /// The name of its layer, as in configs.
    const NAME: &'static str;

    /// The conjugate pairs.
    fn modes(&self) -> &Modes;

    /// The parameters that train slowly and do not decay.
    fn slow_parameters(&self) -> Vec<burn::module::ParamId>;

    /// `K_l = C a_bar^l b_bar` for `l < seq`: `[kernels, d_model, seq]`.
    fn kernel(&self, seq: usize, form: Form) -> Tensor<3>;

    /// The output of the chunk `u` after `state`, and the state after the chunk.
    ///
    /// # Shapes
    /// - `u`: `[batch, d_model, seq]`
    /// - output: `[batch, kernels, d_model, seq]`
    fn run(&self, u: Tensor<3>, state: S4State, form: Form) -> (Tensor<4>, S4State);

    /// One token, by tensor operations.
    ///
    /// # Shapes
    /// - `u`: `[batch, d_model]`
    /// - output: `[batch, kernels, d_model]`
    fn advance(&self, u: Tensor<2>, state: S4State) -> (Tensor<3>, S4State);

    /// One token's recurrence as plain numbers, computed from the present parameters in f64.
    fn lines(&self) -> Lines;

    /// Whether [`kernel`](Self::kernel) has `seq` lags.
    ///
    /// # Errors
    /// If not.
    fn check_length(&self, seq: usize) -> Result<(), MixerError>;

    /// The same system with every step `rate` times as long.
    fn with_rate(self, rate: f64) -> Self;
}

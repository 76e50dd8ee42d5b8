//! The shared burn backend of subquad.
//!
//! - [`open_device`] turns a name into a burn device; [`Form`] says which form of an operation runs on it.
//! - [`fn@read`] brings values to the host.
//! - [`kernel`] is the one place that touches burn's extension interface: it turns a plain CPU kernel over `&[f32]`
//!   into a differentiable burn operation.
//! - [`fft`]: complex transforms of any length; [`dropout`]: masks that follow from a seed.
//! - [`mod@svd`]: singular values of small matrices in f64.
//! - [`row_linear`], [`row_norm`]: a linear layer and a norm for one token at a time, over slices.
//! - The operations several layers need: [`fft_conv`], [`short_conv`], [`mod@linear`],
//!   [`mod@mlp`], [`layer_norm`], [`pointwise`], [`mean_square`], [`fn@swap_axes`], [`tail`]; and for kernels [`simd`], [`micro`];
//!   [`simd::fma_peak_gflops`] measures the peak that they can reach.
//!
//! Every operation exists in three forms that agree in values and gradients: the definition in f64 loops
//! ([`reference`](fft_conv::reference), or beside the tests where only they use it), portable (burn operations, any device) and
//! fused (a CPU kernel with its own gradient).

pub mod adamw;
pub mod add;
pub mod cross_entropy;
mod device;
pub mod dropout;
pub mod fft;
pub mod fft_conv;
mod form;
pub mod kernel;
pub mod layer_norm;
pub mod linear;
pub mod mean_square;
pub mod micro;
pub mod mlp;
pub mod norm;
pub mod pointwise;
mod read;
pub mod row_linear;
pub mod row_norm;
mod seed;
pub mod short_conv;
pub mod simd;
pub mod svd;
mod swap_axes;
pub mod tail;

pub use device::{ADAPTER_VARIABLE, DEVICE_NAMES, DeviceError, DeviceKind, OpenDevice, open_device};
pub use form::Form;
pub use linear::transpose::transpose;
pub use read::{floats, read};
pub use seed::{seeded, seeded_tensor, with_seed};
pub use simd::instruction_set;
pub use swap_axes::swap_axes;

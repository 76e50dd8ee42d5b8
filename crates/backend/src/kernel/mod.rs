//! Fused CPU kernels as differentiable burn operations.
//!
//! A kernel is plain Rust over slices: it implements [`CpuKernel`] and knows nothing of burn. [`apply`] runs it on
//! tensors and registers its gradient. Only this folder touches burn's extension interface.

mod glue;
mod unwritten;

use std::fmt::Debug;
use std::sync::{Arc, OnceLock};

use burn::backend::DispatchTensor;
use burn::tensor::Tensor;

pub use unwritten::{Part, Unwritten};

/// A contiguous, row-major f32 array.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// The values.
    pub data: &'a [f32],
    /// Length of each axis.
    pub shape: &'a [usize],
}

impl<'a> View<'a> {
    /// Row `at` of those along the last axis.
    ///
    /// # Panics
    /// If there is no such row, or no axis.
    pub fn row(&self, at: usize) -> &'a [f32] {
        let width = *self.shape.last().expect("an array with rows has axes");
        &self.data[at * width..][..width]
    }

    /// The shape as an array of known rank.
    ///
    /// # Panics
    /// If the rank differs.
    #[inline]
    pub fn dims<const D: usize>(&self) -> [usize; D] {
        self.shape.try_into().unwrap_or_else(|_| panic!("expected {D} axes, got shape {:?}", self.shape))
    }
}

/// An array that a kernel made.
#[derive(Debug, Clone)]
pub struct Array {
    /// The values, row-major.
    pub data: Vec<f32>,
    /// Length of each axis.
    pub shape: Vec<usize>,
}

impl Array {
    /// Values and shape together.
    pub fn new(data: Vec<f32>, shape: impl Into<Vec<usize>>) -> Self {
        let shape = shape.into();
        debug_assert_eq!(data.len(), shape.iter().product::<usize>());
        Self { data, shape }
    }
}

/// What [`CpuKernel::backward`] gets.
#[derive(Debug)]
pub struct Saved<'a> {
    /// The inputs of the forward pass.
    pub inputs: &'a [View<'a>],
    /// Its output, if [`CpuKernel::keeps_output`].
    pub output: Option<View<'a>>,
    /// What [`CpuKernel::forward_and_notes`] noted with it.
    pub notes: Option<View<'a>>,
    /// Gradient of the loss with respect to the output, shaped like the output.
    pub grad: View<'a>,
    /// Which inputs need a gradient.
    pub wanted: &'a [bool],
}

/// A differentiable operation of one output on f32 arrays.
///
/// Either [`forward`](Self::forward) or [`forward_and_notes`](Self::forward_and_notes) must be written; each calls
/// the other by default. Sums must be made in an order that depends only on the shapes and the number of threads, so
/// that equal runs give equal bits; better still, only on the shapes.
pub trait CpuKernel: Debug + Send + Sync + 'static {
    /// The output. Shapes have been checked by the function that wraps the kernel.
    fn forward(&self, inputs: &[View<'_>]) -> Array {
        self.forward_and_notes(inputs).0
    }

    /// The output, and what the backward pass would otherwise have to compute again; it is kept until that pass.
    fn forward_and_notes(&self, inputs: &[View<'_>]) -> (Array, Option<Array>) {
        (self.forward(inputs), None)
    }

    /// The gradient of each input, `None` where it is not wanted.
    fn backward(&self, saved: &Saved<'_>) -> Vec<Option<Array>>;

    /// Whether the gradient of every input is that of the output, as of a sum. [`backward`](Self::backward) is then never called,
    /// and no input is kept.
    fn hands_gradient_on(&self) -> bool {
        false
    }

    /// Whether the backward pass reads the output. It is then kept alive until that pass.
    fn keeps_output(&self) -> bool {
        false
    }
}

/// A tensor of any rank, as an input of [`apply`].
#[derive(Debug, Clone)]
pub struct Operand(DispatchTensor);

impl<const D: usize> From<Tensor<D>> for Operand {
    fn from(tensor: Tensor<D>) -> Self {
        Self(tensor.into_dispatch())
    }
}

/// Runs `kernel` on one to six tensors of the `cpu` device; the result is differentiable in all of them.
///
/// # Panics
/// If a tensor is on another device or not f32, if `D` is not the rank of the kernel's output, or for another number
/// of inputs.
pub fn apply<const D: usize>(kernel: impl CpuKernel, inputs: impl IntoIterator<Item = Operand>) -> Tensor<D> {
    let inputs = inputs.into_iter().map(|operand| operand.0).collect();
    Tensor::from_dispatch(glue::forward(inputs, Arc::new(kernel)))
}

/// What a program does before every kernel.
static HOOK: OnceLock<fn()> = OnceLock::new();

/// Has `hook` called before every kernel of this process, forward or backward, on the thread that runs it: for
/// programs that manage the threads on which kernels run. The first hook of a process stays; no value depends on it.
pub fn set_hook(hook: fn()) {
    HOOK.get_or_init(|| hook);
}

fn call_hook() {
    if let Some(hook) = HOOK.get() {
        hook();
    }
}

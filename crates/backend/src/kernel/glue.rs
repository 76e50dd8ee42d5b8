//! The glue between [`CpuKernel`] and burn's extension interface (burn-flex, burn-autodiff, the dispatch macro).

use std::sync::Arc;

use burn::backend::{
    Backend, Dispatch, DispatchTensor, ExtensionType, Flex, backend_extension, tensor::FloatTensor,
};
use burn::tensor::{DType, TensorData};
use burn_autodiff::{
    Autodiff, NodeId,
    checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
    grads::Gradients,
    ops::{Backward, NodeGuard, Ops, OpsKind},
};
use burn_flex::FlexTensor;

use super::{Array, CpuKernel, Saved, View, call_hook};

pub(super) fn forward(inputs: Vec<DispatchTensor>, kernel: Arc<dyn CpuKernel>) -> DispatchTensor {
    let mut output = <Dispatch as KernelOps>::kernel_forward(pack(inputs), kernel);
    output.swap_remove(0)
}

/// The macro takes no list of tensors as input, so their number is in the type.
#[derive(ExtensionType, Debug, Clone)]
pub(crate) enum Inputs<B: Backend> {
    One(FloatTensor<B>),
    Two(FloatTensor<B>, FloatTensor<B>),
    Three(FloatTensor<B>, FloatTensor<B>, FloatTensor<B>),
    Four(FloatTensor<B>, FloatTensor<B>, FloatTensor<B>, FloatTensor<B>),
    Five(FloatTensor<B>, FloatTensor<B>, FloatTensor<B>, FloatTensor<B>, FloatTensor<B>),
    Six(FloatTensor<B>, FloatTensor<B>, FloatTensor<B>, FloatTensor<B>, FloatTensor<B>, FloatTensor<B>),
}

fn pack<B: Backend>(inputs: Vec<FloatTensor<B>>) -> Inputs<B> {
    let count = inputs.len();
    let mut each = inputs.into_iter();
    let mut next = || each.next().expect("counted above");
    match count {
        1 => Inputs::One(next()),
        2 => Inputs::Two(next(), next()),
        3 => Inputs::Three(next(), next(), next()),
        4 => Inputs::Four(next(), next(), next(), next()),
        5 => Inputs::Five(next(), next(), next(), next(), next()),
        6 => Inputs::Six(next(), next(), next(), next(), next(), next()),
        _ => panic!("a fused kernel takes one to six inputs, got {count}"),
    }
}

fn unpack<B: Backend>(inputs: Inputs<B>) -> Vec<FloatTensor<B>> {
    match inputs {
        Inputs::One(a) => vec![a],
        Inputs::Two(a, b) => vec![a, b],
        Inputs::Three(a, b, c) => vec![a, b, c],
        Inputs::Four(a, b, c, d) => vec![a, b, c, d],
        Inputs::Five(a, b, c, d, e) => vec![a, b, c, d, e],
        Inputs::Six(a, b, c, d, e, f) => vec![a, b, c, d, e, f],
    }
}

#[backend_extension(Flex, Autodiff)]
pub(crate) trait KernelOps: Backend {
    /// The output and, if the kernel makes some, its notes.
    fn kernel_forward(
        #[extension_type] inputs: Inputs<Self>,
        kernel: Arc<dyn CpuKernel>,
    ) -> Vec<FloatTensor<Self>>;

    /// Gradients of the wanted inputs, in order. `output` may be any tensor if the kernel does not keep its own, and
    /// so may `notes` unless `noted`.
    fn kernel_backward(
        #[extension_type] inputs: Inputs<Self>,
        output: FloatTensor<Self>,
        notes: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        noted: bool,
        kernel: Arc<dyn CpuKernel>,
        wanted: Vec<bool>,
    ) -> Vec<FloatTensor<Self>>;
}

impl KernelOps for Flex {
    fn kernel_forward(inputs: Inputs<Self>, kernel: Arc<dyn CpuKernel>) -> Vec<FloatTensor<Self>> {
        let inputs: Vec<_> = unpack(inputs).iter().map(FlexTensor::to_contiguous).collect();
        let views: Vec<_> = inputs.iter().map(view).collect();
        call_hook();
        let (output, notes) = kernel.forward_and_notes(&views);
        std::iter::once(output).chain(notes).map(tensor).collect()
    }

    fn kernel_backward(
        inputs: Inputs<Self>,
        output: FloatTensor<Self>,
        notes: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        noted: bool,
        kernel: Arc<dyn CpuKernel>,
        wanted: Vec<bool>,
    ) -> Vec<FloatTensor<Self>> {
        let inputs: Vec<_> = unpack(inputs).iter().map(FlexTensor::to_contiguous).collect();
        let views: Vec<_> = inputs.iter().map(view).collect();
        let [output, notes, grad] = [output, notes, grad].map(|tensor| tensor.to_contiguous());
        let (output, notes) = (kernel.keeps_output().then(|| view(&output)), noted.then(|| view(&notes)));
        let saved = Saved { inputs: &views, output, notes, grad: view(&grad), wanted: &wanted };
        call_hook();
        let grads = kernel.backward(&saved);
        grads
            .into_iter()
            .zip(&wanted)
            .filter(|(_, wanted)| **wanted)
            .map(|(grad, _)| wanted_grad(grad))
            .collect()
    }
}

fn wanted_grad(grad: Option<Array>) -> FlexTensor {
    tensor(grad.expect("a kernel answers every wanted gradient"))
}

fn view(tensor: &FlexTensor) -> View<'_> {
    let dtype = tensor.dtype();
    assert_eq!(
        dtype,
        DType::F32,
        "fused kernels take f32, got {}; cast it with x.cast(FloatDType::F32)",
        dtype.name()
    );
    View { data: tensor.storage::<f32>(), shape: tensor.layout().shape() }
}

fn tensor(array: Array) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(array.data, array.shape))
}

/// The step of the tape. It keeps the inputs (shared, not copied), the output only where the kernel reads it, and its notes.
#[derive(Debug)]
struct KernelBackward;

#[derive(Debug, Clone)]
struct State<B: Backend> {
    inputs: Vec<FloatTensor<B>>,
    output: Option<FloatTensor<B>>,
    notes: Option<FloatTensor<B>>,
    kernel: Arc<dyn CpuKernel>,
}

impl<B: Backend + KernelOps, const N: usize> Backward<B, N> for KernelBackward {
    type State = State<B>;

    fn backward(self, ops: Ops<Self::State, N>, grads: &mut Gradients, _: &mut Checkpointer) {
        let State { inputs, output, notes, kernel } = ops.state;
        let parents: Vec<Option<NodeId>> =
            ops.parents.iter().map(|node| node.as_ref().map(|n| n.id)).collect();
        let grad = grads.consume::<B>(&ops.node);
        if kernel.hands_gradient_on() {
            return parents.into_iter().flatten().for_each(|id| grads.register::<B>(id, grad.clone()));
        }
        let wanted = parents.iter().map(Option::is_some).collect();
        let noted = notes.is_some();
        let [output, notes] = [output, notes].map(|kept| kept.unwrap_or_else(|| grad.clone()));
        let found = B::kernel_backward(pack(inputs), output, notes, grad, noted, kernel, wanted);
        for (id, grad) in parents.into_iter().flatten().zip(found) {
            grads.register::<B>(id, grad);
        }
    }
}

impl<B: Backend + KernelOps, C: CheckpointStrategy> KernelOps for Autodiff<B, C> {
    fn kernel_forward(inputs: Inputs<Self>, kernel: Arc<dyn CpuKernel>) -> Vec<FloatTensor<Self>> {
        vec![match inputs {
            Inputs::One(a) => track::<B, C, 1>([a], kernel),
            Inputs::Two(a, b) => track::<B, C, 2>([a, b], kernel),
            Inputs::Three(a, b, c) => track::<B, C, 3>([a, b, c], kernel),
            Inputs::Four(a, b, c, d) => track::<B, C, 4>([a, b, c, d], kernel),
            Inputs::Five(a, b, c, d, e) => track::<B, C, 5>([a, b, c, d, e], kernel),
            Inputs::Six(a, b, c, d, e, f) => track::<B, C, 6>([a, b, c, d, e, f], kernel),
        }]
    }

    fn kernel_backward(
        _: Inputs<Self>,
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: bool,
        _: Arc<dyn CpuKernel>,
        _: Vec<bool>,
    ) -> Vec<FloatTensor<Self>> {
        panic!("burn's autodiff is first order: a fused kernel has no second derivative")
    }
}

fn track<B: Backend + KernelOps, C: CheckpointStrategy, const N: usize>(
    inputs: [FloatTensor<Autodiff<B, C>>; N],
    kernel: Arc<dyn CpuKernel>,
) -> FloatTensor<Autodiff<B, C>> {
    let guards: [NodeGuard; N] = std::array::from_fn(|i| inputs[i].node());
    let inputs: Vec<_> = inputs.into_iter().map(|input| input.into_primitive()).collect();
    let mut made = B::kernel_forward(pack(inputs.clone()), kernel.clone()).into_iter();
    let output = made.next().expect("a kernel has an output");
    match KernelBackward.prepare::<C>(guards).compute_bound().stateful() {
        OpsKind::Tracked(prep) => {
            let kept = kernel.keeps_output().then(|| output.clone());
            let inputs = if kernel.hands_gradient_on() { vec![] } else { inputs };
            prep.finish(State { inputs, output: kept, notes: made.next(), kernel }, output)
        }
        OpsKind::UnTracked(prep) => prep.finish(output),
    }
}

//! The sizes decide the order of every sum: the number of threads changes no bit of an output or a gradient.

use burn::module::Module;
use burn::tensor::Tensor;
use subquad_backend::Form;
use subquad_mixer::SequenceMixer;
use subquad_monarch::{
    BlockDiagonalLinearConfig, CausalMonarch, CausalMonarchConfig, Hyena, HyenaConfig, ImplicitFilterConfig,
    LearnedMonarch, LearnedMonarchConfig, M2, M2Config, MonarchLinearConfig,
};
use subquad_testkit::{cpu, every_gradient, seeded_tensor, to_f64};

use crate::seeded_module;

/// The output, the input's gradient and the parameters' gradients on `threads` threads.
fn on<M: Module>(threads: usize, module: M, x: [usize; 3], f: fn(&M, Tensor<3>) -> Tensor<3>) -> Vec<f64> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(move || {
        let x = seeded_tensor(x, 1, &cpu().autodiff()).require_grad();
        let y = f(&module, x.clone());
        let weights = seeded_tensor(y.dims(), 2, &y.device());
        let grads = (y.clone() * weights).sum().backward();
        let parameters = every_gradient(&module, &grads).into_iter().flat_map(|found| found.values);
        to_f64(y).into_iter().chain(to_f64(x.grad(&grads).unwrap())).chain(parameters).collect()
    })
}

fn check<M: Module>(module: M, x: [usize; 3], f: fn(&M, Tensor<3>) -> Tensor<3>) {
    let alone = on(1, module.clone(), x, f);
    for threads in [2, 5] {
        assert!(on(threads, module.clone(), x, f) == alone, "{threads} threads: {module:?}");
    }
}

#[test]
fn of_mixers_the_number_of_threads_changes_no_bit() {
    let x = [3, 70, 32];
    let m2 = M2Config::new(32, 70).with_filter_order(8).with_residual(true).with_bidirectional(true);
    check(seeded_module(|device| m2.init(device)).train(), x, M2::forward);
    let hyena = HyenaConfig::new(32, 70).with_filter_order(8).with_order(3);
    check(seeded_module(|device| hyena.init(device)).train(), x, Hyena::forward);
    let learned = LearnedMonarchConfig::new(32, 70);
    check(seeded_module(|device| learned.init(device)).train(), x, LearnedMonarch::forward);
    let causal = CausalMonarchConfig::new(32, 70);
    check(seeded_module(|device| causal.init(device)).train(), x, CausalMonarch::forward);
}

#[test]
fn of_linear_layers_the_number_of_threads_changes_no_bit() {
    let x = [2, 301, 48];
    let blocks = BlockDiagonalLinearConfig::new(48, 64, 4);
    check(seeded_module(|device| blocks.init(device)).train(), x, |layer, x| layer.forward(x));
    let monarch = MonarchLinearConfig::new(48, 64);
    check(seeded_module(|device| monarch.init(device)).train(), x, |layer, x| layer.forward(x));
}

#[test]
fn of_long_filters_the_number_of_threads_changes_no_bit() {
    for seq in [65, 1025] {
        let filter = ImplicitFilterConfig::new(20, seq).with_order(17).with_bidirectional(true);
        let filter = seeded_module(|device| filter.init(device)).train();
        check(filter, [1, 20, seq], |filter, x| filter.convolve(x, Form::Fused));
    }
}

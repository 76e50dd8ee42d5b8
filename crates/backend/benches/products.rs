//! How near the products of linear layers and MLPs come to the machine's peak of multiply-adds: a ratio of two speeds of the same minute,
//! which machines have in common. It fails if one is far below what it should be.
#![allow(clippy::print_stdout)]

use std::process::ExitCode;
use std::time::Instant;

use burn::nn::{Linear, LinearConfig};
use burn::tensor::Tensor;
use subquad_backend::linear::linear;
use subquad_backend::mlp::mlp;
use subquad_backend::pointwise::Activation;
use subquad_backend::simd::{fma_peak_gflops, instruction_set};
use subquad_backend::{Form, seeded_tensor};
use subquad_testkit::cpu;

/// As in the program: the system's allocator would fetch fresh pages for each output.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Tokens of linear layers.
const TOKENS: usize = 1024;
/// Tokens of the MLP, which needs more of them to be one operation.
const MANY_TOKENS: usize = 8192;
const WIDTH: usize = 256;
const HIDDEN: usize = 1024;
/// Each pass takes some ten milliseconds, and the fastest counts: something else may run at the same time.
const ROUNDS: usize = 25;
/// A kernel that lost its vector instructions makes a tenth of the peak; one that lost its blocks, a quarter.
const LEAST: f64 = 0.4;

fn main() -> ExitCode {
    let cases = cases();
    let (mut peak, mut best) = (0.0_f64, vec![0.0_f64; cases.len()]);
    for _ in 0..ROUNDS {
        peak = peak.max(fma_peak_gflops());
        best.iter_mut().zip(&cases).for_each(|(best, case)| *best = best.max(case.gflops()));
    }
    println!(
        "{}, {} threads, peak {peak:.0} GFLOP/s",
        instruction_set().as_str(),
        rayon::current_num_threads()
    );
    let slow = cases.iter().zip(best).filter(|(case, best)| {
        println!("{:44} {best:4.0} GFLOP/s, {:.0} % of the peak", case.name, 100.0 * best / peak);
        best / peak < LEAST
    });
    match slow.count() {
        0 => ExitCode::SUCCESS,
        slow => {
            println!("{slow} below {:.0} %", 100.0 * LEAST);
            ExitCode::FAILURE
        }
    }
}

fn cases() -> Vec<Case> {
    let forward_and_training = |name: &str, tokens: usize, layers: &[[usize; 2]]| {
        [false, true].map(|train| Case::new(name, tokens, layers, train))
    };
    let (expand, reduce) = ([WIDTH, HIDDEN], [HIDDEN, WIDTH]);
    let kinds = [
        ("256 -> 1024", TOKENS, &[expand][..]),
        ("1024 -> 256", TOKENS, &[reduce]),
        ("MLP 256 -> 1024 -> 256", MANY_TOKENS, &[expand, reduce]),
    ];
    kinds.into_iter().flat_map(|(name, tokens, layers)| forward_and_training(name, tokens, layers)).collect()
}

/// A layer, or two of an MLP, forward only or with all gradients.
struct Case {
    name: String,
    layers: Vec<Linear>,
    x: Tensor<2>,
    train: bool,
}

impl Case {
    fn new(name: &str, tokens: usize, layers: &[[usize; 2]], train: bool) -> Self {
        let device = if train { cpu().autodiff() } else { cpu() };
        let x = seeded_tensor([tokens, layers[0][0]], 1, &device);
        let layer = |[d_input, d_output]: &[usize; 2]| {
            LinearConfig::new(*d_input, *d_output).with_bias(false).init(&device)
        };
        let name = format!("{name}, {tokens} tokens, {}", if train { "training" } else { "forward" });
        let x = if train { x.require_grad() } else { x };
        Self { name, layers: layers.iter().map(layer).collect(), x, train }
    }

    /// Billions of operations a second of one pass: a multiply-add is two.
    fn gflops(&self) -> f64 {
        let weights: usize =
            self.layers.iter().map(|layer| layer.weight.dims().iter().product::<usize>()).sum();
        let products = if self.train { 3.0 } else { 1.0 };
        let operations = products * 2.0 * (self.x.dims()[0] * weights) as f64;
        let start = Instant::now();
        let output = match &self.layers[..] {
            [layer] => linear(layer, self.x.clone(), Form::Fused),
            [expand, reduce] => mlp([expand, reduce], Activation::Gelu, self.x.clone(), Form::Fused),
            _ => unreachable!("one layer or two"),
        };
        if self.train {
            drop(output.backward());
        }
        operations / start.elapsed().as_secs_f64() / 1e9
    }
}

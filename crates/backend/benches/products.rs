//! How near the products of a linear layer come to the machine's peak of multiply-adds: a ratio of two speeds of the same minute,
//! which machines have in common. It fails if one is far below what it should be.
#![allow(clippy::print_stdout)]

use std::process::ExitCode;
use std::time::Instant;

use burn::nn::{Linear, LinearConfig};
use burn::tensor::Tensor;
use subquad_backend::linear::linear;
use subquad_backend::simd::{fma_peak_gflops, instruction_set};
use subquad_backend::{Form, seeded_tensor};
use subquad_testkit::cpu;

/// As in the program: the system's allocator would fetch fresh pages for each output.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Tokens of a batch.
const TOKENS: usize = 1024;
/// Of a dense MLP of width 256.
const LAYERS: [[usize; 2]; 2] = [[256, 1024], [1024, 256]];
/// Each takes some ten milliseconds, and the fastest counts: something else may run at the same time.
const ROUNDS: usize = 40;
/// A kernel that lost its vector instructions makes a tenth of the peak; one that lost its blocks, a quarter.
const LEAST: f64 = 0.4;

fn main() -> ExitCode {
    let cases: Vec<Case> =
        LAYERS.into_iter().flat_map(|sizes| [false, true].map(|train| Case::new(sizes, train))).collect();
    let mut best = vec![0.0_f64; cases.len()];
    let mut peak = 0.0_f64;
    for _ in 0..ROUNDS {
        peak = peak.max(fma_peak_gflops());
        best.iter_mut().zip(&cases).for_each(|(best, case)| *best = best.max(case.gflops()));
    }
    println!(
        "{TOKENS} tokens, {}, {} threads, peak {peak:.0} GFLOP/s",
        instruction_set().as_str(),
        rayon::current_num_threads()
    );
    let shares = cases.iter().zip(&best).map(|(case, best)| (case, best, best / peak));
    let slow = shares.filter(|(case, best, share)| {
        println!("{:24} {best:4.0} GFLOP/s, {:.0} % of the peak", case.name(), 100.0 * share);
        *share < LEAST
    });
    match slow.count() {
        0 => ExitCode::SUCCESS,
        slow => {
            println!("{slow} of them below {:.0} %", 100.0 * LEAST);
            ExitCode::FAILURE
        }
    }
}

/// A layer, forward only or with its gradients.
struct Case {
    layer: Linear,
    x: Tensor<2>,
    train: bool,
}

impl Case {
    fn new([d_input, d_output]: [usize; 2], train: bool) -> Self {
        let device = if train { cpu().autodiff() } else { cpu() };
        let x = seeded_tensor([TOKENS, d_input], 1, &device);
        let layer = LinearConfig::new(d_input, d_output).with_bias(false).init(&device);
        Self { layer, x: if train { x.require_grad() } else { x }, train }
    }

    fn name(&self) -> String {
        let [d_input, d_output] = self.layer.weight.dims();
        format!("{d_input} -> {d_output}, {}", if self.train { "training" } else { "forward" })
    }

    /// Billions of operations a second of one pass: a multiply-add is two.
    fn gflops(&self) -> f64 {
        let products = if self.train { 3.0 } else { 1.0 };
        let operations =
            products * 2.0 * (TOKENS * self.layer.weight.dims().iter().product::<usize>()) as f64;
        let start = Instant::now();
        let output = linear(&self.layer, self.x.clone(), Form::Fused);
        if self.train {
            drop(output.backward());
        }
        operations / start.elapsed().as_secs_f64() / 1e9
    }
}

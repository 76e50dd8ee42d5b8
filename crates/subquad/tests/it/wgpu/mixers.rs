//! Every mixer keeps its contract on the GPU, and is there what the fused form is on the CPU.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use subquad_attention::{Attention, AttentionConfig};
use subquad_backend::Form;
use subquad_mixer::{ChannelMixer, SequenceMixer};
use subquad_monarch::{BlockDiagonalMlpConfig, DenseMlpConfig, M2, M2Config, MonarchMlpConfig, SwigluConfig};
use subquad_s4::{Discretization, S4d, S4dConfig, S4dInit};
use subquad_testkit::{AWKWARD_LENGTHS, assert_rel_close, battery, seeded_tensor};

use super::{cpu, gpu, seeded};

/// Different sines, exponentials and orders of sums, in f32: below 6e-6 (measured on lavapipe). Ten times that,
/// because drivers differ in their functions.
const VALUE_REL_TOL: f64 = 6e-5;
/// The same of gradients: below 1e-5 (measured on lavapipe), ten times that.
const GRAD_REL_TOL: f64 = 1e-4;
/// The same of S4D's gradients: `e^log_dt` off by one in the last place turns the phase of token 65 by 1e-5, and gradients
/// weigh it with time and frequency once more. Below 5e-5 (measured on lavapipe), ten times that.
const PHASE_GRAD_REL_TOL: f64 = 5e-4;

const D_MODEL: usize = 12;
/// As long as the longest of [`AWKWARD_LENGTHS`].
const L_MAX: usize = 1000;

fn attention(causal: bool) -> Attention {
    seeded(|device| AttentionConfig::new(D_MODEL).with_n_heads(3).with_causal(causal).init(device))
}

fn s4d(bidirectional: bool, discretization: Discretization) -> S4d {
    let config = S4dConfig::new(D_MODEL).with_d_state(8).with_init(S4dInit::Legs);
    seeded(|device| config.with_bidirectional(bidirectional).with_discretization(discretization).init(device))
}

fn m2(bidirectional: bool) -> M2 {
    let config = M2Config::new(D_MODEL, L_MAX).with_filter_order(8).with_residual(true);
    seeded(|device| config.with_bidirectional(bidirectional).init(device))
}

fn forms_agree<M: SequenceMixer + Module>(on_gpu: &M, fused: &M, grad_tol: f64) {
    battery::forms_agree(on_gpu, fused, D_MODEL, &AWKWARD_LENGTHS, VALUE_REL_TOL, grad_tol);
}

#[test]
fn attention_on_wgpu_keeps_its_contract() {
    let Some(gpu) = gpu() else { return };
    battery::causal_mixer(&attention(true).fork(&gpu).with_form(Form::Portable), D_MODEL);
    battery::bidirectional_mixer(&attention(false).fork(&gpu).with_form(Form::Portable), D_MODEL);
}

#[test]
fn attention_on_wgpu_is_the_fused_one() {
    let Some(gpu) = gpu() else { return };
    for causal in [true, false] {
        let fused = attention(causal);
        forms_agree(&fused.clone().fork(&gpu).with_form(Form::Portable), &fused, GRAD_REL_TOL);
    }
}

#[test]
fn s4d_on_wgpu_keeps_its_contract() {
    let Some(gpu) = gpu() else { return };
    let on_gpu = |bidirectional| s4d(bidirectional, Discretization::Zoh).fork(&gpu).with_form(Form::Portable);
    battery::causal_mixer(&on_gpu(false), D_MODEL);
    battery::bidirectional_mixer(&on_gpu(true), D_MODEL);
}

#[test]
fn s4d_on_wgpu_is_the_fused_one() {
    let Some(gpu) = gpu() else { return };
    for discretization in [Discretization::Zoh, Discretization::Bilinear] {
        for bidirectional in [true, false] {
            let fused = s4d(bidirectional, discretization);
            forms_agree(&fused.clone().fork(&gpu).with_form(Form::Portable), &fused, PHASE_GRAD_REL_TOL);
        }
    }
}

#[test]
fn m2_on_wgpu_keeps_its_contract() {
    let Some(gpu) = gpu() else { return };
    battery::causal_mixer(&m2(false).fork(&gpu).with_form(Form::Portable), D_MODEL);
    battery::bidirectional_mixer(&m2(true).fork(&gpu).with_form(Form::Portable), D_MODEL);
}

#[test]
fn m2_on_wgpu_is_the_fused_one() {
    let Some(gpu) = gpu() else { return };
    for bidirectional in [true, false] {
        let fused = m2(bidirectional);
        forms_agree(&fused.clone().fork(&gpu).with_form(Form::Portable), &fused, GRAD_REL_TOL);
    }
}

/// Output and input gradient of a channel mixer.
fn run<M: ChannelMixer + Module>(mixer: &M, device: &Device) -> [Tensor<3>; 2] {
    let device = device.clone().autodiff();
    let x = seeded_tensor([2, 5, D_MODEL], 2, &device).require_grad();
    let y = mixer.clone().train().forward(x.clone());
    let grads = (y.clone() * seeded_tensor(y.dims(), 3, &device)).sum().backward();
    [y.inner(), x.grad(&grads).unwrap()]
}

fn assert_same_channel_mixer<M: ChannelMixer + Module>(fused: &M, on_gpu: &M, gpu: &Device) {
    let ([value, grad], [wanted, wanted_grad]) = (run(on_gpu, gpu), run(fused, &cpu()));
    assert_rel_close(value, wanted, VALUE_REL_TOL, "output");
    assert_rel_close(grad, wanted_grad, GRAD_REL_TOL, "input gradient");
}

#[test]
fn channel_mixers_on_wgpu_are_the_fused_ones() {
    let Some(gpu) = gpu() else { return };
    let dense = seeded(|device| DenseMlpConfig::new(D_MODEL, 20).init(device));
    assert_same_channel_mixer(&dense, &dense.clone().fork(&gpu).with_form(Form::Portable), &gpu);
    // 5 blocks divide neither width, so the padding is tested too.
    let blocks = seeded(|device| BlockDiagonalMlpConfig::new(D_MODEL, 18).with_n_blocks(5).init(device));
    assert_same_channel_mixer(&blocks, &blocks.clone().fork(&gpu).with_form(Form::Portable), &gpu);
    let monarch = seeded(|device| MonarchMlpConfig::new(D_MODEL, 18).with_gated(true).init(device));
    assert_same_channel_mixer(&monarch, &monarch.clone().fork(&gpu).with_form(Form::Portable), &gpu);
    let swiglu = seeded(|device| SwigluConfig::new(D_MODEL, 18).init(device));
    assert_same_channel_mixer(&swiglu, &swiglu.clone().fork(&gpu).with_form(Form::Portable), &gpu);
}

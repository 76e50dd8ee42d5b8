//! H3 against its f64 definition, and in its other forms.

mod config;
mod gradients;
mod layer;
mod oracle;

use burn::module::Param;
use subquad_backend::Form;
use subquad_s4::{Discretization, H3, H3Config, S4dInit};
use subquad_testkit::{cpu, seeded_tensor, with_seed};

const D_MODEL: usize = 8;
const D_STATE: usize = 6;
const FORMS: [Form; 2] = [Form::Portable, Form::Fused];
const HEAD_DIMS: [usize; 3] = [1, 2, 4];

/// Two FFTs of a thousand tokens in f32 and two linear layers: measured 1.2e-6.
const LAYER: f64 = 1e-5;
/// Gradients sum a thousand such products: measured 7e-6 at the decays of `legs`.
const LAYER_GRADIENT: f64 = 5e-5;

fn config(head_dim: usize) -> H3Config {
    H3Config::new(D_MODEL).with_head_dim(head_dim).with_d_state(D_STATE)
}

fn build(config: &H3Config) -> H3 {
    with_seed(&cpu(), 1, || config.init(&cpu()))
}

/// With input weights of the shift that are not those it starts with.
fn with_trained_shift(mut layer: H3) -> H3 {
    let b = seeded_tensor([D_MODEL, D_STATE], 9, &cpu());
    layer.shift.b = Some(Param::from_tensor(b));
    layer
}

/// Every head size, and everything else that makes another layer.
fn layers() -> Vec<H3> {
    let of_heads = HEAD_DIMS.map(|head_dim| build(&config(head_dim)));
    let shared = build(&config(2).with_n_ssm(Some(2)).with_init(S4dInit::Legs));
    let zoh = build(&config(1).with_discretization(Discretization::Zoh));
    let trained = with_trained_shift(build(&config(2)));
    of_heads.into_iter().chain([shared, zoh, trained]).collect()
}

//! What `bench` measures, and what it checks that against.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::Tensor;
use subquad_mixer::{MeasuredMixer, SequenceMixer, Sizes};
use subquad_s4::{H3Config, S4Config, S4dConfig};
use subquad_testkit::{assert_rel_close, cpu, seeded_tensor, to_f64, with_seed};

const SIZES: Sizes =
    Sizes { batch: 1, seq_len: 33, d_model: 4, hidden_factor: 2, n_blocks: 1, d_state: 6, more_tokens: 8 };

/// A convolution and a linear layer in f32: measured 3e-7.
const TOLERANCE: f64 = 3e-6;

#[derive(Default)]
struct Parameters(Vec<Vec<f64>>);

impl ModuleVisitor for Parameters {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.push(to_f64(param.val()));
    }
}

fn built<C: MeasuredMixer>() -> C::Mixer {
    with_seed(&cpu(), 1, || C::measured(&SIZES).init(&cpu()))
}

fn is_its_definition<C: MeasuredMixer>() {
    let (layer, mut parameters) = (built::<C>(), Parameters::default());
    layer.visit(&mut parameters);
    let x = seeded_tensor::<3>([1, SIZES.seq_len, SIZES.d_model], 2, &cpu());
    let wanted = C::definition(&SIZES, &parameters.0, &to_f64(x.clone()));
    assert_rel_close(layer.forward(x), wanted, TOLERANCE, C::NAME);
    let count: usize = parameters.0.iter().map(Vec::len).sum();
    assert_eq!(C::measured(&SIZES).n_parameters(), count, "{}", C::NAME);
}

#[test]
fn what_is_measured_is_its_definition_and_has_the_parameters_that_its_config_counts() {
    is_its_definition::<S4dConfig>();
    is_its_definition::<S4Config>();
    is_its_definition::<H3Config>();
}

fn stepper_goes_on<C: MeasuredMixer>() {
    let (layer, seq_len) = (built::<C>(), SIZES.seq_len);
    let x = seeded_tensor::<3>([1, seq_len + 1, SIZES.d_model], 3, &cpu());
    let (_, state) =
        layer.forward_with_state(x.clone().narrow(1, 0, seq_len), layer.init_state(1).unwrap()).unwrap();
    let mut stepper = layer.slice_stepper(&state, 1).unwrap();
    let (token, mut y) = (to_f64(x.clone().narrow(1, seq_len, 1)), [0.0; SIZES.d_model]);
    let token: Vec<f32> = token.iter().map(|value| *value as f32).collect();
    let mut copy = stepper.boxed();
    stepper.step(&token, &mut y);
    assert_rel_close(&y.map(f64::from)[..], layer.forward(x).narrow(1, seq_len, 1), TOLERANCE, C::NAME);
    assert_eq!((stepper.seq(), copy.seq()), (seq_len + 1, seq_len), "a copy goes its own way");
    let own = y;
    copy.step(&token, &mut y);
    assert_eq!(own, y);
}

#[test]
fn decoders_over_slices_go_on_from_a_state() {
    stepper_goes_on::<S4dConfig>();
    stepper_goes_on::<S4Config>();
}

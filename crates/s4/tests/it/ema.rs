//! The exponential moving average: its definition, and the contract of a sequence mixer.

use subquad_backend::Form;
use subquad_mixer::{MeasuredMixer, SequenceMixer, SequenceMixerConfig, Sizes};
use subquad_s4::{Ema, EmaConfig};
use subquad_testkit::{AWKWARD_LENGTHS, assert_rel_close, battery, cpu, seeded, seeded_tensor, to_f64};

const D_MODEL: usize = 6;
const FORMS: [Form; 2] = [Form::Portable, Form::Fused];
/// f32 powers and an FFT of up to a thousand taps.
const TOLERANCE: f64 = 1e-5;

fn layer(reach: f64) -> Ema {
    EmaConfig::new(D_MODEL).with_reach(reach).init(&cpu())
}

#[test]
fn it_is_its_definition_at_awkward_lengths() {
    for (reach, seq) in [0.1, 16.0, 1e6].into_iter().flat_map(|reach| AWKWARD_LENGTHS.map(|seq| (reach, seq)))
    {
        let (layer, x) = (layer(reach), seeded(seq * D_MODEL, 3));
        let sizes = Sizes { batch: 1, seq_len: seq, d_model: D_MODEL, ..SIZES };
        let wanted = EmaConfig::definition(&sizes, &[to_f64(layer.logit.val())], &x);
        for form in FORMS {
            let got = layer.clone().with_form(form).forward(seeded_tensor([1, seq, D_MODEL], 3, &cpu()));
            assert_rel_close(
                got,
                wanted.clone(),
                TOLERANCE,
                format!("reach {reach}, {seq} tokens, {form:?}"),
            );
        }
    }
}

const SIZES: Sizes = Sizes {
    batch: 1,
    seq_len: 1,
    d_model: D_MODEL,
    hidden_factor: 1,
    n_blocks: 1,
    d_state: 2,
    more_tokens: 0,
};

#[test]
fn it_keeps_the_contract() {
    for form in FORMS {
        battery::causal_mixer(&layer(16.0).with_form(form), D_MODEL);
    }
    let (fused, portable) = (layer(16.0).with_form(Form::Fused), layer(16.0).with_form(Form::Portable));
    battery::forms_agree(&fused, &portable, D_MODEL, &AWKWARD_LENGTHS, TOLERANCE, TOLERANCE);
}

#[test]
fn states_of_other_widths_are_refused() {
    let other = EmaConfig::new(D_MODEL + 1).init(&cpu());
    battery::refuses_states_of((&layer(16.0), D_MODEL), (&other, D_MODEL + 1));
}

#[test]
fn a_constant_stays_itself_in_the_end() {
    let ones = burn::tensor::Tensor::<3>::ones([1, 400, D_MODEL], &cpu());
    let last = layer(16.0).forward(ones).narrow(1, 399, 1);
    assert_rel_close(last, vec![1.0; D_MODEL], TOLERANCE, "after 25 times its reach");
}

//! The device `wgpu`, on a GPU or on software Vulkan. Opt-in, because neither build nor machine has it by default:
//! [`OPT_IN`] and the feature `wgpu`. The command is in CONTRIBUTING.

mod mixers;
mod program;
mod training;

use std::io::{self, Write};
use std::sync::Once;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use subquad_model::named_parameters;
use subquad_testkit::{seeded_tensor, to_f64, with_seed};

const OPT_IN: &str = "SUBQUAD_TEST_WGPU";

/// The device; `None`, with a message, if nobody opted in.
fn gpu() -> Option<Device> {
    if std::env::var_os(OPT_IN).is_none() {
        say_skipped();
        return None;
    }
    Some(subquad_backend::open_device("wgpu").unwrap_or_else(|e| panic!("{OPT_IN} is set, but {e}")).device)
}

/// Once for all tests, and not with `eprintln`, which the test harness captures.
fn say_skipped() {
    static SAID: Once = Once::new();
    let line = format!("\nSKIPPED: the tests of wgpu do nothing without {OPT_IN}=1 and --features wgpu\n");
    SAID.call_once(|| drop(io::stderr().write_all(line.as_bytes())));
}

fn cpu() -> Device {
    Device::flex()
}

/// A mixer with fixed weights on the CPU. burn draws some of them when they are first read.
fn seeded<M: Module>(init: impl FnOnce(&Device) -> M) -> M {
    with_seed(&cpu(), 1, || {
        let mixer = init(&cpu());
        named_parameters(&mixer);
        mixer
    })
}

#[test]
fn values_that_were_read_from_wgpu_stay_as_they_were() {
    let Some(gpu) = gpu() else { return };
    let x: Tensor<2> = seeded_tensor([64, 16], 1, &gpu) + 1.0;
    let wanted = to_f64(x.clone());
    let kept = subquad_backend::read(x.clone());
    // In place, if only `x` owns the memory.
    let doubled = to_f64(x * 2.0);
    assert_eq!(to_f64(kept), wanted);
    assert_ne!(doubled, wanted);
}

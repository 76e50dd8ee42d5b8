//! Options of S4D.

use burn::tensor::Device;
use subquad_mixer::{Context, Options, Refusal};

use super::rules::CHANNELS;
use super::{builds, layer_config, with_shared_options};
use crate::{Diagonal, Discretization, S4d, S4dInit};

with_shared_options!(layer_config! {
    /// Configuration of an [`S4d`] layer.
    pub struct S4dConfig {
        /// States per channel, even: they come in conjugate pairs. Memory and kernel cost grow linearly with it.
        #[config(default = 64)]
        #[option(range = 2..=65536)]
        pub d_state: usize,
        /// Which published system A and B start from (crates/s4/README.md has their formulas). Mixtures (diag, hippo) give half
        /// of the n_ssm systems to each part.
        #[config(default = "S4dInit::Lin")]
        pub init: S4dInit,
        /// How continuous time becomes steps: zero-order hold or bilinear.
        #[config(default = "Discretization::Zoh")]
        pub discretization: Discretization,
    }
});
builds!(S4dConfig, S4d);

impl S4dConfig {
    /// Everything that keeps the layer from being built: an option out of its range, or options that do not go together.
    pub fn refusals(&self) -> Vec<Refusal> {
        self.refused_by(|| {
            let (options, init) = (self.options(), self.init.demands());
            [options.sharing_refusals(&CHANNELS, &init), options.refusals(&init)].concat()
        })
    }

    fn kept(&self) -> f64 {
        self.options().kept()
    }

    fn kernels(&self, seq_len: usize) -> f64 {
        self.options().kernel_floats(seq_len)
    }

    fn fit_to(&mut self, context: &Context) -> Option<Refusal> {
        (self.d_model, self.bidirectional) = (context.d_model, !context.causal);
        None
    }

    /// How many numbers the layer learns, without building it. The config must pass [`check`](Self::check).
    pub fn n_parameters(&self) -> usize {
        let options = self.options();
        options.n_modes_parameters() + options.n_tail_parameters()
    }

    /// The layer, with `A` and `B` as [`S4dInit`] says and everything else drawn from the device's generator.
    ///
    /// # Panics
    /// If [`check`](Self::check) fails.
    pub fn init(&self, device: &Device) -> S4d {
        self.check().unwrap_or_else(|e| panic!("S4dConfig: {e}"));
        let options = self.options();
        let systems = options.diagonal_systems(self.init, device);
        let modes = options.modes(&systems, device);
        options.layer(Diagonal { modes, discretization: self.discretization }, device)
    }
}

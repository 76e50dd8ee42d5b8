//! Options of S4D.

use burn::tensor::Device;

use super::{S4ConfigError, layer_config};
use crate::{Diagonal, Discretization, S4d, S4dInit};

layer_config! {
    /// Configuration of an [`S4d`] layer.
    pub struct S4dConfig {
        /// Where the eigenvalues and input weights start.
        #[config(default = "S4dInit::Lin")]
        pub init: S4dInit,
        /// How the continuous system becomes a recurrence.
        #[config(default = "Discretization::Zoh")]
        pub discretization: Discretization,
    }
}

impl S4dConfig {
    /// Whether [`init`](Self::init) would succeed.
    ///
    /// # Errors
    /// If an option is out of its range, or two do not fit together.
    pub fn check(&self) -> Result<(), S4ConfigError> {
        let options = self.options();
        options.check()?;
        options.check_mixture(self.init.as_str(), self.init.parts().len())?;
        options.check_floor(self.init.as_str(), self.init.hardly_decays())?;
        options.check_decay(self.init.as_str(), self.init.largest_decay(self.d_state))
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

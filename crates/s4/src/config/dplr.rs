//! Options of S4.

use burn::module::Param;
use burn::tensor::{Device, Distribution, Tensor, TensorData};

use super::options::draws;
use super::{S4ConfigError, layer_config};
use crate::hippo::Complex;
use crate::init::{DplrSystem, Mode};
use crate::{Dplr, S4, S4Init};

/// Deviation of the numbers that rows beyond the init's own start at, far below those rows' entries of order one.
const SMALL_ROW: f64 = 1e-3;

layer_config! {
    /// Configuration of an [`S4`] layer.
    pub struct S4Config {
        /// Longest training sequence: the length at which `C` is learned. Evaluation may go on beyond it.
        pub l_max: usize,
        /// Where state matrix and input weights start.
        #[config(default = "S4Init::Legs")]
        pub init: S4Init,
        /// Rank of the low-rank part; `None` is what the init needs. Rows beyond that start small and random.
        #[config(default = "None")]
        pub rank: Option<usize>,
    }
}

impl S4Config {
    /// Whether [`init`](Self::init) would succeed.
    ///
    /// # Errors
    /// If an option is out of its range, or two do not fit together.
    pub fn check(&self) -> Result<(), S4ConfigError> {
        let (options, init) = (self.options(), self.init.as_str());
        options.check()?;
        options.check_mixture(init, self.init.parts().len())?;
        options.check_floor(init, self.init.hardly_decays())?;
        let (rank, needed) = (self.rank(), self.init.rank());
        if rank < needed {
            return Err(S4ConfigError::Rank { init: init.into(), needed, rank });
        }
        match self.l_max {
            0 => Err(S4ConfigError::Zero { name: "l_max" }),
            _ => Ok(()),
        }
    }

    /// Rows of `P` that the init leaves at zero would stay there: the map depends on `P P*` alone, whose gradient by such a row
    /// is zero. So they start small.
    fn wake_rows(&self, systems: &mut [DplrSystem], device: &Device) {
        let rows = systems.iter_mut().flat_map(|system| &mut system.p);
        for row in rows.filter(|row| row.iter().all(|p| *p == Complex { re: 0.0, im: 0.0 })) {
            let drawn = draws([row.len(), 2], Distribution::Normal(0.0, SMALL_ROW), device);
            for (p, parts) in row.iter_mut().zip(drawn.chunks_exact(2)) {
                *p = Complex { re: parts[0], im: parts[1] };
            }
        }
    }

    fn rank(&self) -> usize {
        self.rank.unwrap_or(self.init.rank())
    }

    /// How many numbers the layer learns, without building it. The config must pass [`check`](Self::check).
    pub fn n_parameters(&self) -> usize {
        let options = self.options();
        let low_rank = 2 * self.rank() * options.systems() * options.pairs();
        low_rank + options.n_modes_parameters() + options.n_tail_parameters()
    }

    /// The layer, with `A`, `B` and `P` as [`S4Init`] says and everything else drawn from the device's generator. What is
    /// drawn for `C` is the output weight itself; the layer keeps what it makes of it at `l_max` (see [`Dplr`]).
    ///
    /// # Panics
    /// If [`check`](Self::check) fails.
    pub fn init(&self, device: &Device) -> S4 {
        self.check().unwrap_or_else(|e| panic!("S4Config: {e}"));
        let options = self.options();
        let mut systems = self.init.systems(self.d_state, options.systems(), self.rank(), self.b_clip);
        self.wake_rows(&mut systems, device);
        options.layer(self.dplr(&systems, device).with_plain_c(), device)
    }

    /// The layer before its parameters are set to given ones: none of them means anything. [`init`](Self::init) needs more memory
    /// than its parameters, by the square of `d_state`, and more work by its cube.
    pub(crate) fn unset(&self, device: &Device) -> S4 {
        let (options, zero) = (self.options(), Complex { re: 0.0, im: 0.0 });
        let mode = Mode { decay: 0.5, frequency: 0.0, b_re: 0.0, b_im: 0.0 };
        let pairs = options.pairs();
        let system = DplrSystem { modes: vec![mode; pairs], p: vec![vec![zero; pairs]; self.rank()] };
        options.layer(self.dplr(&vec![system; options.systems()], device), device)
    }

    /// What is drawn for `C` is the output weight.
    fn dplr(&self, systems: &[DplrSystem], device: &Device) -> Dplr {
        let modes: Vec<_> = systems.iter().map(|system| system.modes.clone()).collect();
        let [p_re, p_im] = low_rank(systems, self.rank(), device);
        Dplr { modes: self.options().modes(&modes, device), p_re, p_im, l_max: self.l_max }
    }
}

/// Real and imaginary part, `[rank, n_ssm, pairs]`.
fn low_rank(systems: &[DplrSystem], rank: usize, device: &Device) -> [Param<Tensor<3>>; 2] {
    let pairs = systems[0].modes.len();
    let parts: [fn(&Complex) -> f64; 2] = [|p| p.re, |p| p.im];
    parts.map(|part| {
        let rows = (0..rank).flat_map(|r| systems.iter().flat_map(move |system| &system.p[r]));
        let values: Vec<f32> = rows.map(|p| part(p) as f32).collect();
        Param::from_tensor(Tensor::from_data(TensorData::new(values, [rank, systems.len(), pairs]), device))
    })
}

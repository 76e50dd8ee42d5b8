//! Options of S4.

use burn::module::Param;
use burn::tensor::{Device, Distribution, Tensor, TensorData};
use subquad_mixer::{Context, Options, Refusal};
use subquad_options::range::LONGEST_SEQ;

use super::options::draws;
use super::rules::CHANNELS;
use super::{builds, layer_config, with_shared_options};
use crate::hippo::Complex;
use crate::init::{DplrSystem, Mode};
use crate::{Dplr, S4, S4Init};

/// Deviation of the initial numbers in rows beyond the init's own, far below the entries of order one in the init's
/// rows.
const SMALL_ROW: f64 = 1e-3;

with_shared_options!(layer_config! {
    /// Configuration of an [`S4`] layer.
    pub struct S4Config {
        /// States per channel, even: they come in conjugate pairs. Memory and kernel cost grow linearly with it,
        /// except those of the dense f64 matrices that the layer makes for every channel, which grow with its square
        /// and cube.
        #[config(default = 64)]
        #[option(range = 2..=1024)]
        pub d_state: usize,
        /// Which published system A and B start from (crates/s4/README.md has their formulas). The mixture hippo gives half of
        /// the n_ssm systems to each part.
        #[config(default = "S4Init::Legs")]
        pub init: S4Init,
        /// Rank of the low-rank part; 0: what the init needs, which is 2 for legt and 1 for the others. Rows beyond that start
        /// small and random.
        #[config(default = "None")]
        #[option(range = 1..=64, none = 0)]
        pub rank: Option<usize>,
        /// Length at which C is learned, in tokens: at least the training length; tests may be longer. Shorter
        /// sequences pay for a kernel of this length. "longest" is the longest sequence of the config, test
        /// conditions included.
        #[option(range = 1..=LONGEST_SEQ, or = "longest")]
        pub l_max: usize,
    }
});
builds!(S4Config, S4);

impl S4Config {
    /// Everything that keeps the layer from being built: an option out of its range, or options that do not go together.
    pub fn refusals(&self) -> Vec<Refusal> {
        self.refused_by(|| {
            let (options, init) = (self.options(), self.init.demands());
            let low_rank = self.too_low_rank().into_iter().collect();
            [options.sharing_refusals(&CHANNELS, &init), options.refusals(&init), low_rank].concat()
        })
    }

    fn kept(&self) -> f64 {
        self.options().kept()
    }

    /// Its recurrence is computed once, with a dense matrix per channel.
    fn kernels(&self, seq_len: usize) -> f64 {
        let dense = 8.0 * self.d_model as f64 * (self.d_state as f64).powi(2);
        dense + self.options().kernel_floats(seq_len)
    }

    fn too_low_rank(&self) -> Option<Refusal> {
        let (rank, needed, init) = (self.rank(), self.init.rank(), self.init.demands().word);
        Refusal::when(rank < needed, &["rank", "init"], || {
            format!(
                "init = \"{init}\" needs a low-rank part of rank {needed} or more, got rank = {rank}; raise it, or use 0 for what \
                 the init needs"
            )
        })
    }

    fn fit_to(&mut self, context: &Context) -> Option<Refusal> {
        (self.d_model, self.bidirectional) = (context.d_model, !context.causal);
        let (l_max, seq_len) = (self.l_max, context.seq_len);
        Refusal::when(l_max < seq_len, &["l_max"], || {
            format!(
                "l_max = {l_max} is shorter than the training sequences, {seq_len} tokens; raise it or use \"longest\" (tests may \
                 be longer)"
            )
        })
    }

    /// Rows of `P` that the init leaves at zero would stay there, because the map depends only on `P P*`, whose
    /// gradient with respect to such a row is zero. So they start small.
    fn wake_rows(&self, systems: &mut [DplrSystem], device: &Device) {
        let rows = systems.iter_mut().flat_map(|system| &mut system.p);
        for row in rows.filter(|row| row.iter().all(|p| *p == Complex { re: 0.0, im: 0.0 })) {
            let drawn = draws([row.len(), 2], Distribution::Normal(0.0, SMALL_ROW), device);
            for (p, parts) in row.iter_mut().zip(drawn.chunks_exact(2)) {
                *p = Complex { re: parts[0], im: parts[1] };
            }
        }
    }

    pub(super) fn rank(&self) -> usize {
        self.rank.unwrap_or(self.init.rank())
    }

    /// How many numbers the layer learns, without building it. The config must pass [`check`](Self::check).
    pub fn n_parameters(&self) -> usize {
        let options = self.options();
        let low_rank = 2 * self.rank() * options.systems() * options.pairs();
        low_rank + options.n_modes_parameters() + options.n_tail_parameters()
    }

    /// The layer, with `A`, `B` and `P` as [`S4Init`] says and everything else drawn from the device's generator. The
    /// numbers drawn for `C` are the output weights themselves; the layer stores what follows from them at `l_max`
    /// (see [`Dplr`]).
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

    /// The layer before its parameters are set to given ones: none of its numbers mean anything. [`init`](Self::init)
    /// needs more memory than its parameters, by the square of `d_state`, and more work by its cube.
    pub(crate) fn unset(&self, device: &Device) -> S4 {
        let (options, zero) = (self.options(), Complex { re: 0.0, im: 0.0 });
        let mode = Mode { decay: 0.5, frequency: 0.0, b_re: 0.0, b_im: 0.0 };
        let pairs = options.pairs();
        let system = DplrSystem { modes: vec![mode; pairs], p: vec![vec![zero; pairs]; self.rank()] };
        options.layer(self.dplr(&vec![system; options.systems()], device), device)
    }

    /// The numbers drawn for `C` are the output weights.
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

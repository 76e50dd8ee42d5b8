//! S4 in f64, from a layer's own parameters.

use subquad_s4::reference::{Complex, Dplr, Mode, Recurrence, complete, real};
use subquad_s4::{S4, S4Config};
use subquad_testkit::{cpu, to_f64, with_seed};

use crate::truncation::Truncated;

/// The names of [`Parameters::lists`].
pub(crate) const NAMES: [&str; 9] =
    ["inv_dt", "inv_a_re", "a_im", "b_re", "b_im", "c_re", "c_im", "p_re", "p_im"];

/// A layer whose random parameters are the same in every run.
pub(crate) fn seeded_layer(config: &S4Config) -> S4 {
    with_seed(&cpu(), 1, || config.init(&cpu()))
}

/// The parameters of a layer with transforms `exp` as flat lists, in the order of [`NAMES`].
#[derive(Clone)]
pub(crate) struct Parameters {
    pub(crate) kernels: usize,
    pub(crate) d_model: usize,
    systems: usize,
    pairs: usize,
    rank: usize,
    l_max: usize,
    pub(crate) lists: [Vec<f64>; 9],
}

impl Parameters {
    pub(crate) fn of(layer: &S4) -> Self {
        let (modes, ssm) = (&layer.ssm.modes, &layer.ssm);
        let ([rank, systems, pairs], [kernels, d_model, _]) = (ssm.p_re.dims(), modes.c_re.dims());
        let lists = [
            to_f64(modes.inv_dt.val()),
            to_f64(modes.inv_a_re.val()),
            to_f64(modes.a_im.val()),
            to_f64(modes.b_re.val()),
            to_f64(modes.b_im.val()),
            to_f64(modes.c_re.val()),
            to_f64(modes.c_im.val()),
            to_f64(ssm.p_re.val()),
            to_f64(ssm.p_im.val()),
        ];
        Self { kernels, d_model, systems, pairs, rank, l_max: ssm.l_max(), lists }
    }

    /// The recurrence of a channel with `C` itself. A step of its own for every state is worked into the weights: a state
    /// divided by the root of its step has the matrix `sqrt(dt) A sqrt(dt)`.
    pub(crate) fn recurrence(&self, kernel: usize, channel: usize, rate: f64) -> Recurrence {
        let learned = self.scaled(kernel, channel, 1.0);
        let c_tilde: Vec<Complex> = learned.modes.iter().map(|mode| mode.c).collect();
        let c = learned.dense().discretize(1.0, 1.0).recover(&complete(&c_tilde), self.l_max);
        let mut recurrence = self.scaled(kernel, channel, rate).dense().discretize(1.0, 1.0);
        // The scale of C belongs to the rate at which it was learned.
        recurrence.c = c.into_iter().map(|c| c * real(rate.sqrt())).collect();
        recurrence
    }

    fn scaled(&self, kernel: usize, channel: usize, rate: f64) -> Dplr {
        let dt: Vec<f64> = self.steps(channel).into_iter().map(|dt| rate * dt).collect();
        let root = |n: usize| real(dt[n].sqrt());
        let Dplr { mut modes, mut p } = self.continuous(kernel, channel);
        for (n, mode) in modes.iter_mut().enumerate() {
            *mode = Mode { a: real(dt[n]) * mode.a, b: root(n) * mode.b, c: root(n) * mode.c };
            p.iter_mut().for_each(|p| p[n] = root(n) * p[n]);
        }
        Dplr { modes, p }
    }

    /// The system in continuous time, with what is learned for `C`.
    pub(crate) fn continuous(&self, kernel: usize, channel: usize) -> Dplr {
        let [_, _, a_im, b_re, b_im, c_re, c_im, p_re, p_im] = &self.lists;
        let places = self.places(kernel, channel);
        let number = |re: &[f64], im: &[f64], at: usize| Complex { re: re[at], im: im[at] };
        let mode = |n: usize| Mode {
            a: Complex { re: -places.decay(self, n), im: a_im[places.system + n] },
            b: number(b_re, b_im, places.system + n),
            c: number(c_re, c_im, places.own + n),
        };
        let row = |r: usize| (0..self.pairs).map(|n| number(p_re, p_im, places.row(r) + n)).collect();
        Dplr { modes: (0..self.pairs).map(mode).collect(), p: (0..self.rank).map(row).collect() }
    }

    /// Of every pair.
    pub(crate) fn steps(&self, channel: usize) -> Vec<f64> {
        let places = self.places(0, channel);
        (0..self.pairs).map(|n| self.lists[0][places.step(n)].exp()).collect()
    }

    pub(crate) fn places(&self, kernel: usize, channel: usize) -> Places {
        let steps = self.lists[0].len() / self.d_model;
        Places {
            steps,
            first_step: channel * steps,
            system: channel % self.systems * self.pairs,
            own: (kernel * self.d_model + channel) * self.pairs,
            between_rows: self.systems * self.pairs,
        }
    }

    /// `[kernels, d_model, seq]`
    pub(crate) fn all_kernels(&self, seq: usize, rate: f64) -> Vec<f64> {
        let rows = (0..self.kernels).flat_map(|k| (0..self.d_model).map(move |h| (k, h)));
        rows.flat_map(|(k, h)| self.recurrence(k, h, rate).kernel(seq)).collect()
    }
}

/// Where the numbers of a kernel's first pair are in the lists.
pub(crate) struct Places {
    steps: usize,
    first_step: usize,
    /// Of `A` and `B`.
    pub(crate) system: usize,
    /// Of `C`.
    pub(crate) own: usize,
    between_rows: usize,
}

impl Places {
    pub(crate) fn step(&self, n: usize) -> usize {
        self.first_step + n % self.steps
    }

    /// Of row `r` of `P`.
    pub(crate) fn row(&self, r: usize) -> usize {
        r * self.between_rows + self.system
    }

    /// `-Re A` of pair `n`.
    pub(crate) fn decay(&self, of: &Parameters, n: usize) -> f64 {
        of.lists[1][self.system + n].exp()
    }
}

//! H3: two state spaces and two products, made to compare and to copy.
//!
//! ```text
//! k' = shift SSM of k                          the last d_state tokens, weighted
//! y  = S4D of k' v                             remembers the product; a head has head_dim x head_dim of them
//! out_t = Linear(sum over i of q_i y_{i,.})    q, k, v linear in the token
//! ```
//! Fu, Dao, Saab, Thomas, Rudra, Re 2022, <https://arxiv.org/abs/2212.14052>, section 3.

mod shift;

use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::tensor::Tensor;
use subquad_backend::Form;
use subquad_backend::fft_conv::causal_conv;
use subquad_backend::linear::linear;
use subquad_backend::pointwise::Activation;
use subquad_backend::swap_axes;
use subquad_backend::tail::{Output, mix_channels};
use subquad_mixer::{
    Contract, Kept, MixerError, MixerState, Origin, ParameterGroup, SequenceMixer, SliceStepper,
};

use crate::layer::{slow_group, with_skip};
use crate::stepper::H3Stepper;
use crate::taps::MaxTaps;
use crate::{Diagonal, S4State, StateSpace};

pub use shift::Shift;

/// As in configs and errors.
pub(crate) const NAME: &str = "h3";

/// H3, without norm and residual. Built by [`H3Config`](crate::H3Config).
///
/// Of queries, keys and values, channel `h head_dim + i` is feature `i` of head `h`. [`output`](Self::output) reads feature
/// `j` of head `h` at `j n_heads + h`: the order of the published layer.
#[derive(Module, Debug)]
pub struct H3 {
    /// Queries.
    pub q: Linear,
    /// Keys.
    pub k: Linear,
    /// Values.
    pub v: Linear,
    /// The state space on every key channel.
    pub shift: Shift,
    /// The state space on the products, one system per head.
    pub ssm: Diagonal,
    /// Weight of the products of the token itself: `[n_heads]`.
    pub d: Param<Tensor<1>>,
    /// What mixes the channels of a token at the end.
    pub output: Linear,
    #[module(skip)]
    pub(crate) head_dim: usize,
    #[module(skip)]
    pub(crate) ssm_lr: f64,
    #[module(skip)]
    pub(crate) max_taps: MaxTaps,
    #[module(skip)]
    pub(crate) form: Form,
}

impl H3 {
    /// The same layer with kernels, including those of the shift, of at most this many taps, as
    /// [`SsmLayer::with_max_taps`](crate::SsmLayer::with_max_taps).
    ///
    /// # Panics
    /// If the number of taps is 0.
    pub fn with_max_taps(mut self, taps: Option<usize>) -> Self {
        self.max_taps = MaxTaps::new(taps);
        self
    }

    /// The most taps of a kernel, if there is a limit.
    pub fn max_taps(&self) -> Option<usize> {
        self.max_taps.limit()
    }

    /// The convolution kernels of the products, without the weight of the token itself.
    ///
    /// # Shapes
    /// - output: `[n_heads, seq]`; fewer taps where [`max_taps`](Self::max_taps) says so
    pub fn kernel(&self, seq: usize) -> Tensor<2> {
        self.ssm.kernel(self.max_taps.of(seq), self.form).squeeze_dim(0)
    }

    /// The convolution kernels of the keys, without the weight of the token itself.
    ///
    /// # Shapes
    /// - output: `[d_model, d_state]`; fewer taps where [`max_taps`](Self::max_taps) says so
    pub fn shift_kernel(&self) -> Tensor<2> {
        self.shift.kernel(self.max_taps, self.form)
    }

    /// Queries, keys and values, `[batch, d_model, seq]` each.
    fn projections(&self, x: Tensor<3>) -> [Tensor<3>; 3] {
        [&self.q, &self.k, &self.v].map(|layer| swap_axes(linear(layer, x.clone(), self.form), self.form))
    }

    fn d_model(&self) -> usize {
        self.head_dim * self.n_heads()
    }

    fn n_heads(&self) -> usize {
        self.ssm.modes.d_model()
    }

    /// The origin of the states that the layer makes.
    fn origin(&self) -> Origin {
        let [_, _, pairs] = self.ssm.modes.dims();
        let settings = [
            ("d_model", self.d_model()),
            ("head_dim", self.head_dim),
            ("d_state of the shift", self.shift.d_state()),
            ("d_state", 2 * pairs),
        ];
        Origin::new(NAME, settings.map(|(name, size)| (name, size.into())))
    }

    /// One state of the products, for one sequence: `[rows, n_heads, pairs]`.
    fn products_of_one(&self) -> [usize; 3] {
        let [_, n_heads, pairs] = self.ssm.modes.dims();
        [self.head_dim * self.head_dim, n_heads, pairs]
    }

    fn skip(&self, kv: Tensor<3>) -> Tensor<3> {
        kv * self.d.val().reshape([1, self.n_heads(), 1])
    }
}

impl SequenceMixer for H3 {
    type State = H3State;

    fn with_form(self, form: Form) -> Self {
        Self { form, ..self }
    }

    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        self.assert_reads(&x);
        let seq = x.dims()[1];
        let [q, k, v] = self.projections(x);
        let kv = outer(self.shift.convolve(k, self.max_taps, self.form), v, self.head_dim);
        let kernels = with_skip(self.kernel(seq), self.d.val());
        let read = weighted(q, causal_conv(kv, kernels, self.form), self.head_dim);
        mix_channels(read, Activation::Identity, &self.output, Output::Linear, self.form)
    }

    fn forward_with_state(&self, x: Tensor<3>, state: H3State) -> Result<(Tensor<3>, H3State), MixerError> {
        self.check_call(&x, &state)?;
        let [q, k, v] = self.projections(x);
        self.max_taps.check_state(NAME, state.products.seq + k.dims()[2])?;
        let (k, keys) = self.shift.run(k, state.keys, self.form);
        let kv = outer(k, v, self.head_dim);
        let (y, products) = self.ssm.run(kv.clone(), state.products, self.form);
        let read = weighted(q, y.squeeze_dim(1) + self.skip(kv), self.head_dim);
        let out = mix_channels(read, Activation::Identity, &self.output, Output::Linear, self.form);
        Ok((out, H3State { keys, products }))
    }

    fn step(&self, x: Tensor<2>, state: &mut H3State) -> Result<Tensor<2>, MixerError> {
        self.check_call(&x, state)?;
        let [q, k, v] = self.projections(x.unsqueeze_dim(1));
        self.max_taps.check_state(NAME, state.products.seq + 1)?;
        let kv = outer(self.shift.advance(k, &mut state.keys, self.form), v, self.head_dim);
        let (y, products) = self.ssm.advance(kv.clone().squeeze_dim(2), state.products.clone());
        state.products = products;
        let read = weighted(q, y.swap_dims(1, 2) + self.skip(kv), self.head_dim);
        Ok(linear(&self.output, read.squeeze_dim::<2>(2), self.form))
    }

    /// `None` if kernels are [cut](Self::with_max_taps): a stepper can continue without end.
    fn slice_stepper(&self, state: &H3State, _room: usize) -> Option<Box<dyn SliceStepper>> {
        self.max_taps.check_state(NAME, usize::MAX).ok()?;
        self.check_state(1, state).unwrap_or_else(|e| panic!("{e}"));
        Some(Box::new(H3Stepper::new(self, state)))
    }

    fn init_state(&self, batch: usize) -> Result<H3State, MixerError> {
        let device = self.d.val().device();
        let [rows, n_heads, pairs] = self.products_of_one();
        let keys = Tensor::zeros([batch, self.d_model(), self.shift.d_state()], &device);
        Ok(H3State { keys, products: S4State::first([batch * rows, n_heads, pairs], self.origin(), &device) })
    }

    fn contract(&self) -> Contract {
        Contract::new(NAME, self.d_model(), &self.d)
    }

    fn check_state(&self, batch: usize, state: &H3State) -> Result<(), MixerError> {
        let of_one = [1, self.d_model(), self.shift.d_state()];
        let keys = Kept { name: "keys", tensor: &state.keys, of_one };
        let [re, im] = state.products.kept(self.products_of_one());
        self.contract().check_state(batch, state.origin(), &self.origin(), &[keys, re, im])
    }

    fn parameter_groups(&self) -> Vec<ParameterGroup> {
        let mut parameters = self.ssm.slow_parameters();
        parameters.extend(self.shift.b.as_ref().map(|b| b.id));
        slow_group(parameters, self.ssm_lr)
    }
}

/// The state of both state spaces.
#[derive(Debug, Clone)]
pub struct H3State {
    /// The last keys of every channel, oldest first: `[batch, d_model, d_state]`.
    pub keys: Tensor<3>,
    /// One per product and pair: `[batch head_dim head_dim, n_heads, d_state / 2]`.
    pub products: S4State,
}

impl MixerState for H3State {
    fn floats(&self) -> usize {
        let ([batch, d_model, d_state], [rows, _, _]) = (self.keys.dims(), self.products.re.dims());
        d_model * d_state + rows / batch * self.products.floats()
    }

    fn origin(&self) -> Option<&Origin> {
        self.products.origin()
    }
}

/// `k_i v_j` for every pair of features of a head. The products are part of the batch axis, because a head has one
/// kernel for all of them.
///
/// # Shapes
/// - `k`, `v`: `[batch, n_heads head_dim, seq]`
/// - output: `[batch i j, n_heads, seq]`
fn outer(k: Tensor<3>, v: Tensor<3>, head_dim: usize) -> Tensor<3> {
    let (k, v) = (features(k, head_dim), features(v, head_dim));
    let [batch, _, n_heads, seq] = k.dims();
    let products = k.unsqueeze_dim::<5>(2) * v.unsqueeze_dim(1);
    products.reshape([batch * head_dim * head_dim, n_heads, seq])
}

/// `sum over i of q_i y_{i,j}`.
///
/// # Shapes
/// - `q`: `[batch, n_heads head_dim, seq]`
/// - `y`: as [`outer`] makes it
/// - output: `[batch, j n_heads, seq]`
fn weighted(q: Tensor<3>, y: Tensor<3>, head_dim: usize) -> Tensor<3> {
    let q = features(q, head_dim);
    let [batch, _, n_heads, seq] = q.dims();
    let y = y.reshape([batch, head_dim, head_dim, n_heads, seq]);
    let terms = q.unsqueeze_dim::<5>(2) * y;
    let sums = if head_dim == 1 { terms } else { terms.sum_dim(1) };
    sums.reshape([batch, head_dim * n_heads, seq])
}

/// `[batch, n_heads head_dim, seq]` to `[batch, head_dim, n_heads, seq]`.
fn features(x: Tensor<3>, head_dim: usize) -> Tensor<4> {
    let [batch, d_model, seq] = x.dims();
    x.reshape([batch, d_model / head_dim, head_dim, seq]).swap_dims(1, 2)
}

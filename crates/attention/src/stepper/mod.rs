//! Decoding over plain slices: one sequence, one thread, no allocation.
//!
//! It uses one thread, because handing work to a pool allocates, and because a token's work is mostly reading the
//! weights and the cache once. Several sequences take several steppers, one per thread: clones share the weights.

mod attend;
mod cache;
mod token;

use std::sync::Arc;

use burn::module::Param;
use burn::tensor::Tensor;
use subquad_backend::floats;
use subquad_backend::row_linear::RowLinear;
use subquad_backend::simd;
use subquad_mixer::{MixerError, MixerState, Origin, SliceStepper};

use self::attend::{Attend, Scratch};
use self::cache::HeadCache;
use self::token::Preparation;
use crate::rotary::rates;
use crate::score_row::{Slots, in_twos};
use crate::{Attention, AttentionState, Position, alibi_slopes};

/// One sequence through an [`Attention`] layer, token by token: the layer's weights, a key-value cache and scratch space.
///
/// Made by [`Attention::stepper`]. A clone shares the weights and continues independently from the tokens seen so far.
#[derive(Debug, Clone)]
pub struct AttentionStepper {
    layer: Arc<Layer>,
    /// One per head of keys and values. With a window, the token at position `t` is in slot `t % window`.
    caches: Vec<HeadCache>,
    seq: usize,
    /// Heads of queries, of keys, of values: `[n_heads + 2 n_kv_heads, d_head]`.
    projected: Vec<f32>,
    turns: Vec<[f32; 2]>,
    scratch: Scratch,
    /// Outputs of the heads side by side: `[d_model]`.
    mixed: Vec<f32>,
}

/// What stays the same from token to token.
#[derive(Debug)]
struct Layer {
    origin: Origin,
    qkv: RowLinear,
    output: RowLinear,
    preparation: Preparation,
    softcap: Option<f32>,
    /// One per head of queries; empty without ALiBi.
    slopes: Vec<f32>,
    n_heads: usize,
    n_kv_heads: usize,
    d_head: usize,
    window: usize,
}

impl Attention {
    /// A stepper with a copy of the layer's present weights and room for `capacity` tokens, or for a whole window. It
    /// continues beyond that: its buffers then grow by doubling.
    ///
    /// # Errors
    /// If the layer is bidirectional.
    ///
    /// # Panics
    /// If the weights are not f32.
    pub fn stepper(&self, capacity: usize) -> Result<AttentionStepper, MixerError> {
        self.require_causal()?;
        let layer = Layer::new(self);
        let Layer { n_heads, n_kv_heads, d_head, window, .. } = layer;
        let slots = capacity.min(window);
        let cache = HeadCache::new(d_head, slots);
        Ok(AttentionStepper {
            seq: 0,
            projected: vec![0.0; layer.qkv.d_output()],
            turns: vec![[1.0, 0.0]; layer.preparation.rates.len()],
            scratch: Scratch::new(n_heads / n_kv_heads, slots, cache.d_value()),
            mixed: vec![0.0; n_heads * d_head],
            // Clones would not do: they would have no room.
            caches: (0..n_kv_heads).map(|_| HeadCache::new(d_head, slots)).collect(),
            layer: Arc::new(layer),
        })
    }
}

impl AttentionStepper {
    /// Continues from the tokens of `state` instead of its own, e.g. after a prompt that went through
    /// [`forward_with_state`](subquad_mixer::SequenceMixer::forward_with_state) at once.
    ///
    /// # Panics
    /// If `state` is not of one sequence and of a layer with the same settings.
    pub fn resume(&mut self, state: &AttentionState) {
        let Layer { origin, n_kv_heads, d_head, window, .. } = &*self.layer;
        origin.check(state.origin()).unwrap_or_else(|e| panic!("{e}"));
        let (n_kv_heads, d_head, window) = (*n_kv_heads, *d_head, *window);
        let held = state.seq().min(window);
        let (keys, wanted) = (state.keys(), [1, n_kv_heads, held, d_head]);
        assert_eq!(keys.dims(), wanted, "the keys of a state that a stepper resumes");
        let [keys, values] = [keys, state.values()].map(floats);
        self.reset();
        self.seq = state.seq();
        let oldest = self.seq - held;
        for (head, cache) in self.caches.iter_mut().enumerate() {
            for slot in 0..held {
                // The one kept token whose position modulo the window is `slot`.
                let token = if held < window { slot } else { (slot + window - oldest % window) % window };
                let at = (head * held + token) * d_head;
                cache.put(slot, &keys[at..at + d_head], &values[at..at + d_head]);
            }
        }
    }

    /// Tokens whose keys and values are kept: all of them, or the last `window`.
    pub fn held(&self) -> usize {
        self.seq.min(self.layer.window)
    }

    /// Turns and scales queries and keys, and puts the token into its slot.
    fn remember(&mut self) {
        let Layer { preparation, n_heads, n_kv_heads, d_head, window, .. } = &*self.layer;
        preparation.turn_to(self.seq, &mut self.turns);
        let (queries, rest) = self.projected.split_at_mut(n_heads * d_head);
        let (keys, values) = rest.split_at_mut(n_kv_heads * d_head);
        queries.chunks_exact_mut(*d_head).for_each(|head| preparation.query(head, &self.turns));
        keys.chunks_exact_mut(*d_head).for_each(|head| preparation.key(head, &self.turns));
        let heads = keys.chunks_exact(*d_head).zip(values.chunks_exact(*d_head));
        for (cache, (key, value)) in self.caches.iter_mut().zip(heads) {
            cache.put(self.seq % window, key, value);
        }
        self.seq += 1;
    }

    /// The newest token's queries against all that is kept.
    fn attend(&mut self) {
        let Layer { softcap, slopes, n_heads, n_kv_heads, d_head, window, .. } = &*self.layer;
        let group = n_heads / n_kv_heads;
        let slots = Slots { held: self.held(), newest: (self.seq - 1) % window };
        let outputs = self.mixed.chunks_exact_mut(group * d_head);
        let queries = self.projected.chunks_exact(group * d_head);
        for (index, ((cache, queries), outputs)) in self.caches.iter().zip(queries).zip(outputs).enumerate() {
            simd::dispatch(Attend {
                cache,
                queries,
                softcap: *softcap,
                slopes: slopes.get(index * group..(index + 1) * group).unwrap_or_default(),
                slots,
                scratch: &mut self.scratch,
            });
            let rows = self.scratch.outputs.chunks_exact(cache.d_value());
            rows.zip(outputs.chunks_exact_mut(*d_head))
                .for_each(|(row, to)| to.copy_from_slice(&row[..*d_head]));
        }
    }
}

impl SliceStepper for AttentionStepper {
    fn step(&mut self, x: &[f32], y: &mut [f32]) {
        let d_model = self.mixed.len();
        assert_eq!([x.len(), y.len()], [d_model; 2], "a stepper's tokens are as wide as its layer");
        self.layer.qkv.apply(x, &mut self.projected);
        self.remember();
        self.attend();
        self.layer.output.apply(&self.mixed, y);
    }

    fn seq(&self) -> usize {
        self.seq
    }

    fn state_bytes(&self) -> usize {
        let Layer { n_kv_heads, d_head, .. } = *self.layer;
        2 * self.held() * n_kv_heads * d_head * size_of::<f32>()
    }

    fn reset(&mut self) {
        self.caches.iter_mut().for_each(HeadCache::clear);
        self.seq = 0;
    }

    fn boxed(&self) -> Box<dyn SliceStepper> {
        Box::new(self.clone())
    }
}

impl Layer {
    fn new(attention: &Attention) -> Self {
        let Attention { qkv, output, q_gain, k_gain, config, .. } = attention;
        let gain = |gain: &Option<Param<Tensor<1>>>| gain.as_ref().map(|gain| floats(gain.val()));
        let (rates, slopes) = match config.position {
            Position::None => (vec![], vec![]),
            Position::Rope => (rates(config.d_rot(), config.rope_base), vec![]),
            Position::Alibi => (vec![], alibi_slopes(config.n_heads)),
        };
        Self {
            origin: attention.origin(),
            qkv: RowLinear::new(qkv),
            output: RowLinear::new(output),
            preparation: Preparation { q_gain: gain(q_gain), k_gain: gain(k_gain), rates },
            softcap: config.softcap.map(in_twos),
            slopes: slopes.into_iter().map(in_twos).collect(),
            n_heads: config.n_heads,
            n_kv_heads: config.kv_heads(),
            d_head: config.d_head(),
            window: config.window.unwrap_or(usize::MAX),
        }
    }
}

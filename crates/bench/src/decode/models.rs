//! Whole models that continue token by token: an embedding of bytes, blocks of a mixer and a dense MLP, a norm and a head.

use burn::module::Module;
use burn::tensor::{Device, Int, Tensor, TensorData};
use subquad_backend::{seeded, with_seed};
use subquad_mixer::published::to_f64;
use subquad_mixer::{Context, MeasuredMixer, MixerModule, Refusal};
use subquad_model::{
    ChannelMixerConfig, DecodingPath, Dropout, Encoder, Head, Input, ModelConfig, ModelState, ModelStepper,
    NormKind, OneToken, SequenceModel, Structure,
};
use subquad_monarch::DenseMlpConfig;
use subquad_options::OptionType;

use super::decoder::{CHUNK, Decoder};
use super::{SEED, STEPS, Start};

/// Tokens are bytes.
pub const VOCAB: usize = 256;

/// The sizes of a model besides its mixer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModelSizes {
    /// Width of the residual stream.
    pub d_model: usize,
    /// Number of blocks.
    pub n_layers: usize,
    /// Hidden width of the MLP of each block.
    pub d_hidden: usize,
}

/// A mixer in a whole model.
#[derive(Debug, Clone, Copy)]
pub struct ModelSubject {
    /// The mixer's name.
    pub name: &'static str,
    /// Why there is no causal model of these sizes that reads so many tokens, if there is none.
    pub refusals: fn(&ModelSizes, usize) -> Vec<Refusal>,
    /// The model of these sizes and a context of so many tokens.
    pub(super) start: fn(&ModelSizes, usize, &Device) -> Box<dyn ModelStart>,
}

impl ModelSubject {
    pub(crate) fn of<C: MeasuredMixer>() -> Self {
        Self {
            name: C::NAME,
            refusals: |sizes, tokens| causal::<C>(sizes.d_model, tokens).err().unwrap_or_default(),
            start: |sizes, context, device| Box::new(ReadyModel::new::<C>(sizes, context, device)),
        }
    }
}

/// The mixer with every option at its default, causal, for sequences of up to `longest` tokens.
fn causal<C: MeasuredMixer>(d_model: usize, longest: usize) -> Result<C, Vec<Refusal>> {
    let fields = C::fields();
    let value = |name: &str| match name {
        "l_max" => Some(longest.to_value()),
        _ => fields.iter().find(|field| field.name == name)?.default.clone(),
    };
    let no_default = || vec![Refusal::new("an option of it has no default, so it cannot be measured", &[])];
    let mut config = C::from_values(&value).ok_or_else(no_default)?;
    let context = Context { mixer: C::NAME, d_model, causal: true, seq_len: longest, longest };
    let misfits = config.fit(&context);
    if misfits.iter().any(|misfit| misfit.fields.contains(&"causal")) {
        return Err(vec![Refusal::new("it cannot be causal, so no model of it decodes", &["causal"])]);
    }
    let refused = [misfits, config.refusals()].concat();
    if refused.is_empty() { Ok(config) } else { Err(refused) }
}

/// A model that has been made and can read a context.
pub(crate) trait ModelStart: Start {
    /// Number of its parameters.
    fn parameters(&self) -> usize;
}

/// A model and what it reads.
struct ReadyModel<M: MixerModule> {
    model: SequenceModel<M>,
    /// `[1, seq]`
    context: Tensor<2, Int>,
    token: usize,
}

impl<M: MixerModule> ReadyModel<M> {
    fn new<C: MeasuredMixer<Mixer = M>>(sizes: &ModelSizes, context: usize, device: &Device) -> Self {
        let ModelSizes { d_model, n_layers, d_hidden } = *sizes;
        let mixer = causal::<C>(d_model, context + 1 + STEPS);
        let config = ModelConfig {
            d_model,
            n_layers,
            mixer: mixer.unwrap_or_else(|refused| panic!("{}: {}", C::NAME, refused[0])).into(),
            channel_mixer: ChannelMixerConfig::Dense(DenseMlpConfig::new(d_model, d_hidden)).into(),
            norm: NormKind::Layer,
            residual: true,
            encoder: Encoder::Embedding { vocab: VOCAB },
            head: Head::Token { outputs: VOCAB },
            structure: Structure::default(),
        };
        // The lock of burn's generator, which belongs to the process.
        let model = with_seed(device, SEED, || config.init_seeded(SEED, device));
        let bytes = seeded(context + 1, SEED).into_iter().map(|x| ((x + 1.0) / 2.0 * VOCAB as f64) as i32);
        let mut bytes: Vec<i32> = bytes.collect();
        let token = bytes.pop().unwrap_or_default() as usize;
        Self { model, context: tokens(bytes, device), token }
    }

    /// The state after the context, which is read chunk by chunk.
    fn state(&self) -> ModelState<M::State> {
        let [_, seq] = self.context.dims();
        let mut state = self.model.init_state(1).expect("a causal model with a head on every token");
        for first in (0..seq).step_by(CHUNK) {
            let chunk = self.context.clone().narrow(1, first, CHUNK.min(seq - first));
            (_, state) = self.model.forward_with_state(Input::Tokens(chunk), state).expect("it reads bytes");
        }
        state
    }
}

/// `[1, seq]`
fn tokens(bytes: Vec<i32>, device: &Device) -> Tensor<2, Int> {
    let seq = bytes.len();
    Tensor::from_data(TensorData::new(bytes, [1, seq]), device)
}

impl<M: MixerModule> ModelStart for ReadyModel<M> {
    fn parameters(&self) -> usize {
        self.model.num_params()
    }
}

impl<M: MixerModule> Start for ReadyModel<M> {
    fn ways(&self) -> Vec<Box<dyn Decoder>> {
        let (state, device) = (self.state(), self.context.device());
        let stepper = self.model.stepper(state.clone(), STEPS + 1).expect("the model's own state");
        let token = tokens(vec![self.token as i32], &device);
        let outputs = Tensor::zeros([1, VOCAB], &device);
        let over_tensors: Box<dyn Decoder> =
            Box::new(Tensors { model: self.model.clone(), now: state.clone(), start: state, token, outputs });
        let over_slices = (stepper.path() == DecodingPath::Slices).then(|| -> Box<dyn Decoder> {
            let outputs = vec![0.0; stepper.outputs()];
            Box::new(Slices { now: stepper.clone(), start: stepper, token: self.token, outputs })
        });
        std::iter::once(over_tensors).chain(over_slices).collect()
    }

    fn expected(&self, steps: usize) -> Vec<f64> {
        let more = tokens(vec![self.token as i32; steps], &self.context.device());
        let whole = Tensor::cat(vec![self.context.clone(), more], 1);
        let outputs = self.model.forward(Input::Tokens(whole), &Dropout::Off);
        to_f64(outputs.narrow(1, self.context.dims()[1], steps))
    }
}

#[derive(Debug)]
struct Tensors<M: MixerModule> {
    model: SequenceModel<M>,
    start: ModelState<M::State>,
    now: ModelState<M::State>,
    token: Tensor<2, Int>,
    outputs: Tensor<2>,
}

impl<M: MixerModule> Decoder for Tensors<M> {
    fn path(&self) -> &'static str {
        DecodingPath::Tensors.as_str()
    }

    fn rewind(&mut self) {
        self.now = self.start.clone();
    }

    fn step(&mut self) {
        let input = Input::Tokens(self.token.clone());
        self.outputs = self.model.step(input, &mut self.now).expect("it has stepped over the context");
    }

    fn output(&self) -> Vec<f64> {
        to_f64(self.outputs.clone())
    }

    fn state_bytes(&self) -> usize {
        self.now.floats() * size_of::<f32>()
    }

    fn threads(&self) -> usize {
        rayon::current_num_threads()
    }
}

#[derive(Debug)]
struct Slices<M: MixerModule> {
    start: ModelStepper<M>,
    now: ModelStepper<M>,
    token: usize,
    outputs: Vec<f32>,
}

impl<M: MixerModule> Decoder for Slices<M> {
    fn path(&self) -> &'static str {
        DecodingPath::Slices.as_str()
    }

    fn rewind(&mut self) {
        self.now = self.start.clone();
    }

    fn step(&mut self) {
        let token = OneToken::Token(self.token);
        self.now.step(token, &mut self.outputs).expect("it has stepped over the context");
    }

    fn output(&self) -> Vec<f64> {
        self.outputs.iter().map(|y| f64::from(*y)).collect()
    }

    fn state_bytes(&self) -> usize {
        self.now.floats() * size_of::<f32>()
    }

    fn threads(&self) -> usize {
        1
    }
}

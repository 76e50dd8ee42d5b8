//! What a layer requires of its input and of a state before it computes: one check for all mixers.

use burn::module::Param;
use burn::tensor::{DType, Device, Tensor};

use crate::{MixerError, Origin};

/// What the inputs of a layer must fit.
///
/// Layers compute in f32: kernels are written for it, and operations make their constants in it. Another type is
/// refused, not silently cast.
#[derive(Debug, Clone)]
pub struct Contract {
    mixer: &'static str,
    width: (&'static str, usize),
    device: Device,
    dtype: DType,
}

/// A tensor that a state keeps, and the shape that it must have for a layer to continue from it.
#[derive(Debug, Clone, Copy)]
pub struct Kept<'a, const D: usize> {
    /// Its name in the state.
    pub name: &'static str,
    /// The tensor.
    pub tensor: &'a Tensor<D>,
    /// Its shape for one sequence. The first axis grows with the batch.
    pub of_one: [usize; D],
}

impl Contract {
    /// The contract of a mixer of width `d_model`, on the device and in the type of `weight`. The weight is drawn here
    /// if it has not been drawn yet, so it should be one that is drawn with the layer, or that `forward` reads first.
    pub fn new<const D: usize>(mixer: &'static str, d_model: usize, weight: &Param<Tensor<D>>) -> Self {
        Self::with_width(mixer, ("d_model", d_model), weight)
    }

    /// The same if the width has another name.
    pub fn with_width<const D: usize>(
        mixer: &'static str,
        width: (&'static str, usize),
        weight: &Param<Tensor<D>>,
    ) -> Self {
        Self { mixer, width, device: weight.device(), dtype: weight.dtype() }
    }

    /// The origin of a layer's states, if no setting besides the width changes what their numbers mean.
    pub(crate) fn origin(&self) -> Origin {
        let (name, width) = self.width;
        Origin::new(self.mixer, [(name, width.into())])
    }

    pub(crate) fn device(&self) -> &Device {
        &self.device
    }

    /// Name of the mixer, as in configs.
    pub fn mixer(&self) -> &'static str {
        self.mixer
    }

    /// Whether the layer can read `x`, `[batch, seq, d_model]` or `[batch, d_model]`: of its width, on its device, in f32 as
    /// the layer itself is, and of at least one token. The batch may be empty.
    ///
    /// # Errors
    /// The first of these that does not hold.
    pub fn check_input<const D: usize>(&self, x: &Tensor<D>) -> Result<(), MixerError> {
        let (mixer, (name, wanted), dims) = (self.mixer, self.width, x.dims());
        if dims[D - 1] != wanted {
            return Err(MixerError::Width { mixer, name, wanted, got: dims[D - 1] });
        }
        if dims[1..].contains(&0) {
            return Err(MixerError::EmptySequence { mixer });
        }
        self.check_dtype("weights", self.dtype)?;
        self.check_place("an input", x)
    }

    /// Whether this layer can continue from `state` with `batch` sequences: it must have been made by a layer like this
    /// one, whose own origin is `origin` and the state's `made`, for as many sequences, and on the layer's device. `kept` are its tensors.
    ///
    /// # Errors
    /// The first of these that does not hold.
    pub fn check_state<const D: usize>(
        &self,
        batch: usize,
        made: Option<&Origin>,
        origin: &Origin,
        kept: &[Kept<'_, D>],
    ) -> Result<(), MixerError> {
        origin.check(made)?;
        kept.iter().try_for_each(|kept| self.check_kept(batch, kept))
    }

    fn check_kept<const D: usize>(&self, batch: usize, kept: &Kept<'_, D>) -> Result<(), MixerError> {
        let Kept { name, tensor, of_one } = *kept;
        let got = tensor.dims();
        if got[1..] != of_one[1..] || !got[0].is_multiple_of(of_one[0]) {
            let difference = format!("its {name} is {got:?}, the layer needs {of_one:?} for each sequence");
            return Err(MixerError::ForeignState { mixer: self.mixer, difference });
        }
        self.check_batch(batch, got[0] / of_one[0])?;
        self.check_place("a state", tensor)
    }

    /// Whether a state of `state` sequences can continue with `batch`.
    ///
    /// # Errors
    /// If not.
    pub fn check_batch(&self, batch: usize, state: usize) -> Result<(), MixerError> {
        match state == batch {
            true => Ok(()),
            false => Err(MixerError::Batch { mixer: self.mixer, state, input: batch }),
        }
    }

    fn check_place<const D: usize>(&self, what: &'static str, x: &Tensor<D>) -> Result<(), MixerError> {
        self.check_dtype(what, x.dtype())?;
        self.check_device(what, &x.device())
    }

    /// Whether `got`, the device of `what`, is the layer's device, with or without autodiff.
    ///
    /// # Errors
    /// If not.
    pub fn check_device(&self, what: &'static str, got: &Device) -> Result<(), MixerError> {
        if *got == self.device {
            return Ok(());
        }
        let [layer, got] = [&self.device, got].map(|device| format!("{device:?}"));
        Err(MixerError::Device { mixer: self.mixer, what, layer, got })
    }

    fn check_dtype(&self, what: &'static str, got: DType) -> Result<(), MixerError> {
        match got {
            DType::F32 => Ok(()),
            _ => Err(MixerError::Dtype { mixer: self.mixer, what, got: got.name() }),
        }
    }
}

//! The output of a layer token by token, which a case may have recorded.

use burn::tensor::Tensor;

use super::Case;
use crate::SequenceMixer;

/// The name of the outputs of steps.
const STEPPED: &str = "step_output";

impl Case {
    /// The output of `layer` token by token, with its name, if the case has recorded it and the layer can step:
    /// `[batch, seq, d_model]`.
    pub fn steps<M: SequenceMixer>(&self, layer: &M, input: &Tensor<3>) -> Option<(String, Tensor<3>)> {
        let recorded = self.tensors.contains_key(STEPPED);
        recorded.then(|| token_by_token(layer, input)).flatten().map(|output| (STEPPED.to_owned(), output))
    }
}

/// `None` if the layer has no step, or refuses one.
fn token_by_token<M: SequenceMixer>(layer: &M, input: &Tensor<3>) -> Option<Tensor<3>> {
    let [batch, seq, _] = input.dims();
    let mut state = layer.init_state(batch).ok()?;
    let token = |t| input.clone().narrow(1, t, 1).squeeze_dim::<2>(1);
    let outputs: Result<Vec<_>, _> = (0..seq).map(|t| layer.step(token(t), &mut state)).collect();
    Some(Tensor::stack(outputs.ok()?, 1))
}

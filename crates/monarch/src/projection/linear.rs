//! From a dense layer to the nearest Monarch layer.

use burn::module::Param;
use burn::nn::Linear;
use burn::tensor::{Device, Tensor, TensorData};
use subquad_backend::{Form, read};

use super::{MonarchFactors, ProjectionError, project};
use crate::{MonarchLinear, MonarchLinearConfig};

impl MonarchLinear {
    /// The layer of `config` whose matrix is nearest to that of a dense layer; the bias is the dense layer's.
    ///
    /// # Errors
    /// If the config fails its check, has more than two factors, or its widths are not those of the layer.
    pub fn project(dense: &Linear, config: &MonarchLinearConfig) -> Result<Self, ProjectionError> {
        let weight = dense.weight.val();
        let (wanted, got) = ([config.d_input, config.d_output], weight.dims());
        if wanted != got {
            return Err(ProjectionError::Widths { wanted, got });
        }
        // burn keeps [d_input, d_output].
        let entries: Vec<f64> = read(weight.clone().transpose()).iter::<f64>().collect();
        let factors = project(config, &entries)?;
        Ok(Self::from_host(factors, dense.bias.as_ref().map(Param::val), config, &weight.device()))
    }

    fn from_host(
        factors: MonarchFactors<f64>,
        bias: Option<Tensor<1>>,
        config: &MonarchLinearConfig,
        device: &Device,
    ) -> Self {
        let MonarchFactors { first, last, shape, .. } = factors;
        let tensor = |(values, size): (Vec<f64>, [usize; 3])| {
            let values: Vec<f32> = values.into_iter().map(|v| v as f32).collect();
            Param::from_tensor(Tensor::from_data(TensorData::new(values, size), device))
        };
        Self {
            factors: [first, last].into_iter().zip(shape.factors()).map(tensor).collect(),
            bias: bias.map(Param::from_tensor),
            d_input: config.d_input,
            d_output: config.d_output,
            shape,
            form: Form::for_device(device),
        }
    }
}

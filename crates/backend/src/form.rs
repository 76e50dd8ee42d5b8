//! Which form of an operation runs.

use burn::tensor::Device;
use serde::{Deserialize, Serialize};

/// The form of a layer's operations. Chosen once from the device, never by size, and written to the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// Only burn operations: any device, differentiated by burn.
    Portable,
    /// CPU kernels with their own gradients: the `cpu` device, f32.
    Fused,
}

impl Form {
    /// The fastest form that runs on `device`.
    pub fn for_device(device: &Device) -> Self {
        match *device == Device::flex() {
            true => Self::Fused,
            false => Self::Portable,
        }
    }

    /// As written in records: `portable` or `fused`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Fused => "fused",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cpu_runs_fused_with_and_without_autodiff() {
        assert_eq!(Form::for_device(&Device::flex()), Form::Fused);
        assert_eq!(Form::for_device(&Device::flex().autodiff()), Form::Fused);
    }
}

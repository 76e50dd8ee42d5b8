//! Devices by name.
//!
//! | name | device |
//! |---|---|
//! | `cpu` | the processor; always there |
//! | `wgpu` | a GPU through Vulkan, Metal, DX12 or OpenGL; builds with the feature `wgpu` |
//! | `auto` | `wgpu` where build and machine have a GPU, else `cpu` |

#[cfg(feature = "wgpu")]
mod wgpu;

use burn::tensor::Device;

#[cfg(feature = "wgpu")]
use wgpu::open as open_wgpu;

/// Names that [`open_device`] knows.
pub const DEVICE_NAMES: [&str; 3] = ["cpu", "wgpu", "auto"];

/// Environment variable of burn's wgpu runtime that names the adapter: `Cpu` for a software one, or `DiscreteGpu(0)`,
/// `IntegratedGpu(0)`, `VirtualGpu(0)`, counted from 0. Without it a software adapter is never taken.
pub const ADAPTER_VARIABLE: &str = "CUBECL_WGPU_DEFAULT_DEVICE";

/// The kind of device. Two kinds give different bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeviceKind {
    /// The processor, through burn's `flex`.
    Cpu,
    /// An adapter of wgpu.
    Wgpu,
}

impl DeviceKind {
    /// As written in records: `cpu` or `wgpu`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Wgpu => "wgpu",
        }
    }
}

/// A device that is ready to compute.
#[derive(Debug, Clone)]
pub struct OpenDevice {
    /// What it is.
    pub kind: DeviceKind,
    /// For making tensors.
    pub device: Device,
    /// What wgpu's adapter calls itself, a software one included; `None` for the CPU.
    pub adapter: Option<String>,
}

impl OpenDevice {
    fn cpu() -> Self {
        Self { kind: DeviceKind::Cpu, device: Device::flex(), adapter: None }
    }
}

/// The device called `name`, one of [`DEVICE_NAMES`], opened.
///
/// # Errors
/// If there is no such name, or this build or this machine has no such device. burn itself would panic at the first tensor.
pub fn open_device(name: &str) -> Result<OpenDevice, DeviceError> {
    match name {
        "cpu" => Ok(OpenDevice::cpu()),
        "wgpu" => open_wgpu(),
        "auto" => gpu_or_cpu(open_wgpu()),
        _ => Err(DeviceError::Unknown { name: name.into() }),
    }
}

/// A GPU that is present but cannot be opened stays an error: its owner would not want the CPU to be used silently.
fn gpu_or_cpu(opened: Result<OpenDevice, DeviceError>) -> Result<OpenDevice, DeviceError> {
    match opened {
        Err(DeviceError::NotBuilt | DeviceError::NoAdapter | DeviceError::SoftwareOnly) => {
            Ok(OpenDevice::cpu())
        }
        opened => opened,
    }
}

#[cfg(not(feature = "wgpu"))]
fn open_wgpu() -> Result<OpenDevice, DeviceError> {
    Err(DeviceError::NotBuilt)
}

/// Why there is no such device.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeviceError {
    /// No device has this name.
    #[error("there is no device `{name}`; known: {}", DEVICE_NAMES.join(", "))]
    Unknown {
        /// The name asked for.
        name: String,
    },
    /// The feature `wgpu` is off.
    #[error("this build has no wgpu; build with `--features wgpu`, or use the device cpu")]
    NotBuilt,
    /// wgpu finds nothing.
    #[error(
        "this machine has no adapter that wgpu can use; install its driver for Vulkan, Metal or DX12, or use the \
         device cpu"
    )]
    NoAdapter,
    /// wgpu finds only the processor.
    #[error(
        "this machine has no GPU that wgpu can use, only a software adapter, which is slower than the device cpu; \
         {ADAPTER_VARIABLE}=Cpu uses it anyway"
    )]
    SoftwareOnly,
    /// There is an adapter, or one was named, but it does not open.
    #[error("wgpu: {message}; look at {ADAPTER_VARIABLE} if it is set, or use the device cpu")]
    Refused {
        /// wgpu's words.
        message: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cpu_is_always_there_and_unknown_names_get_the_known_ones() {
        let cpu = open_device("cpu").expect("every build has it");
        assert_eq!((cpu.kind.as_str(), cpu.adapter), ("cpu", None));
        let error = open_device("tpu").expect_err("there is no such device");
        assert_eq!(error.to_string(), "there is no device `tpu`; known: cpu, wgpu, auto");
    }

    #[test]
    fn auto_is_the_cpu_where_there_is_no_gpu_but_hides_no_fault_of_one() {
        for absent in [DeviceError::NotBuilt, DeviceError::NoAdapter, DeviceError::SoftwareOnly] {
            assert_eq!(gpu_or_cpu(Err(absent)).expect("the CPU").kind, DeviceKind::Cpu);
        }
        let refused = DeviceError::Refused { message: "out of memory".into() };
        assert_eq!(gpu_or_cpu(Err(refused.clone())).expect_err("a fault"), refused);
    }

    #[cfg(not(feature = "wgpu"))]
    #[test]
    fn a_build_without_wgpu_says_how_to_get_it() {
        let error = open_device("wgpu").expect_err("the feature is off");
        assert!(error.to_string().contains("--features wgpu"), "{error}");
    }
}

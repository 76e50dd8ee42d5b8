//! wgpu's adapters: which one to take, and asking for it without a panic.

use std::sync::OnceLock;

use burn::tensor::{Device, DeviceKind as Adapter, DeviceType};

use super::{ADAPTER_VARIABLE, DeviceError, DeviceKind, OpenDevice};

/// burn opens an adapter once per process.
pub(super) fn open() -> Result<OpenDevice, DeviceError> {
    static OPENED: OnceLock<Result<OpenDevice, DeviceError>> = OnceLock::new();
    OPENED.get_or_init(open_first).clone()
}

fn open_first() -> Result<OpenDevice, DeviceError> {
    let adapter = match std::env::var_os(ADAPTER_VARIABLE) {
        Some(_) => Adapter::DefaultDevice, // burn reads the variable only for this one
        None => choose(&Device::enumerate(DeviceType::Wgpu))?,
    };
    let refused = |e: burn::tensor::wgpu::WgpuInitError| DeviceError::Refused { message: e.to_string() };
    let device = Device::wgpu_options().device_kind(adapter).init().map_err(refused)?;
    let adapter = device.identity().map(|identity| identity.name);
    Ok(OpenDevice { kind: DeviceKind::Wgpu, device, adapter })
}

/// The first GPU of the strongest kind.
fn choose(found: &[Device]) -> Result<Adapter, DeviceError> {
    let gpus = [Adapter::DiscreteGpu(0), Adapter::IntegratedGpu(0), Adapter::VirtualGpu(0)];
    let is_there = |gpu: &Adapter| found.contains(&Device::wgpu(gpu.clone()));
    let software = Device::wgpu(Adapter::Cpu);
    match gpus.into_iter().find(is_there) {
        Some(gpu) => Ok(gpu),
        None if found.is_empty() => Err(DeviceError::NoAdapter),
        None if found.iter().all(|device| *device == software) => Err(DeviceError::SoftwareOnly),
        // OpenGL does not report the kind of a GPU.
        None => Ok(Adapter::DefaultDevice),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(found: &[Adapter]) -> Result<Adapter, DeviceError> {
        choose(&found.iter().cloned().map(Device::wgpu).collect::<Vec<_>>())
    }

    #[test]
    fn the_strongest_gpu_is_taken_and_a_software_adapter_never() {
        use Adapter::{Cpu, DiscreteGpu, IntegratedGpu};
        assert_eq!(chosen(&[Cpu, IntegratedGpu(0), DiscreteGpu(0), DiscreteGpu(1)]), Ok(DiscreteGpu(0)));
        assert_eq!(chosen(&[Cpu, IntegratedGpu(0)]), Ok(IntegratedGpu(0)));
        assert_eq!(chosen(&[Cpu]), Err(DeviceError::SoftwareOnly));
        assert_eq!(chosen(&[]), Err(DeviceError::NoAdapter));
    }
}

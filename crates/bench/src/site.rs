//! Where, and by which program, layers are measured.

use burn::tensor::Device;
use subquad_backend::{DeviceKind, Form, OpenDevice};
use subquad_record::{Machine, Provenance, timestamp};

/// Where, and by which program, layers are measured.
#[derive(Debug)]
pub struct Site {
    /// The device.
    pub device: Device,
    /// The kind of device.
    pub device_kind: DeviceKind,
    /// The commit that the program was built from, if known.
    pub build_commit: Option<&'static str>,
}

impl Site {
    /// A site on an open device.
    pub fn new(opened: OpenDevice, build_commit: Option<&'static str>) -> Self {
        Self { device: opened.device, device_kind: opened.kind, build_commit }
    }

    /// Where measurements that end now come from: all threads of the pool ran them.
    pub(crate) fn provenance(&self) -> Provenance {
        Provenance {
            form: Form::for_device(&self.device).as_str().into(),
            device: self.device_kind.as_str().into(),
            threads: rayon::current_num_threads(),
            instruction_set: subquad_backend::instruction_set().as_str().into(),
            program_version: env!("CARGO_PKG_VERSION").into(),
            build_commit: self.build_commit.map(Into::into),
            measured: timestamp(),
            machine: Machine::detect(),
        }
    }

    /// Whether tensors of the device are in the memory that the program's allocator counts.
    pub(crate) fn is_host(&self) -> bool {
        self.device_kind == DeviceKind::Cpu
    }
}

//! Devices by name.

use burn::tensor::Device;

/// Names that [`device`] knows in this build.
pub fn device_names() -> &'static [&'static str] {
    &["cpu"]
}

/// The device called `name`.
///
/// # Errors
/// If this build has no device of that name.
pub fn device(name: &str) -> Result<Device, DeviceError> {
    match name {
        "cpu" => Ok(Device::flex()),
        _ => Err(DeviceError { name: name.into() }),
    }
}

/// A device that this build does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this build has no device `{name}`; it has: {}", device_names().join(", "))]
pub struct DeviceError {
    /// The name asked for.
    pub name: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_device_exists_and_others_are_refused_by_name() {
        assert!(device_names().iter().all(|name| device(name).is_ok()));
        let error = device("tpu").expect_err("there is no such device");
        assert_eq!(error.to_string(), "this build has no device `tpu`; it has: cpu");
    }
}

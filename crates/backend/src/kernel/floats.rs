//! Tensors of the `cpu` device as slices, for code that needs no gradient.

use burn::backend::Flex;
use burn::tensor::{DType, Device, Float, Tensor, TensorData};
use burn_flex::FlexTensor;

/// Whether [`Floats`] can hold the tensor: f32 on the `cpu` device, without autodiff.
pub fn is_plain<const D: usize>(tensor: &Tensor<D>) -> bool {
    let device = tensor.device();
    device == Device::flex() && !device.is_autodiff() && tensor.dtype() == DType::F32
}

/// The values of a tensor of the `cpu` device as one contiguous slice, to be read and written.
///
/// Neither way between the two copies or allocates, unless the tensor is a view that is not contiguous. Writing copies if
/// another tensor shares the values, which then keeps them.
#[derive(Debug, Clone)]
pub struct Floats(FlexTensor);

impl Floats {
    /// New values, row-major.
    pub fn new<const D: usize>(data: Vec<f32>, shape: [usize; D]) -> Self {
        Self(FlexTensor::from_data(TensorData::new(data, shape)))
    }

    /// Those of `tensor`.
    ///
    /// # Panics
    /// If it is not [plain](is_plain).
    pub fn of<const D: usize>(tensor: Tensor<D>) -> Self {
        assert_eq!(tensor.dtype(), DType::F32, "slices of tensors are f32; cast first");
        let tensor = tensor.try_into_primitive::<Flex>();
        let tensor =
            tensor.unwrap_or_else(|other| panic!("slices are of the cpu device, no autodiff: {other:?}"));
        // Even of what is contiguous that would be a clone, which allocates.
        Self(match is_whole(&tensor) {
            true => tensor,
            false => tensor.to_contiguous(),
        })
    }

    /// Row-major.
    pub fn values(&self) -> &[f32] {
        self.0.storage()
    }

    /// Row-major.
    pub fn values_mut(&mut self) -> &mut [f32] {
        self.0.storage_mut()
    }

    /// A tensor of these values.
    ///
    /// # Panics
    /// If `D` is not their rank.
    pub fn into_tensor<const D: usize>(self) -> Tensor<D> {
        assert_eq!(self.0.layout().num_dims(), D, "rank of a tensor");
        Tensor::<D, Float>::from_primitive::<Flex>(self.0)
    }
}

/// Whether the buffer is the tensor, row by row, and nothing else.
fn is_whole(tensor: &FlexTensor) -> bool {
    let layout = tensor.layout();
    layout.is_contiguous()
        && layout.start_offset() == 0
        && tensor.storage::<f32>().len() == layout.num_elements()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Tensor<2> {
        Tensor::from_data([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], &Device::flex())
    }

    #[test]
    fn what_nobody_shares_is_written_in_place() {
        let mut floats = Floats::of(rows());
        let address = floats.values().as_ptr();
        floats.values_mut()[5] = 7.0;
        let mut again = Floats::of(floats.into_tensor::<2>());
        assert_eq!(again.values_mut().as_ptr(), address);
        assert_eq!(again.values(), [1.0, 2.0, 3.0, 4.0, 5.0, 7.0]);
    }

    #[test]
    fn what_is_shared_stays() {
        let shared = rows();
        let mut floats = Floats::of(shared.clone());
        floats.values_mut().fill(0.0);
        assert_eq!(shared.into_data(), rows().into_data());
    }

    #[test]
    fn views_are_read_row_by_row() {
        assert_eq!(Floats::of(rows().transpose()).values(), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
        assert_eq!(Floats::of(rows().narrow(0, 1, 1)).values(), [4.0, 5.0, 6.0]);
        assert_eq!(Floats::of(rows().narrow(0, 0, 1)).values(), [1.0, 2.0, 3.0]);
    }

    #[test]
    fn autodiff_and_other_types_are_not_plain() {
        use burn::tensor::FloatDType;
        assert!(is_plain(&rows()));
        assert!(!is_plain(&rows().autodiff()));
        assert!(!is_plain(&rows().cast(FloatDType::F64)));
    }
}

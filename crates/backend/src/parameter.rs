//! Whether parameters are still the ones that something was worked out from.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::Tensor;

use crate::kernel::is_plain;

/// Whether `now` is the very parameter that `held` is a clone of, so that its value is the same too.
///
/// Clones of a parameter share one tensor, which nothing changes while a clone is held: an optimiser, a loader or a mapper
/// puts a new tensor in its place, and an operation in place copies what it does not own alone. So equal addresses are
/// equal values. Different addresses may be equal values as well: the answer is then a careful no. A parameter that is made
/// from others at every use (burn's reparameterizations) is never the same.
pub fn is_same<const D: usize>(held: &Param<Tensor<D>>, now: &Param<Tensor<D>>) -> bool {
    std::ptr::eq::<Tensor<D>>(&**held, &**now) && !is_made_from_others(held) && !is_made_from_others(now)
}

fn is_made_from_others<const D: usize>(param: &Param<Tensor<D>>) -> bool {
    let mut visitor = Parts(false);
    param.visit(&mut visitor);
    visitor.0
}

/// A parameter alone enters no module.
struct Parts(bool);

impl ModuleVisitor for Parts {
    fn enter_module(&mut self, _: &str, _: &str) {
        self.0 = true;
    }
}

/// Whether no parameter of `module` belongs to autodiff, tracked or not.
pub fn are_untracked(module: &impl Module) -> bool {
    look(module).untracked
}

/// Whether all parameters of `module` are f32 on the `cpu` device, without autodiff.
pub fn are_plain(module: &impl Module) -> bool {
    look(module).plain
}

fn look(module: &impl Module) -> Look {
    let mut look = Look { untracked: true, plain: true };
    module.visit(&mut look);
    look
}

struct Look {
    untracked: bool,
    plain: bool,
}

impl ModuleVisitor for Look {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.untracked &= !param.is_autodiff();
        self.plain &= is_plain::<D>(param);
    }
}

#[cfg(test)]
mod tests {
    use burn::nn::LinearConfig;
    use burn::tensor::Device;

    use super::*;

    #[test]
    fn a_clone_is_the_same_until_either_changes() {
        let layer = LinearConfig::new(3, 2).init(&Device::flex());
        let held = layer.weight.clone();
        assert!(is_same(&held, &layer.weight));
        let mut changed = layer.clone();
        changed.weight = changed.weight.map(|weight| weight * 2.0);
        assert!(!is_same(&held, &changed.weight));
        assert!(is_same(&held, &layer.weight));
    }

    #[test]
    fn equal_values_elsewhere_are_not_the_same() {
        let weight = Param::from_tensor(Tensor::<1>::zeros([3], &Device::flex()));
        let copy = Param::from_tensor(weight.val());
        assert!(!is_same(&weight, &copy));
    }

    #[test]
    fn autodiff_is_seen() {
        let plain = LinearConfig::new(3, 2).init(&Device::flex());
        assert!(are_untracked(&plain) && are_plain(&plain));
        let tracked = plain.train();
        assert!(!are_untracked(&tracked) && !are_plain(&tracked));
    }
}

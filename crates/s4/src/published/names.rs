//! Every parameter under its published name, in its published shape: one list for loading, saving and gradients.

use std::collections::BTreeMap;

use burn::module::Param;
use burn::tensor::{Device, Gradients, Tensor, TensorData};
use subquad_backend::read;
use subquad_mixer::published::{Case, CaseError};

use crate::modes::replace;
use crate::{Diagonal, Dplr, Modes, SsmLayer, StateSpace};

/// The parameters of layers `L` under the names of one published implementation.
pub(super) trait Names<L> {
    const MEMBER: Member;

    fn walk(layer: &mut L, visit: &mut impl Visit) -> Result<(), CaseError>;
}

/// Which member of a conjugate pair an implementation keeps, by its frequency. Ours is the positive one.
#[derive(Debug, Clone, Copy)]
pub(super) enum Member {
    Negative,
    Positive,
}

impl Member {
    /// Converts an imaginary part of ours to theirs, or theirs to ours.
    fn im<const D: usize>(self, im: Tensor<D>) -> Tensor<D> {
        match self {
            Self::Negative => im.neg(),
            Self::Positive => im,
        }
    }
}

/// What the walk over the parameters does with each.
pub(super) trait Visit {
    /// A real parameter. `shape` is the published one, of rank `E`; with `turned` its two axes are swapped.
    fn real<const D: usize, const E: usize>(
        &mut self,
        name: &'static str,
        shape: [usize; E],
        turned: bool,
        param: &mut Param<Tensor<D>>,
    ) -> Result<(), CaseError>;

    /// A complex one, published as `[.., 2]`.
    fn complex<const D: usize, const E: usize>(
        &mut self,
        name: &'static str,
        shape: [usize; E],
        re: &mut Param<Tensor<D>>,
        im: &mut Param<Tensor<D>>,
    ) -> Result<(), CaseError>;
}

/// State spaces with published names.
pub(super) trait Named: StateSpace {
    fn walk(&mut self, visit: &mut impl Visit) -> Result<(), CaseError>;
}

impl Named for Diagonal {
    fn walk(&mut self, visit: &mut impl Visit) -> Result<(), CaseError> {
        walk_modes(&mut self.modes, visit)
    }
}

impl Named for Dplr {
    fn walk(&mut self, visit: &mut impl Visit) -> Result<(), CaseError> {
        let [rank, systems, pairs] = self.p_re.dims();
        visit.complex("layer.kernel.P", [rank, systems, pairs, 2], &mut self.p_re, &mut self.p_im)?;
        walk_modes(&mut self.modes, visit)
    }
}

fn walk_modes(modes: &mut Modes, visit: &mut impl Visit) -> Result<(), CaseError> {
    let [kernels, d_model, pairs] = modes.c_re.dims();
    let ([systems, _], steps) = (modes.a_im.dims(), modes.inv_dt.dims());
    visit.real("layer.kernel.inv_dt", steps, false, &mut modes.inv_dt)?;
    visit.real("layer.kernel.A_real", [systems, pairs], false, &mut modes.inv_a_re)?;
    visit.real("layer.kernel.A_imag", [systems, pairs], false, &mut modes.a_im)?;
    visit.complex("layer.kernel.B", [1, systems, pairs, 2], &mut modes.b_re, &mut modes.b_im)?;
    visit.complex("layer.kernel.C", [kernels, d_model, pairs, 2], &mut modes.c_re, &mut modes.c_im)
}

/// Those of the `s4_block`.
pub(super) struct BlockNames;

impl<S: Named> Names<SsmLayer<S>> for BlockNames {
    const MEMBER: Member = Member::Negative;

    fn walk(layer: &mut SsmLayer<S>, visit: &mut impl Visit) -> Result<(), CaseError> {
        layer.ssm.walk(visit)?;
        let skip = layer.d.dims();
        visit.real("layer.D", skip, false, &mut layer.d)?;
        let Some(output) = &mut layer.output else { return Ok(()) };
        let [d_input, d_output] = output.weight.dims();
        visit.real("output_linear.0.weight", [d_output, d_input], true, &mut output.weight)?;
        match &mut output.bias {
            Some(bias) => visit.real("output_linear.0.bias", [d_output], false, bias),
            None => Ok(()),
        }
    }
}

/// Sets the parameters of `layer` to those that it takes out of `case`.
pub(super) fn load<N: Names<L>, L>(layer: &mut L, case: &mut Case, device: &Device) -> Result<(), CaseError> {
    N::walk(layer, &mut Load { case, device, member: N::MEMBER })
}

struct Load<'a> {
    case: &'a mut Case,
    device: &'a Device,
    member: Member,
}

impl Visit for Load<'_> {
    fn real<const D: usize, const E: usize>(
        &mut self,
        name: &'static str,
        shape: [usize; E],
        turned: bool,
        param: &mut Param<Tensor<D>>,
    ) -> Result<(), CaseError> {
        let stored: Tensor<E> = self.case.take_tensor(name, shape, self.device)?;
        let stored = if turned { stored.swap_dims(0, 1) } else { stored };
        let values = stored.reshape(param.dims());
        *param = replace(param.clone(), |_| values);
        Ok(())
    }

    fn complex<const D: usize, const E: usize>(
        &mut self,
        name: &'static str,
        shape: [usize; E],
        re: &mut Param<Tensor<D>>,
        im: &mut Param<Tensor<D>>,
    ) -> Result<(), CaseError> {
        let stored: Tensor<E> = self.case.take_tensor(name, shape, self.device)?;
        let part = |i| stored.clone().narrow(E - 1, i, 1).reshape(re.dims());
        let (stored_re, stored_im) = (part(0), self.member.im(part(1)));
        *re = replace(re.clone(), |_| stored_re);
        *im = replace(im.clone(), |_| stored_im);
        Ok(())
    }
}

/// Values of the parameters, or of what belongs to them, in published layout.
struct Save<F: Values> {
    values: F,
    member: Member,
    found: BTreeMap<String, TensorData>,
}

/// What to save of a parameter.
pub(super) trait Values {
    fn of<const D: usize>(&self, param: &Param<Tensor<D>>) -> Tensor<D>;
}

impl<F: Values> Visit for Save<F> {
    fn real<const D: usize, const E: usize>(
        &mut self,
        name: &'static str,
        shape: [usize; E],
        turned: bool,
        param: &mut Param<Tensor<D>>,
    ) -> Result<(), CaseError> {
        let values = self.values.of(param);
        let values = if turned { values.swap_dims(0, 1) } else { values };
        self.found.insert(name.into(), read(values.reshape(shape)));
        Ok(())
    }

    fn complex<const D: usize, const E: usize>(
        &mut self,
        name: &'static str,
        shape: [usize; E],
        re: &mut Param<Tensor<D>>,
        im: &mut Param<Tensor<D>>,
    ) -> Result<(), CaseError> {
        let mut part = shape;
        part[E - 1] = 1;
        let [re, im] =
            [self.values.of(re), self.member.im(self.values.of(im))].map(|values| values.reshape(part));
        self.found.insert(name.into(), read(Tensor::cat(vec![re, im], E - 1)));
        Ok(())
    }
}

/// The parameters themselves.
pub(super) struct Stored;

impl Values for Stored {
    fn of<const D: usize>(&self, param: &Param<Tensor<D>>) -> Tensor<D> {
        param.val()
    }
}

/// The gradients of the parameters from a backward pass.
pub(super) struct Slopes<'a>(pub(super) &'a Gradients);

impl Values for Slopes<'_> {
    fn of<const D: usize>(&self, param: &Param<Tensor<D>>) -> Tensor<D> {
        param.val().grad(self.0).expect("the loss depends on every parameter")
    }
}

/// The parameters' numbers that `values` picks, under their published names and in their published layout.
pub(super) fn save<N: Names<L>, L: Clone>(layer: &L, values: impl Values) -> BTreeMap<String, TensorData> {
    let mut save = Save { values, member: N::MEMBER, found: BTreeMap::new() };
    N::walk(&mut layer.clone(), &mut save).expect("saving does not fail");
    save.found
}

//! Every parameter under its published name, in its published shape: one list for loading, saving and gradients.

use std::collections::BTreeMap;

use burn::module::Param;
use burn::tensor::{Device, Tensor, TensorData};
use subquad_backend::read;
use subquad_mixer::published::{Case, CaseError};

use crate::modes::replace;
use crate::{Diagonal, Dplr, Modes, SsmLayer, StateSpace};

/// What the walk over the parameters does with each.
pub(super) trait Visit {
    /// A real parameter. `shape` is the published one, of rank `E`; with `turned` its two axes change places.
    fn real<const D: usize, const E: usize>(
        &mut self,
        name: &'static str,
        shape: [usize; E],
        turned: bool,
        param: &mut Param<Tensor<D>>,
    ) -> Result<(), CaseError>;

    /// A complex one, published as `[.., 2]` with the other member of each conjugate pair.
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

pub(super) fn walk<S: Named>(layer: &mut SsmLayer<S>, visit: &mut impl Visit) -> Result<(), CaseError> {
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

/// Sets the parameters of `layer` to those that it takes out of `case`.
pub(super) fn load<S: Named>(
    layer: &mut SsmLayer<S>,
    case: &mut Case,
    device: &Device,
) -> Result<(), CaseError> {
    walk(layer, &mut Load { case, device })
}

struct Load<'a> {
    case: &'a mut Case,
    device: &'a Device,
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
        let (stored_re, stored_im) = (part(0), part(1).neg());
        *re = replace(re.clone(), |_| stored_re);
        *im = replace(im.clone(), |_| stored_im);
        Ok(())
    }
}

/// Values of the parameters, or of what belongs to them, in published layout.
pub(super) struct Save<F: Values> {
    pub(super) values: F,
    pub(super) found: BTreeMap<String, TensorData>,
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
        let [re, im] = [self.values.of(re), self.values.of(im).neg()].map(|values| values.reshape(part));
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

/// The parameters under their published names and in their published layout.
pub(super) fn save<S: Named>(layer: &SsmLayer<S>) -> BTreeMap<String, TensorData> {
    let mut save = Save { values: Stored, found: BTreeMap::new() };
    walk(&mut layer.clone(), &mut save).expect("saving does not fail");
    save.found
}

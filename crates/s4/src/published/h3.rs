//! The published `H3` of the safari repository, on its slow diagonal kernel. It keeps the member of each conjugate pair with
//! the positive frequency, as ours does.

use std::collections::BTreeMap;

use burn::tensor::{Device, Tensor, TensorData};
use serde::Deserialize;
use subquad_backend::{Form, read};
use subquad_mixer::SequenceMixer;
use subquad_mixer::published::{Case, CaseError, Replay};

use super::block::{max_taps, unsupported, wrong};
use super::names::{Member, Names, Stored, Visit, load, save};
use super::replay::run;
use crate::{Discretization, H3, H3Config, RealTransform, Shift, StepTransform};

pub(super) const LAYER: &str = "h3";

/// The published options. `measure` only says how parameters began: it is read and not used.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Published {
    d_model: usize,
    #[serde(default = "super::block::states")]
    d_state: usize,
    #[serde(default = "super::block::one")]
    head_dim: usize,
    l_max: Option<usize>,
    #[serde(default = "bilinear")]
    disc: Discretization,
    n_ssm: Option<usize>,
    #[serde(default = "super::block::exp")]
    real_type: RealTransform,
    #[serde(rename = "measure", default)]
    _measure: Option<String>,
}

fn bilinear() -> Discretization {
    Discretization::Bilinear
}

impl Published {
    fn read(case: &Case) -> Result<Self, CaseError> {
        if case.layer != LAYER {
            return Err(unsupported(case, "any layer other than `h3`"));
        }
        let published: Self = case.parse_config_beside(&[
            ("dropout", 0.0.into()),
            ("channels", 1.into()),
            ("mode", "diag".into()),
        ])?;
        published.check_shapes(case)?;
        Ok(published)
    }

    /// Whether the parameters of `case` have the shapes that the config asks for.
    fn check_shapes(&self, case: &Case) -> Result<(), CaseError> {
        let (width, states) = (("d_model", self.d_model), ("d_state", self.d_state));
        let heads = ("d_model / head_dim", self.d_model / self.head_dim.max(1));
        let (systems, pairs) = (("n_ssm", self.n_ssm.unwrap_or(heads.1)), ("d_state / 2", self.d_state / 2));
        for linear in ["q_proj", "k_proj", "v_proj", "output_linear"] {
            case.check_parameter(&format!("{linear}.weight"), &[width, width])?;
            case.check_parameter(&format!("{linear}.bias"), &[width])?;
        }
        case.check_parameter("ssm_k_kernel.kernel.B", &[width, states])?;
        case.check_parameter("ssm_k_kernel.kernel.C", &[("1", 1), width, states])?;
        case.check_parameter("ssm_k_D", &[width])?;
        case.check_parameter("kernel.kernel.log_dt", &[heads])?;
        for a in ["kernel.kernel.inv_A_real", "kernel.kernel.A_imag"] {
            case.check_parameter(a, &[systems, pairs])?;
        }
        case.check_parameter("kernel.kernel.B", &[systems, pairs, ("2", 2)])?;
        case.check_parameter("kernel.kernel.C", &[("1", 1), heads, pairs, ("2", 2)])?;
        case.check_parameter("D", &[heads])
    }

    fn config(&self, case: &Case) -> Result<H3Config, CaseError> {
        let config = H3Config::new(self.d_model)
            .with_d_state(self.d_state)
            .with_head_dim(self.head_dim)
            .with_discretization(self.disc)
            .with_n_ssm(self.n_ssm)
            .with_real_transform(self.real_type)
            .with_train_shift_b(true);
        config.check().map_err(|e| wrong(case, e))?;
        Ok(config)
    }
}

impl H3 {
    /// The layer with published parameters, which are taken out of `case`. Like the published layer, it cuts its
    /// kernels off after `l_max` taps of the case's config; [`with_max_taps`](Self::with_max_taps) removes the cut.
    ///
    /// # Errors
    /// If a parameter is missing or has another shape, or the case is another layer or uses an option that this one does not
    /// have.
    pub fn from_published(case: &mut Case, device: &Device) -> Result<Self, CaseError> {
        let published = Published::read(case)?;
        let taps = max_taps(case, published.l_max)?;
        let mut layer = published.config(case)?.init(device).with_max_taps(taps);
        load::<H3Names, _>(&mut layer, case, device)?;
        Ok(layer)
    }

    /// The parameters under their published names and in their published layout: what the published state dict holds. A shift
    /// without input weights gets those that the published one starts with, `e_0`.
    ///
    /// # Errors
    /// If steps are not stored as their logarithms, which the published layer does.
    pub fn to_published(&self) -> Result<BTreeMap<String, TensorData>, CaseError> {
        if self.ssm.modes.dt_transform != StepTransform::Exp {
            let what = "a dt_transform other than exp".into();
            return Err(CaseError::Unsupported { layer: LAYER.into(), what });
        }
        let mut layer = self.clone();
        let [d_model, d_state] = layer.shift.c.dims();
        layer.shift.b.get_or_insert_with(|| Shift::first_place(d_model, d_state, &self.d.device()));
        Ok(save::<H3Names, _>(&layer, Stored))
    }
}

pub(super) fn replay(case: &mut Case, form: Form, device: &Device) -> Result<Replay, CaseError> {
    let Published { d_model, d_state, head_dim, .. } = Published::read(case)?;
    let [batch, tokens, _] = case.tensor_of_width::<3>("input", d_model, device)?.dims();
    let products = [("batch", batch), ("d_model", d_model), ("head_dim", head_dim), ("length", tokens)];
    case.check_amount("the products of keys and values", &products)?;
    case.check_amount("the kernels", &[("d_model", d_model), ("d_state", d_state), ("length", tokens)])?;
    let layer = H3::from_published(case, device)?.with_form(form);
    let known = |layer: &H3, seq| inside(layer, seq, |name| case.tensors.contains_key(name));
    run::<H3Names, _>(layer, d_model, case, device, known)
}

/// The wanted ones of the two kernels, with as many taps as the published layer makes for this many tokens.
fn inside(layer: &H3, seq: usize, wanted: impl Fn(&str) -> bool) -> Replay {
    let taps = layer.max_taps().map_or(seq, |most| most.min(seq));
    let mut found = Replay::new();
    if wanted("kernel") {
        found.insert("kernel".into(), read(layer.kernel(seq)));
    }
    if wanted("shift_kernel") {
        found.insert("shift_kernel".into(), read(resized(layer.shift_kernel(), taps)));
    }
    found
}

/// Fewer taps, or taps followed by zeros.
fn resized(kernel: Tensor<2>, taps: usize) -> Tensor<2> {
    let [channels, known] = kernel.dims();
    if taps <= known {
        return kernel.narrow(1, 0, taps);
    }
    let none = Tensor::zeros([channels, taps - known], &kernel.device());
    Tensor::cat(vec![kernel, none], 1)
}

struct H3Names;

impl Names<H3> for H3Names {
    const MEMBER: Member = Member::Positive;

    fn walk(layer: &mut H3, visit: &mut impl Visit) -> Result<(), CaseError> {
        let ([d_model, d_state], [_, n_heads, pairs]) = (layer.shift.c.dims(), layer.ssm.modes.dims());
        let names = [
            ("q_proj.weight", "q_proj.bias"),
            ("k_proj.weight", "k_proj.bias"),
            ("v_proj.weight", "v_proj.bias"),
            ("output_linear.weight", "output_linear.bias"),
        ];
        for (linear, (weight, bias)) in
            [&mut layer.q, &mut layer.k, &mut layer.v, &mut layer.output].into_iter().zip(names)
        {
            visit.real(weight, [d_model, d_model], true, &mut linear.weight)?;
            linear.bias.iter_mut().try_for_each(|param| visit.real(bias, [d_model], false, param))?;
        }
        let shift = &mut layer.shift;
        shift
            .b
            .iter_mut()
            .try_for_each(|b| visit.real("ssm_k_kernel.kernel.B", [d_model, d_state], false, b))?;
        visit.real("ssm_k_kernel.kernel.C", [1, d_model, d_state], false, &mut shift.c)?;
        visit.real("ssm_k_D", [d_model], false, &mut shift.d)?;
        let modes = &mut layer.ssm.modes;
        let systems = modes.a_im.dims()[0];
        visit.real("kernel.kernel.log_dt", [n_heads], false, &mut modes.inv_dt)?;
        visit.real("kernel.kernel.inv_A_real", [systems, pairs], false, &mut modes.inv_a_re)?;
        visit.real("kernel.kernel.A_imag", [systems, pairs], false, &mut modes.a_im)?;
        visit.complex("kernel.kernel.B", [systems, pairs, 2], &mut modes.b_re, &mut modes.b_im)?;
        visit.complex("kernel.kernel.C", [1, n_heads, pairs, 2], &mut modes.c_re, &mut modes.c_im)?;
        visit.real("D", [n_heads], false, &mut layer.d)
    }
}

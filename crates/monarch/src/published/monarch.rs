//! `MonarchLinear`, whose layout is the same as ours.

use burn::tensor::{Device, Tensor};
use serde::Deserialize;
use subquad_backend::Form;
use subquad_mixer::published::{Axis, Case, CaseError, Replay};

use super::{Gathered, check_linear, invalid, records_dense};
use crate::MonarchLinear;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Published {
    in_features: usize,
    out_features: usize,
    /// `[blocks, rows, columns]`
    w1: [usize; 3],
    w2: [usize; 3],
}

impl Published {
    /// Whether the tensors of `case` have the shapes that the config asks for.
    fn check_shapes(&self, case: &Case) -> Result<(), CaseError> {
        let Self { in_features, out_features, w1: [k, q, p], w2: [c, s, r] } = *self;
        case.check_parameter("w1", &[("w1[0]", k), ("w1[1]", q), ("w1[2]", p)])?;
        case.check_parameter("w2", &[("w2[0]", c), ("w2[1]", s), ("w2[2]", r)])?;
        check_linear(case, in_features, out_features)
    }

    /// A row may be wider around the factors than at both ends, which are what the file holds.
    fn check_amount(&self, case: &Case, rows: Axis) -> Result<(), CaseError> {
        let Self { w1: [k, q, p], w2: [c, s, _], .. } = *self;
        let widths =
            [[("w1[0]", k), ("w1[2]", p)], [("w1[0]", k), ("w1[1]", q)], [("w2[0]", c), ("w2[1]", s)]];
        widths.into_iter().try_for_each(|[x, y]| case.check_amount("a product with a factor", &[rows, x, y]))
    }

    /// The shapes are those that the file holds, so no product overflows.
    ///
    /// # Errors
    /// If the factors do not fit each other or the widths.
    fn check(&self) -> Result<(), String> {
        let Self { in_features, out_features, w1: [k, q, p], w2: [c, s, r] } = *self;
        if [in_features, out_features, k, q, p, c, s, r].contains(&0) {
            return Err("a size is 0, but a Monarch layer needs at least 1".into());
        }
        if k * q != c * r {
            return Err(format!("w1 writes {k} x {q} numbers, but w2 reads {c} x {r}"));
        }
        if k * p < in_features || c * s < out_features {
            return Err(format!(
                "w1 reads {k} x {p} and w2 writes {c} x {s} numbers, fewer than the features"
            ));
        }
        Ok(())
    }
}

pub(super) fn replay(case: &mut Case, form: Form, device: &Device) -> Result<Replay, CaseError> {
    let config: Published = case.parse_config()?;
    config.check_shapes(case)?;
    config.check().map_err(|e| invalid(case, e))?;
    let Published { in_features, out_features, w1, w2 } = config;
    config.check_amount(case, ("batch", case.tensor_axes::<2>("input")?[0]))?;
    let factors = [case.take_tensor("w1", w1, device)?, case.take_tensor("w2", w2, device)?];
    let bias = match case.parameters.contains_key("bias") {
        true => Some(case.take_tensor("bias", [out_features], device)?),
        false => None,
    };
    let layer = MonarchLinear::from_factors(factors, bias, in_features, out_features).with_form(form);
    let input: Tensor<2> = case.tensor_of_width("input", in_features, device)?.require_grad();
    let mut gathered = Gathered::new(case, input.clone(), layer.forward(input), device)?;
    if records_dense(case, in_features, out_features)? {
        config.check_amount(case, ("in_features", in_features))?;
        gathered.value("dense_weight", layer.dense_weight());
    }
    for (name, factor) in ["w1", "w2"].into_iter().zip(&layer.factors) {
        gathered.parameter(name, factor.val());
    }
    if let Some(bias) = &layer.bias {
        gathered.parameter("bias", bias.val());
    }
    Ok(gathered.replay)
}

//! Checks every size of a published config against a tensor of the file before a layer is built from it.

use subquad_mixer::published::{Axis, Case, CaseError};

use crate::{ImplicitFilterConfig, M2Config};

pub(super) const FILTER: &str = "filter_fn";
pub(super) const RESIDUAL: &str = "filter_fn2";
pub(super) const NETWORK: &str = "implicit_filter";
pub(super) const REVERSE: &str = "implicit_filter_rev";

/// Whether the parameters of a published M2 have the shapes that `config` asks for.
///
/// # Errors
/// If one is missing or has another shape, or a filter takes more numbers than a replay computes.
pub(super) fn check_m2(case: &Case, config: &M2Config) -> Result<(), CaseError> {
    let (d_model, width) = (("d_model", config.d_model), ("3 d_model", config.d_model.saturating_mul(3)));
    case.check_parameter("in_linear.weight", &[width, d_model])?;
    case.check_parameter("short_filter.weight", &[width, ("1", 1), ("3", config.short_filter)])?;
    case.check_parameter("out_linear.weight", &[d_model, d_model])?;
    check_filter(case, FILTER, &config.filter())?;
    match config.residual {
        true => check_filter(case, RESIDUAL, &config.filter()),
        false => Ok(()),
    }
}

fn check_filter(case: &Case, name: &str, config: &ImplicitFilterConfig) -> Result<(), CaseError> {
    let Sizes { d_model, l_max, order, emb_dim } = Sizes::of(config);
    case.check_parameter(&format!("{name}.pos_emb.z"), &[("1", 1), l_max, emb_dim])?;
    case.check_parameter(&format!("{name}.bias"), &[d_model])?;
    check_network(case, &format!("{name}.{NETWORK}"), config)?;
    if config.bidirectional {
        check_network(case, &format!("{name}.{REVERSE}"), config)?;
    }
    case.check_amount("the decay of a filter", &[l_max, d_model])?;
    case.check_amount("the network of a filter", &[l_max, order])
}

/// The layers have the even numbers from 0.
fn check_network(case: &Case, name: &str, config: &ImplicitFilterConfig) -> Result<(), CaseError> {
    let Sizes { d_model, order, emb_dim, .. } = Sizes::of(config);
    let weight =
        |layer: usize, axes: [Axis; 2]| case.check_parameter(&format!("{name}.{}.weight", 2 * layer), &axes);
    weight(0, [order, emb_dim])?;
    (1..=config.num_inner).try_for_each(|layer| weight(layer, [order, order]))?;
    weight(config.num_inner + 1, [d_model, order])
}

/// The sizes under their names in a published config.
struct Sizes {
    d_model: Axis<'static>,
    l_max: Axis<'static>,
    order: Axis<'static>,
    emb_dim: Axis<'static>,
}

impl Sizes {
    fn of(config: &ImplicitFilterConfig) -> Self {
        Self {
            d_model: ("d_model", config.d_model),
            l_max: ("l_max", config.l_max),
            order: ("hyena_filter_order", config.order),
            emb_dim: ("hyena_emb_dim", config.emb_dim),
        }
    }
}

//! Checks every size of a published filter against a tensor of the file before a filter is built from it.

use subquad_mixer::published::{Axis, Case, CaseError};

use crate::ImplicitFilterConfig;

pub(super) const FILTER: &str = "filter_fn";
pub(super) const NETWORK: &str = "implicit_filter";
pub(super) const REVERSE: &str = "implicit_filter_rev";

/// What a published config calls the sizes of a filter, and the filter itself.
pub(super) struct Words {
    pub(super) filter: &'static str,
    pub(super) channels: &'static str,
    pub(super) order: &'static str,
    pub(super) emb_dim: &'static str,
}

/// # Errors
/// If a parameter is missing or has another shape, or the filter takes more numbers than a replay computes.
pub(super) fn check_filter(
    case: &Case,
    name: &str,
    config: &ImplicitFilterConfig,
    words: &Words,
) -> Result<(), CaseError> {
    let (channels, l_max) = ((words.channels, config.d_model), ("l_max", config.l_max));
    let (order, emb_dim) = ((words.order, config.order), (words.emb_dim, config.emb_dim));
    case.check_parameter(&format!("{name}.pos_emb.z"), &[("1", 1), l_max, emb_dim])?;
    case.check_parameter(&format!("{name}.bias"), &[channels])?;
    for network in networks(config) {
        // The layers have the even numbers from 0.
        let weight = |layer: usize, axes: [Axis; 2]| {
            case.check_parameter(&format!("{name}.{network}.{}.weight", 2 * layer), &axes)
        };
        weight(0, [order, emb_dim])?;
        (1..=config.num_inner).try_for_each(|layer| weight(layer, [order, order]))?;
        weight(config.num_inner + 1, [channels, order])?;
    }
    case.check_amount(&format!("the decay of {}", words.filter), &[l_max, channels])?;
    case.check_amount(&format!("the network of {}", words.filter), &[l_max, order])
}

/// The names of a filter's networks.
pub(super) fn networks(config: &ImplicitFilterConfig) -> &'static [&'static str] {
    if config.bidirectional { &[NETWORK, REVERSE] } else { &[NETWORK] }
}

//! The order in which published Hyenas keep the channels of their filters.

use burn::tensor::TensorData;
use serde::Deserialize;
use subquad_mixer::published::Replay;

use crate::HyenaConfig;

/// Where the channel of feature `h` in filter `o` is, among `order - 1` filters of `d_model` features.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FilterLayout {
    /// At `h (order - 1) + o`, as in the Hyena operator and here.
    #[default]
    ByFeature,
    /// At `o d_model + h`, as in the stand-alone script of the same repository, whose names are the same.
    ByFilter,
}

impl FilterLayout {
    /// Converts filters below `name` from this layout to ours.
    pub(super) fn to_ours(self, tensors: &mut Replay, config: &HyenaConfig, name: &str) {
        self.turn(tensors, config, name, [config.order - 1, config.d_model]);
    }

    /// Converts filters below `name` from our layout to this one.
    pub(super) fn to_theirs(self, tensors: &mut Replay, config: &HyenaConfig, name: &str) {
        self.turn(tensors, config, name, [config.d_model, config.order - 1]);
    }

    /// Swaps the two axes that make up the axis of channels, in everything that has one.
    fn turn(self, tensors: &mut Replay, config: &HyenaConfig, name: &str, axes: [usize; 2]) {
        if self == Self::ByFeature {
            return;
        }
        let last = format!("{name}.implicit_filter.{}.weight", 2 * (config.num_inner + 1));
        for tensor in [last, format!("{name}.bias"), format!("{name}.modulation.deltas")] {
            if let Some(data) = tensors.get_mut(&tensor) {
                *data = turned(data, axes);
            }
        }
    }
}

/// Reorders rows, each the numbers of one channel, from `[first, second]` to `[second, first]`. A tensor of other
/// sizes, which its layer will refuse, stays as it is.
fn turned(data: &TensorData, [first, second]: [usize; 2]) -> TensorData {
    let values: Vec<f32> = data.iter::<f32>().collect();
    if !values.len().is_multiple_of(first * second) {
        return data.clone();
    }
    let width = values.len() / (first * second);
    let row = |(j, i): (usize, usize)| &values[(i * second + j) * width..][..width];
    let places = (0..second).flat_map(|j| (0..first).map(move |i| (j, i)));
    TensorData::new(places.flat_map(row).copied().collect::<Vec<_>>(), data.shape())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_change_places_and_come_back() {
        let rows = TensorData::new((0..12).map(|n| n as f32).collect::<Vec<_>>(), [6, 2]);
        let there = turned(&rows, [2, 3]);
        let numbers: Vec<f32> = there.iter::<f32>().collect();
        assert_eq!(numbers, [0., 1., 6., 7., 2., 3., 8., 9., 4., 5., 10., 11.]);
        assert_eq!(turned(&there, [3, 2]), rows);
        assert_eq!(turned(&rows, [5, 1]), rows);
    }
}

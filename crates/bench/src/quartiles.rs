//! Median and quartiles of repeated measurements.

/// Median and quartiles.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Quartiles {
    /// A quarter of the values are below this.
    pub(crate) q1: f64,
    /// Half of the values are below this.
    pub(crate) median: f64,
    /// Three quarters of the values are below this.
    pub(crate) q3: f64,
}

impl Quartiles {
    /// The quartiles of these values, with linear interpolation between neighbours.
    ///
    /// # Panics
    /// If there are no values.
    pub(crate) fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let at = |share: f64| {
            let position = share * (values.len() - 1) as f64;
            let (low, high) = (values[position.floor() as usize], values[position.ceil() as usize]);
            low + (high - low) * position.fract()
        };
        Self { q1: at(0.25), median: at(0.5), q3: at(0.75) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_lie_between_neighbours() {
        let quartiles = Quartiles::of(vec![4.0, 1.0, 3.0, 2.0]);
        assert_eq!(quartiles, Quartiles { q1: 1.75, median: 2.5, q3: 3.25 });
    }

    #[test]
    fn one_value_is_all_of_them() {
        assert_eq!(Quartiles::of(vec![5.0]), Quartiles { q1: 5.0, median: 5.0, q3: 5.0 });
    }
}

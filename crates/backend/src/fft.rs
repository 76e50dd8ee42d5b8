//! Complex transforms of any length, planned once per process and length.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use rustfft::{Fft, FftPlanner};

/// The transforms of one length, unscaled both ways.
#[derive(Clone)]
pub struct Plan {
    /// `X_j = sum over t of x_t e^(-2 pi i j t / n)`.
    pub forward: Arc<dyn Fft<f32>>,
    /// `x_t = sum over j of X_j e^(2 pi i j t / n)`.
    pub inverse: Arc<dyn Fft<f32>>,
}

impl Plan {
    /// Points that the transforms need to work in.
    pub fn scratch_len(&self) -> usize {
        self.forward.get_inplace_scratch_len().max(self.inverse.get_inplace_scratch_len())
    }
}

/// The transforms of `n` points. Planning again costs one table lookup.
pub fn plan(n: usize) -> Plan {
    static PLANS: Table<Plan> = Table::new(BTreeMap::new());
    made_once(&PLANS, n, || {
        let mut planner = FftPlanner::new();
        Plan { forward: planner.plan_fft_forward(n), inverse: planner.plan_fft_inverse(n) }
    })
}

/// What has been made for each length.
pub(crate) type Table<T> = Mutex<BTreeMap<usize, T>>;

/// Entry `n` of the table, made now if it is new.
pub(crate) fn made_once<T: Clone>(table: &Table<T>, n: usize, make: impl FnOnce() -> T) -> T {
    // Each entry is complete before it is inserted, so a panic elsewhere leaves a valid table.
    let mut table = table.lock().unwrap_or_else(PoisonError::into_inner);
    table.entry(n).or_insert_with(make).clone()
}

//! The definition with a layer's own parameters.

use burn::nn::Linear;
use subquad_s4::reference::{Affine, Complex, H3 as Definition, Head, Mode, Shift};
use subquad_s4::{Discretization, H3};
use subquad_testkit::to_f64;

use super::{D_MODEL, D_STATE};

pub(crate) const NAMES: [&str; 19] = [
    "q.weight",
    "q.bias",
    "k.weight",
    "k.bias",
    "v.weight",
    "v.bias",
    "output.weight",
    "output.bias",
    "shift.c",
    "shift.b",
    "shift.d",
    "d",
    "inv_dt",
    "inv_a_re",
    "a_im",
    "b_re",
    "b_im",
    "c_re",
    "c_im",
];

/// The parameters as flat lists in the order of [`NAMES`]: the layout that finite differences walk along.
#[derive(Clone)]
pub(crate) struct Numbers {
    pub(crate) lists: Vec<Vec<f64>>,
}

impl Numbers {
    pub(crate) fn of(layer: &H3) -> Self {
        let linear =
            |layer: &Linear| [to_f64(layer.weight.val()), to_f64(layer.bias.as_ref().unwrap().val())];
        let mut lists: Vec<_> =
            [&layer.q, &layer.k, &layer.v, &layer.output].into_iter().flat_map(linear).collect();
        let (c, modes) = (to_f64(layer.shift.c.val()), &layer.ssm.modes);
        let first_place = (0..c.len()).map(|at| if at % D_STATE == 0 { 1.0 } else { 0.0 }).collect();
        let b = layer.shift.b.as_ref().map_or(first_place, |b| to_f64(b.val()));
        lists.extend([c, b, to_f64(layer.shift.d.val()), to_f64(layer.d.val())]);
        let pairs = [&modes.inv_dt, &modes.inv_a_re, &modes.a_im, &modes.b_re, &modes.b_im];
        lists.extend(pairs.map(|param| to_f64(param.val())));
        lists.extend([&modes.c_re, &modes.c_im].map(|param| to_f64(param.val())));
        Self { lists }
    }

    pub(crate) fn definition(&self, rule: Discretization) -> Definition {
        let affine = |at: usize| Affine { weight: self.lists[at].clone(), bias: self.lists[at + 1].clone() };
        let row = |at: usize, h: usize| self.lists[at][h * D_STATE..(h + 1) * D_STATE].to_vec();
        let shift = |h: usize| Shift { c: row(8, h), b: row(9, h), d: self.lists[10][h] };
        let head =
            |h: usize| Head { modes: self.modes(h), dt: self.lists[12][h].exp(), d: self.lists[11][h] };
        Definition {
            q: affine(0),
            k: affine(2),
            v: affine(4),
            output: affine(6),
            shift: (0..D_MODEL).map(shift).collect(),
            heads: (0..self.lists[11].len()).map(head).collect(),
            rule,
        }
    }

    fn modes(&self, head: usize) -> Vec<Mode> {
        let pairs = D_STATE / 2;
        let shared = head * pairs % self.lists[13].len();
        let complex = |at: usize, n: usize| Complex { re: self.lists[at][n], im: self.lists[at + 1][n] };
        let mode = |n: usize| Mode {
            a: Complex { re: -self.lists[13][shared + n].exp(), im: self.lists[14][shared + n] },
            b: complex(15, shared + n),
            c: complex(17, head * pairs + n),
        };
        (0..pairs).map(mode).collect()
    }
}

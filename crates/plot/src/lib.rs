#![doc = include_str!("../README.md")]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod error;
mod figure;
pub mod fit;
mod interval;
mod layout;
mod palette;
mod panel;
mod png;
mod scale;
mod scaling;
mod scene;
pub mod study;
pub mod summary;
mod svg;
mod table;
mod text;
mod thin;

pub use error::PlotError;
pub use figure::{Axis, Figure, Line, Panel, Point, Written};
pub use interval::{FEWEST, Interval};
pub use scale::Scale;
pub use scaling::{Scaling, ScalingFigure};
pub use table::read_panels;

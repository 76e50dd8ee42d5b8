//! Curves of sequence-model experiments as SVG, PNG and CSV.

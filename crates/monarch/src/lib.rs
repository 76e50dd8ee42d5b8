//! Monarch Mixer layers on burn: gated implicit long convolutions and block-diagonal channel mixing.

//! Residual sequence models on burn: encoder, blocks of sequence and channel mixers, head.

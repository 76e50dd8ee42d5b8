//! Training and evaluation of sequence models, step by step, without files or prints.

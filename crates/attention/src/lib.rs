//! Softmax attention on burn: multi-head, causal or bidirectional, rotary positions, key-value cache.

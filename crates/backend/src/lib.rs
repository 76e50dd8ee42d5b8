//! The shared burn backend of subquad: device choice, the form of an operation, fused CPU kernels with gradients, FFT convolution, pointwise tails.

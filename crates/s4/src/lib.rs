//! Diagonal state-space layers (S4D) on burn: convolution, recurrence and chunked forms.

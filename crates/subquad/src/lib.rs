//! Train and compare attention, S4D and Monarch Mixer across sequence lengths from config files.

//! Tasks and data sets for sequence models: a seed gives plain integers and floats.

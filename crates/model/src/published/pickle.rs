//! Names in PyTorch's nested dictionaries.

use std::collections::BTreeSet;

use pytorch_reader::PickleValue;

/// What the reader calls a tensor.
const TENSOR: &str = "torch.Tensor";

/// A name that two tensors have: `{"a.b": _}` beside `{"a": {"b": _}}`. The reader keeps either of them, by chance.
pub(super) fn repeated_name(root: &PickleValue) -> Option<String> {
    let mut names = Names::default();
    names.walk(root, "");
    names.repeated.into_iter().next()
}

#[derive(Default)]
struct Names {
    found: BTreeSet<String>,
    repeated: BTreeSet<String>,
}

impl Names {
    fn walk(&mut self, value: &PickleValue, name: &str) {
        let below = |key: &str| if name.is_empty() { key.to_owned() } else { format!("{name}.{key}") };
        match value {
            PickleValue::Dict(entries) => {
                entries.iter().for_each(|(key, value)| self.walk(value, &below(key)));
            }
            PickleValue::List(items) => {
                let items = items.iter().enumerate();
                items.for_each(|(index, value)| self.walk(value, &below(&index.to_string())));
            }
            PickleValue::Unsupported(kind) if kind == TENSOR => {
                if !self.found.insert(name.to_owned()) {
                    self.repeated.insert(name.to_owned());
                }
            }
            _ => {}
        }
    }
}

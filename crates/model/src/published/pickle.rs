//! Names in PyTorch's nested dictionaries.

use pytorch_reader::PickleValue;

/// The reader's name for a tensor.
const TENSOR: &str = "torch.Tensor";

/// A name that two tensors have: `{"a.b": _}` and `{"a": {"b": _}}`. The reader keeps one of them, by chance.
pub(super) fn repeated_name(root: &PickleValue) -> Option<String> {
    let mut names = vec![];
    collect(root, "", &mut names);
    names.sort_unstable();
    names.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0].clone())
}

/// Every tensor's path of keys and indices, joined by dots as the reader joins them.
fn collect(value: &PickleValue, name: &str, names: &mut Vec<String>) {
    let below = |key: &str| if name.is_empty() { key.to_owned() } else { format!("{name}.{key}") };
    match value {
        PickleValue::Dict(entries) => {
            entries.iter().for_each(|(key, value)| collect(value, &below(key), names));
        }
        PickleValue::List(items) => {
            let items = items.iter().enumerate();
            items.for_each(|(index, value)| collect(value, &below(&index.to_string()), names));
        }
        PickleValue::Unsupported(kind) if kind == TENSOR => names.push(name.to_owned()),
        _ => {}
    }
}

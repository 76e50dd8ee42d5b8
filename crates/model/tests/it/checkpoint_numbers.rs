//! What a checkpoint's numbers and sizes must be.

use std::path::{Path, PathBuf};

use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView, serialize};
use subquad_model::M2BertConfig;
use subquad_testkit::cpu;

const TABLE: &str = "bert.embeddings.word_embeddings.weight";

fn whole() -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/published/m2_bert.safetensors");
    std::fs::read(path).unwrap()
}

/// The error of loading a file with this ending and these contents.
fn refused(ending: &str, contents: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path: PathBuf = folder.path().join(format!("model.{ending}"));
    std::fs::write(&path, contents).unwrap();
    let config = M2BertConfig::new(8)
        .with_n_layers(2)
        .with_vocab(11)
        .with_l_max(6)
        .with_expand(2)
        .with_filter_order(4);
    let error = config.load(&path, &cpu()).unwrap_err().to_string();
    error.replace(&*folder.path().to_string_lossy(), "DIR")
}

/// The file with one of its tensors replaced.
fn with(name: &str, kind: Dtype, numbers: &[u8]) -> Vec<u8> {
    let bytes = whole();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let view = |(own, view): (String, TensorView<'_>)| match own == name {
        true => (own, view.dtype(), view.shape().to_vec(), numbers.to_vec()),
        false => (own, Dtype::F32, view.shape().to_vec(), view.data().to_vec()),
    };
    let tensors: Vec<_> = file.tensors().into_iter().map(view).collect();
    let views = tensors.iter().map(|(own, stored, shape, bytes)| {
        let kind = if own == name { kind } else { *stored };
        (own, TensorView::new(kind, shape.clone(), bytes).unwrap())
    });
    serialize(views, None).unwrap()
}

#[test]
fn a_weight_that_is_no_finite_number_in_f32_is_refused_with_its_place() {
    let doubles = |value: f64| {
        let mut numbers = [0.5; 11 * 8];
        numbers[2 * 8 + 3] = value;
        numbers.map(f64::to_le_bytes).concat()
    };
    let told = |value| refused("safetensors", &with(TABLE, Dtype::F64, &doubles(value)));
    let place = "at [2, 3]; a layer needs numbers that are finite in f32";
    for (value, word) in [(f64::NAN, "NaN"), (f64::NEG_INFINITY, "-inf"), (-3.5e38, "-3.5e38")] {
        assert_eq!(told(value), format!("DIR/model.safetensors: tensor `{TABLE}` holds {word} {place}"));
    }
    assert!(
        !told(3.4e38).contains("finite"),
        "the largest numbers of f32 are numbers; only the tied copy differs now"
    );
}

#[test]
fn a_weight_of_half_precision_that_is_none_is_refused() {
    let infinite_f16 = [0x00, 0x7c].repeat(11 * 8);
    let told = refused("safetensors", &with(TABLE, Dtype::F16, &infinite_f16));
    assert!(told.contains("holds inf at [0, 0];"), "{told}");
}

#[test]
fn a_tensor_that_stands_twice_is_refused() {
    let bytes = whole();
    let (length, rest) = bytes.split_first_chunk::<8>().unwrap();
    let (header, data) = rest.split_at(u64::from_le_bytes(*length) as usize);
    let header = std::str::from_utf8(header).unwrap().trim_end();
    let start = header.find(&format!("\"{TABLE}\":")).unwrap();
    let end = start + header[start..].find('}').unwrap() + 1;
    let twice = format!("{{{},{}", &header[start..end], &header[1..]);
    let file = [&(twice.len() as u64).to_le_bytes(), twice.as_bytes(), data].concat();
    let told = refused("safetensors", &file);
    assert!(told.contains(&format!("`{TABLE}` appears twice")), "{told}");
}

/// A file in PyTorch's format from before version 1.6, made by hand, with one tensor of this shape: a view that repeats
/// one number.
fn one_number(shape: [u32; 2]) -> Vec<u8> {
    let text = |text: &str| [b"X", &(text.len() as u32).to_le_bytes()[..], text.as_bytes()].concat();
    let int = |value: u32| [b"J", &value.to_le_bytes()[..]].concat();
    let storage = [
        b"(".to_vec(),
        text("storage"),
        b"ctorch\nFloatStorage\n".to_vec(),
        text("0"),
        text("cpu"),
        int(1),
        b"tQ".to_vec(),
    ];
    let sizes = |[rows, columns]: [u32; 2]| [b"(", &int(rows)[..], &int(columns), b"t"].concat();
    let tensor = [
        b"ctorch._utils\n_rebuild_tensor_v2\n(".to_vec(),
        storage.concat(),
        int(0),
        sizes(shape),
        sizes([0, 0]),
        b"\x89ccollections\nOrderedDict\n)RtR".to_vec(),
    ];
    [
        &b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."[..],
        b"\x80\x02M\xe9\x03.",
        &[b"\x80\x02}", &text("little_endian")[..], b"\x88s."].concat(),
        &[b"\x80\x02}", &text(TABLE)[..], &tensor.concat(), b"s."].concat(),
        &[b"\x80\x02]", &text("0")[..], b"a."].concat(),
        &1u64.to_le_bytes(),
        &1f32.to_le_bytes(),
    ]
    .concat()
}

#[test]
fn a_tensor_of_more_numbers_than_the_file_has_is_refused_before_it_is_read() {
    let told = refused("pt", &one_number([30_522, 16_384]));
    assert!(told.contains("DIR/model.pt: its tensors have 2000289792 bytes, but the file "), "{told}");
    let small = refused("pt", &one_number([11, 8]));
    assert!(!small.contains("its tensors have"), "{small}");
}

//! Names of runs, and the hashes at their ends.

use std::collections::BTreeMap;

use subquad_record::{RunName, long_run_hash, run_hash};

#[test]
fn a_name_reads_back_from_its_text() {
    for (mixer, seq_len, seed) in [("s4d", 1024, 0), ("monarch-mixer", 1, u64::MAX), ("a-L1-s1", 64, 7)] {
        let name = RunName { mixer: mixer.into(), seq_len, seed, hash: "1b9d3f07".into() };
        assert_eq!(name.to_string(), format!("{mixer}-L{seq_len}-s{seed}-1b9d3f07"));
        assert_eq!(name.to_string().parse::<RunName>().unwrap(), name);
    }
}

#[test]
fn other_names_are_refused_by_name() {
    let others = [
        "",
        "s4d",
        "L64-s0-1b9d3f07",
        "-L64-s0-1b9d3f07",
        "s4d-64-s0-1b9d3f07",
        "s4d-L64-s-1-1b9d3f07",
        "s4d-L064-s0-1b9d3f07",
        "s4d-L64-s0-1b9d3f0",
        "s4d-L64-s0-1B9D3F07",
        "../s4d-L64-s0-1b9d3f07",
    ];
    for other in others {
        let error = other.parse::<RunName>().unwrap_err().to_string();
        assert!(error.starts_with(&format!("`{other}` does not name a run")), "{error}");
    }
}

fn hash(pairs: &[(&str, &str)]) -> String {
    run_hash(&pairs.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect())
}

#[test]
fn the_hash_is_the_start_of_sha_256() {
    assert_eq!(hash(&[]), "e3b0c442"); // of the empty text, as published
    // printf 'batch=32\nmixer=s4d\nseed=0\n' | sha256sum
    assert_eq!(hash(&[("seed", "0"), ("mixer", "s4d"), ("batch", "32")]), "61c9cab3");
    assert_eq!(long_run_hash(&BTreeMap::new(), 16), "e3b0c44298fc1c14");
}

#[test]
fn any_change_of_a_key_or_value_changes_the_hash() {
    let hashes = [
        hash(&[("a", "1")]),
        hash(&[("a", "2")]),
        hash(&[("b", "1")]),
        hash(&[("a", "1"), ("b", "2")]),
        hash(&[("a", "1\nb=2")]),
        hash(&[("a", "1\\nb=2")]),
    ];
    let different: std::collections::BTreeSet<_> = hashes.iter().collect();
    assert_eq!(different.len(), hashes.len());
}

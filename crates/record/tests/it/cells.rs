use std::collections::BTreeMap;
use std::fs;

use serde_json::json;
use subquad_record::{Cell, CellStudy, Machine, read_cells, read_facts, write_cell_study, write_cells};

fn cell(mixer: &str, seq_len: usize) -> Cell {
    Cell {
        mixer: mixer.into(),
        seq_len,
        batch: 4,
        d_model: 128,
        d_hidden: None,
        n_blocks: None,
        parameters: 66_048,
        forward_ms: 0.1 + 0.2,
        forward_ms_q1: 0.25,
        forward_ms_q3: 0.5,
        forward_backward_ms: 1.0 / 3.0,
        forward_backward_ms_q1: 0.3,
        forward_backward_ms_q3: 0.4,
        repeats: 12,
        tokens_per_second: 1e6,
        flops: (mixer != "gpu").then_some(1e9),
        fma_peak_gflops: None,
        peak_bytes: (mixer != "gpu").then_some(1 << 20),
        state_floats: None,
        check_error: 2e-6,
        check_value_error: 1e-7,
        check_gradient_error: 2e-6,
        check_against: "f64 reference".into(),
        form: "fused".into(),
        device: "cpu".into(),
        threads: 2,
        instruction_set: "avx2+fma".into(),
        program_version: "0.1.0".into(),
        build_commit: None,
        measured: "2026-11-23T17:04:05Z".into(),
        machine: Machine {
            cpu: "Some CPU, 2 GHz".into(),
            cores: 2,
            memory_bytes: None,
            os: "linux x86_64".into(),
        },
    }
}

#[test]
fn cells_read_back_as_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cells.jsonl");
    let cells = [cell("s4d", 64), cell("gpu", 128)];
    write_cells(&path, &cells).unwrap();
    assert_eq!(read_cells(&path).unwrap(), cells);
    assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 2);
}

#[test]
fn no_file_holds_no_cells_and_a_damaged_line_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cells.jsonl");
    assert_eq!(read_cells(&path).unwrap(), []);
    write_cells(&path, &[cell("s4d", 64)]).unwrap();
    let line = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{line}{{}}\n")).unwrap();
    let error = read_cells(&path).unwrap_err().to_string();
    assert!(error.starts_with(&format!("{}:2: ", path.display())), "{error}");
}

#[test]
fn a_study_of_cells_is_a_table_and_a_summary_with_its_facts() {
    let results = tempfile::tempdir().unwrap();
    let dir = results.path().join("01-scaling");
    let cells = [cell("s4d", 64), cell("gpu", 128)];
    let facts = BTreeMap::from([("exponents".to_owned(), json!([{ "mixer": "s4d" }]))]);
    write_cell_study(&dir, &cells, &facts).unwrap();
    let study: CellStudy = serde_json::from_slice(&fs::read(dir.join("summary.json")).unwrap()).unwrap();
    assert_eq!(study, CellStudy { slug: "01-scaling".into(), cells: cells.to_vec(), facts: facts.clone() });
    assert_eq!(read_facts(&dir).unwrap()["exponents"], facts["exponents"]);
    let table = fs::read_to_string(dir.join("summary.csv")).unwrap();
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(
        lines[0],
        "mixer,seq_len,d_model,forward_backward_ms,forward_backward_ms_q1,forward_backward_ms_q3,forward_ms,\
         forward_ms_q1,forward_ms_q3,tokens_per_second,flops,fma_peak_gflops,peak_bytes,state_floats,parameters,batch,d_hidden,n_blocks,\
         repeats,check_error,check_value_error,check_gradient_error,check_against,form,device,threads,\
         instruction_set,program_version,build_commit,measured,machine_cpu,machine_cores,machine_os"
    );
    assert_eq!(
        lines[2],
        "gpu,128,128,0.3333333333333333,0.3,0.4,0.30000000000000004,0.25,0.5,1000000.0,,,,,66048,4,,,12,2e-6,1e-7,2e-6,\
         f64 reference,fused,cpu,2,avx2+fma,0.1.0,,2026-11-23T17:04:05Z,\"Some CPU, 2 GHz\",2,linux x86_64"
    );
    assert_eq!(lines.len(), 3);
}

#[test]
fn operations_a_second_are_those_of_forward_and_backward() {
    let cell = Cell { flops: Some(3e9), forward_backward_ms: 20.0, ..cell("s4d", 64) };
    assert_eq!(cell.gflops(), Some(150.0));
    assert_eq!(Cell { flops: None, ..cell }.gflops(), None);
}

#[test]
fn facts_may_not_hide_the_study() {
    for name in ["slug", "cells"] {
        let facts = BTreeMap::from([(name.to_owned(), json!(1))]);
        let error = write_cell_study(std::path::Path::new("nowhere"), &[], &facts).unwrap_err();
        assert!(error.to_string().contains(&format!("`{name}`")), "{error}");
    }
}

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;
use subquad_record::{
    Cell, CellStudy, Machine, Provenance, read_cells, read_facts, set_cells_aside, write_cell_study,
    write_cells,
};
use tempfile::TempDir;

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
        provenance: Provenance {
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
        },
    }
}

/// The path of the cells of a folder of this name.
fn log(results: &TempDir, folder: &str) -> PathBuf {
    let folder = results.path().join(folder);
    fs::create_dir_all(&folder).unwrap();
    folder.join("cells.jsonl")
}

/// What is wrong with the damaged lines.
fn damage(path: &Path) -> Vec<String> {
    read_cells(path).unwrap().damaged.iter().map(ToString::to_string).collect()
}

#[test]
fn cells_read_back_as_the_same_bits() {
    let results = tempfile::tempdir().unwrap();
    let path = log(&results, "layers-1b9d3f07");
    let cells = [cell("s4d", 64), cell("gpu", 128)];
    write_cells(&path, &cells).unwrap();
    let read = read_cells(&path).unwrap();
    assert_eq!((read.cells, read.damaged.len()), (cells.to_vec(), 0));
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text.lines().count(), 2);
    assert!(text.lines().all(|line| serde_json::from_str::<Cell>(line).is_ok()), "{text}");
}

#[test]
fn no_file_holds_no_cells_and_a_damaged_line_is_named() {
    let results = tempfile::tempdir().unwrap();
    let path = log(&results, "layers-1b9d3f07");
    assert!(read_cells(&path).unwrap().cells.is_empty());
    write_cells(&path, &[cell("s4d", 64), cell("gpu", 128)]).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    let lines = text.replace("\"seq_len\":64", "\"seq_len\":65");
    let old = serde_json::to_string(&cell("s4d", 64)).unwrap();
    fs::write(&path, format!("{lines}{old}\n{{}}\n{{\"mix")).unwrap();
    assert_eq!(read_cells(&path).unwrap().cells, [cell("gpu", 128)]);
    let at = |line: usize, what: &str| format!("{}:{line}: damaged ({what})", path.display());
    let none = "no digest at its end; earlier versions wrote none";
    let expected = [at(1, "not the bytes that were written"), at(3, none), at(4, none), at(5, none)];
    assert_eq!(damage(&path), expected);
}

#[test]
fn a_changed_byte_of_a_cell_is_found() {
    let results = tempfile::tempdir().unwrap();
    let path = log(&results, "layers-1b9d3f07");
    write_cells(&path, &[cell("s4d", 64)]).unwrap();
    let whole = fs::read(&path).unwrap();
    for at in 0..whole.len() - 1 {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        fs::write(&path, bytes).unwrap();
        assert_eq!(damage(&path).len(), 1, "byte {at}");
    }
}

#[test]
fn cells_of_another_folder_are_not_believed() {
    let results = tempfile::tempdir().unwrap();
    let [own, other] = ["layers-1b9d3f07", "layers-00000000"].map(|folder| log(&results, folder));
    write_cells(&other, &[cell("s4d", 64)]).unwrap();
    fs::copy(&other, &own).unwrap();
    assert_eq!(damage(&own), [format!("{}:1: damaged (of layers-00000000)", own.display())]);
}

#[test]
fn cells_that_are_set_aside_are_kept_beside() {
    let results = tempfile::tempdir().unwrap();
    let path = log(&results, "layers-1b9d3f07");
    fs::write(&path, "old").unwrap();
    let aside = set_cells_aside(&path).unwrap();
    assert_eq!(aside, path.with_file_name("damaged").join("cells.jsonl"));
    assert_eq!(fs::read(aside).unwrap(), b"old");
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
         instruction_set,program_version,build_commit,measured,machine_cpu,machine_cores,machine_os,gflops,mfu"
    );
    assert_eq!(
        lines[2],
        "gpu,128,128,0.3333333333333333,0.3,0.4,0.30000000000000004,0.25,0.5,1000000.0,,,,,66048,4,,,12,2e-6,1e-7,2e-6,\
         f64 reference,fused,cpu,2,avx2+fma,0.1.0,,2026-11-23T17:04:05Z,\"Some CPU, 2 GHz\",2,linux x86_64,,"
    );
    assert_eq!(lines.len(), 3);
}

#[test]
fn operations_a_second_are_those_of_forward_and_backward() {
    let cell = Cell { flops: Some(3e9), forward_backward_ms: 20.0, ..cell("s4d", 64) };
    assert_eq!(cell.gflops(), Some(150.0));
    assert_eq!([cell.mfu(), Cell { fma_peak_gflops: Some(200.0), ..cell.clone() }.mfu()], [None, Some(0.75)]);
    let uncounted = Cell { flops: None, fma_peak_gflops: Some(200.0), ..cell };
    assert_eq!((uncounted.gflops(), uncounted.mfu()), (None, None));
}

#[test]
fn facts_may_not_hide_the_study() {
    for name in ["slug", "cells"] {
        let facts = BTreeMap::from([(name.to_owned(), json!(1))]);
        let error = write_cell_study(std::path::Path::new("nowhere"), &[], &facts).unwrap_err();
        assert!(error.to_string().contains(&format!("`{name}`")), "{error}");
    }
}

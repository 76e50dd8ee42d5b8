//! Who may use whom, and which crates know burn.

use std::collections::BTreeSet;
use std::process::Command;

use serde::Deserialize;

use crate::lab::{crates, files, repository};

/// What each crate uses of ours, exactly. The picture is in `crates/README.md`.
const USES: [(&str, &str); 16] = [
    ("options-derive", ""),
    ("options", "options-derive"),
    ("backend", "options"),
    ("mixer", "backend options"),
    ("data", "options"),
    ("record", "data"),
    ("plot", "data"),
    ("config", "options"),
    ("attention", "backend mixer options"),
    ("s4", "backend mixer options"),
    ("monarch", "backend mixer options"),
    ("testkit", "backend mixer"),
    ("model", "attention backend mixer monarch options s4"),
    ("train", "backend data mixer model options record"),
    ("bench", "backend config mixer model monarch options plot record"),
    ("subquad", "backend bench config data mixer model monarch options plot record s4 train"),
];

const WITHOUT_BURN: [&str; 6] = ["options-derive", "options", "config", "data", "record", "plot"];
/// burn's inner crates, which change most from version to version.
const INNER_BURN: [&str; 2] = ["burn-autodiff", "burn-flex"];

/// What `cargo metadata` says about a crate.
#[derive(Debug, Deserialize)]
struct Package {
    name: String,
    dependencies: Vec<Dependency>,
}

#[derive(Debug, Deserialize)]
struct Dependency {
    name: String,
    /// `None`: a normal dependency; otherwise `dev` or `build`.
    kind: Option<String>,
    /// Where a crate of ours is.
    path: Option<String>,
}

/// Those in `crates/`.
fn packages() -> Vec<Package> {
    #[derive(Deserialize)]
    struct Metadata {
        packages: Vec<Package>,
    }
    let mut command = Command::new(env!("CARGO"));
    command.args(["metadata", "--format-version=1", "--no-deps", "--offline", "--locked"]);
    let output = command.current_dir(repository()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let packages = serde_json::from_slice::<Metadata>(&output.stdout).unwrap().packages;
    packages.into_iter().filter(|package| package.name.starts_with("subquad")).collect()
}

/// The name of the crate's folder.
fn short(name: &str) -> &str {
    name.strip_prefix("subquad-").unwrap_or(name)
}

const NORMAL: Option<&str> = None;
const DEVELOPMENT: Option<&str> = Some("dev");
const BUILD: Option<&str> = Some("build");

fn of_kind<'a>(package: &'a Package, kind: Option<&'a str>) -> impl Iterator<Item = &'a Dependency> {
    package.dependencies.iter().filter(move |dependency| dependency.kind.as_deref() == kind)
}

fn ours<'a>(package: &'a Package, kind: Option<&'a str>) -> BTreeSet<&'a str> {
    let ours = of_kind(package, kind).filter(|dependency| dependency.path.is_some());
    ours.map(|dependency| short(&dependency.name)).collect()
}

fn is_burn(dependency: &Dependency) -> bool {
    dependency.name == "burn" || dependency.name.starts_with("burn-")
}

#[test]
fn every_crate_uses_exactly_what_the_picture_shows() {
    let packages = packages();
    let found: Vec<_> = packages.iter().map(|p| (short(&p.name).to_owned(), ours(p, NORMAL))).collect();
    assert_eq!(found.len(), USES.len(), "{found:#?}");
    for (name, uses) in found {
        let shown = USES.iter().find(|(other, _)| *other == name);
        let (_, allowed) = shown.unwrap_or_else(|| panic!("the picture lacks {name}"));
        assert_eq!(uses, allowed.split_whitespace().collect(), "{name}");
    }
}

/// The crate's own uses, and what those use in turn.
fn reached(name: &str) -> BTreeSet<&'static str> {
    let (_, uses) = USES.iter().find(|(other, _)| *other == name).unwrap();
    uses.split_whitespace().flat_map(|used| reached(used).into_iter().chain([used])).collect()
}

/// What tests need besides `testkit` and what their crate reaches: mixers to measure.
const TESTS_USE: [(&str, &str); 1] = [("bench", "model")];

#[test]
fn tests_add_no_crate_of_ours_but_testkit() {
    for package in packages() {
        let mut allowed = reached(short(&package.name));
        allowed.insert("testkit");
        allowed
            .extend(TESTS_USE.iter().filter(|(name, _)| *name == short(&package.name)).map(|(_, used)| used));
        let uses = ours(&package, DEVELOPMENT);
        assert!(uses.is_subset(&allowed), "{}: {uses:?}", package.name);
        assert!(ours(&package, BUILD).is_empty(), "{}", package.name);
    }
}

#[test]
fn data_records_and_figures_know_no_burn() {
    let packages = packages();
    for package in packages.iter().filter(|p| WITHOUT_BURN.contains(&short(&p.name))) {
        let burn = of_kind(package, NORMAL).find(|dependency| is_burn(dependency));
        assert!(burn.is_none(), "{}: {burn:?}", package.name);
    }
}

#[test]
fn only_backend_knows_burn_from_inside() {
    for package in packages() {
        let inner =
            package.dependencies.iter().find(|dependency| INNER_BURN.contains(&dependency.name.as_str()));
        assert_eq!(inner.is_some(), short(&package.name) == "backend", "{}", package.name);
    }
}

#[test]
fn every_crate_of_ours_is_used_with_a_version() {
    let manifest = fs_err::read_to_string(repository().join("Cargo.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    let dependencies = manifest["workspace"]["dependencies"].as_table().unwrap();
    let version = manifest["workspace"]["package"]["version"].as_str();
    let local = dependencies.iter().filter(|(_, dependency)| dependency.get("path").is_some());
    for (name, dependency) in local {
        assert_eq!(dependency.get("version").and_then(toml::Value::as_str), version, "{name}");
    }
}

#[test]
fn readmes_of_crates_open_with_the_name_to_depend_on() {
    for package in packages() {
        let readme = crates().join(short(&package.name)).join("README.md");
        if readme.exists() {
            let text = fs_err::read_to_string(&readme).unwrap();
            assert_eq!(
                text.lines().next(),
                Some(format!("# {}", package.name).as_str()),
                "{}",
                readme.display()
            );
        }
    }
}

#[test]
fn a_crate_is_in_the_folder_of_its_name() {
    let named: BTreeSet<_> = packages().iter().map(|p| crates().join(short(&p.name))).collect();
    let folders: BTreeSet<_> = files(&crates()).into_iter().filter(|path| path.is_dir()).collect();
    assert_eq!(named, folders);
}

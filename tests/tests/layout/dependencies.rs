//! Which crate may depend on which: wire formats, then endpoints, then adapters, downwards only.

use crate::packages::{self, Package};
use crate::tree::{Finding, Tree};

/// What is shared by tests, and by nothing else.
pub(crate) const TESTKIT: &str = "feedrate-testkit";

/// Each crate of `crates/`, with the others that it may depend on. Its tests may depend on the testkit as well.
const ALLOWED: &[(&str, &[&str])] = &[
    // Wire formats, and what needs none.
    ("feedrate", &[]),
    ("feedrate-insn", &[]),
    // Endpoints.
    ("feedrate-fieldbus", &["feedrate"]),
    ("feedrate-pg", &["feedrate"]),
    ("feedrate-rdp", &["feedrate"]),
    ("feedrate-seal", &["feedrate"]),
    ("feedrate-supervise", &["feedrate"]),
    ("feedrate-ws", &["feedrate"]),
    // Adapters.
    ("feedrate-io", &["feedrate", "feedrate-pg", "feedrate-rdp", "feedrate-ws"]),
    // It stands beside whatever is tested with it.
    (TESTKIT, &["feedrate", "feedrate-insn", "feedrate-pg", "feedrate-rdp", "feedrate-seal", "feedrate-ws"]),
];

/// Every dependency of a crate in `crates/` on a package of the tree that the table does not allow, and every crate
/// that is not in the table. What is outside of `crates/` may depend on what it likes.
pub(crate) fn check(tree: &Tree) -> Result<Vec<Finding>, Finding> {
    let packages = packages::read(tree)?;
    let mut findings = Vec::new();
    for package in packages.iter().filter(|package| package.folder.starts_with("crates/")) {
        match ALLOWED.iter().find(|(name, _)| *name == package.name) {
            Some((_, allowed)) => findings.extend(check_one(package, allowed, &packages)),
            None => {
                let what = format!("`{}` is not in the table of `dependencies.rs`", package.name);
                let expected = "an entry that says what it may depend on";
                findings.push(Finding::new(&package.manifest(), 1, what, expected));
            }
        }
    }
    Ok(findings)
}

fn check_one(package: &Package, allowed: &[&str], packages: &[Package]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for dependency in &package.dependencies {
        let on = dependency.on.as_str();
        let is_ours = packages.iter().any(|package| package.name == on);
        let for_tests = dependency.dev && on == TESTKIT;
        if is_ours && !for_tests && !allowed.contains(&on) {
            let kind = if dependency.dev { "dev-depends" } else { "depends" };
            let what = format!("`{}` {kind} on `{on}`", package.name);
            let expected = match allowed {
                [] => "no crate of this workspace".to_owned(),
                allowed => format!("none but {}", allowed.join(", ")),
            };
            let tests = if dependency.dev { format!(", or {TESTKIT}") } else { String::new() };
            findings.push(Finding::new(&package.manifest(), dependency.line, what, expected + &tests));
        }
    }
    findings
}

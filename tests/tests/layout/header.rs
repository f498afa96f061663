//! No `unsafe` and no panic: each library begins with the lints that forbid them.

use crate::attributes;
use crate::source::Source;
use crate::tokens;
use crate::tree::{Finding, Tree};

/// What a library denies, so that no panic can be written by accident.
const DENIED: [&str; 7] = [
    "clippy::indexing_slicing",
    "clippy::arithmetic_side_effects",
    "clippy::unwrap_used",
    "clippy::expect_used",
    "clippy::panic",
    "clippy::as_conversions",
    "clippy::string_slice",
];

/// Files of the crates that may be `unsafe`, with the reason.
const UNSAFE_FILES: &[(&str, &str)] = &[(
    "crates/feedrate-testkit/src/counting.rs",
    "the trait of allocators is unsafe; no code that ships has it",
)];

/// Whether the root of a library has the lints. One that only tests see may panic, and allow single files to be unsafe.
pub(crate) fn check(source: &Source, for_tests: bool) -> Vec<Finding> {
    let root = &source.modules[0].file;
    let forbidden = attributes::lints(&source.attributes, "forbid");
    let mut denied = attributes::lints(&source.attributes, "deny");
    denied.extend_from_slice(&forbidden);
    let mut findings = Vec::new();
    let unsafe_code = if for_tests { &denied } else { &forbidden };
    if !unsafe_code.iter().any(|lint| lint == "unsafe_code") {
        findings.push(Finding::new(root, 1, "`unsafe` is not forbidden", "`#![forbid(unsafe_code)]`"));
    }
    for lint in DENIED.iter().filter(|lint| !for_tests && !denied.iter().any(|denied| denied == *lint)) {
        findings.push(Finding::new(
            root,
            1,
            format!("`{lint}` is not denied"),
            format!("`#![deny({lint})]`"),
        ));
    }
    findings
}

/// Each source file of the crates that says `unsafe`, where it says it first.
pub(crate) fn check_unsafe(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.files().filter(|(path, _)| path.starts_with("crates/") && path.contains("/src/"))
    {
        if !path.ends_with(".rs") || UNSAFE_FILES.iter().any(|(file, _)| *file == path) {
            continue;
        }
        // A file that cannot be parsed is found elsewhere.
        let line = text.parse().ok().and_then(|tokens| tokens::line_of(tokens, "unsafe"));
        findings.extend(line.map(|line| Finding::new(path, line, "`unsafe`", "code that is safe")));
    }
    findings
}

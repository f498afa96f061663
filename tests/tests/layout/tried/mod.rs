//! The rules, tried on small trees: those that break one, with what is said of them, and those that only come near.

mod circles;
mod dependencies;
mod header;
mod licences;
mod lines;
mod strangers;
mod surface;

use crate::source::Source;
use crate::tree::{Finding, Tree};

/// A crate in `crates/x`, of these files in its `src`, and its tree.
fn library(files: &[(&str, &str)]) -> (Tree, Source) {
    let paths: Vec<String> = files.iter().map(|(path, _)| format!("crates/x/src/{path}")).collect();
    let files: Vec<(&str, &str)> =
        paths.iter().zip(files).map(|(path, (_, text))| (path.as_str(), *text)).collect();
    let tree = Tree::of(&files);
    let source = Source::read(&tree, "crates/x/src/lib.rs").expect("can be read");
    (tree, source)
}

/// What is said of each, without the folder that is always the same.
fn said(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(|finding| finding.to_string().replace("crates/x/src/", "")).collect()
}

//! The rule of the house: what each file of the project has to keep to, whatever it does.
//!
//! Each test here looks at the whole project, and says of everything that breaks its rule where it is, what it is, and what
//! was expected. How a rule is tested itself is in `tried`: on small trees that break it, and on some that come near.

mod attributes;
mod circles;
mod dependencies;
mod header;
mod imports;
mod lines;
mod names;
mod packages;
mod source;
mod strangers;
mod surface;
mod tokens;
mod tree;
mod tried;

use packages::Package;
use source::Source;
use tree::{Finding, Tree};

/// Fails with everything that was found.
fn expect_none(findings: &[Finding]) {
    let shown: Vec<String> = findings.iter().map(Finding::to_string).collect();
    assert!(findings.is_empty(), "{} found:\n{}\n", findings.len(), shown.join("\n"));
}

/// What `look` finds in the library of each crate, and what cannot be read of them.
fn in_libraries(tree: &Tree, mut look: impl FnMut(&Package, &Source) -> Vec<Finding>) -> Vec<Finding> {
    let packages = match packages::read(tree) {
        Ok(packages) => packages,
        Err(finding) => return vec![finding],
    };
    let mut findings = Vec::new();
    for package in packages.iter().filter(|package| package.folder.starts_with("crates/")) {
        match Source::read(tree, &format!("{}/src/lib.rs", package.folder)) {
            Ok(source) => findings.extend(look(package, &source)),
            Err(finding) => findings.push(finding),
        }
    }
    findings
}

/// What is wrong with the imports of each crate: each library, program and test.
fn circles(tree: &Tree) -> Vec<Finding> {
    let packages = match packages::read(tree) {
        Ok(packages) => packages,
        Err(finding) => return vec![finding],
    };
    let roots = packages.iter().flat_map(|package| package.roots(tree));
    let checked = roots.map(|root| Source::read(tree, &root).map(|source| circles::check(&source)));
    checked.flat_map(|found| found.unwrap_or_else(|finding| vec![finding])).collect()
}

#[test]
fn no_file_imports_itself_in_a_circle() {
    expect_none(&circles(&Tree::of_the_project()));
}

#[test]
fn crates_depend_downwards_only() {
    let found = dependencies::check(&Tree::of_the_project());
    expect_none(&found.unwrap_or_else(|finding| vec![finding]));
}

#[test]
fn modules_that_should_not_know_each_other_do_not() {
    expect_none(&in_libraries(&Tree::of_the_project(), |package, source| {
        let rules = strangers::RULES.iter().filter(|(of, _)| *of == package.name);
        rules.flat_map(|(_, rule)| strangers::check(source, rule)).collect()
    }));
}

#[test]
fn files_are_short() {
    expect_none(&lines::check_files(&Tree::of_the_project()));
}

#[test]
fn lines_are_short() {
    expect_none(&lines::check_lines(&Tree::of_the_project()));
}

#[test]
fn what_is_public_can_grow() {
    let tree = Tree::of_the_project();
    expect_none(&in_libraries(&tree, |package, source| match package.name.as_str() {
        dependencies::TESTKIT => Vec::new(),
        _ => surface::check(&tree, source),
    }));
}

#[test]
fn nothing_is_unsafe() {
    let tree = Tree::of_the_project();
    let mut findings =
        in_libraries(&tree, |package, source| header::check(source, package.name == dependencies::TESTKIT));
    findings.extend(header::check_unsafe(&tree));
    expect_none(&findings);
}

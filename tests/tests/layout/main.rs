//! The rule of the house: what each file of the project has to keep to, whatever it does.
//!
//! Each test here looks at the whole project, and says of everything that breaks its rule where it is, what it is, and
//! what was expected. The rules themselves are tested in `tried`: on small trees that break them, and on some that come
//! near.

mod attributes;
mod circles;
mod dependencies;
mod header;
mod imports;
mod licences;
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
fn expect_none(found: Result<Vec<Finding>, Finding>) {
    let found = found.unwrap_or_else(|finding| vec![finding]);
    let shown: Vec<String> = found.iter().map(Finding::to_string).collect();
    assert!(found.is_empty(), "{} found:\n{}\n", found.len(), shown.join("\n"));
}

/// What `look` finds in the library of each crate.
fn in_libraries(
    tree: &Tree,
    look: impl Fn(&Package, &Source) -> Vec<Finding>,
) -> Result<Vec<Finding>, Finding> {
    let mut found = Vec::new();
    for package in packages::read(tree)?.iter().filter(|package| package.folder.starts_with("crates/")) {
        found.extend(look(package, &Source::read(tree, &format!("{}/src/lib.rs", package.folder))?));
    }
    Ok(found)
}

/// Of every library, program and test.
fn circles(tree: &Tree) -> Result<Vec<Finding>, Finding> {
    let mut found = Vec::new();
    for root in packages::read(tree)?.iter().flat_map(|package| package.roots(tree)) {
        found.extend(circles::check(&Source::read(tree, &root)?));
    }
    Ok(found)
}

#[test]
fn no_file_is_in_an_import_circle() {
    expect_none(circles(&Tree::of_the_project()));
}

#[test]
fn crates_depend_downwards_only() {
    expect_none(dependencies::check(&Tree::of_the_project()));
}

#[test]
fn modules_that_should_not_know_each_other_do_not() {
    expect_none(in_libraries(&Tree::of_the_project(), |package, source| {
        let rules = strangers::RULES.iter().filter(|(of, _)| *of == package.name);
        rules.flat_map(|(_, rule)| strangers::check(source, rule)).collect()
    }));
}

#[test]
fn files_are_short() {
    expect_none(Ok(lines::check_files(&Tree::of_the_project())));
}

#[test]
fn lines_are_short() {
    expect_none(Ok(lines::check_lines(&Tree::of_the_project())));
}

#[test]
fn packages_are_whole() {
    expect_none(licences::check(&Tree::of_the_project()));
}

#[test]
fn what_is_public_can_grow() {
    let tree = Tree::of_the_project();
    expect_none(in_libraries(&tree, |package, source| match package.name.as_str() {
        dependencies::TESTKIT => Vec::new(),
        _ => surface::check(&tree, source),
    }));
}

#[test]
fn libraries_forbid_unsafe_and_panics() {
    expect_none(in_libraries(&Tree::of_the_project(), |package, source| {
        header::check(source, package.name == dependencies::TESTKIT)
    }));
}

#[test]
fn nothing_is_unsafe() {
    expect_none(Ok(header::check_unsafe(&Tree::of_the_project())));
}

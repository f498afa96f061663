//! Dependencies between crates.

use super::said;
use crate::dependencies::check;
use crate::packages;
use crate::tree::Tree;

/// What is said of `crates/<name>`, with these lines in its manifest, beside all that it could want.
fn found(name: &str, lines: &str) -> Vec<String> {
    let manifest = format!("[package]\nname = \"{name}\"\n{lines}");
    let tree = Tree::of(&[
        (
            "Cargo.toml",
            "[workspace.dependencies]\npg = { package = \"feedrate-pg\", path = \"crates/feedrate-pg\" }",
        ),
        ("crates/feedrate/Cargo.toml", "[package]\nname = \"feedrate\""),
        ("crates/feedrate-pg/Cargo.toml", "[package]\nname = \"feedrate-pg\""),
        ("crates/feedrate-testkit/Cargo.toml", "[package]\nname = \"feedrate-testkit\""),
        (
            "examples/Cargo.toml",
            "[package]\nname = \"feedrate-examples\"\n[dependencies]\nfeedrate-testkit.workspace = true",
        ),
        ("crates/tried/Cargo.toml", &manifest),
    ]);
    said(&check(&tree).expect("can be read"))
}

#[test]
fn a_crate_depends_on_what_is_below() {
    let none: [&str; 0] = [];
    assert_eq!(found("feedrate-ws", "[dependencies]\nfeedrate.workspace = true\nthiserror = \"2\""), none);
    assert_eq!(found("feedrate-io", "[dependencies]\nfeedrate-pg = \"1\"\nfeedrate = \"1\""), none);
    // What is not of this tree is another question.
    assert_eq!(found("feedrate", "[dependencies]\nfeedrate-elsewhere = \"1\""), none);
}

#[test]
fn and_not_on_what_is_beside_or_above() {
    assert_eq!(
        found("feedrate-ws", "[dependencies]\nfeedrate = \"1\"\nfeedrate-pg = \"1\""),
        ["crates/tried/Cargo.toml:5: `feedrate-ws` depends on `feedrate-pg`; expected none but feedrate"]
    );
    assert_eq!(
        found("feedrate-insn", "[target.'cfg(unix)'.build-dependencies]\n\nfeedrate.workspace = true"),
        [
            "crates/tried/Cargo.toml:5: `feedrate-insn` depends on `feedrate`; expected no crate of this workspace"
        ]
    );
    for line in ["other = { package = \"feedrate-pg\", version = \"1\" }", "pg.workspace = true"] {
        let expected =
            "crates/tried/Cargo.toml:4: `feedrate-rdp` depends on `feedrate-pg`; expected none but feedrate";
        assert_eq!(found("feedrate-rdp", &format!("[dependencies]\n{line}")), [expected]);
    }
    assert_eq!(
        found("feedrate-rdp", "[dependencies.feedrate-examples]\npath = \"../../examples\""),
        [
            "crates/tried/Cargo.toml:3: `feedrate-rdp` depends on `feedrate-examples`; expected none but feedrate"
        ]
    );
}

#[test]
fn only_tests_see_the_testkit() {
    let none: [&str; 0] = [];
    assert_eq!(found("feedrate-ws", "[dev-dependencies]\nfeedrate-testkit.workspace = true"), none);
    assert_eq!(
        found("feedrate-ws", "[dependencies]\nfeedrate-testkit.workspace = true"),
        [
            "crates/tried/Cargo.toml:4: `feedrate-ws` depends on `feedrate-testkit`; expected none but feedrate"
        ]
    );
    let expected = "crates/tried/Cargo.toml:4: `feedrate-ws` dev-depends on `feedrate-pg`; \
                    expected none but feedrate, or feedrate-testkit";
    assert_eq!(found("feedrate-ws", "[dev-dependencies]\nfeedrate-pg.workspace = true"), [expected]);
}

#[test]
fn a_crate_needs_a_place_in_the_table() {
    let expected = "crates/tried/Cargo.toml:1: `feedrate-new` is not in the table of `dependencies.rs`; \
                    expected an entry that says what it may depend on";
    assert_eq!(found("feedrate-new", ""), [expected]);
}

#[test]
fn a_manifest_that_is_none_is_found() {
    let tree = Tree::of(&[("crates/x/Cargo.toml", "[package]\nname = ")]);
    let found = check(&tree).expect_err("is not TOML").to_string();
    assert!(found.starts_with("crates/x/Cargo.toml:2: not to be parsed: "), "{found}");
}

#[test]
fn every_library_program_and_test_of_a_package_is_known() {
    let tree = Tree::of(&[
        (
            "p/Cargo.toml",
            "[package]\nname = \"p\"\n[[bin]]\nname = \"x\"\npath = \"../q/x.rs\"\n[lib]\npath = \"l.rs\"",
        ),
        ("p/src/lib.rs", ""),
        ("p/src/other.rs", ""),
        ("p/src/bin/one.rs", ""),
        ("p/src/bin/two/main.rs", ""),
        ("p/src/bin/two/part.rs", ""),
        ("p/tests/three.rs", ""),
        ("p/tests/four/main.rs", ""),
        ("p/q/src/lib.rs", ""),
    ]);
    let packages = packages::read(&tree).expect("can be read");
    let mut roots = packages[0].roots(&tree);
    roots.sort();
    let expected = ["p/l.rs", "p/src/bin/one.rs", "p/src/bin/two/main.rs", "p/src/lib.rs"];
    assert_eq!(roots, [&expected[..], &["p/tests/four/main.rs", "p/tests/three.rs", "q/x.rs"]].concat());
}

//! What a library begins with.

use super::{library, said};
use crate::header::{check, check_unsafe};
use crate::tree::Tree;

const HEADER: &str = "#![no_std]
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::unwrap_used, clippy::expect_used)]
#![deny(clippy::panic, clippy::as_conversions, clippy::string_slice)]
";

#[test]
fn a_library_has_all_lints() {
    assert_eq!(said(&check(&library(&[("lib.rs", HEADER)]).1, false)), Vec::<String>::new());
    for lint in ["clippy::expect_used", "clippy::panic", "clippy::string_slice"] {
        let found = said(&check(&library(&[("lib.rs", &HEADER.replace(lint, "clippy::all"))]).1, false));
        assert_eq!(found, [format!("lib.rs:1: `{lint}` is not denied; expected `#![deny({lint})]`")]);
    }
    let text = HEADER.replace("forbid(", "deny(");
    let expected = "lib.rs:1: `unsafe` is not forbidden; expected `#![forbid(unsafe_code)]`";
    assert_eq!(said(&check(&library(&[("lib.rs", &text)]).1, false)), [expected]);
}

#[test]
fn what_only_tests_see_may_panic() {
    assert_eq!(
        said(&check(&library(&[("lib.rs", "#![forbid(unsafe_code)]")]).1, true)),
        Vec::<String>::new()
    );
    assert_eq!(check(&library(&[("lib.rs", "")]).1, true).len(), 1);
}

#[test]
fn unsafe_code_is_found_wherever_it_is() {
    let near = "#![forbid(unsafe_code)]\n// unsafe\nconst S: &str = \"unsafe\";";
    let tree = Tree::of(&[
        ("crates/x/src/lib.rs", near),
        ("crates/x/src/a.rs", "\nfn f() { m!(unsafe { g() }) }"),
        ("crates/x/src/b.rs", "#[unsafe(no_mangle)] fn f() {}"),
        ("crates/x/examples/a.rs", "unsafe fn f() {}"),
    ]);
    let expected =
        ["a.rs:2: `unsafe`; expected code that is safe", "b.rs:1: `unsafe`; expected code that is safe"];
    assert_eq!(said(&check_unsafe(&tree)), expected);
}

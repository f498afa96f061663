//! Public types that cannot grow.

use super::{library, said};
use crate::surface::check;

/// What is said of a crate of these files.
fn found(files: &[(&str, &str)]) -> Vec<String> {
    let (tree, source) = library(files);
    said(&check(&tree, &source))
}

/// What is said of a crate of one file.
fn found_in(text: &str) -> Vec<String> {
    found(&[("lib.rs", text)])
}

const NONE: [&str; 0] = [];
const EXPECTED: &str = "expected `#[non_exhaustive]`, or `// Exhaustive: <why>.` above it";

#[test]
fn an_enum_is_open_or_says_why_not() {
    assert_eq!(
        found_in("/// It.\n#[derive(Debug)]\npub enum E { A }"),
        [format!("lib.rs:3: the public enum `E` is closed; {EXPECTED}")]
    );
    assert_eq!(found_in("#[derive(Debug)]\n#[non_exhaustive]\npub enum E { A }"), NONE);
    assert_eq!(found_in("#[non_exhaustive] pub enum E { A }"), NONE);
    // One without variants is no value at all.
    assert_eq!(found_in("pub enum E {}"), NONE);
    assert_eq!(found_in("pub(crate) enum E { A }\nenum F { A }"), NONE);
}

#[test]
fn a_reason_is_a_comment_above() {
    assert_eq!(found_in("// Exhaustive: there are two.\npub enum E { A, B }"), NONE);
    assert_eq!(
        found_in("// Exhaustive: there are two.\n/// It.\n#[derive(\n    Debug)]\npub enum E { A, B }"),
        NONE
    );
    assert_eq!(
        found_in("/// It.\n// Exhaustive: there are two.\n#[derive(Debug)]\npub enum E { A, B }"),
        NONE
    );
    assert_eq!(found_in("// Exhaustive: there are two,\n// and no more.\npub enum E { A, B }"), NONE);
    for none in [
        // No reason, no end, no reason, another's.
        "// Exhaustive\npub enum E { A }",
        "// Exhaustive: there are\npub enum E { A }",
        "/// Exhaustive: there are two.\npub enum E { A }",
        "// Exhaustive: there are two.\n\npub enum E { A }",
        "// Exhaustive: there are two.\nfn f() {}\npub enum E { A }",
        "// Exhaustive: there are two.\npub enum Other { A }\npub enum E { A }",
    ] {
        assert_eq!(found_in(none).len(), 1, "{none}");
    }
}

#[test]
fn a_configuration_is_open_too() {
    let expected = format!("lib.rs:1: the public configuration `HostConfig` is closed; {EXPECTED}");
    assert_eq!(found_in("pub struct HostConfig { pub a: u8, b: u8 }"), [expected]);
    assert_eq!(found_in("#[non_exhaustive] pub struct HostConfig { pub a: u8 }"), NONE);
    // Without a public field it is a builder already; without such a name it is something else.
    assert_eq!(
        found_in("pub struct HostConfig { a: u8, pub(crate) b: u8 }\npub struct Host { pub a: u8 }"),
        NONE
    );
}

#[test]
fn only_what_can_be_reached_is_public() {
    let e = ("a.rs", "pub enum E { A }");
    assert_eq!(found(&[("lib.rs", "mod a;"), e]), NONE);
    assert_eq!(found(&[("lib.rs", "pub(crate) mod a; pub(crate) use a::E;"), e]), NONE);
    assert_eq!(found(&[("lib.rs", "mod a; mod b;"), ("b.rs", "pub use crate::a::E;"), e]), NONE);
    assert_eq!(found(&[("lib.rs", "#[cfg(test)] pub mod a;"), e]), NONE);
    let expected = [format!("a.rs:1: the public enum `E` is closed; {EXPECTED}")];
    for root in ["pub mod a;", "mod a; pub use a::E;", "mod a; pub use a::E as F;", "mod a; pub use a::*;"] {
        assert_eq!(found(&[("lib.rs", root), e]), expected, "{root}");
    }
    let through = ("b.rs", "use crate::a::E; pub use E as F;");
    assert_eq!(found(&[("lib.rs", "mod a; mod b; pub use b::F;"), through, e]), expected);
}

#[test]
fn macros_make_public_types() {
    let closed =
        "macro_rules! m { ($(#[$d:meta])* $N:ident) => {\n$(#[$d])* #[derive(Debug)] pub enum $N { A } } }";
    assert_eq!(found_in(closed), [format!("lib.rs:2: the public enum of a macro is closed; {EXPECTED}")]);
    assert_eq!(found_in(&closed.replace("#[derive", "#[non_exhaustive] #[derive")), NONE);
    assert_eq!(found_in(&closed.replace("{\n", "{\n// Exhaustive: the specification has no more.\n")), NONE);
    assert_eq!(found_in(&closed.replace("{ A }", "{}")), NONE);
    // A name that is given says no more of where it ends up.
    let expected = [format!("a.rs:2: the public enum `E` is closed; {EXPECTED}")];
    assert_eq!(found(&[("lib.rs", "mod a;"), ("a.rs", &closed.replace("$N {", "E {"))]), expected);
    // What a macro is called with can be reached like any other item.
    let called = ("a.rs", "m! {\n    pub enum E { A }\n    pub enum Hidden { A }\n}");
    assert_eq!(found(&[("lib.rs", "mod a; pub use a::E;"), called]), expected);
    let called = ("a.rs", "m! { #[derive(Debug)] pub struct AConfig { pub a: u8 } }");
    assert_eq!(found(&[("lib.rs", "pub mod a;"), called]).len(), 1);
    let called = ("a.rs", "m! { pub struct AConfig; pub struct B { pub a: u8 } }");
    assert_eq!(found(&[("lib.rs", "pub mod a;"), called]), NONE);
}

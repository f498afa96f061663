//! Import circles.

use super::{library, said};
use crate::circles::check;
use crate::source::Source;
use crate::tree::Tree;

/// That these files, of which `b.rs` always imports `a.rs`, are a circle with an import by this path.
#[track_caller]
fn circle(path: &str, files: &[(&str, &str)]) {
    let mut all = vec![("b.rs", "use crate::a::A; pub struct B; pub fn write() {}")];
    all.retain(|(path, _)| files.iter().all(|(other, _)| path != other));
    all.extend_from_slice(files);
    let found = said(&check(&library(&all).1));
    assert_eq!(found.len(), 1, "one circle: {found:?}");
    assert!(found[0].contains("an import circle of 2 files; expected"), "{}", found[0]);
    assert!(found[0].contains(&format!(": `{path}` is of b.rs")), "{}", found[0]);
}

/// That there is none in these files, of which `b.rs` always imports `a.rs`.
#[track_caller]
fn no_circle(files: &[(&str, &str)]) {
    let mut all = vec![("b.rs", "use crate::a::A; pub struct B; pub fn write() {}")];
    all.retain(|(path, _)| files.iter().all(|(other, _)| path != other));
    all.extend_from_slice(files);
    assert_eq!(said(&check(&library(&all).1)), Vec::<String>::new());
}

const ROOT: (&str, &str) = ("lib.rs", "mod a; mod b; pub use b::B; pub use a::A;");

#[test]
fn every_edge_is_shown_with_its_line() {
    let (_, source) =
        library(&[ROOT, ("a.rs", "\nuse crate::B;"), ("b.rs", "\n\nuse super::a::A;\npub struct B;")]);
    let expected = "a.rs:2: an import circle of 2 files; expected imports in one direction only
    a.rs:2: `use crate::B` is of b.rs
    b.rs:3: `use super::a::A` is of a.rs";
    assert_eq!(said(&check(&source)), [expected]);
}

#[test]
fn one_circle_of_each_knot_is_shown_and_it_is_the_shortest() {
    let (_, source) = library(&[
        ("lib.rs", "mod a; mod b; mod c; mod d; mod e; mod f;"),
        ("a.rs", "use crate::b::B; pub struct A;"),
        ("b.rs", "use crate::c::C; pub struct B;"),
        ("c.rs", "use crate::{a::A, d::D}; pub struct C;"),
        ("d.rs", "use crate::c::C; pub struct D;"),
        ("e.rs", "use crate::{a::A, f::F}; pub struct E;"),
        ("f.rs", "use crate::e::E; pub struct F;"),
    ]);
    let found = said(&check(&source));
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found[0].starts_with("c.rs:1: an import circle of 2 files, in a knot of 4; expected"),
        "{}",
        found[0]
    );
    assert!(found[1].starts_with("e.rs:1: an import circle of 2 files; expected"), "{}", found[1]);
}

#[test]
fn every_way_to_write_an_import() {
    circle("use super::b::B", &[ROOT, ("a.rs", "use super::b::{B as Other, write as _}; pub struct A;")]);
    circle("use super::b::B", &[ROOT, ("a.rs", "use super::{b::{self, B}, a}; pub struct A;")]);
    circle("use crate::B", &[ROOT, ("a.rs", "use crate::{{B}}; pub struct A;")]);
    circle("use self::super::b::B", &[ROOT, ("a.rs", "use self::super::b::B; pub struct A;")]);
    circle("use super::b::*", &[ROOT, ("a.rs", "use super::b::*; pub struct A;")]);
    circle(
        "use super::super::b::B",
        &[ROOT, ("a.rs", "mod inner { use super::super::b::B; } pub struct A;")],
    );
    circle("use super::b::B", &[ROOT, ("a.rs", "pub struct A; fn f() { use super::b::B; }")]);
}

#[test]
fn every_way_to_write_a_path() {
    circle("super::b::write", &[ROOT, ("a.rs", "pub struct A; fn f() { super::b::write() }")]);
    circle("crate::b::B", &[ROOT, ("a.rs", "pub struct A { b: Option<&'static [crate::b::B]> }")]);
    circle("b::write", &[ROOT, ("a.rs", "use super::b; pub struct A; fn f() { b::write() }")]);
    circle(
        "other::write",
        &[ROOT, ("a.rs", "use super::b as other; pub struct A; fn f() { other::write() }")],
    );
    circle("b::write", &[ROOT, ("a.rs", "pub struct A; fn f() { use super::b; b::write() }")]);
    circle(
        "crate::b::write",
        &[ROOT, ("a.rs", "pub struct A; fn f() { print!(\"{}\", crate::b::write()) }")],
    );
    circle("B", &[ROOT, ("a.rs", "use super::*; pub struct A; fn f(b: B) {}")]);
    circle("B", &[ROOT, ("a.rs", "use super::*; pub struct A; fn f() { matches!(0, B) }")]);
    circle("super::b::B", &[ROOT, ("a.rs", "pub struct A; impl From<super::b::B> for A {}")]);
}

#[test]
fn a_name_is_followed_to_its_definition() {
    // Renamed on the way, through a third file, and through a `*`.
    let third = ("c.rs", "pub use crate::d::*; pub(crate) use crate::b::B as Renamed;");
    let root = ("lib.rs", "mod a; mod b; mod c; mod d;");
    circle(
        "use crate::c::Renamed",
        &[root, third, ("d.rs", ""), ("a.rs", "use crate::c::Renamed; pub struct A;")],
    );
    circle(
        "use crate::c::B",
        &[root, third, ("d.rs", "pub use crate::b::B;"), ("a.rs", "use crate::c::B; struct A;")],
    );
    // The third file is in no circle by that.
    let (_, source) =
        library(&[root, third, ("d.rs", ""), ("a.rs", "use crate::c::Renamed;"), ("b.rs", "struct B;")]);
    assert_eq!(said(&check(&source)), Vec::<String>::new());
    no_circle(&[("lib.rs", "mod a; mod b; mod c; use a::A;"), third, ("a.rs", "pub struct A;")]);
}

#[test]
fn a_name_may_be_that_of_something_else_too() {
    // A function, where a module has the same name.
    let b = ("b.rs", "use crate::a::A; pub fn b() {} pub fn write() {}");
    circle(
        "use crate::b",
        &[("lib.rs", "mod a; mod b; pub use b::b;"), b, ("a.rs", "use crate::b; pub struct A;")],
    );
    // A type, where a macro of another crate has the same name.
    let b = ("b.rs", "use crate::a::A; use thiserror::Error; #[derive(Error)] pub struct Error;");
    circle(
        "use crate::b::Error",
        &[("lib.rs", "mod a; mod b;"), b, ("a.rs", "use crate::b::Error; pub struct A;")],
    );
    // A way that has the same name twice.
    let root = ("lib.rs", "mod a; mod b; mod c; use c as other;");
    let c = ("c.rs", "pub mod d { pub use crate::b::B; } pub use crate::other::d::B;");
    circle("use crate::other::B", &[root, c, ("a.rs", "use crate::other::B; pub struct A;")]);
}

#[test]
fn a_parent_that_uses_its_child_may_not_be_used_by_it() {
    let child = ("b.rs", "use super::Parent; pub struct B; impl Parent { pub fn f() {} }");
    circle("use b::B", &[("lib.rs", "mod b; use b::B; pub struct Parent;"), child]);
    circle("b::B", &[("lib.rs", "mod b; pub struct Parent(b::B);"), child]);
    circle("B", &[("lib.rs", "mod b; pub use b::B; pub struct Parent(B);"), child]);
    // It may declare and export it, and be extended by it.
    no_circle(&[("lib.rs", "mod b; pub use b::B; pub struct Parent;"), child]);
    no_circle(&[("lib.rs", "mod b; use b::B; fn f(b: B) { b.f() }"), ("b.rs", "pub struct B;")]);
    // If it defines nothing, there is nothing in it to be used.
    no_circle(&[
        ("lib.rs", "mod a; mod b; use b::B;"),
        ("a.rs", "pub struct A;"),
        ("b.rs", "use super::*; pub struct B;"),
    ]);
}

#[test]
fn what_a_macro_makes_is_of_the_file_that_calls_it() {
    let macros = "macro_rules! message { ($($t:tt)*) => {} } pub(crate) use message;";
    let root = ("lib.rs", "mod a; mod b; mod macros; pub use b::{B, State};");
    let b = (
        "b.rs",
        "use crate::a::A; use crate::macros::message; message! { pub struct B; } message! { State: 1 }",
    );
    let macros = ("macros.rs", macros);
    circle("use crate::B", &[root, b, macros, ("a.rs", "use crate::B; pub struct A;")]);
    circle("use crate::State", &[root, b, macros, ("a.rs", "use crate::State; pub struct A;")]);
    circle(
        "B",
        &[
            ("lib.rs", "mod a; mod b; mod macros; pub use b::*;"),
            b,
            macros,
            ("a.rs", "use super::*; type A = B;"),
        ],
    );
    no_circle(&[root, b, macros, ("a.rs", "use crate::macros::message; message! { pub struct A; }")]);
}

#[test]
fn what_a_macro_says_is_of_its_file() {
    let says =
        "macro_rules! says { ($T:ident) => { fn f() { $crate::b::write(); $T::b::write() } } } pub struct A;";
    circle("crate::b::write", &[ROOT, ("a.rs", says)]);
    // Whose variables and lifetimes are no names, and whose unfinished paths are no paths.
    let says = "pub use crate::b::{self, B}; pub struct A; macro_rules! says {
        ($B:ident) => { $B; $B::B; $crate::b::$B; 'B; x.B; x.b::write; other::B; $crate::b }
    }";
    no_circle(&[ROOT, ("a.rs", says)]);
    circle("B", &[ROOT, ("a.rs", &says.replace("'B", "0..B"))]);
    // A macro that is in scope without a `use`, and one that is exported.
    for (made, call) in [("macro_rules", "made!();"), ("#[macro_export] macro_rules", "crate::made!();")] {
        let a = format!("use crate::b::B; {made}! made {{ () => {{}} }}");
        let b = format!("{call} pub struct B;");
        let (_, source) = library(&[("lib.rs", "#[macro_use] mod a; mod b;"), ("a.rs", &a), ("b.rs", &b)]);
        let found = said(&check(&source));
        let expected = format!("b.rs:1: `{}` is of a.rs", call.trim_end_matches("!();"));
        assert!(found.len() == 1 && found[0].contains(&expected), "{expected}: {found:?}");
    }
}

#[test]
fn raw_names_are_names() {
    let root = ("lib.rs", "mod r#type; mod b;");
    let found = said(&check(
        &library(&[
            root,
            ("type.rs", "use crate::b::B; pub struct A;"),
            ("b.rs", "use super::r#type::A; pub struct B;"),
        ])
        .1,
    ));
    assert!(found[0].contains("b.rs:1: `use super::type::A` is of type.rs"), "{found:?}");
}

#[test]
fn tests_do_not_count() {
    no_circle(&[
        ROOT,
        ("a.rs", "pub struct A; #[cfg(test)] use crate::B; #[cfg(test)] mod tests { use crate::B; }"),
    ]);
    no_circle(&[
        ROOT,
        ("a.rs", "pub struct A; #[cfg(all(test, feature = \"x\"))] mod tests { use crate::B; }"),
    ]);
    no_circle(&[ROOT, ("a.rs", "pub struct A; impl A { #[cfg(test)] fn f(b: crate::B) {} }")]);
    no_circle(&[
        ROOT,
        ("a.rs", "pub struct A; #[cfg(test)] mod tests;"),
        ("a/tests.rs", "use crate::B; use super::A;"),
    ]);
    // But what other builds have does.
    circle(
        "use crate::B",
        &[ROOT, ("a.rs", "pub struct A; #[cfg(any(test, feature = \"x\"))] use crate::B;")],
    );
    circle("use crate::B", &[ROOT, ("a.rs", "pub struct A; #[cfg(not(test))] use crate::B;")]);
}

#[test]
fn what_only_looks_like_an_import() {
    no_circle(&[ROOT, ("a.rs", "//! ```\n//! use crate::B;\n//! ```\n/// [`B`](crate::B)\npub struct A;")]);
    no_circle(&[ROOT, ("a.rs", "pub struct A; // use crate::B;\nconst S: &str = \"crate::B\";")]);
    no_circle(&[
        ROOT,
        ("a.rs", "use super::b; use ::b::B; use std::C; pub struct A; fn f() { ::b::write(); c::write() }"),
    ]);
    no_circle(&[
        ROOT,
        ("a.rs", "use super::b; pub(in crate::b) struct A { b: u8 } fn f(a: A) { a.b.write(a.b) }"),
    ]);
    no_circle(&[ROOT, ("a.rs", "pub struct A; fn f<B>(b: B) { use B as _; b.write::<u8>() }")]);
    // Within one file.
    no_circle(&[
        ROOT,
        ("b.rs", ""),
        ("a.rs", "pub struct A; mod x { use super::A; pub struct X; } use x::X;"),
    ]);
    // Of another crate, by way of this one.
    no_circle(&[
        ("lib.rs", "extern crate alloc; mod a; mod b; use b::B;"),
        ("a.rs", "pub struct A;"),
        ("b.rs", "use crate::alloc::B;"),
    ]);
}

#[test]
fn modules_are_found_where_rust_finds_them() {
    let b = ("b.rs", "use crate::a::c::d::D; pub struct B;");
    let d = "use crate::B; pub struct D;";
    circle("use crate::B", &[ROOT, b, ("a.rs", "pub mod c;"), ("a/c.rs", "pub mod d;"), ("a/c/d.rs", d)]);
    circle("use crate::B", &[ROOT, b, ("a/mod.rs", "pub mod c { pub mod d; }"), ("a/c/d/mod.rs", d)]);
    circle(
        "use crate::B",
        &[ROOT, b, ("a.rs", "#[path = \"x.rs\"] pub mod c;"), ("x.rs", "pub mod d;"), ("d.rs", d)],
    );
}

#[test]
fn programs_have_files_of_their_own() {
    let tree = Tree::of(&[
        ("examples/p.rs", "#[path = \"p/a.rs\"] mod a; #[path = \"p/b.rs\"] mod b;"),
        ("examples/p/a.rs", "use crate::b::B; pub struct A;"),
        ("examples/p/b.rs", "use crate::a::A; pub struct B;"),
    ]);
    let source = Source::read(&tree, "examples/p.rs").expect("can be read");
    assert_eq!(check(&source).len(), 1);
}

#[test]
fn a_file_that_is_not_there_is_found() {
    let tree = Tree::of(&[("crates/x/src/lib.rs", "mod a;\nmod b;"), ("crates/x/src/a.rs", "fn {")]);
    let found = Source::read(&tree, "crates/x/src/lib.rs").err().expect("is not Rust").to_string();
    assert!(found.starts_with("crates/x/src/a.rs:1: not to be parsed: "), "{found}");
    let tree = Tree::of(&[("crates/x/src/lib.rs", "mod a;\nmod b;"), ("crates/x/src/a.rs", "")]);
    let found = Source::read(&tree, "crates/x/src/lib.rs").err().expect("has no file").to_string();
    let expected = "expected crates/x/src/b.rs or crates/x/src/b/mod.rs";
    assert_eq!(found, format!("crates/x/src/lib.rs:2: module `b` has no file; {expected}"));
}

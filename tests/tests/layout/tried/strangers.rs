//! Modules that do not know each other.

use super::{library, said};
use crate::strangers::{Rule, check};

const PG: (&str, &str) = ("pg.rs", "pub struct Pg;");
const RDP: (&str, &str) = ("rdp/mod.rs", "pub mod wire;");
const WIRE: (&str, &str) = ("rdp/wire.rs", "pub struct Wire;");
const ISLANDS: Rule = Rule::Islands(&["pg", "rdp"]);
const EXPECTED: &str = "expected modules that do not know each other";

#[test]
fn islands_are_imported_by_nobody() {
    let root = ("lib.rs", "pub mod pg; mod rdp; mod scan; pub use pg::Pg; pub use rdp::wire::Wire;");
    let near = "use crate::scan::Scan; // use crate::pg::Pg;\n#[cfg(test)] use crate::rdp::wire::Wire;";
    let (_, source) =
        library(&[root, ("pg.rs", near), RDP, WIRE, ("scan.rs", "use std::pg; pub struct Scan;")]);
    assert_eq!(said(&check(&source, &ISLANDS)), Vec::<String>::new());

    let (_, source) = library(&[root, PG, RDP, WIRE, ("scan.rs", "\nfn f(_: crate::Pg) {}")]);
    assert_eq!(
        said(&check(&source, &ISLANDS)),
        [format!("scan.rs:2: `scan` imports `pg`: `crate::Pg`; {EXPECTED}")]
    );

    // `pub use` brings it in as well.
    let (_, source) = library(&[
        root,
        PG,
        RDP,
        ("rdp/wire.rs", "pub use crate::pg::Pg; pub struct Wire;"),
        ("scan.rs", ""),
    ]);
    let expected = format!("rdp/wire.rs:1: `rdp` imports `pg`: `pub use crate::pg::Pg`; {EXPECTED}");
    assert_eq!(said(&check(&source, &ISLANDS)), [expected]);

    // The root exports them, and does not use them.
    let root = ("lib.rs", "pub mod pg; mod rdp; fn f(pg: pg::Pg) {}");
    let (_, source) = library(&[root, PG, RDP, WIRE]);
    assert_eq!(
        said(&check(&source, &ISLANDS)),
        [format!("lib.rs:1: the root imports `pg`: `pg::Pg`; {EXPECTED}")]
    );
}

#[test]
fn what_is_apart_may_be_imported_by_others() {
    const APART: Rule = Rule::Apart(&["host", "agent"]);
    let root = ("lib.rs", "mod host; mod agent; mod both;");
    let both = ("both.rs", "use crate::{agent::Agent, host::Host}; pub struct Both;");
    let agent = ("agent.rs", "use crate::both::Both; pub struct Agent;");
    let (_, source) = library(&[root, both, agent, ("host.rs", "use crate::both::Both; pub struct Host;")]);
    assert_eq!(said(&check(&source, &APART)), Vec::<String>::new());
    let (_, source) = library(&[root, both, agent, ("host.rs", "use super::agent::Agent; pub struct Host;")]);
    let expected = format!("host.rs:1: `host` imports `agent`: `use super::agent::Agent`; {EXPECTED}");
    assert_eq!(said(&check(&source, &APART)), [expected]);
}

#[test]
fn a_rule_about_nothing_is_found() {
    let (_, source) = library(&[("lib.rs", "mod pg;"), PG]);
    let found = said(&check(&source, &ISLANDS));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("lib.rs:1: there is no module `rdp`"), "{}", found[0]);
}

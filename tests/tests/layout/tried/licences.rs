//! What a package goes out with.

use super::said;
use crate::licences::check;
use crate::tree::Tree;

/// What is said of a project with one crate, which has these files, and whose manifest has this line.
fn found(line: &str, files: &[(&str, &str)]) -> Vec<String> {
    let manifest = format!("[package]\nname = \"x\"\n{line}");
    let mut all =
        vec![("LICENSE-MIT", "MIT"), ("LICENSE-APACHE", "Apache"), ("crates/x/Cargo.toml", &manifest)];
    all.extend_from_slice(files);
    said(&check(&Tree::of(&all)).expect("can be read"))
}

const WHOLE: [(&str, &str); 3] =
    [("crates/x/LICENSE-MIT", "MIT"), ("crates/x/LICENSE-APACHE", "Apache"), ("crates/x/README.md", "")];

#[test]
fn a_package_has_its_page_and_copies_of_the_licences() {
    let none: [&str; 0] = [];
    assert_eq!(found("", &WHOLE), none);
    assert_eq!(
        found("", &WHOLE[1..]),
        ["crates/x/LICENSE-MIT:1: no licence; expected a copy of LICENSE-MIT"]
    );
    assert_eq!(found("", &WHOLE[..2]), ["crates/x/README.md:1: no page of the package; expected one"]);
    let other = [WHOLE[0], ("crates/x/LICENSE-APACHE", "Apache, in other words"), WHOLE[2]];
    let expected = "crates/x/LICENSE-APACHE:1: differs from LICENSE-APACHE of the top; expected a copy";
    assert_eq!(found("", &other), [expected]);
}

#[test]
fn one_that_is_not_published_needs_none() {
    let none: [&str; 0] = [];
    assert_eq!(found("publish = false", &[]), none);
    assert_eq!(found("publish = true", &[]).len(), 3);
}

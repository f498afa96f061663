//! Long files and long lines.

use super::said;
use crate::lines::{check_files, check_lines};
use crate::tree::Tree;

#[test]
fn a_file_has_600_lines_at_most() {
    let (whole, more) = ("\n".repeat(600), "\n".repeat(601));
    let tree = Tree::of(&[("fuzz/a.rs", &whole), ("fuzz/b.rs", &more), ("README.md", &more)]);
    assert_eq!(said(&check_files(&tree)), ["fuzz/b.rs:601: 601 lines; expected 600 at most"]);
}

#[test]
fn a_line_has_120_characters_at_most() {
    // Characters, not bytes.
    let whole = format!("// {}", "ü".repeat(117));
    let tree = Tree::of(&[("a.rs", &format!("\n{whole}\n{whole}x\n")), ("b.rs", &whole)]);
    assert_eq!(said(&check_lines(&tree)), ["a.rs:3: a line of 121 characters; expected 120 at most"]);
}

#[test]
fn pages_have_lines_that_cannot_be_broken() {
    let long = "word ".repeat(30);
    let link = format!("https://example.com/{}", "x".repeat(120));
    let page = format!(
        "# Page\n{long}\n| {long} |\n```text\n{long}\n```\n- <{link}>\n[name]: {link}\n{long} {link}\n"
    );
    let expected = [2, 9].map(|line| format!("README.md:{line}: a line of"));
    let found = said(&check_lines(&Tree::of(&[("README.md", &page)])));
    assert_eq!(found.len(), expected.len(), "{found:?}");
    assert!(found.iter().zip(expected).all(|(found, expected)| found.starts_with(&expected)), "{found:?}");
    // In the crates, and not among the tests' papers.
    let found = said(&check_lines(&Tree::of(&[("crates/x/DESIGN.md", &long), ("tests/papers/a.md", &long)])));
    assert_eq!(found, ["crates/x/DESIGN.md:1: a line of 150 characters; expected 120 at most"]);
}

#[test]
fn rows_of_tables_in_documentation_cannot_be_broken_either() {
    let row = "| cell ".repeat(30);
    let text = format!("//! {row}\n/// {row}\n// {row}\n");
    let found = said(&check_lines(&Tree::of(&[("a.rs", &text)])));
    assert_eq!(found, ["a.rs:3: a line of 213 characters; expected 120 at most"]);
}

//! No file and no line too long to be read.

use crate::tree::{Finding, Tree};

/// The most lines of a source file.
const LINES: usize = 600;

/// The most characters of a line.
const COLUMNS: usize = 120;

/// Files that may be longer, with the reason.
const LONG_FILES: &[(&str, &str)] = &[];

/// Source files with too many lines.
pub(crate) fn check_files(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.files().filter(|(path, _)| path.ends_with(".rs")) {
        let lines = text.lines().count();
        if lines > LINES && !LONG_FILES.iter().any(|(long, _)| *long == path) {
            findings.push(Finding::new(
                path,
                LINES + 1,
                format!("{lines} lines"),
                format!("{LINES} at most"),
            ));
        }
    }
    findings
}

/// Lines with too many characters: in each source file, and in the pages of the top and of the crates, but for what
/// cannot be broken there: rows of tables, code, and links.
pub(crate) fn check_lines(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.files() {
        if path.ends_with(".rs") {
            check_text(path, text.lines().map(|line| (line, is_row(documentation(line)))), &mut findings);
        } else if path.ends_with(".md") && (path.starts_with("crates/") || !path.contains('/')) {
            let mut code = false;
            let unbreakable = text.lines().map(|line| {
                let fence = line.trim_start().starts_with("```") || line.trim_start().starts_with("~~~");
                code ^= fence;
                (line, code || fence || is_row(line) || is_link(line))
            });
            check_text(path, unbreakable, &mut findings);
        }
    }
    findings
}

fn check_text<'t>(path: &str, lines: impl Iterator<Item = (&'t str, bool)>, findings: &mut Vec<Finding>) {
    for (n, (line, unbreakable)) in lines.enumerate() {
        let columns = line.chars().count();
        if columns > COLUMNS && !unbreakable {
            let what = format!("a line of {columns} characters");
            findings.push(Finding::new(path, n + 1, what, format!("{COLUMNS} at most")));
        }
    }
}

/// What a line of documentation says; nothing if it is not one.
fn documentation(line: &str) -> &str {
    let line = line.trim_start();
    line.strip_prefix("///").or_else(|| line.strip_prefix("//!")).unwrap_or_default()
}

/// A row of a table.
fn is_row(line: &str) -> bool {
    line.trim_start().starts_with('|')
}

/// A link by itself: in a list, or where a reference is defined, too.
fn is_link(line: &str) -> bool {
    let line = line.trim_start().trim_start_matches(['-', '*', ' ']);
    let target = match line.split_once("]: ") {
        Some((name, target)) if name.starts_with('[') => target,
        _ => line,
    };
    target.contains("://") && !target.trim().contains(' ')
}

//! What is looked at: the text of every file by its path, so that a rule can be tried on a few lines as well as on the
//! project.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::process::Command;

/// Texts by their path from the top, with `/` between the folders.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    files: BTreeMap<String, String>,
}

impl Tree {
    /// The project's sources, manifests, pages and licences: what git knows, and what is new and not ignored.
    pub(crate) fn of_the_project() -> Self {
        let top = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
        let listed = Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--"])
            .args(["*.rs", "*.md", "*Cargo.toml", "*LICENSE-*"])
            .current_dir(top)
            .output()
            .expect("git is there");
        assert!(listed.status.success(), "git ls-files: {}", String::from_utf8_lossy(&listed.stderr));
        let listed = String::from_utf8(listed.stdout).expect("paths are UTF-8");
        // One that is listed and not there has been deleted, and not yet committed.
        let files = listed
            .split_terminator('\0')
            .filter_map(|path| Some((path.to_owned(), std::fs::read_to_string(top.join(path)).ok()?)))
            .collect();
        Self { files }
    }

    /// These files.
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        Self { files: files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect() }
    }

    /// The text of this file.
    pub(crate) fn get(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// Every file, in the order of the paths.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }
}

/// One place that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    /// From the top.
    pub(crate) path: String,
    /// Counted from 1.
    pub(crate) line: usize,
    /// What is there.
    pub(crate) what: String,
    /// What should be there.
    pub(crate) expected: String,
    /// What else there is to know, a line each.
    pub(crate) more: Vec<String>,
}

impl Finding {
    /// `what` is there, and `expected` should be.
    pub(crate) fn new(path: &str, line: usize, what: impl Into<String>, expected: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, what: what.into(), expected: expected.into(), more: Vec::new() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, line, what, expected, more } = self;
        write!(f, "{path}:{line}: {what}; expected {expected}")?;
        more.iter().try_for_each(|line| write!(f, "\n    {line}"))
    }
}

/// The folder of a file, without a `/` at its end.
pub(crate) fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// `path` as seen from `folder`, without `.` and `..`.
pub(crate) fn join(folder: &str, path: &str) -> String {
    let mut parts = Vec::new();
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

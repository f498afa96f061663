//! A package goes out alone: what it is published with has to be in its own folder.

use crate::packages;
use crate::tree::{Finding, Tree, join};

/// Copies, since a link is not packed on every system.
const LICENCES: [&str; 2] = ["LICENSE-MIT", "LICENSE-APACHE"];

/// Every published crate without a page of its own, or whose licences are not those of the top.
pub(crate) fn check(tree: &Tree) -> Result<Vec<Finding>, Finding> {
    let mut findings = Vec::new();
    for package in packages::read(tree)?.iter().filter(|package| package.is_published) {
        let page = join(&package.folder, "README.md");
        if tree.get(&page).is_none() {
            findings.push(Finding::new(&page, 1, "no page of the package", "one"));
        }
        for name in LICENCES {
            let (original, copy) = (tree.get(name), join(&package.folder, name));
            match tree.get(&copy) {
                None => findings.push(Finding::new(&copy, 1, "no licence", format!("a copy of {name}"))),
                text if text != original => {
                    let what = format!("differs from {name} of the top");
                    findings.push(Finding::new(&copy, 1, what, "a copy"));
                }
                _ => {}
            }
        }
    }
    Ok(findings)
}

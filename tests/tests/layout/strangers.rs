//! Modules of one crate that do not know each other.

use crate::imports;
use crate::source::Source;
use crate::tree::Finding;

/// What a rule says of some modules, which are named from the root of their crate.
pub(crate) enum Rule {
    /// No other module of the crate imports one of these, but the root may export what is in it.
    Islands(&'static [&'static str]),
    /// None of these imports another of these.
    Apart(&'static [&'static str]),
}

/// Which rule holds for which crate.
pub(crate) const RULES: &[(&str, Rule)] = &[
    // How bytes become messages knows no protocol, and the protocols do not know each other.
    ("feedrate", Rule::Islands(&["pg", "rdp"])),
    // The host and the agent share what is on the wire between them, and no more.
    ("feedrate-rdp", Rule::Apart(&["host", "agent"])),
    // What carries a protocol, and the protocol, meet in the program.
    ("feedrate-io", Rule::Apart(&["pg_tls", "rdp", "serial", "socket", "ws"])),
];

/// Every import that one of the rules forbids.
pub(crate) fn check(source: &Source, rule: &Rule) -> Vec<Finding> {
    let (Rule::Islands(modules) | Rule::Apart(modules)) = rule;
    let root = &source.modules[0];
    let mut findings: Vec<Finding> = modules
        .iter()
        .filter(|module| !root.children.contains_key(**module))
        .map(|module| {
            let what = format!("there is no module `{module}`, of which a rule of `strangers.rs` speaks");
            Finding::new(&root.file, 1, what, "the module, or a rule without it")
        })
        .collect();
    let top = |module: usize| source.modules[module].path.first().map_or("", String::as_str);
    for import in imports::of(source) {
        let (from, to) = (top(import.from), top(import.to));
        let forbidden = from != to
            && modules.contains(&to)
            && match rule {
                Rule::Islands(_) => !(from.is_empty() && import.reexport),
                Rule::Apart(modules) => modules.contains(&from),
            };
        if forbidden {
            let by = if from.is_empty() { "the root".to_owned() } else { format!("`{from}`") };
            let what = format!("{by} imports `{to}`: `{}`", import.written);
            let file = &source.modules[import.from].file;
            findings.push(Finding::new(file, import.line, what, "modules that do not know each other"));
        }
    }
    findings
}

//! What a crate shows can grow: its public enums and configurations are `#[non_exhaustive]`, or say why not.
//!
//! An enum or structure counts if it is `pub`, and a chain of `pub mod` and `pub use` leads to it from the root. A
//! configuration is a structure with a public field whose name ends in one of [`CONFIGURATIONS`]. The reason is a
//! comment above the item, its attributes or its documentation: `// Exhaustive: there are two directions.`
//!
//! In a macro the attribute has to be among the tokens before `pub enum`, or the reason in a line of it further above.
//! What is in a `macro_rules!` counts in any case: where it is called, and what can be reached there, is not asked.

use std::collections::BTreeSet;

use syn::{Attribute, Fields, Item, ItemMacro, Visibility};

use crate::attributes;
use crate::names::Named;
use crate::source::Source;
use crate::tokens::{self, name};
use crate::tree::{Finding, Tree};

/// How the names of configurations end.
const CONFIGURATIONS: [&str; 7] = ["Config", "Limits", "Offer", "Options", "Params", "Settings", "Sizes"];

const REASON: &str = "// Exhaustive: ";

/// Every public type of the crate that is closed without a reason.
pub(crate) fn check(tree: &Tree, source: &Source) -> Vec<Finding> {
    let shown = Shown::of(source);
    let mut findings = Vec::new();
    for (n, module) in source.modules.iter().enumerate() {
        let lines: Vec<&str> = tree.get(&module.file).unwrap_or_default().lines().collect();
        for item in &module.items {
            let closed = match item {
                Item::Macro(item) => closed_in_macro(item, n, &shown, &lines),
                item => closed_item(item, n, &shown, &lines).into_iter().collect(),
            };
            findings.extend(closed.into_iter().map(|(line, what)| {
                Finding::new(
                    &module.file,
                    line,
                    what,
                    format!("`#[non_exhaustive]`, or `{REASON}<why>.` above it"),
                )
            }));
        }
    }
    findings
}

/// The line and the name of an item that is public and closed, and gives no reason.
fn closed_item(item: &Item, module: usize, shown: &Shown, lines: &[&str]) -> Option<(usize, String)> {
    let (is_enum, ident, attributes) = closed_type(item)?;
    let line = ident.span().start().line;
    let attributes = attributes.iter().map(|attribute| attribute.pound_token.spans[0].start().line);
    let first = comment_above(lines, attributes.min().unwrap_or(line));
    let is_closed = shown.has(module, &name(ident)) && !gives_reason(&lines[first..line - 1]);
    is_closed.then(|| (line, format!("{} `{}` is closed", kind(is_enum), name(ident))))
}

/// The same of what is in a macro, or in a call of one.
fn closed_in_macro(item: &ItemMacro, module: usize, shown: &Shown, lines: &[&str]) -> Vec<(usize, String)> {
    let first = item.mac.path.segments[0].ident.span().start().line;
    let first = comment_above(lines, first);
    // Where the macro is called, and what can be reached there, is another question.
    let is_definition = item.ident.is_some();
    let mut closed = Vec::new();
    for found in tokens::public_types(item.mac.tokens.clone()) {
        let name = found.name.as_deref();
        let configures = found.has_public_field && name.is_some_and(is_configuration);
        let counts = if found.is_enum { !found.is_empty } else { configures };
        let is_shown = is_definition || name.is_none_or(|name| shown.has(module, name));
        if counts && is_shown && !found.non_exhaustive && !gives_reason(&lines[first..found.line - 1]) {
            let name = name.map_or("of a macro".to_owned(), |name| format!("`{name}`"));
            closed.push((found.line, format!("{} {name} is closed", kind(found.is_enum))));
        }
    }
    closed
}

fn kind(is_enum: bool) -> &'static str {
    if is_enum { "the public enum" } else { "the public configuration" }
}

/// The enum or configuration that this item is, if it is public and not `#[non_exhaustive]`.
fn closed_type(item: &Item) -> Option<(bool, &syn::Ident, &[Attribute])> {
    let (is_enum, vis, ident, attrs) = match item {
        Item::Enum(item) if !item.variants.is_empty() => (true, &item.vis, &item.ident, &item.attrs),
        Item::Struct(item) if is_configuration(&name(&item.ident)) && has_public_field(&item.fields) => {
            (false, &item.vis, &item.ident, &item.attrs)
        }
        _ => return None,
    };
    let is_open = attributes::has(attrs, "non_exhaustive") || !matches!(vis, Visibility::Public(_));
    (!is_open).then_some((is_enum, ident, attrs))
}

fn is_configuration(name: &str) -> bool {
    CONFIGURATIONS.iter().any(|end| name.ends_with(end))
}

fn has_public_field(fields: &Fields) -> bool {
    fields.iter().any(|field| matches!(field.vis, Visibility::Public(_)))
}

/// The first line, counted from 0, of the comment that ends above this one, counted from 1.
fn comment_above(lines: &[&str], line: usize) -> usize {
    let comment = lines[..line - 1].iter().rev().take_while(|line| line.trim_start().starts_with("//"));
    line - 1 - comment.count()
}

/// Whether one of these lines begins a reason, which ends in a full stop where the comment ends.
fn gives_reason(lines: &[&str]) -> bool {
    let mut lines = lines.iter().map(|line| line.trim());
    let Some(reason) = lines.find_map(|line| line.strip_prefix(REASON)) else { return false };
    let goes_on = |line: &&str| line.starts_with("// ");
    let end = lines.take_while(goes_on).last().unwrap_or(reason);
    end.ends_with('.')
}

/// What can be named from outside of a crate.
#[derive(Default)]
struct Shown {
    /// Those of which everything public can be.
    modules: BTreeSet<usize>,
    /// Besides, these: a module, and a name in it.
    items: BTreeSet<(usize, String)>,
}

impl Shown {
    fn of(source: &Source) -> Self {
        let mut shown = Self::default();
        let mut ahead = vec![0];
        while let Some(at) = ahead.pop() {
            if !shown.modules.insert(at) {
                continue;
            }
            let module = &source.modules[at];
            ahead.extend(module.children.values().filter(|child| source.modules[**child].public));
            for import in module.uses.iter().filter(|import| import.public) {
                match source.resolve(at, &import.path) {
                    Some(Named::Module(module)) => ahead.push(module),
                    Some(Named::Item(module, name)) => drop(shown.items.insert((module, name))),
                    Some(Named::Outside) | None => {}
                }
            }
        }
        shown
    }

    fn has(&self, module: usize, name: &str) -> bool {
        self.modules.contains(&module) || self.items.contains(&(module, name.to_owned()))
    }
}

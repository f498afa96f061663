//! Who imports whom: every path of a crate that leads from one module to what another one defines.
//!
//! A path is an import of the module that *defines* what it names, by however many `pub use` it is reached. `mod` and
//! `pub use` are none by themselves, and neither is a `use` that names a module: the paths that go through it are. A
//! `*` is an import of the module itself, if that defines anything, and of what is named through it. Documentation and
//! what is compiled for tests only do not count. A name that cannot be found in its module is taken to be made there,
//! by a macro.
//!
//! What a macro is made of counts for the file that it is in, and what it is called with for the file of the call. What
//! cannot be seen: methods, which have no path, and paths that a macro puts together.

use std::collections::BTreeSet;

use syn::visit::{self, Visit};

use crate::attributes;
use crate::names::Named;
use crate::source::{Source, Use, flatten};
use crate::tokens::{self, name};

/// A path that leads to what another module defines.
#[derive(Debug)]
pub(crate) struct Import {
    /// The module that it is in.
    pub(crate) from: usize,
    /// The module that defines what it names.
    pub(crate) to: usize,
    /// Where in the file it is.
    pub(crate) line: usize,
    /// The path, or the `use`.
    pub(crate) written: String,
    /// Whether it is `pub use`.
    pub(crate) reexport: bool,
}

/// Every import of a crate, in the order of the modules and in their order in each.
pub(crate) fn of(source: &Source) -> Vec<Import> {
    let mut imports = Vec::new();
    for (module, read) in source.modules.iter().enumerate() {
        let mut walk = Walk { source, module, blocks: Vec::new(), imports: &mut imports };
        read.items.iter().for_each(|item| walk.visit_item(item));
    }
    let mut seen = BTreeSet::new();
    imports.retain(|import| {
        let Import { from, to, line, written, .. } = import;
        from != to && seen.insert((*from, *to, *line, written.clone()))
    });
    imports
}

struct Walk<'s> {
    source: &'s Source,
    module: usize,
    /// What the functions that we are in import for themselves.
    blocks: Vec<Vec<Use>>,
    imports: &'s mut Vec<Import>,
}

impl Walk<'_> {
    fn import(&mut self, to: usize, line: usize, written: String, reexport: bool) {
        self.imports.push(Import { from: self.module, to, line, written, reexport });
    }

    fn path(&mut self, segments: &[String], line: usize) {
        if let Some(Named::Item(to, _)) = self.resolve(segments) {
            self.import(to, line, segments.join("::"), false);
        }
    }

    fn resolve(&self, segments: &[String]) -> Option<Named> {
        let mut inner = self.blocks.iter().rev().flatten();
        match inner.find(|import| import.name.as_ref() == segments.first()) {
            Some(import) => self
                .source
                .resolve(self.module, &[&import.path, segments.get(1..).unwrap_or_default()].concat()),
            None => self.source.resolve(self.module, segments),
        }
    }

    fn used(&mut self, import: &Use) {
        let to = match self.source.resolve(self.module, &import.path) {
            Some(Named::Item(to, _)) => to,
            Some(Named::Module(to)) if import.glob && self.source.modules[to].defines_anything() => to,
            _ => return,
        };
        let what = if import.reexport { "pub use" } else { "use" };
        let end = if import.glob { "::*" } else { "" };
        self.import(to, import.line, format!("{what} {}{end}", import.path.join("::")), import.reexport);
    }

    fn tokens(&mut self, tokens: proc_macro2::TokenStream) {
        for path in tokens::paths(tokens) {
            self.path(&path.segments, path.line);
        }
    }
}

impl<'ast> Visit<'ast> for Walk<'_> {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        if !attributes::only_for_tests(attributes::of_item(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item(&mut self, item: &'ast syn::ImplItem) {
        if !attributes::only_for_tests(attributes::of_impl_item(item)) {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_trait_item(&mut self, item: &'ast syn::TraitItem) {
        if !attributes::only_for_tests(attributes::of_trait_item(item)) {
            visit::visit_trait_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let mut uses = Vec::new();
        flatten(item, &mut uses);
        uses.iter().for_each(|import| self.used(import));
    }

    fn visit_block(&mut self, block: &'ast syn::Block) {
        let mut uses = Vec::new();
        for statement in &block.stmts {
            if let syn::Stmt::Item(syn::Item::Use(item)) = statement {
                flatten(item, &mut uses);
            }
        }
        self.blocks.push(uses);
        visit::visit_block(self, block);
        self.blocks.pop();
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if let (None, Some(first)) = (&path.leading_colon, path.segments.first()) {
            let segments: Vec<String> = path.segments.iter().map(|segment| name(&segment.ident)).collect();
            self.path(&segments, first.ident.span().start().line);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        if let Some(ident) = call.path.get_ident() {
            // Without a `use`, a macro is the one that was written before, in this file or in another.
            let known = self.source.has(self.module, &name(ident));
            if let (false, Some([module])) = (known, self.source.macros.get(&name(ident)).map(Vec::as_slice))
            {
                self.import(*module, ident.span().start().line, ident.to_string(), false);
            }
        }
        self.visit_path(&call.path);
        self.tokens(call.tokens.clone());
    }

    fn visit_attribute(&mut self, _: &'ast syn::Attribute) {}
}

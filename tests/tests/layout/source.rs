//! The modules of one crate, each with its items, its file, and the names in it.

use std::collections::{BTreeMap, BTreeSet};

use syn::{Attribute, Item, ItemMod, UseTree, Visibility};

use crate::attributes;
use crate::tokens::{self, name};
use crate::tree::{Finding, Tree, folder, join};

/// A crate, without what is compiled for tests only.
pub(crate) struct Source {
    /// The root is the first.
    pub(crate) modules: Vec<Module>,
    /// The `#![…]` of the root.
    pub(crate) attributes: Vec<Attribute>,
    /// Where each `macro_rules!` is.
    pub(crate) macros: BTreeMap<String, Vec<usize>>,
    /// Those with `#[macro_export]`: their path is that of the root.
    pub(crate) exported: BTreeMap<String, usize>,
}

/// A module, which is a file or a part of one.
pub(crate) struct Module {
    /// From the root, which has none.
    pub(crate) path: Vec<String>,
    /// From the top.
    pub(crate) file: String,
    /// None for the root.
    pub(crate) parent: Option<usize>,
    /// Whether it is `pub mod`.
    pub(crate) public: bool,
    /// The modules in it.
    pub(crate) children: BTreeMap<String, usize>,
    /// All but modules.
    pub(crate) items: Vec<Item>,
    /// The names that its items define.
    pub(crate) defined: BTreeSet<String>,
    /// The names that macros seem to define here.
    pub(crate) generated: BTreeSet<String>,
    /// What is imported.
    pub(crate) uses: Vec<Use>,
}

/// One name, or one `*`, of a `use`.
#[derive(Debug, Clone)]
pub(crate) struct Use {
    /// As written. From outside of the crate if it begins with an empty one.
    pub(crate) path: Vec<String>,
    /// The name in this module; none for `*` and `_`.
    pub(crate) name: Option<String>,
    /// Whether it ends in `*`.
    pub(crate) glob: bool,
    /// Whether it is `pub use`, in whatever measure.
    pub(crate) reexport: bool,
    /// Whether it is `pub use` for all.
    pub(crate) public: bool,
    /// Where the name is.
    pub(crate) line: usize,
}

impl Source {
    /// The crate whose root is this file.
    pub(crate) fn read(tree: &Tree, root: &str) -> Result<Self, Finding> {
        let mut source = Self {
            modules: Vec::new(),
            attributes: Vec::new(),
            macros: BTreeMap::new(),
            exported: BTreeMap::new(),
        };
        let file = parse(tree, root)?;
        source.attributes = file.attrs;
        source.module(tree, Module::new(Vec::new(), root, None, true), folder(root), file.items)?;
        Ok(source)
    }

    /// Takes a module in, and those within it, whose files are in the folder `inside`.
    fn module(&mut self, tree: &Tree, module: Module, inside: &str, items: Vec<Item>) -> Result<(), Finding> {
        let this = self.modules.len();
        self.modules.push(module);
        for item in items {
            if attributes::only_for_tests(attributes::of_item(&item)) {
                continue;
            }
            match item {
                Item::Mod(item) => self.child(tree, this, inside, item)?,
                item => self.item(this, item),
            }
        }
        Ok(())
    }

    fn child(&mut self, tree: &Tree, parent: usize, inside: &str, item: ItemMod) -> Result<(), Finding> {
        let name = name(&item.ident);
        let mut path = self.modules[parent].path.clone();
        path.push(name.clone());
        let public = matches!(item.vis, Visibility::Public(_));
        let file = self.modules[parent].file.clone();
        let this = self.modules.len();
        self.modules[parent].children.insert(name.clone(), this);
        if let Some((_, items)) = item.content {
            let module = Module::new(path, &file, Some(parent), public);
            return self.module(tree, module, &join(inside, &name), items);
        }
        let beside = join(inside, &format!("{name}.rs"));
        let below = join(inside, &format!("{name}/mod.rs"));
        let (file, inside) = match attributes::path(&item.attrs).map(|path| join(folder(&file), &path)) {
            Some(path) => (path.clone(), folder(&path).to_owned()),
            None if tree.get(&beside).is_some() => (beside, join(inside, &name)),
            None if tree.get(&below).is_some() => (below, join(inside, &name)),
            None => {
                let line = item.ident.span().start().line;
                let expected = format!("{beside} or {below}");
                return Err(Finding::new(&file, line, format!("module `{name}` has no file"), expected));
            }
        };
        let items = parse(tree, &file)?.items;
        self.module(tree, Module::new(path, &file, Some(parent), public), &inside, items)
    }

    fn item(&mut self, this: usize, item: Item) {
        let module = &mut self.modules[this];
        match &item {
            Item::Use(item) => {
                let mut uses = Vec::new();
                flatten(item, &mut uses);
                module.uses.append(&mut uses);
            }
            Item::ExternCrate(item) => {
                let bound = item.rename.as_ref().map_or(&item.ident, |(_, rename)| rename);
                let path = vec![String::new(), name(&item.ident)];
                let line = item.ident.span().start().line;
                let name = Some(name(bound));
                module.uses.push(Use { path, name, glob: false, reexport: false, public: false, line });
            }
            Item::Macro(item) => {
                module.generated.extend(tokens::defined(item.mac.tokens.clone()));
                if let Some(ident) = &item.ident {
                    module.defined.insert(name(ident));
                    self.macros.entry(name(ident)).or_default().push(this);
                    if attributes::has(&item.attrs, "macro_export") {
                        self.exported.insert(name(ident), this);
                    }
                }
            }
            item => module.defined.extend(defined(item)),
        }
        self.modules[this].items.push(item);
    }
}

impl Module {
    fn new(path: Vec<String>, file: &str, parent: Option<usize>, public: bool) -> Self {
        Self {
            path,
            file: file.to_owned(),
            parent,
            public,
            children: BTreeMap::new(),
            items: Vec::new(),
            defined: BTreeSet::new(),
            generated: BTreeSet::new(),
            uses: Vec::new(),
        }
    }

    /// Whether there is more in it than modules and imports.
    pub(crate) fn defines_anything(&self) -> bool {
        !self.defined.is_empty() || !self.generated.is_empty()
    }
}

fn parse(tree: &Tree, path: &str) -> Result<syn::File, Finding> {
    let Some(text) = tree.get(path) else {
        return Err(Finding::new(path, 1, "there is no such file", "the file of a module"));
    };
    syn::parse_file(text).map_err(|error| {
        Finding::new(path, error.span().start().line, format!("not to be parsed: {error}"), "Rust")
    })
}

fn defined(item: &Item) -> Option<String> {
    Some(name(match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::TraitAlias(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return None,
    }))
}

/// The names of a `use`, one by one.
pub(crate) fn flatten(item: &syn::ItemUse, uses: &mut Vec<Use>) {
    let start = Use {
        path: if item.leading_colon.is_some() { vec![String::new()] } else { Vec::new() },
        name: None,
        glob: false,
        reexport: !matches!(item.vis, Visibility::Inherited),
        public: matches!(item.vis, Visibility::Public(_)),
        line: item.use_token.span.start().line,
    };
    leaves(&item.tree, start, uses);
}

fn leaves(tree: &UseTree, mut before: Use, uses: &mut Vec<Use>) {
    match tree {
        UseTree::Path(path) => {
            before.path.push(name(&path.ident));
            leaves(&path.tree, before, uses);
        }
        UseTree::Group(group) => group.items.iter().for_each(|tree| leaves(tree, before.clone(), uses)),
        UseTree::Glob(glob) => {
            uses.push(Use { glob: true, line: glob.star_token.span.start().line, ..before })
        }
        UseTree::Name(leaf) => uses.push(before.bind(&leaf.ident, None)),
        UseTree::Rename(leaf) => uses.push(before.bind(&leaf.ident, Some(&leaf.rename))),
    }
}

impl Use {
    /// The end of the path: `a::self` is `a`.
    fn bind(mut self, ident: &syn::Ident, rename: Option<&syn::Ident>) -> Self {
        if ident != "self" || self.path.is_empty() {
            self.path.push(name(ident));
        }
        self.name = match rename {
            Some(rename) if rename == "_" => None,
            Some(rename) => Some(name(rename)),
            None => self.path.last().cloned(),
        };
        self.line = ident.span().start().line;
        self
    }
}

//! The packages of the tree, from their manifests.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use crate::tree::{Finding, Tree, folder, join};

/// A package.
#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) name: String,
    /// Its folder from the top.
    pub(crate) folder: String,
    pub(crate) dependencies: Vec<Dependency>,
    /// Whether it is for others than this project.
    pub(crate) is_published: bool,
    /// The files of its programs and tests that are not where Cargo looks by itself.
    elsewhere: Vec<String>,
}

/// What a package depends on.
#[derive(Debug)]
pub(crate) struct Dependency {
    /// The package, whatever it is called here.
    pub(crate) on: String,
    /// Whether only its tests do.
    pub(crate) dev: bool,
    /// In the manifest.
    pub(crate) line: usize,
}

impl Package {
    /// Where its manifest is.
    pub(crate) fn manifest(&self) -> String {
        join(&self.folder, "Cargo.toml")
    }

    /// The root file of each of its crates: its library, its programs and its tests.
    pub(crate) fn roots(&self, tree: &Tree) -> Vec<String> {
        let mut roots = self.elsewhere.clone();
        for (path, _) in tree.files() {
            let inside = match self.folder.as_str() {
                "" => Some(path),
                folder => path.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/')),
            };
            let parts: Vec<&str> = inside.map(|inside| inside.split('/').collect()).unwrap_or_default();
            let is_root = match parts[..] {
                ["src", "lib.rs" | "main.rs"] | ["src", "bin", _, "main.rs"] => true,
                ["tests" | "examples" | "benches", _, "main.rs"] => true,
                ["src", "bin", file] | ["tests" | "examples" | "benches", file] => file.ends_with(".rs"),
                _ => false,
            };
            if is_root && !roots.iter().any(|root| root == path) {
                roots.push(path.to_owned());
            }
        }
        roots
    }
}

/// Every package.
pub(crate) fn read(tree: &Tree) -> Result<Vec<Package>, Finding> {
    let shared = match tree.get("Cargo.toml") {
        Some(text) => shared_names(&parse("Cargo.toml", text)?),
        None => BTreeMap::new(),
    };
    let mut packages = Vec::new();
    for (path, text) in tree.files().filter(|(path, _)| path.rsplit('/').next() == Some("Cargo.toml")) {
        let manifest = parse(path, text)?;
        let package = manifest.get("package").map(Spanned::get_ref);
        let Some(name) = package.and_then(|package| string(package, "name")) else { continue };
        let mut dependencies = dependencies(&manifest, text, &shared);
        for (_, target) in table(manifest.get("target")) {
            dependencies.extend(
                target.get_ref().as_table().into_iter().flat_map(|of| self::dependencies(of, text, &shared)),
            );
        }
        let folder = folder(path).to_owned();
        let publish =
            package.and_then(|package| package.get("publish")).and_then(|value| value.get_ref().as_bool());
        let is_published = publish != Some(false);
        let elsewhere = target_files(&manifest).map(|file| join(&folder, file)).collect();
        packages.push(Package { name: name.to_owned(), folder, dependencies, is_published, elsewhere });
    }
    Ok(packages)
}

/// The packages behind the names that the workspace's members share.
fn shared_names(manifest: &DeTable<'_>) -> BTreeMap<String, String> {
    let workspace = manifest.get("workspace").map(Spanned::get_ref);
    let shared = table(workspace.and_then(|workspace| workspace.get("dependencies")));
    shared
        .map(|(name, value)| {
            (name.get_ref().to_string(), renamed(value).unwrap_or(name.get_ref()).to_owned())
        })
        .collect()
}

/// The dependencies in a manifest, or in one target of it.
fn dependencies(manifest: &DeTable<'_>, text: &str, shared: &BTreeMap<String, String>) -> Vec<Dependency> {
    let mut found = Vec::new();
    for kind in ["dependencies", "build-dependencies", "dev-dependencies"] {
        for (key, value) in table(manifest.get(kind)) {
            let name: &str = key.get_ref();
            let inherited = value.get_ref().get("workspace").and_then(|_| shared.get(name));
            let on = renamed(value).or(inherited.map(String::as_str)).unwrap_or(name).to_owned();
            let dev = kind == "dev-dependencies";
            found.push(Dependency { on, dev, line: line_at(text, key.span().start) });
        }
    }
    found
}

/// The files that are named in a manifest: of its library, of its programs and tests.
fn target_files<'a>(manifest: &'a DeTable<'_>) -> impl Iterator<Item = &'a str> {
    ["lib", "bin", "example", "test", "bench"].into_iter().filter_map(|kind| manifest.get(kind)).flat_map(
        |targets| {
            let targets = targets.get_ref();
            let many =
                targets.as_array().into_iter().flat_map(|targets| targets.iter().map(Spanned::get_ref));
            // The library is a table, and the others are lists of them.
            many.chain([targets].into_iter().filter(|targets| targets.is_table()))
                .filter_map(|target| string(target, "path"))
        },
    )
}

fn parse<'t>(path: &str, text: &'t str) -> Result<DeTable<'t>, Finding> {
    DeTable::parse(text).map(Spanned::into_inner).map_err(|error| {
        let line = error.span().map_or(1, |span| line_at(text, span.start));
        Finding::new(path, line, format!("not to be parsed: {}", error.message()), "a manifest in TOML")
    })
}

fn table<'a, 't>(
    value: Option<&'a Spanned<DeValue<'t>>>,
) -> impl Iterator<Item = (&'a Spanned<DeString<'t>>, &'a Spanned<DeValue<'t>>)> {
    value.and_then(|value| value.get_ref().as_table()).into_iter().flat_map(|table| table.iter())
}

fn line_at(text: &str, byte: usize) -> usize {
    text[..byte].matches('\n').count() + 1
}

fn string<'a>(table: &'a DeValue<'_>, key: &str) -> Option<&'a str> {
    table.get(key)?.get_ref().as_str()
}

/// The package of `name = { package = "…" }`.
fn renamed<'a>(dependency: &'a Spanned<DeValue<'_>>) -> Option<&'a str> {
    string(dependency.get_ref(), "package")
}

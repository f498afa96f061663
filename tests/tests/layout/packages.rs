//! The packages of the tree, from their manifests.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::tree::{Finding, Tree, folder, join};

/// A package.
#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) name: String,
    /// Its folder from the top.
    pub(crate) folder: String,
    pub(crate) dependencies: Vec<Dependency>,
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
    let mut packages = Vec::new();
    let mut shared = BTreeMap::new();
    if let Some(text) = tree.get("Cargo.toml") {
        let manifest = parse("Cargo.toml", text)?;
        for (key, value) in
            table(manifest.get("workspace").and_then(|workspace| workspace.get_ref().get("dependencies")))
        {
            shared.insert(key.get_ref().to_string(), renamed(value).unwrap_or(key.get_ref()).to_owned());
        }
    }
    for (path, text) in
        tree.files().filter(|(path, _)| *path == "Cargo.toml" || path.ends_with("/Cargo.toml"))
    {
        let manifest = parse(path, text)?;
        let package = manifest.get("package").map(Spanned::get_ref);
        let Some(name) = package.and_then(|package| string(package, "name")) else { continue };
        let mut package = Package {
            name: name.to_owned(),
            folder: folder(path).to_owned(),
            dependencies: Vec::new(),
            elsewhere: Vec::new(),
        };
        package.depend(&manifest, text, &shared);
        for (_, target) in table(manifest.get("target")) {
            package.depend(target.get_ref().as_table().unwrap_or(&DeTable::new()), text, &shared);
        }
        for kind in ["lib", "bin", "example", "test", "bench"] {
            let targets = manifest.get(kind).map(Spanned::get_ref);
            let one = targets.filter(|targets| targets.is_table()).into_iter();
            let many = targets.and_then(DeValue::as_array).into_iter().flat_map(|targets| targets.iter());
            let paths = one.chain(many.map(Spanned::get_ref)).filter_map(|target| string(target, "path"));
            package.elsewhere.extend(paths.map(|file| join(folder(path), file)));
        }
        packages.push(package);
    }
    Ok(packages)
}

impl Package {
    /// Takes the dependencies of a manifest, or of one target in it. `shared` are the workspace's names for packages.
    fn depend(&mut self, manifest: &DeTable<'_>, text: &str, shared: &BTreeMap<String, String>) {
        for (kind, dev) in
            [("dependencies", false), ("build-dependencies", false), ("dev-dependencies", true)]
        {
            for (key, value) in table(manifest.get(kind)) {
                let name: &str = key.get_ref();
                let inherited = value.get_ref().get("workspace").and_then(|_| shared.get(name));
                let on = renamed(value).or(inherited.map(String::as_str)).unwrap_or(name).to_owned();
                let line = text[..key.span().start].matches('\n').count() + 1;
                self.dependencies.push(Dependency { on, dev, line });
            }
        }
    }
}

fn parse<'t>(path: &str, text: &'t str) -> Result<DeTable<'t>, Finding> {
    DeTable::parse(text).map(Spanned::into_inner).map_err(|error| {
        let line = error.span().map_or(1, |span| text[..span.start].matches('\n').count() + 1);
        Finding::new(path, line, format!("not to be parsed: {}", error.message()), "a manifest in TOML")
    })
}

fn table<'a, 't>(
    value: Option<&'a Spanned<DeValue<'t>>>,
) -> impl Iterator<Item = (&'a Spanned<toml::de::DeString<'t>>, &'a Spanned<DeValue<'t>>)> {
    value.and_then(|value| value.get_ref().as_table()).into_iter().flat_map(|table| table.iter())
}

fn string<'a>(table: &'a DeValue<'_>, key: &str) -> Option<&'a str> {
    table.get(key)?.get_ref().as_str()
}

/// The package of `name = { package = "…" }`.
fn renamed<'a>(dependency: &'a Spanned<DeValue<'_>>) -> Option<&'a str> {
    string(dependency.get_ref(), "package")
}

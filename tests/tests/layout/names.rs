//! What a path names: the way from name to name, through every `use`, to the module that defines it.

use std::collections::BTreeSet;

use crate::source::Source;

/// What a path names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Named {
    /// This module.
    Module(usize),
    /// What is defined in this module under this name; a path may go on into it.
    Item(usize, String),
    /// Something of another crate.
    Outside,
}

/// The names that are being asked for, each because of the one before: to follow their imports again leads round in a
/// circle.
type Asked = BTreeSet<(usize, String)>;

impl Source {
    /// What a path that stands in `module` names in this crate.
    pub(crate) fn resolve(&self, module: usize, path: &[String]) -> Option<Named> {
        match self.follow(module, path, &mut Asked::new()) {
            Named::Outside => None,
            named => Some(named),
        }
    }

    /// Whether a module of the crate has something of this name in it, by whatever way.
    pub(crate) fn has(&self, module: usize, name: &str) -> bool {
        self.look_up(module, name, true, &mut Asked::new()).is_some()
    }

    fn follow(&self, module: usize, path: &[String], asked: &mut Asked) -> Named {
        let mut at = None;
        for (n, segment) in path.iter().enumerate() {
            let last = n + 1 == path.len();
            let next = match (at, segment.as_str()) {
                (None, "crate") => Named::Module(0),
                (None, "self") => Named::Module(module),
                (at, "super") => match self.modules[at.unwrap_or(module)].parent {
                    Some(parent) => Named::Module(parent),
                    None => return Named::Outside,
                },
                (None, name) => self.look_up(module, name, last, asked).unwrap_or(Named::Outside),
                // Nothing can be seen that has this name, and yet the code compiles: a macro of the module makes it.
                (Some(at), name) => {
                    self.look_up(at, name, last, asked).unwrap_or_else(|| Named::Item(at, name.to_owned()))
                }
            };
            match next {
                Named::Module(next) => at = Some(next),
                named => return named,
            }
        }
        at.map_or(Named::Outside, Named::Module)
    }

    /// A name in a module. At the end of a path, an item goes before a module of the same name; within it, a module.
    fn look_up(&self, at: usize, name: &str, last: bool, asked: &mut Asked) -> Option<Named> {
        let first_time = asked.insert((at, name.to_owned()));
        let module = &self.modules[at];
        let item = || Named::Item(at, name.to_owned());
        let mut found = Vec::new();
        found.extend(module.children.get(name).map(|child| Named::Module(*child)));
        found.extend(module.defined.contains(name).then(item));
        for import in module.uses.iter().filter(|import| first_time && import.name.as_deref() == Some(name)) {
            found.push(self.follow(at, &import.path, asked));
        }
        if at == 0 {
            found.extend(self.exported.get(name).map(|module| Named::Item(*module, name.to_owned())));
        }
        if found.is_empty() && module.generated.contains(name) {
            found.push(item());
        }
        if found.is_empty() && first_time {
            found.extend(self.look_up_globs(at, name, last, asked));
        }
        if first_time {
            asked.remove(&(at, name.to_owned()));
        }
        let rank = |named: &Named| match named {
            Named::Item(..) => u8::from(!last),
            Named::Module(_) => u8::from(last),
            Named::Outside => 2,
        };
        found.into_iter().min_by_key(rank)
    }

    fn look_up_globs(&self, at: usize, name: &str, last: bool, asked: &mut Asked) -> Option<Named> {
        let mut globs = self.modules[at].uses.iter().filter(|import| import.glob);
        globs.find_map(|glob| match self.follow(at, &glob.path, asked) {
            Named::Module(from) => self.look_up(from, name, last, asked),
            _ => None,
        })
    }
}

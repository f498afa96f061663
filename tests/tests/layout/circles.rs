//! No import circle: what a file imports never leads back to it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::imports::{self, Import};
use crate::source::Source;
use crate::tree::Finding;

/// One finding for each knot of files that import each other: its shortest circle.
pub(crate) fn check(source: &Source) -> Vec<Finding> {
    let imports = imports::of(source);
    let graph = Graph::of(source, &imports);
    graph.knots().iter().map(|knot| graph.report(knot)).collect()
}

/// Each file, with the files that it imports, and the first import of each.
struct Graph<'i> {
    edges: BTreeMap<&'i str, BTreeMap<&'i str, &'i Import>>,
}

impl<'i> Graph<'i> {
    fn of(source: &'i Source, imports: &'i [Import]) -> Self {
        let mut edges: BTreeMap<&str, BTreeMap<&str, &Import>> = BTreeMap::new();
        for import in imports.iter().filter(|import| !import.reexport) {
            let (from, to) = (&source.modules[import.from].file, &source.modules[import.to].file);
            if from != to {
                edges.entry(from).or_default().entry(to).or_insert(import);
            }
        }
        Self { edges }
    }

    fn imported(&self, file: &str) -> impl Iterator<Item = &'i str> {
        self.edges.get(file).into_iter().flat_map(|to| to.keys().copied())
    }

    /// The sets of files each of which leads to all others of its set.
    fn knots(&self) -> Vec<BTreeSet<&'i str>> {
        let reached: BTreeMap<&str, BTreeSet<&str>> =
            self.edges.keys().map(|file| (*file, self.from(file).into_keys().collect())).collect();
        let mut knots = Vec::new();
        for (file, ahead) in &reached {
            let back = |other: &&&str| reached.get(**other).is_some_and(|ahead| ahead.contains(file));
            let knot: BTreeSet<&str> = ahead.iter().filter(back).copied().collect();
            if knot.first() == Some(file) {
                knots.push(knot);
            }
        }
        knots
    }

    /// Every file that this one leads to, with the one before it on a shortest way.
    fn from(&self, file: &str) -> BTreeMap<&'i str, &'i str> {
        let mut before = BTreeMap::new();
        let mut ahead: VecDeque<&str> =
            self.edges.get_key_value(file).into_iter().map(|(file, _)| *file).collect();
        while let Some(at) = ahead.pop_front() {
            for next in self.imported(at) {
                before.entry(next).or_insert_with(|| {
                    ahead.push_back(next);
                    at
                });
            }
        }
        before
    }

    /// The shortest way from the file back to itself, which there is: (file, the file that it imports).
    fn circle(&self, file: &'i str) -> Vec<(&'i str, &'i str)> {
        let before = self.from(file);
        let mut steps = Vec::new();
        let mut at = file;
        while steps.is_empty() || at != file {
            steps.push((before[at], at));
            at = before[at];
        }
        steps.reverse();
        steps
    }

    fn report(&self, knot: &BTreeSet<&'i str>) -> Finding {
        let circles = knot.iter().map(|file| self.circle(file));
        let circle = circles.min_by_key(Vec::len).expect("a knot has files");
        let mut what = format!("an import circle of {} files", circle.len());
        if knot.len() > circle.len() {
            what += &format!(", in a knot of {}", knot.len());
        }
        let (from, to) = circle[0];
        let mut finding =
            Finding::new(from, self.edges[from][to].line, what, "imports in one direction only");
        for (from, to) in circle {
            let Import { line, written, .. } = self.edges[from][to];
            finding.more.push(format!("{from}:{line}: `{written}` is of {to}"));
        }
        finding
    }
}

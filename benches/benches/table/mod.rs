//! The table of ratios at the end: how long each takes for the same work, where the first takes 1.0.

use std::collections::BTreeMap;
use std::time::Duration;

use criterion::BenchmarkGroup;
use criterion::measurement::WallTime;

/// What was measured, in the order in which it was.
#[derive(Default)]
pub(crate) struct Table {
    rows: Vec<String>,
    /// The fastest sample's seconds for a pass.
    best: BTreeMap<(usize, &'static str), f64>,
}

impl Table {
    pub(crate) fn measure(
        &mut self,
        group: &mut BenchmarkGroup<'_, WallTime>,
        row: &str,
        name: &'static str,
        mut pass: impl FnMut() -> Duration,
    ) {
        let row = self.rows.iter().position(|known| known == row).unwrap_or_else(|| {
            self.rows.push(row.into());
            self.rows.len() - 1
        });
        let best = &mut self.best;
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|passes| {
                let sum: Duration = (0..passes).map(|_| pass()).sum();
                let mean = sum.as_secs_f64() / passes as f64;
                best.entry((row, name)).and_modify(|best| *best = best.min(mean)).or_insert(mean);
                sum
            });
        });
    }

    /// The first column is what the others are compared with.
    pub(crate) fn print(&self, columns: &[&'static str], about: &str) {
        println!("\nTime for the same work, where {} takes 1.0. {about}\n", columns[0]);
        print!("{:<42}", "");
        columns.iter().for_each(|name| print!(" {name:>18}"));
        println!();
        for (row, what) in self.rows.iter().enumerate() {
            let Some(ours) = self.best.get(&(row, columns[0])) else { continue };
            print!("{what:<42}");
            for name in columns {
                match self.best.get(&(row, *name)) {
                    Some(time) => print!(" {:>18.2}", time / ours),
                    None => print!(" {:>18}", ""),
                }
            }
            println!();
        }
    }
}

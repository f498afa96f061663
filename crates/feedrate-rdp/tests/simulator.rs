//! RDPv3's first promise, in many schedules: a command is executed exactly once, or the session ends with an error.
//!
//! * `cargo test -p feedrate-rdp --test simulator`: some schedules.
//! * `RDP_SCHEDULES=200000 cargo test --release ... -- --nocapture`: many, from `RDP_FROM` (0) on, with what happened
//!   in them.
//! * `RDP_SEED=17 ... -- --nocapture`: one, with everything that happens.

use std::env;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use feedrate_testkit::machine::Sabotage;
use feedrate_testkit::rdp::{Tally, simulate};

fn number(name: &str) -> Option<u64> {
    env::var(name).ok().map(|value| value.parse().expect("a number"))
}

/// Runs these schedules on all cores. The first failures, by their number.
fn run(from: u64, schedules: u64, sabotage: Sabotage) -> (Tally, Vec<(u64, String)>) {
    let next = AtomicU64::new(from);
    let all = Mutex::new((Tally::default(), Vec::new()));
    let cores = number("RDP_CORES")
        .map_or_else(|| thread::available_parallelism().map_or(1, usize::from), |n| n as usize);
    thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                let (mut tally, mut failures) = (Tally::default(), Vec::new());
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= from + schedules {
                        break;
                    }
                    match simulate(seed, sabotage, false) {
                        Ok(one) => tally.absorb(&one),
                        Err(error) => failures.push((seed, error)),
                    }
                }
                let mut all = all.lock().expect("nobody panics");
                all.0.absorb(&tally);
                all.1.append(&mut failures);
            });
        }
    });
    let (tally, mut failures) = all.into_inner().expect("nobody panics");
    failures.sort();
    (tally, failures)
}

#[test]
fn exactly_once_or_an_error() {
    if let Some(seed) = number("RDP_SEED") {
        let tally =
            simulate(seed, Sabotage::None, true).unwrap_or_else(|error| panic!("schedule {seed}: {error}"));
        return eprintln!("{tally}");
    }
    let (from, schedules) = (
        number("RDP_FROM").unwrap_or(0),
        number("RDP_SCHEDULES").unwrap_or(if cfg!(debug_assertions) { 600 } else { 1_500 }),
    );
    let began = Instant::now();
    let (tally, failures) = run(from, schedules, Sabotage::None);
    let seconds = began.elapsed().as_secs_f64();
    eprintln!("{tally}{schedules} schedules in {seconds:.1} s, {:.0} a second", schedules as f64 / seconds);
    for (seed, error) in failures.iter().take(20) {
        let mut error = error.clone();
        error.truncate(600);
        eprintln!("schedule {seed} {error}");
    }
    assert!(
        failures.is_empty(),
        "{} of {schedules} schedules, the first is {:?}",
        failures.len(),
        failures.first()
    );
    // It has been where it was meant to be.
    for (group, name) in [
        ("commands", "executed"),
        ("commands", "unknown"),
        ("commands", "answered: done"),
        ("commands", "answered: refused"),
        ("packets", "lost"),
        ("packets", "replayed"),
        ("packets", "flipped bits"),
        ("closed", "Bye(Asked)"),
        ("closed", "Link(Reset(NoConnection))"),
        ("closed", "Patience"),
    ] {
        assert!(schedules < 600 || tally.get(group, name) > 0, "{group}: {name}");
    }
    assert_eq!(tally.get("packets", "intact that nobody sent (collisions)"), 0);
}

#[test]
fn a_schedule_is_all_made_of_its_number() {
    for seed in 0..20 {
        assert_eq!(simulate(seed, Sabotage::None, false), simulate(seed, Sabotage::None, false));
    }
}

/// An agent that does not keep the promises is found out.
#[test]
fn the_checks_can_fail() {
    for (sabotage, complaint) in [
        (Sabotage::Twice, "for the second time"),
        (Sabotage::Late, "after Some"),
        (Sabotage::Altered, "sent was"),
        (Sabotage::Earlier, "executed in session"),
        (Sabotage::Idle, "was done 0 times"),
        (Sabotage::Held, "is held for longer"),
        (Sabotage::Held, "in the machine stays"),
        (Sabotage::Mixed, "other memory"),
        (Sabotage::Reread, "was read 2 times"),
        (Sabotage::Outdated, "register"),
    ] {
        let (_, failures) = run(0, 60, sabotage);
        let found = failures.iter().filter(|(_, error)| error.contains(complaint)).count();
        assert!(found > 0, "{sabotage:?}: {failures:?}");
    }
}

//! RDPv3's promises, in many schedules (SPEC section 12).
//!
//! * `cargo test -p feedrate-rdp --test simulator`: some schedules.
//! * `RDP_SCHEDULES=200000 cargo test --release ... -- --nocapture`: many, from `RDP_FROM` (0) on, with what happened
//!   in them.
//! * `RDP_SEED=17 ... -- --nocapture`: one, with everything that happens.
//! * `RDP_DAYS=60 ...`: so many days of each of the long sessions; `RDP_HALTS=3000 ...`: so many Halts are measured.

use std::env;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use feedrate_testkit::rdp::sim::{Sabotage, Tally, drift, halt_latency, simulate};

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
fn what_is_promised() {
    if let Some(seed) = number("RDP_SEED") {
        let tally =
            simulate(seed, Sabotage::None, true).unwrap_or_else(|error| panic!("schedule {seed}: {error}"));
        return eprintln!("{tally}");
    }
    let (from, schedules) = (
        number("RDP_FROM").unwrap_or(0),
        number("RDP_SCHEDULES").unwrap_or(if cfg!(debug_assertions) { 1_000 } else { 4_000 }),
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
        ("commands", "unknown, and executed"),
        ("commands", "unknown, and not executed"),
        ("commands", "answered: refused"),
        ("packets", "lost"),
        ("packets", "replayed"),
        ("packets", "flipped bits"),
        ("connections", "busy"),
        ("connections", "of Attacker"),
        ("attacks", "Forge"),
        ("closed", "Ended(PeerLost)"),
        ("closed", "Ended(ClockBroken)"),
        ("closed", "Ended(ProgramChanged)"),
        ("closed", "Line(Reset(NoConnection))"),
        ("closed", "Refused(Stuck)"),
        ("events", "Stuck"),
        ("events", "ForceEnded"),
        ("machine", "records lost"),
        ("machine", "fail-safes"),
        ("refused", "Disordered"),
        ("refused", "Stuck"),
        ("all", "Halts within their bound"),
    ] {
        assert!(schedules < 1_000 || tally.get(group, name) > 0, "{group}: {name}");
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
        (Sabotage::Stranger, "no host's session"),
        (Sabotage::Unsent, "never sent"),
        (Sabotage::Idle, "was done 0 times"),
        (Sabotage::Old, "us old"),
        (Sabotage::Unrecorded, "done, and recorded is None"),
        (Sabotage::Held, "is held, and the journal does not know it"),
        (Sabotage::Held, "in the machine stays"),
        (Sabotage::Overlong, "is held for"),
        (Sabotage::NoReaction, "without the reaction before it"),
        (Sabotage::TrapsFirst, "behind a trap"),
        (Sabotage::NoEnd, "is not recorded"),
        (Sabotage::Mixed, "other memory"),
        (Sabotage::Reread, "was read 2 times"),
        (Sabotage::Outdated, "register"),
    ] {
        let (_, failures) = run(0, 60, sabotage);
        let found = failures.iter().filter(|(_, error)| error.contains(complaint)).count();
        assert!(found > 0, "{sabotage:?}: {failures:?}");
    }
}

/// SPEC section 12: (3 m + 48) / b, whatever else there is.
#[test]
fn halt_is_executed_within_its_bound() {
    let halts = number("RDP_HALTS").unwrap_or(60) as usize;
    for rate in [960, 11_520] {
        let latency = halt_latency(rate, halts, 5);
        let [bound, largest, median] =
            [latency.bound, latency.largest, latency.median].map(|micros| micros as f64 / 1000.0);
        eprintln!(
            "{} baud: {bound:.1} ms at most, largest {largest:.1} ms, median {median:.1} ms",
            rate * 10
        );
        assert!(latency.largest <= latency.bound, "{latency:?}");
        assert_eq!(latency.halts, halts);
    }
}

/// Nobody's clock is right, for weeks: a session of a day after another, with Heartbeats, and a command now and then.
#[test]
fn drift_makes_nothing_stale_and_nobody_lost() {
    let hours = number("RDP_DAYS").map_or(2, |days| days * 24);
    for (drifts, stream) in
        [([20_000, -20_000], true), ([-20_000, 20_000], true), ([20_000, 0], false), ([-20_000, 0], false)]
    {
        let began = Instant::now();
        let told =
            drift(hours, drifts, stream).unwrap_or_else(|error| panic!("{drifts:?}, {stream}: {error}"));
        let seconds = began.elapsed().as_secs_f64();
        eprintln!("{hours} hours, {drifts:?}, stream {stream}: {told:?}, in {seconds:.1} s");
        assert!(told.refused == 0 && told.answered == told.asked, "{told:?}");
        // Every ten minutes two commands, and every half an hour a Halt.
        assert!(u64::from(told.asked) >= hours * 12 && u64::from(told.halts) + 2 >= hours * 2, "{told:?}");
    }
}

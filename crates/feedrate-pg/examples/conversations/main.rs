//! Random conversations with real servers, shown to an [`Observer`](feedrate_pg::observer::Observer) as a proxy would
//! see them.
//!
//! ```text
//! conversations --ports FILE [--count N] [--seed N] [--majors 10,18] [--threads N] [--record FILE]
//! ```
//!
//! FILE has a line `MAJOR PORT` for each server, as `tests/rig/servers.sh start` writes it. It checks that no message
//! of a server is unexpected, that a ReadyForQuery comes only where one may be owed, that every conversation that is
//! drained ends exact and in step, and that a client that keeps to the protocol is never found to do otherwise. Faults
//! are then put into what passed, and have to be found.

mod faults;
mod golden;
mod play;
mod random;
mod sql;
mod standby;
mod wire;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::faults::Found;
use crate::play::{Conversation, End, From, Kind, Passed, Seen};
use crate::random::Random;

#[derive(Debug, Default)]
struct Total {
    conversations: u64,
    messages: u64,
    ends: BTreeMap<String, u64>,
    unknown: BTreeMap<String, u64>,
    /// Conversations with any of these.
    doubtful: BTreeMap<String, u64>,
    rounds: BTreeMap<u64, u64>,
    wrong: u64,
    lawful: u64,
    found: Found,
}

/// Conversations that show something that none before them shows.
#[derive(Debug, Default)]
struct Record {
    seen: BTreeSet<String>,
    text: String,
}

fn main() -> ExitCode {
    let mut options: BTreeMap<String, String> = BTreeMap::new();
    let mut arguments = std::env::args().skip(1);
    while let (Some(name), value) = (arguments.next(), arguments.next()) {
        options.insert(name, value.unwrap_or_default());
    }
    let number =
        |name: &str, default| options.get(name).map_or(default, |text| text.parse().expect("a number"));
    let (count, seed, threads) = (number("--count", 900_u64), number("--seed", 1), number("--threads", 8));
    let file = options.get("--ports").expect("--ports FILE");
    let ports = std::fs::read_to_string(file).expect("the file of ports");
    let majors = options.get("--majors").map(|list| list.split(',').map(String::from).collect::<Vec<_>>());
    let servers: Vec<(String, u16)> = ports
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(major, port)| (major.to_owned(), port.trim().parse().expect("a port")))
        .filter(|(major, _)| majors.as_ref().is_none_or(|majors| majors.contains(major)))
        .collect();
    let places: Vec<String> = servers.iter().map(|(_, port)| prepare(*port)).collect();

    let next = AtomicU64::new(0);
    let record = Mutex::new(Record::default());
    let totals = Mutex::new(BTreeMap::<String, Total>::new());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Relaxed);
                    if number >= count {
                        return;
                    }
                    let which = usize::try_from(number).unwrap() % servers.len();
                    let (major, port) = &servers[which];
                    one(major, *port, &places[which], seed, number, &totals, &record);
                }
            });
        }
    });
    if let Some(path) = options.get("--record") {
        std::fs::write(path, record.into_inner().unwrap().text).expect("the record can be written");
    }
    report(&totals.into_inner().unwrap())
}

/// Makes the tables, and returns where the log ends.
fn prepare(port: u16) -> String {
    let mut set_up = Conversation::connect(port, Kind::Sql, Random::new(0), 64).expect("a server");
    set_up.ask(sql::SCHEMA);
    let place = set_up.ask("select pg_current_wal_lsn()::text");
    assert!(set_up.wrong.is_none(), "{:?}", set_up.wrong);
    place
}

fn one(
    major: &str,
    port: u16,
    place: &str,
    seed: u64,
    number: u64,
    totals: &Mutex<BTreeMap<String, Total>>,
    record: &Mutex<Record>,
) {
    let mut random = Random::new(seed.wrapping_mul(1_000_003).wrapping_add(number));
    let kind = match random.below(20) {
        0..16 => Kind::Sql,
        16..18 => Kind::Physical,
        _ => Kind::Logical,
    };
    let lawful = random.percent(25);
    let slots = if random.percent(20) { 2 + random.below(4) } else { 64 };
    let slot = format!("s{number}");
    let turns = match (lawful, kind) {
        (false, _) => Vec::new(),
        (true, Kind::Sql) => sql::lawful(&mut random),
        (true, _) => standby::lawful(&mut random, &slot, place, kind == Kind::Logical),
    };
    let connected = Conversation::connect(port, kind, random, usize::try_from(slots).unwrap());
    let Ok(mut conversation) = connected else {
        let mut totals = totals.lock().unwrap();
        *totals.entry(major.to_owned()).or_default().ends.entry("not begun".into()).or_default() += 1;
        return;
    };
    if lawful {
        conversation.perform(turns);
        if conversation.seen.unexpected_frontend > 0 {
            conversation.wrong = Some("a lawful client is found to be none".into());
        }
    } else {
        conversation.improvise(kind, &slot, place);
    }
    let end = conversation.drain(kind, lawful);
    let slots = usize::try_from(slots).unwrap();
    let mut found = Found::default();
    if conversation.wrong.is_none() {
        let mut random = Random::new(seed ^ number);
        conversation.wrong = faults::inject(&conversation.passed, slots, &mut random, &mut found);
    }
    if conversation.wrong.is_none() && end != End::Stuck {
        record.lock().unwrap().offer(major, slots, &conversation.passed);
    }
    let mut totals = totals.lock().unwrap();
    let total = totals.entry(major.to_owned()).or_default();
    total.conversations += 1;
    total.found.add(&found);
    total.lawful += u64::from(lawful);
    let Seen { messages, unknown, rounds, .. } = &conversation.seen;
    total.messages += messages;
    *total.ends.entry(format!("{end:?}")).or_default() += 1;
    for (name, times) in unknown {
        *total.unknown.entry(name.clone()).or_default() += times;
        *total.doubtful.entry(name.clone()).or_default() += 1;
    }
    *total.rounds.entry(*rounds).or_default() += 1;
    if matches!(end, End::Lost | End::Stuck) && conversation.wrong.is_none() {
        println!("PostgreSQL {major}, seed {seed}, conversation {number}: {end:?}");
        show(&conversation.passed);
    }
    if let Some(wrong) = &conversation.wrong {
        total.wrong += 1;
        println!("PostgreSQL {major}, seed {seed}, conversation {number} ({kind:?}): {wrong}");
        show(&conversation.passed);
    }
}

impl Record {
    /// Keeps a short conversation that shows something new.
    fn offer(&mut self, major: &str, slots: usize, passed: &[Passed]) {
        const LONGEST: usize = 70;
        const MOST: usize = 48 * 1024;
        if passed.len() > LONGEST || self.text.len() > MOST {
            return;
        }
        let keys = passed.windows(2).map(|two| {
            let [before, now] = two else { return String::new() };
            format!(
                "{:?}{}{}",
                now.from,
                now.bytes[0],
                before.golden.replace(|it: char| it.is_ascii_digit(), "")
            )
        });
        let new: Vec<String> = keys.filter(|key| !self.seen.contains(key)).collect();
        // Nearly everything is new at first.
        if new.len() * 5 < passed.len() {
            return;
        }
        self.seen.extend(new);
        writeln!(self.text, "= {major} {slots}").unwrap();
        for Passed { from, bytes, golden, .. } in passed {
            writeln!(self.text, "{}", golden::line(*from == From::Frontend, bytes, golden)).unwrap();
        }
    }
}

/// The last messages.
fn show(passed: &[Passed]) {
    for (at, Passed { from, bytes, expected, .. }) in
        passed.iter().enumerate().skip(passed.len().saturating_sub(60))
    {
        let arrow = if *from == From::Frontend { "F->" } else { "<-B" };
        let unexpected = if *expected { "" } else { "  (unexpected)" };
        let text = bytes[..bytes.len().min(130)].escape_ascii();
        if !matches!(bytes[0], b'S' if *from == From::Backend) {
            println!("  {at:3} {arrow} {text}{unexpected}");
        }
    }
}

fn report(totals: &BTreeMap<String, Total>) -> ExitCode {
    let mut wrong = 0;
    for (major, total) in totals {
        println!(
            "PostgreSQL {major}: {} conversations, {} lawful, {} messages, {} contradicted",
            total.conversations, total.lawful, total.messages, total.wrong
        );
        println!("  ends {:?}, rounds to drain {:?}", total.ends, total.rounds);
        for (name, times) in &total.unknown {
            println!("  {name} {times} messages, in {} conversations", total.doubtful[name]);
        }
        wrong += total.wrong;
    }
    let mut found = Found::default();
    totals.values().for_each(|total| found.add(&total.found));
    for (kind, [put, place, later, never]) in &found.0 {
        println!("messages {kind}: {put}, found at their place {place}, later {later}, never {never}");
    }
    if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

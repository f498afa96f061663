//! Random SQL conversations, legal and illegal.

use crate::random::Random;
use crate::wire::{bind, call, describe, execute, fail, message, parse, query};

/// Once for each server, before all conversations.
pub(crate) const SCHEMA: &str = "
drop table if exists sink, later, ruled;
create table sink (a int, b text);
create or replace function swallow() returns trigger language plpgsql as 'begin return null; end';
create trigger swallow before insert on sink for each row execute procedure swallow();
create table later (a int unique deferrable initially deferred);
create table ruled (a int);
create rule more as on insert to ruled do also select 1 as one;
create rule again as on insert to ruled do also select 2 as two, generate_series(1, 2);
create rule nothing as on delete to ruled do instead nothing";

/// What any client may ask for, without COPY.
const PLAIN: &[&str] = &[
    "select 1",
    "select 1",
    "select generate_series(1, 5)",
    "",
    " ; ",
    "select 1; select 2",
    "select 1; select 1/0; select 2",
    "select 1/0",
    "select 10/(3-generate_series(1, 5))",
    "syntax error",
    "begin",
    "begin",
    "commit",
    "rollback",
    "begin; select 1",
    "begin; select 1/0",
    "commit; select 1",
    "savepoint s",
    "rollback to s",
    "select",
    "values (1), (2), (3)",
    "insert into later values (1), (1)",
    "insert into sink values (1, 'a')",
    "insert into ruled values (1)",
    "delete from ruled",
    "update sink set a = 2 returning a",
    "with x as (select generate_series(1, 3) y) select y from x",
    "do 'begin raise notice ''noted''; end'",
    "do 'begin raise exception ''no''; end'",
    "set application_name = 'somebody'",
    "set application_name = 'nobody'; select 1",
    "set local datestyle = 'sql'",
    "reset all",
    "show work_mem",
    "explain select 1",
    "listen here",
    "notify here, 'x'",
    "notify here; select 1",
    "declare c cursor with hold for select generate_series(1, 4)",
    "fetch 2 from c",
    "close c",
    "prepare p as select generate_series(1, 3)",
    "execute p",
    "deallocate p",
    "create temp table if not exists mine (a int)",
    "select * into temp table other from generate_series(1, 3)",
    "discard all",
    "select pg_sleep(0.002)",
    "copy (select generate_series(1, 4)) to stdout",
    "copy (select 10/(3-generate_series(1, 5))) to stdout",
    "copy sink to stdout; select 1; copy (select 1) to stdout",
];

const COPY_IN: &[&str] = &[
    "copy sink from stdin",
    "copy sink from stdin",
    "copy sink(a) from stdin",
    "copy later from stdin",
    "copy sink from stdin; copy sink from stdin",
    "copy sink from stdin; select 1",
    "select 1; copy sink from stdin",
    "begin; copy sink from stdin",
    "copy nowhere from stdin",
    "copy sink from stdin (format binary)",
];

const NAMES: &[&str] = &["", "", "", "a", "b"];

fn sql(random: &mut Random) -> &'static str {
    let from = if random.percent(18) { COPY_IN } else { PLAIN };
    random.pick(from)
}

/// One message of a client that keeps to nothing.
pub(crate) fn anything(random: &mut Random) -> Vec<u8> {
    let name = random.pick(NAMES);
    let portal = random.pick(NAMES);
    match random.below(100) {
        0..18 => query(sql(random)),
        18..30 => parse(name, sql(random)),
        30..41 => bind(portal, name, if random.percent(8) { 1 } else { 0 }),
        41..50 => describe(b'D', if random.percent(50) { b'S' } else { b'P' }, name),
        50..63 => execute(portal, limit(random)),
        63..66 => describe(b'C', if random.percent(50) { b'S' } else { b'P' }, name),
        66..80 => message(b'S', b""),
        80..83 => message(b'H', b""),
        83..86 => call(if random.percent(50) { 177 } else { 1598 }, if random.percent(60) { 2 } else { 0 }),
        86..92 => data(random),
        92..95 => message(b'c', b""),
        95..97 => fail(),
        97..99 => malformed(random),
        _ => fatal(random),
    }
}

fn limit(random: &mut Random) -> i32 {
    *random.pick(&[&0, &0, &1, &2, &3, &5, &100, &-1])
}

fn data(random: &mut Random) -> Vec<u8> {
    message(
        b'd',
        random.pick(&[&b"1\ta\n"[..], b"1\ta\n", b"2\tb\n3\tc\n", b"x\ty\n", b"1\n", b"", b"\\.\n"]),
    )
}

/// A message whose body is none.
fn malformed(random: &mut Random) -> Vec<u8> {
    let tag = *random.pick(&[&b'Q', &b'P', &b'B', &b'D', &b'E', &b'C', &b'S', &b'H', &b'F', &b'f', &b'c']);
    let body = match random.below(4) {
        0 => vec![],
        1 => vec![b'x'],
        2 => b"abc\0\0\0\0\0\0\0\0\0\0\0\0".to_vec(),
        _ => vec![0; 300],
    };
    message(tag, &body)
}

/// A message that ends the connection, in most versions.
fn fatal(random: &mut Random) -> Vec<u8> {
    match random.below(6) {
        0 => message(b'X', b""),
        1 => message(b'y', b"what"),
        2 => message(b'p', b"secret\0"),
        3 => message(b'S', &[b'x'; 20_000]),
        4 => message(b'D', &[b'x'; 20_000]),
        _ => query("select pg_terminate_backend(pg_backend_pid())"),
    }
}

/// What a client does that knows the protocol: messages, and whether it waits for CopyInResponse behind them.
pub(crate) fn lawful(random: &mut Random) -> Vec<Turn> {
    let mut turns = Vec::new();
    for _ in 0..=random.below(4) {
        match random.below(10) {
            0..4 => turns.push(Turn::Send(query(random.pick(PLAIN)))),
            4..8 => {
                for _ in 0..=random.below(3) {
                    let (sql, executions) = (random.pick(PLAIN), 1 + random.below(3));
                    batch(random, sql, executions, &mut turns);
                }
                turns.push(Turn::Send(message(b'S', b"")));
            }
            8 => {
                turns.push(Turn::Send(query(random.pick(COPY_IN))));
                turns.push(Turn::Copy);
            }
            _ => {
                batch(random, "copy sink from stdin", 1, &mut turns);
                turns.push(Turn::Send(message(b'H', b"")));
                turns.push(Turn::Copy);
                turns.push(Turn::Send(message(b'S', b"")));
            }
        }
        if random.percent(30) {
            turns.push(Turn::Rest);
        }
    }
    turns
}

#[derive(Debug)]
pub(crate) enum Turn {
    Send(Vec<u8>),
    /// Waits for CopyInResponse, and sends data, as often as it comes.
    Copy,
    /// Waits until nothing is owed.
    Rest,
    /// Waits for CopyBothResponse, or an error.
    Streaming,
}

fn batch(random: &mut Random, sql: &str, executions: u64, turns: &mut Vec<Turn>) {
    let (name, portal) = (random.pick(NAMES), random.pick(NAMES));
    let mut send = |bytes| turns.push(Turn::Send(bytes));
    if !name.is_empty() {
        send(describe(b'C', b'S', name));
    }
    if !portal.is_empty() {
        send(describe(b'C', b'P', portal));
    }
    send(parse(name, sql));
    if random.percent(30) {
        send(describe(b'D', b'S', name));
    }
    send(bind(portal, name, 0));
    if random.percent(50) {
        send(describe(b'D', b'P', portal));
    }
    for _ in 0..executions {
        send(execute(portal, limit(random)));
        if random.percent(20) {
            send(message(b'H', b""));
        }
    }
}

/// Data of a client that knows the protocol, to the end.
pub(crate) fn copy(random: &mut Random) -> Vec<Vec<u8>> {
    let mut messages = Vec::new();
    for _ in 0..random.below(4) {
        messages.push(data(random));
        if random.percent(10) {
            messages.push(message(b'H', b""));
        }
    }
    messages.push(if random.percent(80) { message(b'c', b"") } else { fail() });
    messages
}

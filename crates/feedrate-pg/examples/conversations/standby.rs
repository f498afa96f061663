//! Random conversations on replication connections, legal and illegal.

use crate::random::Random;
use crate::sql;
use crate::wire::{fail, message, query};

/// `$place` is where the server's log ends.
const COMMANDS: &[&str] = &[
    "IDENTIFY_SYSTEM",
    "IDENTIFY_SYSTEM",
    "SHOW work_mem",
    "TIMELINE_HISTORY 1",
    "CREATE_REPLICATION_SLOT $slot TEMPORARY PHYSICAL",
    "CREATE_REPLICATION_SLOT $slot TEMPORARY LOGICAL test_decoding",
    "CREATE_REPLICATION_SLOT $slot TEMPORARY LOGICAL pgoutput",
    "READ_REPLICATION_SLOT $slot",
    "DROP_REPLICATION_SLOT $slot",
    "START_REPLICATION SLOT $slot LOGICAL 0/0",
    "START_REPLICATION SLOT $slot LOGICAL 0/0",
    "START_REPLICATION $place",
    "START_REPLICATION $place",
    "START_REPLICATION $place TIMELINE 7",
    "UPLOAD_MANIFEST",
    "START_REPLICATION nonsense",
    "",
    "select 1",
    "begin",
    "commit",
    "create temp table t (a int); copy t from stdin",
];

/// One message of a standby that keeps to nothing. `place` is where the server's log ends.
pub(crate) fn anything(random: &mut Random, slot: &str, place: &str) -> Vec<u8> {
    match random.below(100) {
        0..45 => {
            let command = random.pick(COMMANDS);
            query(&command.replace("$slot", slot).replace("$place", place))
        }
        45..60 => message(b'd', &status(random.percent(30))),
        60..64 => message(b'd', random.pick(&[&b""[..], b"x", b"r", b"h123"])),
        64..78 => message(b'c', b""),
        78..84 => message(b'S', b""),
        84..86 => message(b'H', b""),
        86..88 => fail(),
        _ => sql::anything(random),
    }
}

/// A standby's status update, which may ask for an answer.
fn status(answer: bool) -> Vec<u8> {
    let mut body = vec![b'r'];
    body.extend([0; 32]);
    body.push(answer.into());
    body
}

/// What a standby does that knows the protocol.
pub(crate) fn lawful(random: &mut Random, slot: &str, place: &str, database: bool) -> Vec<sql::Turn> {
    use sql::Turn::{Rest, Send};
    let mut turns = vec![Send(query("IDENTIFY_SYSTEM")), Rest];
    if random.percent(10) {
        turns.push(Send(query("BASE_BACKUP FAST")));
        turns.push(Rest);
    }
    let start = if database {
        let create = format!("CREATE_REPLICATION_SLOT {slot} TEMPORARY LOGICAL test_decoding");
        turns.extend([Send(query(&create)), Rest]);
        format!("START_REPLICATION SLOT {slot} LOGICAL 0/0")
    } else {
        format!("START_REPLICATION {place}")
    };
    turns.extend([Send(query(&start)), sql::Turn::Streaming]);
    for _ in 0..random.below(4) {
        turns.push(Send(message(b'd', &status(random.percent(50)))));
    }
    turns.extend([Send(message(b'c', b"")), Rest]);
    if random.percent(50) {
        turns.extend([Send(query("SHOW work_mem")), Rest]);
    }
    turns
}

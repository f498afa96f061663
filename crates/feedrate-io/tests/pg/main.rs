//! A client of PostgreSQL over tokio's traits: futures that are dropped, and servers that attack. Real servers are in
//! tests/rig/login.sh and session.sh.

mod attacks;
mod cancel;
#[path = "../tokio/trickle.rs"]
mod trickle;

use feedrate::Encode;
use feedrate::pg::List;
use feedrate::pg::backend::{
    Authentication, CommandComplete, DataRow, ErrorResponse, NoticeField, ReadyForQuery, RowDescription,
    TransactionStatus, field,
};

fn bytes(messages: &[&dyn Wire]) -> Vec<u8> {
    messages.iter().flat_map(|message| message.wire()).collect()
}

/// What can be encoded, as an object.
trait Wire {
    fn wire(&self) -> Vec<u8>;
}

impl<T: Encode> Wire for T {
    fn wire(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.encode(&mut out).expect("a message that can be written");
        out
    }
}

const READY: ReadyForQuery = ReadyForQuery { status: TransactionStatus::Idle };

/// The answer to a query: rows that differ in length, and the end.
fn answer(rows: usize) -> Vec<u8> {
    let mut out = RowDescription::default().wire();
    for row in 0..rows {
        let value = "x".repeat(row * 7 % 50);
        out.extend(DataRow { columns: List::from(&[Some(value.as_bytes())]) }.wire());
    }
    out.extend(bytes(&[&CommandComplete { tag: "SELECT".into() }, &READY]));
    out
}

fn error(state: &str) -> Vec<u8> {
    let fields = [
        NoticeField { code: field::SEVERITY_NONLOCALIZED, value: "FATAL".into() },
        NoticeField { code: field::CODE, value: state.into() },
        NoticeField { code: field::MESSAGE, value: "no".into() },
    ];
    ErrorResponse { fields: List::from(&fields) }.wire()
}

/// Logged in without being asked for anything.
fn welcome() -> Vec<u8> {
    bytes(&[&Authentication::Ok, &READY])
}

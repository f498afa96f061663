//! What is decoded.

use bytes::BytesMut;
use feedrate::Encode;
use feedrate::pg::{Format, List, backend, frontend};

/// The shape of a result's rows.
#[derive(Debug, Clone, Copy)]
pub struct Rows {
    pub name: &'static str,
    columns: usize,
    /// Least and greatest number of bytes in a value.
    width: (usize, usize),
    /// One of so many values is NULL.
    nulls: usize,
}

/// Three columns of some ten bytes: the length words are so near to each other that finding the next
/// message is what takes the time.
pub const NARROW: Rows = Rows { name: "narrow rows", columns: 3, width: (6, 14), nulls: 40 };
/// Fifty columns: the values are what takes the time.
pub const WIDE: Rows = Rows { name: "wide rows", columns: 50, width: (6, 14), nulls: 40 };
/// One binary value of 1 KiB.
pub const BYTEA: Rows = Rows { name: "1 KiB bytea", columns: 1, width: (1024, 1024), nulls: usize::MAX };

impl Rows {
    /// Results of up to a thousand rows, with what comes between them, until there are `least` bytes. It
    /// ends where a message does.
    pub fn stream(self, least: usize) -> Vec<u8> {
        let mut out = Vec::with_capacity(least + 8192);
        let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
        let value = [b'x'; 1024];
        let field = backend::Field { name: "column".into(), type_oid: 25, ..Default::default() };
        let fields = vec![field; self.columns];
        let mut columns = Vec::with_capacity(self.columns);
        let mut rows = 0;
        while out.len() < least {
            if rows % 1000 == 0 {
                put(backend::CommandComplete { tag: "SELECT 1000".into() }, &mut out);
                put(backend::ReadyForQuery { status: backend::TransactionStatus::Idle }, &mut out);
                put(backend::RowDescription { fields: List::from(&fields[..]) }, &mut out);
            }
            columns.clear();
            for _ in 0..self.columns {
                let (min, max) = self.width;
                let length = min + dice.below(max - min + 1);
                columns.push((dice.below(self.nulls) != 0).then_some(&value[..length]));
            }
            put(backend::DataRow { columns: List::from(&columns[..]) }, &mut out);
            rows += 1;
        }
        out
    }
}

/// Parse, Bind, Describe, Execute, Sync, over and over, as a driver sends them.
pub fn pipelines(least: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(least + 1024);
    while out.len() < least {
        pipeline(&mut out);
    }
    out
}

pub const STATEMENT: &str = "s42";
pub const SQL: &str = "update accounts set balance = balance + $1 where branch = $2 and id = $3";
pub const TYPES: [u32; 3] = [20, 23, 25];
pub const PARAMETERS: [Option<&[u8]>; 3] = [Some(b"-1234567"), Some(b"17"), Some(b"some account")];

fn pipeline(out: &mut Vec<u8>) {
    put(
        frontend::Parse { statement: STATEMENT.into(), sql: SQL.into(), parameter_types: List::from(&TYPES) },
        out,
    );
    put(
        frontend::Bind {
            portal: "".into(),
            statement: STATEMENT.into(),
            parameter_formats: List::from(&[Format::TEXT]),
            parameters: List::from(&PARAMETERS),
            result_formats: List::from(&[Format::BINARY]),
        },
        out,
    );
    put(frontend::Describe { target: frontend::Target::Portal("".into()) }, out);
    put(frontend::Execute { portal: "".into(), max_rows: 0 }, out);
    put(frontend::Sync, out);
}

fn put(message: impl Encode, out: &mut Vec<u8>) {
    message.encode(out).expect("the message is valid");
}

/// The stream as a peer can have it at best: whole, in memory that it may cut up.
pub fn whole(stream: &[u8]) -> BytesMut {
    BytesMut::from(stream)
}

/// xorshift64: the same stream every time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n as u64) as usize
    }
}

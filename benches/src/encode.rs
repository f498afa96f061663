//! What a driver sends and what a server answers, written into memory that is used again.

use bytes::{BufMut, BytesMut};
use feedrate::pg::{Format, List, backend, frontend};
use feedrate::{Encode, Output};
use pgwire::messages::Message as _;
use pgwire::messages::{data, extendedquery};
use postgres_protocol::IsNull;
use postgres_protocol::message::frontend as postgres;
use std::hint::black_box;

use crate::streams::{PARAMETERS, SQL, STATEMENT, TYPES};

/// Parse, Bind, Execute, Sync, `times` over.
#[inline(never)]
pub fn feedrate_pipeline<O: Output>(out: &mut O, times: usize) {
    for _ in 0..times {
        let (statement, sql, parameters) = black_box((STATEMENT, SQL, &PARAMETERS));
        let messages: Result<_, feedrate::EncodeError> = (|| {
            frontend::Parse {
                statement: statement.into(),
                sql: sql.into(),
                parameter_types: List::from(&TYPES),
            }
            .encode(out)?;
            frontend::Bind {
                portal: "".into(),
                statement: statement.into(),
                parameter_formats: List::from(&[Format::TEXT]),
                parameters: List::from(parameters),
                result_formats: List::from(&[Format::BINARY]),
            }
            .encode(out)?;
            frontend::Execute { portal: "".into(), max_rows: 0 }.encode(out)?;
            frontend::Sync.encode(out)
        })();
        messages.expect("good messages, and room for them");
    }
}

#[inline(never)]
pub fn postgres_pipeline(out: &mut BytesMut, times: usize) {
    for _ in 0..times {
        let (statement, sql, parameters) = black_box((STATEMENT, SQL, &PARAMETERS));
        postgres::parse(statement, sql, TYPES, out).expect("a good message");
        let write = |value: Option<&[u8]>, out: &mut BytesMut| match value {
            Some(value) => {
                out.extend_from_slice(value);
                Ok(IsNull::No)
            }
            None => Ok(IsNull::Yes),
        };
        let bound = postgres::bind("", statement, [0], parameters.iter().copied(), write, [1], out);
        assert!(bound.is_ok(), "a good message");
        postgres::execute("", 0, out).expect("a good message");
        postgres::sync(out);
    }
}

/// Its messages own their fields, so that making them is part of sending them.
#[inline(never)]
pub fn pgwire_pipeline(out: &mut BytesMut, times: usize) {
    for _ in 0..times {
        let (statement, sql, parameters) = black_box((STATEMENT, SQL, &PARAMETERS));
        let sent: Result<_, pgwire::error::PgWireError> = (|| {
            extendedquery::Parse::new(Some(statement.into()), sql.into(), TYPES.to_vec()).encode(out)?;
            let parameters = parameters.iter().map(|value| value.map(bytes::Bytes::from_static)).collect();
            extendedquery::Bind::new(None, Some(statement.into()), vec![0], parameters, vec![1])
                .encode(out)?;
            extendedquery::Execute::new(None, 0).encode(out)?;
            extendedquery::Sync::new().encode(out)
        })();
        sent.expect("good messages");
    }
}

/// Rows of the columns that `PARAMETERS` has.
#[inline(never)]
pub fn feedrate_rows<O: Output>(out: &mut O, times: usize) {
    for _ in 0..times {
        let columns = black_box(&PARAMETERS);
        backend::DataRow { columns: List::from(columns) }
            .encode(out)
            .expect("a good message, and room for it");
    }
}

/// Its row is the columns' bytes, which its user writes.
#[inline(never)]
pub fn pgwire_rows(out: &mut BytesMut, times: usize) {
    let mut body = BytesMut::new();
    for _ in 0..times {
        let columns = black_box(&PARAMETERS);
        for value in columns {
            match value {
                Some(value) => {
                    body.put_i32(value.len() as i32);
                    body.put_slice(value);
                }
                None => body.put_i32(-1),
            }
        }
        let row = data::DataRow::new(body.split(), columns.len() as i16);
        row.encode(out).expect("a good message");
    }
}

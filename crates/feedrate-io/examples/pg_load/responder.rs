//! A server that answers each Query with rows.

use feedrate::Grow;
use feedrate::pg::backend::{
    Authentication, CommandComplete, DataRow, Field, ReadyForQuery, RowDescription, TransactionStatus,
};
use feedrate::pg::frontend::{Message, Query};
use feedrate::pg::{Frontend, List};
use feedrate_io::tokio::Connection;
use feedrate_io::{Limits, socket::TcpOptions};
use tokio::net::{TcpListener, TcpStream};

use crate::client::Result;

pub(crate) async fn serve() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on {}", listener.local_addr()?);
    loop {
        let Ok((socket, _)) = listener.accept().await else { continue };
        tokio::spawn(async move {
            // Some clients break off.
            let _ = answer(socket).await;
        });
    }
}

async fn answer(socket: TcpStream) -> Result<()> {
    TcpOptions::new().apply(&socket)?;
    // As PostgreSQL, it waits for who takes nothing.
    let limits = Limits::new().message(None).progress(None);
    let mut pg = Connection::new(socket, Frontend::new(), Grow::new(1 << 16), limits);
    let ready = ReadyForQuery { status: TransactionStatus::Idle };
    while let Some((frame, mut out)) = pg.incoming().await? {
        match frame.message()? {
            Message::StartupMessage(_) => {
                out.push(&Authentication::Ok)?;
                out.push(&ready)?;
                pg.protocol_mut().authenticated();
                pg.established();
            }
            Message::Query(Query { sql }) => {
                let rows: usize = sql.to_str()?.parse()?;
                let fields = [Field { name: "v".into(), ..Field::default() }];
                out.push(&RowDescription { fields: List::from(&fields) })?;
                let columns = [Some(&[b'x'; 100][..])];
                for _ in 0..rows {
                    out.send(&DataRow { columns: List::from(&columns) }).await?;
                }
                out.push(&CommandComplete { tag: "SELECT".into() })?;
                out.push(&ready)?;
            }
            _ => break,
        }
    }
    Ok(pg.shutdown().await?)
}

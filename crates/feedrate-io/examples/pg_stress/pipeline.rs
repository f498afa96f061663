//! One long pipeline.

use std::net::SocketAddr;

use feedrate::Grow;
use feedrate::pg::backend::Message;
use feedrate::pg::frontend::{self, Bind, Parse};
use feedrate::pg::{Backend, List};
use feedrate_io::Limits;
use feedrate_io::pg::is_full;
use feedrate_io::tokio::Connection;
use feedrate_pg::auth::ChannelBinding;
use feedrate_pg::client::Portal;
use feedrate_pg::conninfo::{Keyword, Settings};
use tokio::net::TcpSocket;

use crate::reach::{Failure, connector};

/// Bytes of each row.
const ROW: usize = 4000;
/// Bytes of a socket's buffers.
const BUFFER: u32 = 4096;

pub(crate) async fn run(text: &str, binds: u64) -> Result<(), Failure> {
    let mut settings = Settings::new(Vec::new());
    settings.parse(text)?;
    let host = settings.get(Keyword::Host).ok_or("an address is needed")?.to_string();
    let port = settings.get(Keyword::Port).ok_or("a port is needed")?.to_string();
    let address: SocketAddr = format!("{host}:{port}").parse()?;
    let socket = TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(BUFFER)?;
    socket.set_send_buffer_size(BUFFER)?;
    let socket = socket.connect(address).await?;
    let limits = Limits::new().queued(1 << 16);
    let connection = Connection::new(socket, Backend::new(), Grow::new(1 << 16), limits);
    let mut pg = connector(text)?.requests(64).login(connection, ChannelBinding::NoTls).await?;

    let sql = format!("select $1::bigint, repeat('x', {ROW})");
    let parse = pg.push(&Parse { sql: sql.as_str().into(), statement: "s".into(), ..Parse::default() })?;
    let (mut pushed, mut rows, mut longest) = (0_u64, 0_u64, 0_usize);
    let mut sync = None;
    // Each takes two requests, and the first Execute comes behind the first Bind.
    loop {
        while pushed < 2 * binds {
            let value = (pushed / 2).to_string();
            let values = [Some(value.as_bytes())];
            let bind = Bind { statement: "s".into(), parameters: List::from(&values), ..Bind::default() };
            let sent = if pushed % 2 == 0 { pg.push(&bind) } else { pg.push(&Portal::of(&bind).execute(0)) };
            match sent {
                Ok(_) => pushed += 1,
                Err(error) if is_full(&error) => break,
                Err(error) => return Err(error.into()),
            }
        }
        if pushed == 2 * binds && sync.is_none() {
            sync = pg.push(&frontend::Sync).ok();
        }
        longest = longest.max(pg.connection().queued());
        let event = pg.next().await?.ok_or("the server has ended the session")?;
        match event.message {
            Message::DataRow(row) => {
                let value = row.columns.get(0).flatten().ok_or("a value is missing")?;
                let of = parse + 2 + 2 * rows;
                if value != rows.to_string().as_bytes() || event.request != Some(of) {
                    return Err(format!("row {rows} is another one, of {:?}", event.request).into());
                }
                rows += 1;
            }
            Message::ErrorResponse(error) => return Err(error.to_string().into()),
            Message::ReadyForQuery(_) if event.request == sync && sync.is_some() => break,
            _ => {}
        }
    }
    if rows != binds {
        return Err(format!("{rows} rows").into());
    }
    println!(
        "{binds} Binds, {} bytes of rows, at most {longest} bytes queued, {} KiB of memory",
        rows * ROW as u64,
        memory()
    );
    Ok(())
}

/// The most that this process has held, in KiB.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or_default()
}

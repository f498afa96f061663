//! PostgreSQL's messages, WebSocket's, and none.

use std::io;
use std::time::Duration;

use feedrate::Grow;
use feedrate::pg::backend::{self, CommandComplete};
use feedrate::pg::frontend::{self, Query};
use feedrate::pg::{Backend, Frontend};
use feedrate_io::tokio::Connection;
use feedrate_io::ws::{ClientConfig, Config, Origins, WebSocket, Whole};
use feedrate_io::{Late, ws};
use feedrate_ws::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{MissedTickBehavior, interval};

use crate::plan::{Plan, talks};

const PACE: Duration = Duration::from_millis(250);
/// Bytes of a message of [`pour`].
const MUCH: usize = 16 * 1024;

fn late(late: Late) -> String {
    match late {
        Late::Idle(_) => "idle".into(),
        Late::Message(_) => "message".into(),
        Late::Progress(_) => "progress".into(),
        Late::Pong(_) => "pong".into(),
        late => late.to_string(),
    }
}

fn why<E: std::error::Error>(error: feedrate_io::Error<E, io::Error>) -> String {
    match error {
        feedrate_io::Error::Late(limit) => late(limit),
        error => error.to_string(),
    }
}

fn why_ws(error: ws::Error) -> String {
    match error {
        ws::Error::Late(limit) => late(limit),
        error => error.to_string(),
    }
}

fn client(socket: TcpStream, plan: Plan) -> Connection<Backend, Grow, TcpStream> {
    let mut pg = Connection::new(socket, Backend::established(), Grow::new(1 << 16), plan.limits());
    pg.established();
    pg
}

fn server(socket: TcpStream, plan: Plan) -> Connection<Frontend, Grow, TcpStream> {
    let mut pg = Connection::new(socket, Frontend::established(), Grow::new(1 << 16), plan.limits());
    pg.established();
    pg
}

/// Sends numbers at a pace that does not depend on the answers, and reads them.
pub(crate) async fn ask(socket: TcpStream, plan: Plan) -> String {
    let mut pg = client(socket, plan);
    let mut pace = interval(PACE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut sent, mut read) = (0, 0);
    while read < plan.messages() {
        tokio::select! {
            frame = pg.next() => match frame {
                Ok(Some(frame)) => {
                    match frame.message() {
                        Ok(backend::Message::CommandComplete(done)) if done.tag == read.to_string().as_str() => {}
                        other => return format!("{other:?} in place of {read}"),
                    }
                    read += 1;
                    if read == 1 {
                        talks();
                    }
                }
                Ok(None) => return "the server has left".into(),
                Err(error) => return why(error),
            },
            _ = pace.tick(), if sent < plan.messages() => {
                if let Err(error) = pg.push(&Query { sql: sent.to_string().as_str().into() }) {
                    return error.to_string();
                }
                sent += 1;
            }
        }
    }
    match pg.shutdown().await {
        Ok(()) => "done".into(),
        Err(error) => why(error),
    }
}

/// Answers each number with itself.
pub(crate) async fn answer(socket: TcpStream, plan: Plan) -> String {
    let mut pg = server(socket, plan);
    let mut read = 0;
    loop {
        let (frame, mut out) = match pg.incoming().await {
            Ok(Some(incoming)) => incoming,
            Ok(None) if read == plan.messages() => return "done".into(),
            Ok(None) => return format!("the client has left after {read}"),
            Err(error) => return why(error),
        };
        match frame.message() {
            Ok(frontend::Message::Query(query)) if query.sql == read.to_string().as_str() => {
                if let Err(error) = out.send(&CommandComplete { tag: query.sql }).await {
                    return why(error);
                }
            }
            other => return format!("{other:?} in place of {read}"),
        }
        read += 1;
        if read == 1 {
            talks();
        }
    }
}

/// Sends more than a dead network takes.
pub(crate) async fn pour(socket: TcpStream, plan: Plan) -> String {
    if let Err(error) = plan.tcp().user_timeout(None).apply(&socket) {
        return error.to_string();
    }
    let mut pg = client(socket, plan);
    let mut pace = interval(PACE);
    for number in 0..plan.messages() {
        pace.tick().await;
        let text = format!("{number:0MUCH$}");
        let sent = async {
            pg.send(&Query { sql: text.as_str().into() }).await?;
            pg.flush().await
        };
        if let Err(error) = sent.await {
            return why(error);
        }
        if number == 0 {
            talks();
        }
    }
    match pg.shutdown().await {
        Ok(()) => "done".into(),
        Err(error) => why(error),
    }
}

/// Reads it.
pub(crate) async fn swallow(socket: TcpStream, plan: Plan) -> String {
    let mut pg = server(socket, plan);
    let mut read: u32 = 0;
    loop {
        match pg.next().await {
            Ok(Some(frame)) => match frame.message() {
                Ok(frontend::Message::Query(query)) if query.sql == format!("{read:0MUCH$}").as_str() => {}
                _ => return format!("something in place of {read}"),
            },
            Ok(None) if read == plan.messages() => return "done".into(),
            Ok(None) => return format!("the client has left after {read}"),
            Err(error) => return why(error),
        }
        read += 1;
        if read == 1 {
            talks();
        }
    }
}

fn number(message: &Message<'_>) -> Option<u32> {
    match message {
        Message::Text(text) => text.to_string().parse().ok(),
        _ => None,
    }
}

/// Sends numbers over a WebSocket, and reads them. Where the network stays dead, it sends one, and pings do the rest.
pub(crate) async fn converse(socket: TcpStream, plan: Plan) -> String {
    let config = ClientConfig::new("a", "/").limits(plan.limits().idle(None).message(None).progress(None));
    let config = config.ping(Duration::from_secs(1)).pong(plan.pong());
    let mut ws: WebSocket<TcpStream, Whole> = match ws::connect(socket, &config).await {
        Ok(ws) => ws,
        Err(error) => return why_ws(error),
    };
    let wanted = if plan.returns { plan.messages() } else { 1 };
    let mut pace = interval(PACE);
    let (mut sent, mut read) = (0, 0);
    while read < wanted || !plan.returns {
        tokio::select! {
            message = ws.next() => match message {
                Ok(Some(message)) if number(&message) == Some(read) => {
                    read += 1;
                    if read == 1 {
                        talks();
                    }
                }
                Ok(other) => return format!("{other:?} in place of {read}"),
                Err(error) => return why_ws(error),
            },
            _ = pace.tick(), if sent < wanted => {
                if let Err(error) = ws.push(sent.to_string().as_str()) {
                    return error.to_string();
                }
                sent += 1;
            }
        }
    }
    match ws.close(feedrate_ws::CloseCode::NORMAL, "").await {
        Ok(()) => "done".into(),
        Err(error) => why_ws(error),
    }
}

/// Sends them back.
pub(crate) async fn echo(socket: TcpStream, plan: Plan) -> String {
    let config = Config::new(Origins::Any).limits(plan.limits().idle(None).message(None).progress(None));
    let config = config.ping(Duration::from_secs(1)).pong(plan.pong());
    let mut ws: WebSocket<TcpStream, Whole> = match ws::accept(socket, &config).await {
        Ok(ws) => ws,
        Err(error) => return why_ws(error),
    };
    let mut read = 0;
    loop {
        match ws.incoming().await {
            Ok(Some((message, mut out))) => {
                if number(&message) != Some(read) {
                    return format!("{message:?} in place of {read}");
                }
                if let Err(error) = out.send(message).await {
                    return why_ws(error);
                }
            }
            Ok(None) if read == plan.messages() => return "done".into(),
            Ok(None) => return format!("the client has left after {read}"),
            Err(error) => return why_ws(error),
        }
        read += 1;
        if read == 1 {
            talks();
        }
    }
}

/// Says one byte, and waits: the system has to find out.
pub(crate) async fn wait(mut socket: TcpStream, plan: Plan) -> String {
    let waits = async {
        plan.tcp().apply(&socket)?;
        socket.write_all(b"a").await?;
        socket.read_exact(&mut [0]).await?;
        talks();
        if plan.returns {
            // It has been dead and is back.
            tokio::time::sleep(Duration::from_secs(12)).await;
            socket.write_all(b"b").await?;
        }
        socket.read_exact(&mut [0]).await
    };
    match waits.await {
        Ok(_) => "done".into(),
        Err(error) if error.kind() == io::ErrorKind::TimedOut => "timed out".into(),
        Err(error) => error.to_string(),
    }
}

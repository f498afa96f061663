//! Random conversations: whatever was sent, and given up, the next query gets its own rows.

use feedrate::pg::backend::Message;
use feedrate::pg::frontend::{
    self, Bind, Close, CopyData, CopyDone, CopyFail, Describe, Execute, Flush, FunctionCall, Parse, Query,
    Target,
};
use feedrate_io::pg::{Session, is_full};
use feedrate_pg::client::SendError;
use feedrate_testkit::random::Random;

use crate::reach::{Failure, connector};

const QUERIES: [&str; 12] = [
    "select 1",
    "",
    "select generate_series(1, 50); select 2",
    "select 1/0",
    "nonsense",
    "begin",
    "commit",
    "copy (select generate_series(1, 100)) to stdout",
    "do $$ begin raise notice 'hm'; end $$",
    "set application_name = 'random'",
    "select pg_notify('c', 'p')",
    "listen c",
];
/// What takes data from the client. Nothing may follow it unseen.
const COPIES: [&str; 3] =
    ["copy t from stdin", "select 1; copy t from stdin; select 2", "copy t from stdin; copy t from stdin"];
const STATEMENTS: [&str; 6] = [
    "select $1::int",
    "select generate_series(1, 20)",
    "select 1/0",
    "insert into t values (1)",
    "copy (select 1) to stdout",
    "nonsense",
];

pub(crate) async fn run(text: &str, conversations: u64, seed: u64) -> Result<(), Failure> {
    let mut pg = connector(text)?.requests(40).connect().await?;
    let mut random = Random::new(seed);
    ask(&mut pg, "create temp table t (n int)").await?;
    let (mut sent, mut abandoned) = (0_u64, 0_u64);
    for number in 0..conversations {
        sent += one(&mut pg, &mut random).await.map_err(|error| format!("conversation {number}: {error}"))?;
        if random.below(2) == 0 {
            abandoned += 1;
            pg.abandon();
        } else {
            drain(&mut pg).await.map_err(|error| format!("conversation {number}: {error}"))?;
        }
        // A transaction may be open, or failed.
        ask(&mut pg, "rollback").await?;
        let marker = format!("select 'marker {number}'");
        let found = ask(&mut pg, &marker).await.map_err(|error| format!("conversation {number}: {error}"))?;
        if found != format!("marker {number}") || !pg.is_idle() {
            return Err(format!("conversation {number}: found {found:?}, idle: {}", pg.is_idle()).into());
        }
    }
    println!("{conversations} conversations, {sent} requests, {abandoned} times given up");
    Ok(())
}

/// Some requests, with some of the responses.
async fn one(pg: &mut Session, random: &mut Random) -> Result<u64, Failure> {
    let mut sent = 0;
    // Whether a COPY from the client may come, so that nothing but Sync may follow.
    let mut copy = false;
    for _ in 0..random.below(30) {
        let silent = pg.is_idle() || pg.session().is_copying() || waits_for_sync(pg);
        if random.below(4) == 0 && !silent {
            event(pg).await?;
        }
        copy &= !pg.is_idle();
        let pushed = if pg.session().is_copying() {
            match random.below(4) {
                0 => pg.push(&CopyDone),
                1 => pg.push(&CopyFail { reason: "no".into() }),
                _ => pg.push(&CopyData { data: if random.below(9) == 0 { b"x\n" } else { b"1\n" } }),
            }
        } else if copy {
            event(pg).await?;
            continue;
        } else {
            match random.below(12) {
                0 | 1 => pg.push(&Query { sql: random.pick(&QUERIES).into() }),
                2 if pg.is_idle() => {
                    copy = true;
                    pg.push(&Query { sql: random.pick(&COPIES).into() })
                }
                3 | 4 => pg.push(&Parse { sql: random.pick(&STATEMENTS).into(), ..Parse::default() }),
                5 | 6 => pg.push(&Bind::default()),
                7 => pg.push(&Describe { target: Target::Statement("".into()) }),
                8 => pg.push(&Execute { portal: "".into(), max_rows: random.below(4) as i32 }),
                9 => pg.push(&Close { target: Target::Portal("".into()) }),
                10 if random.below(2) == 0 => {
                    pg.push(&FunctionCall { function: 1299, ..FunctionCall::default() })
                }
                10 => pg.push(&Flush),
                _ => pg.push(&frontend::Sync),
            }
        };
        match pushed {
            Ok(_) => sent += 1,
            Err(SendError::Failed | SendError::Swallowed) => {
                pg.push(&frontend::Sync)?;
            }
            Err(error) if is_full(&error) => {
                if waits_for_sync(pg) {
                    break;
                }
                event(pg).await?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(sent)
}

/// A server keeps the responses of a batch until Sync or Flush: nothing may come.
fn waits_for_sync(pg: &Session) -> bool {
    pg.session().owed().iter().all(|entry| {
        use feedrate_pg::queue::Kind;
        !matches!(entry.kind, Kind::Sync | Kind::Query | Kind::FunctionCall)
    })
}

async fn event(pg: &mut Session) -> Result<(), Failure> {
    pg.next().await?.ok_or("the server has ended the session")?;
    Ok(())
}

async fn drain(pg: &mut Session) -> Result<(), Failure> {
    while !pg.is_idle() {
        if pg.session().is_abandoning() {
            if pg.room().await? {
                event(pg).await?;
            }
        } else if pg.session().is_copying() {
            pg.push(&CopyDone)?;
        } else if pg.session().owed().is_empty() || waits_for_sync(pg) {
            match pg.push(&frontend::Sync) {
                Err(error) if is_full(&error) => pg.abandon(),
                pushed => {
                    pushed?;
                }
            }
        } else {
            event(pg).await?;
        }
    }
    Ok(())
}

/// The value of the last row.
async fn ask(pg: &mut Session, sql: &str) -> Result<String, Failure> {
    let query = loop {
        match pg.push(&Query { sql: sql.into() }) {
            Ok(number) => break number,
            // Where much was given up.
            Err(error) if is_full(&error) => {
                if pg.room().await? {
                    event(pg).await?;
                }
            }
            Err(error) => return Err(error.into()),
        }
    };
    let mut value = String::new();
    loop {
        let event = pg.next().await?.ok_or("the server has ended the session")?;
        let mine = event.request == Some(query);
        match event.message {
            Message::DataRow(row) if mine => {
                value =
                    String::from_utf8_lossy(row.columns.get(0).flatten().unwrap_or_default()).into_owned();
            }
            Message::ReadyForQuery(_) if mine => return Ok(value),
            Message::NotificationResponse(_) | Message::NoticeResponse(_) | Message::ParameterStatus(_) => {}
            _ if mine => {}
            message => return Err(format!("{message:?} of {:?} came for {query}", event.request).into()),
        }
    }
}

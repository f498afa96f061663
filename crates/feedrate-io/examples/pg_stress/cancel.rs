//! Cancels at random moments.

use std::time::Duration;

use feedrate::pg::backend::{Message, SqlState};
use feedrate::pg::frontend::Query;
use feedrate_io::pg::Session;
use feedrate_testkit::random::Random;
use tokio::time::sleep;

use crate::reach::{Failure, connector};

const CANCELED: SqlState = SqlState(*b"57014");

pub(crate) async fn run(text: &str, cancels: u64) -> Result<(), Failure> {
    let mut pg = connector(text)?.connect().await?;
    let mut random = Random::new(cancels);
    let mut hit = 0;
    for number in 0..cancels {
        // Some milliseconds, or none.
        let sql = format!("select count(*) from generate_series(1, {})", random.below(100_000));
        pg.push(&Query { sql: sql.as_str().into() })?;
        pg.flush().await?;
        let canceller = pg.canceller().ok_or("there is no key")?;
        sleep(Duration::from_micros(random.below(6000))).await;
        // Reading goes on meanwhile.
        let (cancelled, state) = tokio::join!(canceller.cancel(), finish(&mut pg, None));
        cancelled?;
        match state? {
            None => {}
            Some(CANCELED) => hit += 1,
            Some(state) => return Err(format!("query {number} failed with {state}").into()),
        }
        let value = number.to_string();
        pg.push(&Query { sql: format!("select {number}").as_str().into() })?;
        if let Some(state) = finish(&mut pg, Some(&value)).await? {
            return Err(format!("the query behind cancel {number} failed with {state}").into());
        }
    }
    println!("{cancels} cancels, {hit} of them hit their query, none another");
    Ok(())
}

/// Up to ReadyForQuery. Returns the error, if one came.
async fn finish(pg: &mut Session, expected: Option<&str>) -> Result<Option<SqlState>, Failure> {
    let mut state = None;
    loop {
        let event = pg.next().await?.ok_or("the server has ended the session")?;
        match event.message {
            Message::DataRow(row) => {
                let value = row.columns.get(0).flatten().unwrap_or_default();
                if expected.is_some_and(|expected| expected.as_bytes() != value) {
                    return Err(format!("found {value:?}, expected {expected:?}").into());
                }
            }
            Message::ErrorResponse(error) => state = error.sql_state(),
            Message::ReadyForQuery(_) => return Ok(state),
            _ => {}
        }
    }
}

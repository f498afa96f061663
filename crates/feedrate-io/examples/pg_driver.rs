//! A driver in eighty lines: queries with values as text, errors, COPY, and cancelling.
use std::{error::Error, time::Duration};

use feedrate::pg::List;
use feedrate::pg::backend::{Message, OwnedErrorResponse};
use feedrate::pg::frontend::{Bind, CopyData, CopyDone, Execute, Parse, Query, Sync};
use feedrate_io::pg::{Connector, Session};
use feedrate_pg::conninfo::Settings;

type Row = Vec<Option<String>>;

struct Driver(Session);

impl Driver {
    async fn connect(text: &str) -> Result<Self, Box<dyn Error>> {
        let mut settings = Settings::new(Vec::new());
        settings.parse(text)?;
        Ok(Self(Connector::new(settings).connect().await?))
    }

    async fn query(&mut self, sql: &str, values: &[&str]) -> Result<Vec<Row>, Box<dyn Error>> {
        let values: Vec<_> = values.iter().map(|value| Some(value.as_bytes())).collect();
        self.0.push(&Parse { sql: sql.into(), ..Parse::default() })?;
        self.0.push(&Bind { parameters: List::from(&values), ..Bind::default() })?;
        self.0.push(&Execute::default())?;
        let sync = self.0.push(&Sync)?;
        self.finish(sync, "").await
    }

    async fn copy(&mut self, sql: &str, data: &str) -> Result<(), Box<dyn Error>> {
        let query = self.0.push(&Query { sql: sql.into() })?;
        self.finish(query, data).await.map(|_| ())
    }

    /// Everything up to the ReadyForQuery that answers this request.
    async fn finish(&mut self, request: u64, data: &str) -> Result<Vec<Row>, Box<dyn Error>> {
        let (mut rows, mut error) = (Vec::new(), None);
        loop {
            let event = self.0.next().await?.ok_or("the server has ended the session")?;
            match event.message {
                Message::DataRow(row) => rows.push(row.columns.iter().map(|value| value.map(text)).collect()),
                Message::CopyInResponse(_) => {
                    self.0.push(&CopyData { data: data.as_bytes() })?;
                    self.0.push(&CopyDone)?;
                }
                Message::ErrorResponse(found) => error = Some(OwnedErrorResponse::from(found)),
                Message::ReadyForQuery(_) if event.request == Some(request) => break,
                _ => {}
            }
        }
        error.map_or(Ok(rows), |error| Err(error.into()))
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let connection = std::env::args().nth(1).ok_or("usage: pg_driver CONNECTION")?;
    let mut pg = Driver::connect(&connection).await?;
    pg.query("create temp table people (name text, age int)", &[]).await?;
    pg.copy("copy people from stdin", "alice\t40\nbob\t\\N\n").await?;
    println!("{:?}", pg.query("select name, age + $1::int from people order by 1", &["2"]).await?);
    println!("{}", pg.query("select 1/0", &[]).await.unwrap_err());
    // Another task interrupts what takes too long.
    let canceller = pg.0.canceller().ok_or("the server has sent no key")?;
    let (slept, cancelled) = tokio::join!(pg.query("select pg_sleep(60)", &[]), async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        canceller.cancel().await
    });
    cancelled?;
    println!("{}", slept.unwrap_err());
    println!("{:?}", pg.query("select 'still here'", &[]).await?);
    Ok(pg.0.close().await?)
}

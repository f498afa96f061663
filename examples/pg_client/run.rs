//! Statements one by one, and what comes of them.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};

use feedrate::pg::backend::Message;
use feedrate::pg::frontend::{CopyData, CopyDone, CopyFail, Query};
use feedrate_examples::escape::escaped;
use feedrate_io::pg::{Session, is_full};

use crate::options::Options;
use crate::report;
use crate::table::Table;

type Failure = Box<dyn std::error::Error>;

/// Whether all statements succeeded. What follows one that failed is not tried.
pub(crate) async fn run(pg: &mut Session, options: &Options) -> Result<bool, Failure> {
    for sql in &options.sql {
        if !statement(pg, sql, options).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn statement(pg: &mut Session, sql: &str, options: &Options) -> Result<bool, Failure> {
    let mut out = BufWriter::new(io::stdout().lock());
    let mut file: Option<BufWriter<File>> = None;
    let mut table = None;
    let mut source: Option<Source> = None;
    let mut good = true;
    pg.push(&Query { sql: sql.into() })?;
    loop {
        if let Some(source) = source.as_mut().filter(|_| pg.session().is_copying()) {
            source.send(pg).await?;
        }
        let canceller = pg.canceller();
        let event = tokio::select! {
            event = pg.next() => event?,
            pressed = tokio::signal::ctrl_c() => {
                pressed?;
                eprintln!("Cancel request sent");
                if let Some(canceller) = canceller {
                    canceller.cancel().await?;
                }
                continue;
            }
        };
        let Some(event) = event else { return Err("the server has closed the connection".into()) };
        match event.message {
            Message::RowDescription(columns) => table = Some(Table::new(&columns)),
            Message::DataRow(row) => {
                if let Some(table) = &mut table {
                    table.push(&row);
                }
            }
            Message::CommandComplete(done) => {
                match table.take() {
                    Some(table) => table.print(&mut out)?,
                    None => writeln!(out, "{}", escaped(done.tag.as_bytes()))?,
                }
                if let Some(mut file) = file.take() {
                    file.flush()?;
                }
            }
            Message::CopyOutResponse(_) => {
                file = options.output.as_ref().map(File::create).transpose()?.map(BufWriter::new);
            }
            Message::CopyData(data) => match &mut file {
                Some(file) => file.write_all(data.data)?,
                None => out.write_all(data.data)?,
            },
            Message::CopyInResponse(_) => match Source::open(options) {
                Ok(opened) => source = Some(opened),
                Err(error) => {
                    eprintln!("pg_client: the data: {error}");
                    pg.push(&CopyFail { reason: "the client cannot read the data".into() })?;
                }
            },
            Message::NoticeResponse(notice) => report::notice(&notice, sql),
            Message::NotificationResponse(notification) => writeln!(
                out,
                "Asynchronous notification \"{}\" with payload \"{}\" received from server process with PID {}.",
                escaped(notification.channel.as_bytes()),
                escaped(notification.payload.as_bytes()),
                notification.process_id
            )?,
            Message::ErrorResponse(error) => {
                out.flush()?;
                report::error(&error, sql);
                good = false;
                table = None;
            }
            Message::ReadyForQuery(_) => break,
            _ => {}
        }
    }
    out.flush()?;
    Ok(good)
}

/// The data of a COPY, while the server takes them.
struct Source {
    from: Box<dyn Read>,
    buffer: Vec<u8>,
    /// What has been read and not been sent.
    held: usize,
}

impl Source {
    fn open(options: &Options) -> io::Result<Self> {
        let from: Box<dyn Read> = match &options.input {
            Some(path) => Box::new(File::open(path)?),
            None => Box::new(io::stdin()),
        };
        Ok(Self { from, buffer: vec![0; 1 << 16], held: 0 })
    }

    /// Sends until there is nothing left, or something of the server's has come: an error ends a COPY at any time.
    async fn send(&mut self, pg: &mut Session) -> Result<(), Failure> {
        loop {
            if self.held == 0 {
                self.held = self.from.read(&mut self.buffer)?;
            }
            let pushed = match self.held {
                0 => pg.push(&CopyDone),
                n => pg.push(&CopyData { data: &self.buffer[..n] }),
            };
            match pushed {
                Ok(_) if self.held == 0 => return Ok(()),
                Ok(_) => self.held = 0,
                Err(error) if is_full(&error) => {
                    if pg.room().await? {
                        return Ok(());
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}

//! The client's side of the Autobahn test suite: it echoes whatever each case sends.

use std::io;

use feedrate_examples::escape::escaped;
use feedrate_io::ws::WebSocket;
use feedrate_io::ws::tls::{Stream, connect};

use crate::options::{Options, Suite};

/// Runs the cases, and has the suite write its report.
pub(crate) async fn run(options: &Options, suite: &Suite) -> io::Result<()> {
    let count = answer(options, "/getCaseCount").await?;
    let count: u32 = count
        .parse()
        .map_err(|_| io::Error::other(format!("{}: expected a number of cases", escaped(&count))))?;
    let (first, last) = suite.cases.unwrap_or((1, count));
    for case in first..=last.min(count) {
        let target = format!("/runCase?case={case}&agent={}", suite.agent);
        // Some cases end in ways that are errors.
        if let Err(error) = echo(options, &target).await {
            eprintln!("ws_client: case {case}: {error}");
        }
    }
    echo(options, &format!("/updateReports?agent={}", suite.agent)).await
}

/// Sends back what comes, until the connection ends.
async fn echo(options: &Options, target: &str) -> io::Result<()> {
    let mut ws = open(options, target).await?;
    while let Some((message, mut out)) = ws.incoming().await.map_err(io::Error::other)? {
        out.send(message).await.map_err(io::Error::other)?;
    }
    Ok(())
}

/// The one message that a target answers with.
async fn answer(options: &Options, target: &str) -> io::Result<String> {
    let (mut ws, mut answer) = (open(options, target).await?, None);
    while let Some(message) = ws.next().await.map_err(io::Error::other)? {
        answer = Some(String::from_utf8_lossy(message.as_bytes()).into_owned());
    }
    answer.ok_or_else(|| io::Error::other("no answer"))
}

async fn open(options: &Options, target: &str) -> io::Result<WebSocket<Stream>> {
    connect(&options.config.clone().at(target), &options.tls).await.map_err(io::Error::other)
}

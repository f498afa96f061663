//! The client's side of the Autobahn test suite: it echoes whatever each case sends.

use std::io;

use feedrate_examples::escape::escaped;
use feedrate_examples::ws::{self, Asking};
use feedrate_ws::{Event, SendError};

use crate::options::Suite;

/// Runs the cases, and makes the suite write its report.
pub(crate) async fn run(asking: &Asking, suite: &Suite) -> io::Result<()> {
    let count = answer(&at(asking, "/getCaseCount")).await?;
    let count: u32 = count
        .parse()
        .map_err(|_| io::Error::other(format!("{}: expected a number of cases", escaped(&count))))?;
    let (first, last) = suite.cases.unwrap_or((1, count));
    for case in first..=last.min(count) {
        let target = format!("/runCase?case={case}&agent={}", suite.agent);
        // Some cases end in ways that are errors.
        if let Err(error) = echo(&at(asking, &target)).await {
            eprintln!("ws_client: case {case}: {error}");
        }
    }
    echo(&at(asking, &format!("/updateReports?agent={}", suite.agent))).await
}

/// Sends back what comes, until the connection ends.
async fn echo(asking: &Asking) -> io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    let ((mut stream, mut receiver, mut sender, mut n), _) = ws::connect(asking, &mut buffer).await?;
    loop {
        let mut input = &mut buffer[..n];
        // Everything after a violation is dropped, and the next turn writes the close frame.
        while let Some(event) = receiver.feed(&mut input, stream.now(), &mut sender).unwrap_or_default() {
            if let Event::Message(message) = event {
                while let Err(SendError::Full { .. }) = stream.send(&mut sender, message) {
                    stream.make_room(&mut sender).await?;
                }
            }
        }
        match stream.turn(&mut sender, &mut buffer).await? {
            Some(read) => n = read,
            None => return Ok(()),
        }
    }
}

/// The one message that a target answers with.
async fn answer(asking: &Asking) -> io::Result<String> {
    let mut buffer = vec![0; 1024];
    let ((mut stream, mut receiver, mut sender, mut n), _) = ws::connect(asking, &mut buffer).await?;
    let mut answer = None;
    loop {
        let mut input = &mut buffer[..n];
        while let Some(event) = receiver.feed(&mut input, stream.now(), &mut sender).unwrap_or_default() {
            if let Event::Message(message) = event {
                answer = Some(String::from_utf8_lossy(message.as_bytes()).into_owned());
            }
        }
        match stream.turn(&mut sender, &mut buffer).await? {
            Some(read) => n = read,
            None => return answer.ok_or_else(|| io::Error::other("no answer")),
        }
    }
}

fn at(asking: &Asking, target: &str) -> Asking {
    Asking { target: target.into(), ..asking.clone() }
}

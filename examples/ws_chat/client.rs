//! The client, which comes back: a loop by hand.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use feedrate_examples::escape::escaped;
use feedrate_io::ws::tls::{ClientTls, Stream, connect};
use feedrate_io::ws::{ClientConfig, CloseCode, Error, Message, WebSocket};
use tokio::io::{AsyncBufReadExt, BufReader, Lines, Stdin};
use tokio::time::{Instant, sleep};

use crate::backoff::Backoff;
use crate::line::{LONGEST, Line};

/// So many lines may wait until the server has repeated them. More stay unread in the standard input.
const WAITING: usize = 16;
/// Of so many names it is known what they said last: whoever takes part chooses them.
const NAMES: usize = 10_000;

/// What outlasts a connection.
struct Member<'a> {
    name: &'a str,
    lines: Lines<BufReader<Stdin>>,
    /// The standard input has not ended.
    open: bool,
    /// What was said and has not been heard: it is said again on the next connection.
    unheard: VecDeque<(u64, String)>,
    number: u64,
    /// The last number of each name.
    heard: HashMap<String, u64>,
}

/// Until the standard input has ended, and all of it has been heard.
pub(crate) async fn join(config: &ClientConfig, tls: &ClientTls, name: &str) -> io::Result<()> {
    // A client that is started anew has higher numbers than before.
    let number = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() << 24;
    let lines = BufReader::new(tokio::io::stdin()).lines();
    let (unheard, heard) = (VecDeque::new(), HashMap::new());
    let mut member = Member { name, lines, open: true, unheard, number, heard };
    let mut backoff = Backoff::new();
    loop {
        let mut lasted = Duration::ZERO;
        let ended = match connect(config, tls).await {
            Ok(ws) => {
                let began = Instant::now();
                let ended = member.take_part(ws).await;
                lasted = began.elapsed();
                ended
            }
            Err(error) => Err(error),
        };
        let wait = backoff.after(lasted);
        match ended {
            Ok(true) => return Ok(()),
            Ok(false) => eprintln!("ws_chat: the server has left, trying again in {wait:.1?}"),
            Err(error) => eprintln!("ws_chat: {error}, trying again in {wait:.1?}"),
        }
        sleep(wait).await;
    }
}

impl Member<'_> {
    /// As long as the connection lasts. `true`: all has been said and heard.
    async fn take_part(&mut self, ws: WebSocket<Stream>) -> Result<bool, Error> {
        let (mut reader, writer) = ws.split();
        for (number, text) in &self.unheard {
            let line = Line { name: self.name, number: *number, text };
            writer.send(line.to_string().as_str()).await?;
        }
        loop {
            if !self.open && self.unheard.is_empty() {
                writer.start_close(CloseCode::NORMAL, "");
                while reader.next().await?.is_some() {}
                return Ok(true);
            }
            tokio::select! {
                message = reader.next() => match message? {
                    Some(Message::Text(text)) => self.hear(text.as_str()),
                    Some(_) => {}
                    None => return Ok(false),
                },
                line = self.lines.next_line(), if self.open && self.unheard.len() < WAITING => {
                    let Some(text) = line.map_err(Error::Io)? else {
                        self.open = false;
                        continue;
                    };
                    self.number += 1;
                    let said = Line { name: self.name, number: self.number, text: &text }.to_string();
                    if said.len() > LONGEST {
                        eprintln!("ws_chat: a line is too long, and is not said");
                        continue;
                    }
                    self.unheard.push_back((self.number, text));
                    writer.send(said.as_str()).await?;
                }
            }
        }
    }

    /// Shows what has not been shown.
    fn hear(&mut self, said: &str) {
        let Some(Line { name, number, text }) = Line::read(said) else {
            return println!("{}", escaped(said));
        };
        if name == self.name {
            self.unheard.retain(|(unheard, _)| *unheard > number);
        }
        if self.heard.get(name).is_some_and(|heard| number <= *heard) {
            return;
        }
        if self.heard.len() == NAMES {
            self.heard.clear();
        }
        self.heard.insert(name.to_owned(), number);
        println!("{}: {}", escaped(name), escaped(text));
    }
}

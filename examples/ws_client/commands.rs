//! What is typed, done one after the other on one connection.

use std::fmt::Write as _;

use feedrate_examples::escape::escaped;
use feedrate_io::ws::tls::{Stream, connect};
use feedrate_io::ws::{CloseCode, Event, Message, WebSocket};
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::options::{Options, number};

/// Connects, does what it is told, and closes the connection.
pub(crate) async fn run(options: &Options) -> Result<(), String> {
    let ws = connect(&options.config, &options.tls).await.map_err(|error| error.to_string())?;
    if let Some(protocol) = ws.protocol() {
        println!("protocol {}", escaped(protocol));
    }
    let mut client = Client { ws, over: false };
    if let Some(commands) = &options.commands {
        for command in commands.split(';').map(str::trim).filter(|command| !command.is_empty()) {
            client.command(command).await?;
        }
    } else {
        let mut lines = BufReader::new(tokio::io::stdin()).lines();
        while let Some(line) = lines.next_line().await.map_err(|error| error.to_string())? {
            client.command(line.trim()).await?;
        }
    }
    if client.over { Ok(()) } else { client.close(CloseCode::NORMAL, "").await }
}

struct Client {
    ws: WebSocket<Stream>,
    over: bool,
}

/// What is waited for.
enum Seen {
    Message,
    Pong(Vec<u8>),
    /// The end of the connection.
    End,
    Other,
}

impl Client {
    async fn command(&mut self, command: &str) -> Result<(), String> {
        let (word, rest) = command.split_once(' ').unwrap_or((command, ""));
        let rest = rest.trim();
        match word {
            "text" => self.send(rest.into()).await,
            "binary" => self.send(unhex(rest)?.as_slice().into()).await,
            "fill" => match rest.split_once(' ') {
                Some(("text", n)) => self.send("x".repeat(number(n)?).as_str().into()).await,
                Some(("binary", n)) => self.send(vec![0; number(n)?].as_slice().into()).await,
                _ => Err(format!("{command}: expected fill text BYTES or fill binary BYTES")),
            },
            "recv" => {
                let count = if rest.is_empty() { 1 } else { number(rest)? };
                for _ in 0..count {
                    self.until(|seen| matches!(seen, Seen::Message)).await?;
                }
                Ok(())
            }
            "ping" => {
                self.ws.ping(rest.as_bytes()).await.map_err(|error| error.to_string())?;
                self.until(|seen| matches!(seen, Seen::Pong(payload) if payload == rest.as_bytes())).await
            }
            "close" => {
                let (code, reason) = rest.split_once(' ').unwrap_or((rest, ""));
                let code = if code.is_empty() { 1000 } else { number(code)? };
                let code =
                    CloseCode::new(code).ok_or(format!("{code}: no code that a close frame can have"))?;
                self.close(code, reason).await
            }
            _ => Err(format!("{word}: expected text, binary, fill, recv, ping or close")),
        }
    }

    /// Sends a message, all of it.
    async fn send(&mut self, message: Message<'_>) -> Result<(), String> {
        self.ws.send(message).await.map_err(|error| error.to_string())?;
        self.ws.flush().await.map_err(|error| error.to_string())
    }

    async fn close(&mut self, code: CloseCode, reason: &str) -> Result<(), String> {
        self.ws.start_close(code, reason);
        self.until(|seen| matches!(seen, Seen::End)).await
    }

    /// Shows what comes, until it is what is waited for.
    async fn until(&mut self, awaited: impl Fn(&Seen) -> bool) -> Result<(), String> {
        loop {
            let seen = match self.ws.event().await.map_err(|error| error.to_string())? {
                None => Seen::End,
                Some(Event::Message(Message::Text(text))) => {
                    println!("text {}", short(text.as_str()));
                    Seen::Message
                }
                Some(Event::Message(Message::Binary(bytes))) => {
                    println!("binary {}", short(&hex(bytes)));
                    Seen::Message
                }
                Some(Event::Pong(payload)) => {
                    println!("pong {}", escaped(payload));
                    Seen::Pong(payload.to_vec())
                }
                Some(Event::Closed(close)) => {
                    match close {
                        Some(close) => println!("closed {} {}", close.code, escaped(close.reason)),
                        None => println!("closed"),
                    }
                    // The end comes when the server closes the stream.
                    Seen::Other
                }
                Some(_) => Seen::Other,
            };
            self.over |= matches!(seen, Seen::End);
            match seen {
                seen if awaited(&seen) => return Ok(()),
                Seen::End => return Err("the connection is closed".into()),
                _ => {}
            }
        }
    }
}

/// What is long is counted, and what is not printable escaped.
fn short(text: &str) -> String {
    match text.char_indices().nth(200) {
        Some((at, _)) => format!("{}... ({} bytes)", escaped(text.get(..at).unwrap_or_default()), text.len()),
        None => escaped(text),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &str) -> Result<Vec<u8>, String> {
    let digits: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(c.to_digit(16)?).ok()).collect();
    match digits {
        Some(digits) if digits.len() % 2 == 0 => {
            Ok(digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect())
        }
        _ => Err(format!("{text}: expected pairs of hexadecimal digits")),
    }
}

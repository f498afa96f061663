//! A recorded conversation between a client and a PostgreSQL server, decoded, and encoded again.
//!
//! ```text
//! cargo run --release --example tour
//! ```
//!
//! The bytes arrive in pieces of awkward lengths, as they may on a network, and messages come out whole. The decoder
//! does no I/O: where the bytes come from is up to you.

use std::collections::BTreeMap;
use std::error::Error;
use std::process::ExitCode;

use feedrate::pg::backend::{self, Authentication};
use feedrate::pg::frontend;
use feedrate::pg::{Backend, Encryption, Frontend};
use feedrate::{Array, Decoder, Encode};
use feedrate_examples::capture::{self, Side};
use feedrate_examples::describe::Describe;

/// A client, libpq 18, and a server, PostgreSQL 18: `examples/data/tour.py`.
const CAPTURE: &[u8] = include_bytes!("data/tour.capture");

/// The storage for a message that comes in pieces: 256 bytes inside the decoder, and no heap.
type Storage = Array<256>;

/// A connection is two streams, with a decoder each.
struct Connection {
    frontend: Decoder<Frontend, Storage>,
    backend: Decoder<Backend, Storage>,
}

impl Connection {
    fn new() -> Self {
        Self {
            frontend: Decoder::new(Frontend::new(), Storage::new()),
            backend: Decoder::new(Backend::new(), Storage::new()),
        }
    }

    /// Bytes from the client.
    fn client_says(&mut self, mut input: &[u8], out: &mut Output) -> Result<(), Box<dyn Error>> {
        while let Some(frame) = self.frontend.feed(&mut input)? {
            let message = frame.message()?;
            out.show("client", message.name(), &message.describe());
            out.encode(&message, frame.raw())?;

            // The answer to these is one byte, which could also be the type byte of a message.
            match message {
                frontend::Message::SSLRequest(_) => {
                    self.backend.protocol_mut().expect_encryption_response(Encryption::Ssl);
                }
                frontend::Message::GSSENCRequest(_) => {
                    self.backend.protocol_mut().expect_encryption_response(Encryption::Gss);
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Bytes from the server.
    fn server_says(&mut self, mut input: &[u8], out: &mut Output) -> Result<(), Box<dyn Error>> {
        while let Some(frame) = self.backend.feed(&mut input)? {
            let message = frame.message()?;
            out.show("server", message.name(), &message.describe());
            out.encode(&message, frame.raw())?;

            // These decide how the client's next bytes are to be read.
            let client = self.frontend.protocol_mut();
            match message {
                backend::Message::EncryptionResponse(response) => client.answered(response, &[])?,
                backend::Message::Authentication(Authentication::Ok) => client.authenticated(),
                backend::Message::Authentication(request) => {
                    if let Some(answer) = request.answer() {
                        client.expect(answer);
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn main() -> ExitCode {
    if let Some(argument) = std::env::args().nth(1) {
        eprintln!("tour: unknown argument {argument:?}: the tour shows its own recording, and takes none");
        return ExitCode::from(2);
    }
    match show() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tour: {error}");
            ExitCode::FAILURE
        }
    }
}

fn show() -> Result<(), Box<dyn Error>> {
    let mut connections = BTreeMap::new();
    let mut lengths = [1, 2, 3, 5, 7, 11, 13].into_iter().cycle();
    let mut out = Output::default();

    for record in capture::pieces(CAPTURE) {
        out.connection = record.connection;
        let connection = connections.entry(record.connection).or_insert_with(Connection::new);
        let mut bytes = record.bytes;
        while !bytes.is_empty() {
            let (piece, rest) = bytes.split_at(lengths.next().unwrap_or(1).min(bytes.len()));
            bytes = rest;
            out.pieces += 1;
            match record.from {
                Side::Frontend => connection.client_says(piece, &mut out)?,
                Side::Backend => connection.server_says(piece, &mut out)?,
            }
        }
    }

    // An error if a stream ended inside a message.
    for connection in connections.values() {
        connection.frontend.end()?;
        connection.backend.end()?;
    }
    println!("\n{} messages, {} bytes, in {} pieces;", out.messages, out.bytes, out.pieces);
    println!("encoded again, {} messages differ.", out.differences);
    Ok(())
}

/// Prints, encodes and counts.
#[derive(Default)]
struct Output {
    connection: u32,
    messages: usize,
    bytes: usize,
    pieces: usize,
    differences: usize,
    encoded: Vec<u8>,
}

impl Output {
    fn show(&mut self, who: &str, name: &str, fields: &str) {
        println!("{}", format!("{} {who} {name:<20} {fields}", self.connection).trim_end());
    }

    /// Encodes a message again, and compares the result with the bytes that it was read from.
    fn encode(&mut self, message: &impl Encode, raw: &[u8]) -> Result<(), Box<dyn Error>> {
        self.encoded.clear();
        message.encode(&mut self.encoded)?;
        self.messages += 1;
        self.bytes += raw.len();
        self.differences += usize::from(self.encoded != raw);
        Ok(())
    }
}

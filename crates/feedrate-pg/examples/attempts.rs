//! Connects as a connection string says, without TLS and without a password: the loop of `conninfo` on sockets of the
//! standard library.
//!
//! ```sh
//! cargo run --example attempts -- "host=db1,db2 user=alice target_session_attrs=read-write"
//! ```
//!
//! It says which server it is connected to. The exit code is 1 if there is none.

use std::error::Error;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::process::ExitCode;

use feedrate::pg::backend::{Authentication, Frame, Message};
use feedrate::pg::frontend::{Parameter, Query, SSLRequest, StartupMessage, Terminate};
use feedrate::pg::{Backend, List};
use feedrate::{Decoder, Encode, Grow};
use feedrate_pg::conninfo::{
    Attempt, Attempts, Facts, Failure, Place, Question, Settings, Step, Transport, Verdict,
};

fn main() -> ExitCode {
    let text = std::env::args().nth(1).unwrap_or_default();
    match connect(&text) {
        Ok(Some(server)) => {
            println!("connected to {server}");
            ExitCode::SUCCESS
        }
        Ok(None) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn connect(text: &str) -> Result<Option<SocketAddr>, Box<dyn Error>> {
    let mut settings = Settings::new(Vec::new());
    settings.parse(text)?;
    let parameters = settings.startup_parameters()?;
    let parameters: Vec<_> = parameters.map(|(name, value)| Parameter { name: name.into(), value }).collect();
    let mut attempts = Attempts::new(settings.hosts()?, settings.options()?, 0);
    let mut addresses = Vec::new();
    while let Some(step) = attempts.step() {
        match step {
            Step::Resolve(host) => {
                let found = (host.name, host.port).to_socket_addrs();
                addresses = found.map_or(Vec::new(), |found| found.collect());
                attempts.resolved(addresses.len());
            }
            Step::Connect(attempt) => {
                let address = match attempt.host.place() {
                    Place::Name(_) => addresses[attempt.address],
                    Place::Address(address) => SocketAddr::new(address.parse()?, attempt.host.port),
                    Place::Unix(_) => return Err("there are no Unix sockets here".into()),
                };
                match Server::log_in(address, &attempt, &mut attempts, &parameters) {
                    Ok(mut server) => {
                        if server.is_wanted(&mut attempts) {
                            return Ok(Some(address));
                        }
                        drop(server.send(&Terminate));
                    }
                    Err(failure) => attempts.failed(failure),
                }
            }
        }
    }
    Ok(None)
}

struct Server {
    stream: TcpStream,
    decoder: Decoder<Backend, Grow>,
    unread: Vec<u8>,
    facts: Facts,
}

impl Server {
    /// Up to the first ReadyForQuery.
    fn log_in(
        address: SocketAddr,
        attempt: &Attempt,
        attempts: &mut Attempts,
        parameters: &[Parameter],
    ) -> Result<Self, Failure> {
        let stream = TcpStream::connect(address).map_err(|_| Failure::Unreachable)?;
        stream.set_read_timeout(attempt.timeout).map_err(|_| Failure::Other)?;
        let decoder = Decoder::new(Backend::new(), Grow::new(1 << 20));
        let mut server = Self { stream, decoder, unread: Vec::new(), facts: Facts::default() };
        match attempt.transport {
            Transport::Plain => {}
            Transport::Tls => {
                server.send(&SSLRequest).map_err(|_| Failure::Other)?;
                let mut byte = [0];
                server.stream.read_exact(&mut byte).map_err(|_| Failure::Other)?;
                match byte {
                    [b'N'] if attempts.tls_refused() => {}
                    // There is no TLS here, so that every handshake fails.
                    [b'S'] => return Err(Failure::Tls),
                    _ => return Err(Failure::Other),
                }
            }
            Transport::DirectTls => return Err(Failure::Tls),
        }
        let startup = StartupMessage { version: attempt.version, parameters: List::from(parameters) };
        server.send(&startup).map_err(|_| Failure::Other)?;
        let mut facts = Facts::default();
        let (mut greeted, mut authenticated) = (false, false);
        loop {
            let seen = server.next(|frame| match frame.message() {
                Ok(Message::Authentication(Authentication::Ok)) if !authenticated => {
                    authenticated = true;
                    Ok(false)
                }
                Ok(Message::NegotiateProtocolVersion(answer))
                    if !authenticated && answer.check(&startup).is_ok() =>
                {
                    Ok(false)
                }
                Ok(Message::ErrorResponse(error)) if !authenticated => {
                    Err(error.sql_state().map_or(Failure::Other, Failure::Rejected))
                }
                Ok(Message::ParameterStatus(status)) if authenticated => {
                    facts.parameter_status(status.name, status.value);
                    Ok(false)
                }
                Ok(Message::BackendKeyData(_) | Message::NoticeResponse(_)) if authenticated => Ok(false),
                Ok(Message::ReadyForQuery(_)) if authenticated => Ok(true),
                _ => Err(Failure::Other),
            });
            match seen {
                Ok(Ok(false)) => greeted = true,
                Ok(Ok(true)) => return Ok(Self { facts, ..server }),
                Ok(Err(failure)) => return Err(failure),
                Err(_) => return Err(if greeted { Failure::Other } else { Failure::Closed }),
            }
        }
    }

    /// Whether it is what `target_session_attrs` wants. If not, `attempts` know.
    fn is_wanted(&mut self, attempts: &mut Attempts) -> bool {
        loop {
            match attempts.judge(&self.facts) {
                Verdict::Accept => return true,
                Verdict::Reject(_) => return false,
                Verdict::Ask(question) => {
                    if let Err(failure) = self.ask(question) {
                        attempts.failed(failure);
                        return false;
                    }
                }
            }
        }
    }

    fn ask(&mut self, question: Question) -> Result<(), Failure> {
        self.send(&Query { sql: question.sql().into() }).map_err(|_| Failure::Other)?;
        let mut value = None;
        let mut ready = false;
        while !ready {
            let seen = self.next(|frame| match frame.message() {
                Ok(Message::DataRow(row)) => {
                    value = row.columns.iter().next().flatten().map(|value| value.to_vec())
                }
                Ok(Message::ReadyForQuery(_)) => ready = true,
                _ => {}
            });
            seen.map_err(|_| Failure::Other)?;
        }
        self.facts.answer(question, &value.ok_or(Failure::Question)?);
        Ok(())
    }

    fn send(&mut self, message: &impl Encode) -> io::Result<()> {
        let mut out = Vec::new();
        message.encode(&mut out).map_err(io::Error::other)?;
        self.stream.write_all(&out)
    }

    /// What `look` makes of the next message.
    fn next<T>(&mut self, look: impl FnOnce(&Frame<'_>) -> T) -> io::Result<T> {
        loop {
            let mut input = &self.unread[..];
            let frame = self.decoder.feed(&mut input).map_err(io::Error::other)?;
            if let Some(frame) = frame {
                let seen = look(&frame);
                let left = input.len();
                self.unread.drain(..self.unread.len() - left);
                return Ok(seen);
            }
            self.unread.clear();
            let mut chunk = [0; 4096];
            match self.stream.read(&mut chunk)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                n => self.unread.extend_from_slice(&chunk[..n]),
            }
        }
    }
}

//! One client and the server: two streams, a decoder for each, a thread for each.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream, ToSocketAddrs};
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::{Duration, Instant};

use feedrate::pg::backend::{ErrorResponse, NoticeField, field};
use feedrate::pg::frontend::{Message, Terminate};
use feedrate::pg::{Backend, Encryption, EncryptionResponse, Error, Frontend, List, Text};
use feedrate::{Decoder, Encode, Grow};
use feedrate_examples::capture::Side;

use crate::handshake::Handshake;
use crate::lane::Lane;
use crate::pair::Pair;
use crate::tap::{Tap, complain};

/// The longest message that is forwarded. It is held whole, in memory that grows as the message arrives.
const LONGEST: usize = 1 << 30;
/// How much is read at a time. The complete messages in it are forwarded with one write.
const CHUNK: usize = 64 * 1024;

/// Why the rest of a stream cannot be forwarded.
enum Stop {
    /// The receiver has gone.
    Deaf,
    /// The sender cannot be read or understood.
    Broken(String),
}

impl From<feedrate::Error<Error>> for Stop {
    fn from(error: feedrate::Error<Error>) -> Self {
        Self::Broken(error.to_string())
    }
}

/// Serves one client, to the end of the connection.
pub(crate) fn serve(tap: &Tap, number: u64, client: TcpStream) {
    if let Err(error) = try_serve(tap, number, client) {
        complain(&format!("connection {number}: {error}"));
    }
    tap.open.fetch_sub(1, Relaxed);
}

fn try_serve(tap: &Tap, number: u64, mut client: TcpStream) -> io::Result<()> {
    let began = Instant::now();
    let mut to_server = Lane::new(tap, number, Side::Frontend, began);
    let mut to_client = Lane::new(tap, number, Side::Backend, began);
    let mut decoder = Decoder::new(Frontend::new(), Grow::new(LONGEST));
    client.set_nodelay(true)?;

    let until = began + tap.options.startup;
    let rest = match open(&mut client, &mut decoder, &mut to_server, &mut to_client, until) {
        Ok(Some(rest)) => rest,
        Ok(None) | Err(Stop::Deaf) => return Ok(()),
        Err(Stop::Broken(why)) => {
            to_server.withhold();
            to_server.complain(&why);
            return Ok(());
        }
    };
    let mut server = match reach(&tap.options.server, until) {
        Ok(server) => server,
        Err(error) => {
            to_server.withhold();
            let why = format!("could not connect to {}: {error}", tap.options.server);
            refuse(&mut client, &why)?;
            return Err(io::Error::other(why));
        }
    };
    server.set_nodelay(true)?;
    client.set_read_timeout(None)?;

    let (handshake, pair) = (Handshake::default(), Pair::default());
    let (mut client_out, mut server_in) = (client.try_clone()?, server.try_clone()?);
    let linger = |streams: [&TcpStream; 2]| {
        if !pair.end(tap.options.linger) {
            complain(&format!(
                "connection {number}: one side has closed, and the other one is silent: dropped"
            ));
            for stream in streams {
                let _ = stream.shutdown(Shutdown::Both);
            }
        }
    };
    thread::scope(|threads| {
        thread::Builder::new().spawn_scoped(threads, || {
            let end = from_server(&mut server_in, &mut client_out, &mut to_client, &handshake, &pair);
            handshake.end();
            hang_up(end, &server_in, &client_out, &to_client);
            linger([&server_in, &client_out]);
        })?;
        let mut from = rest.chain(&client);
        let end = from_client(&mut from, &mut server, decoder, &mut to_server, &handshake, &pair);
        hang_up(end, &client, &server, &to_server);
        linger([&client, &server]);
        Ok(())
    })
}

/// The main loop for the server's messages.
fn from_server(
    server: &mut impl Read,
    client: &mut TcpStream,
    lane: &mut Lane<'_>,
    handshake: &Handshake,
    pair: &Pair,
) -> Result<(), Stop> {
    let mut decoder = Decoder::new(Backend::new(), Grow::new(LONGEST));
    let mut chunk = vec![0; CHUNK];
    loop {
        let n = read(server, &mut chunk)?;
        if n == 0 {
            return Ok(decoder.end()?);
        }
        let mut input = &chunk[..n];
        let understood = loop {
            let frame = match decoder.feed(&mut input) {
                Ok(Some(frame)) => frame,
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            };
            let message = frame.message();
            handshake.tell(&frame, &message);
            lane.pass(&frame, &message);
        };
        // Even if the stream is lost: what came before is good.
        forward(lane, client)?;
        pair.moved();
        understood?;
    }
}

/// The same for the client's messages. But until it has logged in, the meaning of its next message depends on the
/// server's answer to the last one.
fn from_client(
    client: &mut impl Read,
    server: &mut TcpStream,
    mut decoder: Decoder<Frontend, Grow>,
    lane: &mut Lane<'_>,
    handshake: &Handshake,
    pair: &Pair,
) -> Result<(), Stop> {
    let mut chunk = vec![0; CHUNK];
    let (mut logged_in, mut unanswered, mut left) = (false, true, false);
    forward(lane, server)?;
    loop {
        let n = read(client, &mut chunk)?;
        if n == 0 {
            return Ok(decoder.end()?);
        }
        let mut input = &chunk[..n];
        let understood = loop {
            if let (false, true, Some(first)) = (logged_in, unanswered, input.first()) {
                forward(lane, server)?;
                logged_in = handshake.apply(decoder.protocol_mut(), *first);
                unanswered = false;
            }
            match decoder.feed(&mut input) {
                Ok(Some(frame)) => {
                    lane.pass(&frame, &frame.message());
                    unanswered = true;
                    left = frame.tag() == Terminate::TAG;
                }
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
            // Servers ignore what follows. pg_basebackup, which forks, sends Terminate twice.
            if left {
                break Ok(());
            }
        };
        forward(lane, server)?;
        pair.moved();
        understood?;
        if left {
            return Ok(());
        }
    }
}

/// Reads the client's first packets, before connecting to the server, and refuses its requests for encryption. Returns
/// the bytes that are left; `None` if the client leaves. The client has to finish by `until`, however slowly its bytes
/// come: clients that do not begin would use up all descriptors.
fn open(
    client: &mut TcpStream,
    decoder: &mut Decoder<Frontend, Grow>,
    to_server: &mut Lane<'_>,
    to_client: &mut Lane<'_>,
    until: Instant,
) -> Result<Option<io::Cursor<Vec<u8>>>, Stop> {
    let mut chunk = vec![0; CHUNK];
    loop {
        client.set_read_timeout(Some(left(until))).map_err(|error| Stop::Broken(error.to_string()))?;
        let n = match client.read(&mut chunk) {
            _ if Instant::now() >= until => {
                return Err(Stop::Broken("it has not begun within the limit".into()));
            }
            Ok(n) => n,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
            Err(error) => return Err(Stop::Broken(error.to_string())),
        };
        if n == 0 {
            decoder.end()?;
            return Ok(None);
        }
        let mut input = &chunk[..n];
        loop {
            let message = match decoder.feed(&mut input) {
                Ok(Some(frame)) => {
                    let message = frame.message();
                    to_server.pass(&frame, &message);
                    message
                }
                Ok(None) => break,
                Err(error) => {
                    let begin = [decoder.pending(), input].concat();
                    let begin = Text::from(&begin[..begin.len().min(8)]);
                    let error = error.into_inner();
                    let why = format!("not PostgreSQL's protocol, it begins with {begin:?}: {error}");
                    return Err(Stop::Broken(why));
                }
            };
            let asked = match message {
                Ok(Message::SSLRequest(_)) => Encryption::Ssl,
                Ok(Message::GSSENCRequest(_)) => Encryption::Gss,
                Ok(Message::DirectTls(_)) => {
                    return Err(Stop::Broken("TLS without an SSLRequest, which pg_tap cannot read".into()));
                }
                _ => return Ok(Some(io::Cursor::new(input.to_vec()))),
            };
            to_server.withhold();
            to_client.answer(asked, EncryptionResponse::Refused);
            forward(to_client, client)?;
            let told = decoder.protocol_mut().answered(EncryptionResponse::Refused, input);
            told.map_err(|error| Stop::Broken(error.to_string()))?;
        }
    }
}

/// Connects to the server, if possible by `until`.
fn reach(address: &str, until: Instant) -> io::Result<TcpStream> {
    let mut failure = io::Error::other("there is no such host");
    for address in address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, left(until)) {
            Ok(stream) => return Ok(stream),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

/// The time left; at least a millisecond, because zero would mean no limit.
fn left(until: Instant) -> Duration {
    until.saturating_duration_since(Instant::now()).max(Duration::from_millis(1))
}

fn read(stream: &mut impl Read, chunk: &mut [u8]) -> Result<usize, Stop> {
    stream.read(chunk).map_err(|error| Stop::Broken(error.to_string()))
}

fn forward(lane: &mut Lane<'_>, to: &mut TcpStream) -> Result<(), Stop> {
    lane.forward(to).map_err(|_| Stop::Deaf)
}

/// Decides about the other direction when one has ended. Shutting down a socket that is gone already does no harm.
fn hang_up(end: Result<(), Stop>, speaker: &TcpStream, listener: &TcpStream, lane: &Lane<'_>) {
    match end {
        // The other direction may still have data.
        Ok(()) => drop(listener.shutdown(Shutdown::Write)),
        Err(Stop::Deaf) => drop(listener.shutdown(Shutdown::Both)),
        Err(Stop::Broken(why)) => {
            lane.complain(&why);
            drop(speaker.shutdown(Shutdown::Both));
            drop(listener.shutdown(Shutdown::Both));
        }
    }
}

/// Reports in the protocol why there is no server.
fn refuse(client: &mut TcpStream, why: &str) -> io::Result<()> {
    let fields = [
        NoticeField { code: field::SEVERITY, value: "FATAL".into() },
        NoticeField { code: field::SEVERITY_NONLOCALIZED, value: "FATAL".into() },
        // sqlclient_unable_to_establish_sqlconnection
        NoticeField { code: field::CODE, value: "08001".into() },
        NoticeField { code: field::MESSAGE, value: why.into() },
    ];
    let mut error = Vec::new();
    ErrorResponse { fields: List::from(&fields) }.encode(&mut error).map_err(io::Error::other)?;
    client.write_all(&error)?;
    // Closing a socket with unread bytes could destroy the error before the client reads it.
    client.shutdown(Shutdown::Write)?;
    let until = Instant::now() + Duration::from_secs(1);
    let mut chunk = [0; 1024];
    while Instant::now() < until {
        client.set_read_timeout(Some(left(until)))?;
        if !client.read(&mut chunk).is_ok_and(|n| n > 0) {
            break;
        }
    }
    Ok(())
}

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
/// As much is read at a time, and what is whole of it is forwarded with one write.
const CHUNK: usize = 64 * 1024;

/// Why no more of a stream can be forwarded, although it has not ended.
enum Stop {
    /// Nobody listens any more.
    Deaf,
    /// Nothing more can be heard, or understood.
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

/// The main loop, for what the server says.
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
        // Also when the stream is lost: what came before is good.
        forward(lane, client)?;
        pair.moved();
        understood?;
    }
}

/// The same for what the client says: but until it has logged in, what its next message means depends on the
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
            // No server reads further. pg_basebackup, which forks, says goodbye twice.
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

/// Reads what the client says before there is a server to hear it, and answers its requests for encryption:
/// no. What is left of what was read is handed out; `None` if the client leaves. However slowly its bytes come, it has
/// no longer than until then: clients that do not begin would hold every descriptor there is.
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

/// The server, if it can be reached by then.
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

/// What is left until then; a millisecond at least, for no time at all would be no limit.
fn left(until: Instant) -> Duration {
    until.saturating_duration_since(Instant::now()).max(Duration::from_millis(1))
}

fn read(stream: &mut impl Read, chunk: &mut [u8]) -> Result<usize, Stop> {
    stream.read(chunk).map_err(|error| Stop::Broken(error.to_string()))
}

fn forward(lane: &mut Lane<'_>, to: &mut TcpStream) -> Result<(), Stop> {
    lane.forward(to).map_err(|_| Stop::Deaf)
}

/// One direction has ended: what becomes of the other? A socket that is gone already needs no shutdown.
fn hang_up(end: Result<(), Stop>, speaker: &TcpStream, listener: &TcpStream, lane: &Lane<'_>) {
    match end {
        // The other one may still have something to say.
        Ok(()) => drop(listener.shutdown(Shutdown::Write)),
        Err(Stop::Deaf) => drop(listener.shutdown(Shutdown::Both)),
        Err(Stop::Broken(why)) => {
            lane.complain(&why);
            drop(speaker.shutdown(Shutdown::Both));
            drop(listener.shutdown(Shutdown::Both));
        }
    }
}

/// Says why there is no server, as a server would.
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
    // To close a socket that holds unread bytes would take the error from the client.
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

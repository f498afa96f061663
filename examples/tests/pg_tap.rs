//! pg_tap between a client and a server that asks for what nobody here knows.

#![allow(dead_code, reason = "what only the program itself needs")]

#[path = "../pg_tap/begin.rs"]
mod begin;
#[path = "../pg_tap/binding.rs"]
mod binding;
#[path = "../pg_tap/check.rs"]
mod check;
#[path = "../pg_tap/connection.rs"]
mod connection;
#[path = "../pg_tap/handshake.rs"]
mod handshake;
#[path = "../pg_tap/lane.rs"]
mod lane;
#[path = "../pg_tap/options.rs"]
mod options;
#[path = "../pg_tap/output.rs"]
mod output;
#[path = "../pg_tap/tap.rs"]
mod tap;
#[path = "../pg_tap/tls.rs"]
mod tls;
#[path = "../pg_tap/waiting.rs"]
mod waiting;

#[path = "pg_tap/parts.rs"]
mod parts;
#[path = "pg_tap/rules.rs"]
mod rules;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use feedrate_examples::capture::{Piece, Side, pieces};
use options::Options;
use tap::Tap;

const PATIENCE: Duration = Duration::from_secs(10);
const STARTUP: &[u8] = b"\0\0\0\x14\0\x03\0\0user\0alice\0\0";
const OK: &[u8] = b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I";
const QUERY: &[u8] = b"Q\0\0\0\x0dselect 1\0";
const ROW: &[u8] = b"D\0\0\0\x0b\0\x01\0\0\0\x011Z\0\0\0\x05I";
const TERMINATE: &[u8] = b"X\0\0\0\x04";

enum Turn {
    Client(Vec<u8>),
    /// The client says this, and nobody has to hear it yet.
    Ahead(Vec<u8>),
    /// The client asks for encryption, which is refused.
    Refused(Vec<u8>),
    /// But now.
    Heard(Vec<u8>),
    Server(Vec<u8>),
}

fn patient(stream: TcpStream) -> TcpStream {
    stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
    stream
}

fn expect(stream: &mut TcpStream, bytes: &[u8]) {
    let mut read = vec![0; bytes.len()];
    stream.read_exact(&mut read).unwrap_or_else(|error| panic!("{error}, before {}", bytes.escape_ascii()));
    assert_eq!(read.escape_ascii().to_string(), bytes.escape_ascii().to_string());
}

/// Serves the next client, as the program does.
fn serve(tap: &Tap, number: u64, listener: &TcpListener) {
    serve_client(tap, number, listener.accept().expect("a client").0);
}

fn serve_client(tap: &Tap, number: u64, client: TcpStream) {
    client.set_nonblocking(true).expect("a socket");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let client = tokio::net::TcpStream::from_std(client).expect("a socket");
        connection::serve(tap, number, begin::tcp(client)).await;
    });
}

/// Both sides say these through pg_tap, each when the other one has heard what it says.
fn converse(turns: &[Turn]) {
    converse_as(1, Options::default(), turns);
}

/// The same, on a connection with this number.
fn converse_as(number: u64, options: Options, turns: &[Turn]) {
    let listener = || TcpListener::bind("127.0.0.1:0").expect("a port");
    let (to_tap, to_server) = (listener(), listener());
    let server = to_server.local_addr().expect("an address").to_string();
    let tap = Tap::new(Options { server, quiet: true, ..options }).expect("no files");
    thread::scope(|threads| {
        let mut client = patient(TcpStream::connect(to_tap.local_addr().expect("an address")).expect("open"));
        threads.spawn(|| serve(&tap, number, &to_tap));
        let mut server = None;
        for turn in turns {
            match turn {
                Turn::Client(bytes) => {
                    client.write_all(bytes).expect("sent");
                    let server = server.get_or_insert_with(|| patient(to_server.accept().expect("pg_tap").0));
                    expect(server, bytes);
                }
                Turn::Ahead(bytes) => client.write_all(bytes).expect("sent"),
                Turn::Refused(bytes) => {
                    client.write_all(bytes).expect("sent");
                    expect(&mut client, b"N");
                }
                Turn::Heard(bytes) => expect(server.as_mut().expect("the client speaks first"), bytes),
                Turn::Server(bytes) if bytes.is_empty() => thread::sleep(Duration::from_millis(100)),
                Turn::Server(bytes) => {
                    server.as_mut().expect("the client speaks first").write_all(bytes).expect("sent");
                    expect(&mut client, bytes);
                }
            }
        }
    });
    // What is recorded has been written then.
    tap.finish();
}

#[test]
fn whatever_is_asked_the_answer_is_forwarded() {
    for asked in [
        // The code of SASL in openGauss's form, which is not PostgreSQL's.
        &b"R\0\0\0\x0c\0\0\0\x0a\0\0\0\x02"[..],
        // Nothing, a salt too short, crypt, Kerberos 5, a code to come.
        b"R\0\0\0\x04",
        b"R\0\0\0\x0a\0\0\0\x05sa",
        b"R\0\0\0\x0a\0\0\0\x04sa",
        b"R\0\0\0\x08\0\0\0\x02",
        b"R\0\0\0\x08\0\0\0\x63",
        b"R\0\0\0\x08\0\0\0\x03",
    ] {
        let (answer, more) = (b"p\0\0\0\x0ba word", b"R\0\0\0\x0a\0\0\0\x0bno");
        converse(&[
            Turn::Client(STARTUP.to_vec()),
            Turn::Server(asked.to_vec()),
            Turn::Client([&answer[..], b"\0"].concat()),
            Turn::Server(more.to_vec()),
            Turn::Client(b"p\0\0\0\x08\xff\xff\xff\xff".to_vec()),
            Turn::Server(asked.to_vec()),
            Turn::Client([&answer[..], b"\0"].concat()),
            Turn::Server(OK.to_vec()),
            Turn::Client(QUERY.to_vec()),
            Turn::Server(ROW.to_vec()),
            Turn::Client(TERMINATE.to_vec()),
        ]);
    }
}

/// A server's proof is no question: what a client sends ahead waits for AuthenticationOk.
#[test]
fn what_is_sent_ahead_waits_until_the_client_is_known() {
    let (initial, response) = (b"p\0\0\0\x0eSCRAM\0\0\0\0\0", b"p\0\0\0\x09proof");
    converse(&[
        Turn::Client(STARTUP.to_vec()),
        Turn::Server(b"R\0\0\0\x0f\0\0\0\x0aSCRAM\0\0".to_vec()),
        Turn::Client(initial.to_vec()),
        Turn::Server(b"R\0\0\0\x0a\0\0\0\x0bno".to_vec()),
        Turn::Ahead([&response[..], QUERY].concat()),
        Turn::Heard(response.to_vec()),
        Turn::Server(b"R\0\0\0\x0a\0\0\0\x0cok".to_vec()),
        // Long enough for a Query to be read that does not wait.
        Turn::Server(Vec::new()),
        Turn::Server(OK.to_vec()),
        Turn::Heard(QUERY.to_vec()),
        Turn::Server(ROW.to_vec()),
        Turn::Client(TERMINATE.to_vec()),
    ]);
}

/// Servers close, and so must the tap: what comes behind a CancelRequest is nobody's.
#[test]
fn a_goodbye_behind_a_cancel_request_is_no_fault() {
    let cancel = b"\0\0\0\x10\x04\xd2\x16\x2e\0\0\0\x2a\x01\0\x03\xff";
    converse(&[
        Turn::Ahead([&cancel[..], TERMINATE].concat()),
        Turn::Client(Vec::new()),
        Turn::Heard(cancel.to_vec()),
    ]);
}

/// How many messages the answer has, only client and server know.
#[test]
fn an_answer_to_an_unknown_question_may_have_several_messages() {
    let asked = b"R\0\0\0\x08\0\0\0\x63";
    let answer = |byte: u8| Turn::Client([&b"p\0\0\0\x05"[..], &[byte]].concat());
    converse(&[
        Turn::Client(STARTUP.to_vec()),
        Turn::Server(asked.to_vec()),
        answer(1),
        answer(2),
        answer(3),
        Turn::Ahead([&b"p\0\0\0\x05\x04"[..], QUERY].concat()),
        Turn::Heard(b"p\0\0\0\x05\x04".to_vec()),
        // What is no answer waits.
        Turn::Server(Vec::new()),
        Turn::Server(OK.to_vec()),
        Turn::Heard(QUERY.to_vec()),
        Turn::Server(ROW.to_vec()),
        Turn::Client(TERMINATE.to_vec()),
    ]);
}

/// A client that gives up does not wait for what the server says to its last answer, if it says anything.
#[test]
fn a_goodbye_is_forwarded_at_once() {
    for asked in [&b"R\0\0\0\x08\0\0\0\x03"[..], b"R\0\0\0\x08\0\0\0\x63"] {
        converse(&[
            Turn::Client(STARTUP.to_vec()),
            Turn::Server(asked.to_vec()),
            Turn::Client(b"p\0\0\0\x05\0".to_vec()),
            Turn::Client(TERMINATE.to_vec()),
        ]);
        converse(&[Turn::Client(STARTUP.to_vec()), Turn::Client(TERMINATE.to_vec())]);
    }
}

/// A tap that runs for long has had more connections than 16 bits can count.
#[test]
fn every_connection_is_recorded() {
    let file = std::env::temp_dir().join(format!("pg_tap-{}.record", std::process::id()));
    for (number, recorded) in [(1, Some(1)), (65_536, Some(65_536)), (u64::from(u32::MAX) + 2, None)] {
        let options = Options { record: Some(file.clone()), ..Options::default() };
        converse_as(number, options, &[Turn::Client(STARTUP.to_vec()), Turn::Server(OK.to_vec())]);
        let record = std::fs::read(&file).expect("a record");
        let expected = recorded.map(|connection| {
            let piece = |from, bytes| Piece { connection, from, bytes };
            vec![piece(Side::Frontend, STARTUP), piece(Side::Backend, OK)]
        });
        assert_eq!(pieces(&record).collect::<Vec<_>>(), expected.unwrap_or_default());
    }
    std::fs::remove_file(&file).expect("it was there");
}

/// Also what this program answers by itself, each piece in its place.
#[test]
fn requests_for_encryption_are_recorded() {
    let file = std::env::temp_dir().join(format!("pg_tap-asked-{}.record", std::process::id()));
    let options = Options { record: Some(file.clone()), ..Options::default() };
    let (gss, ssl) = (b"\0\0\0\x08\x04\xd2\x16\x30", b"\0\0\0\x08\x04\xd2\x16\x2f");
    let asks = [gss, ssl].map(|request| Turn::Refused(request.to_vec()));
    let [gss_asked, ssl_asked] = asks;
    converse_as(1, options, &[gss_asked, ssl_asked, Turn::Client(STARTUP.to_vec())]);
    let record = std::fs::read(&file).expect("a record");
    let all: Vec<_> = pieces(&record).map(|piece| (piece.from, piece.bytes)).collect();
    let (f, b) = (Side::Frontend, Side::Backend);
    assert_eq!(all, [(f, &gss[..]), (b, b"N"), (f, ssl), (b, b"N"), (f, STARTUP)]);
    std::fs::remove_file(&file).expect("it was there");
}

/// Serves one client, with short limits, and returns how long that took.
fn with_limits(talk: impl FnOnce(TcpStream, &TcpListener)) -> Duration {
    let listener = || TcpListener::bind("127.0.0.1:0").expect("a port");
    let (to_tap, to_server) = (listener(), listener());
    let server = to_server.local_addr().expect("an address").to_string();
    let (startup, linger) = (Duration::from_millis(300), Duration::from_millis(300));
    let tap = Tap::new(Options { server, startup, linger, quiet: true, ..Options::default() });
    let tap = tap.expect("no files");
    let client = patient(TcpStream::connect(to_tap.local_addr().expect("an address")).expect("open"));
    let began = Instant::now();
    thread::scope(|threads| {
        let served = threads.spawn(|| serve(&tap, 1, &to_tap));
        talk(client, &to_server);
        served.join().expect("no panic");
    });
    began.elapsed()
}

/// However slowly its bytes come, it has no longer than the limit.
#[test]
fn a_client_that_does_not_begin_is_dropped() {
    let taken = with_limits(|mut client, _| {
        for byte in STARTUP {
            if client.write_all(&[*byte]).is_err() {
                return;
            }
            thread::sleep(Duration::from_millis(100));
        }
        panic!("it has begun");
    });
    assert!(taken < Duration::from_secs(1), "{taken:?}");
    let taken = with_limits(|mut client, _| {
        client.write_all(&STARTUP[..1]).expect("sent");
        assert_eq!(client.read(&mut [0]).expect("an end"), 0);
    });
    assert!(taken >= Duration::from_millis(300) && taken < Duration::from_secs(2), "{taken:?}");
}

/// The limit is for the start-up alone, and the other one for what has ended.
#[test]
fn a_client_that_is_idle_stays() {
    with_limits(|mut client, to_server| {
        client.write_all(STARTUP).expect("sent");
        let mut server = patient(to_server.accept().expect("pg_tap").0);
        expect(&mut server, STARTUP);
        thread::sleep(Duration::from_millis(700));
        server.write_all(OK).expect("sent");
        expect(&mut client, OK);
        thread::sleep(Duration::from_millis(700));
        client.write_all(QUERY).expect("sent");
        expect(&mut server, QUERY);
        server.write_all(ROW).expect("sent");
        expect(&mut client, ROW);
    });
}

/// The other side is there for all of the test.
#[test]
fn a_connection_ends_when_one_side_has() {
    for server_ends in [true, false] {
        let mut kept = None;
        let taken = with_limits(|mut client, to_server| {
            client.write_all(STARTUP).expect("sent");
            let mut server = patient(to_server.accept().expect("pg_tap").0);
            expect(&mut server, STARTUP);
            server.write_all(OK).expect("sent");
            expect(&mut client, OK);
            let ends = if server_ends { &server } else { &client };
            ends.shutdown(Shutdown::Write).expect("open");
            kept = Some((client, server));
        });
        assert!(taken >= Duration::from_millis(300), "{taken:?}");
    }
}

/// A client that says no more hears the rest, as long as it comes.
#[test]
fn what_is_said_after_a_half_close_is_heard() {
    with_limits(|mut client, to_server| {
        client.write_all(STARTUP).expect("sent");
        let mut server = patient(to_server.accept().expect("pg_tap").0);
        expect(&mut server, STARTUP);
        server.write_all(OK).expect("sent");
        expect(&mut client, OK);
        client.shutdown(Shutdown::Write).expect("open");
        for _ in 0..5 {
            thread::sleep(Duration::from_millis(150));
            server.write_all(ROW).expect("sent");
            expect(&mut client, ROW);
        }
    });
}

//! What keeps one client from harming the others, and what is said when there is no server.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use super::options::Options;
use super::tap::Tap;
use super::{OK, PATIENCE, QUERY, ROW, STARTUP, TERMINATE, expect, patient, serve_client};

const SSL_REQUEST: &[u8] = b"\0\0\0\x08\x04\xd2\x16\x2f";

/// A tap with these options, whose clients come when `talk` connects them, and a server.
fn with(options: Options, clients: u64, talk: impl FnOnce(&dyn Fn() -> TcpStream, &TcpListener)) {
    let listener = || TcpListener::bind("127.0.0.1:0").expect("a port");
    let (to_tap, to_server) = (listener(), listener());
    let address = to_tap.local_addr().expect("an address");
    let server = to_server.local_addr().expect("an address").to_string();
    let tap = Tap::new(Options { server, quiet: true, ..options }).expect("no files");
    thread::scope(|threads| {
        let tap = &tap;
        // In the order in which they come.
        threads.spawn(move || {
            for number in 1..=clients {
                let client = to_tap.accept().expect("a client").0;
                threads.spawn(move || serve_client(tap, number, client));
            }
        });
        talk(&|| patient(TcpStream::connect(address).expect("open")), &to_server);
    });
}

/// What pg_tap connects to the server with, if it does.
fn accepted(to_server: &TcpListener) -> TcpStream {
    to_server.set_nonblocking(true).expect("a socket");
    let until = Instant::now() + PATIENCE;
    loop {
        match to_server.accept() {
            Ok((server, _)) => {
                server.set_nonblocking(false).expect("a socket");
                return patient(server);
            }
            Err(error) => assert!(Instant::now() < until, "pg_tap does not come: {error}"),
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// A client that has logged in, and its server.
fn log_in(connect: &dyn Fn() -> TcpStream, to_server: &TcpListener) -> (TcpStream, TcpStream) {
    let mut client = connect();
    client.write_all(STARTUP).expect("sent");
    let mut server = accepted(to_server);
    expect(&mut server, STARTUP);
    server.write_all(OK).expect("sent");
    expect(&mut client, OK);
    (client, server)
}

fn ends(stream: &mut TcpStream) -> bool {
    match stream.read(&mut [0]) {
        Ok(n) => n == 0,
        Err(error) => error.kind() == ErrorKind::ConnectionReset,
    }
}

/// Not the newcomer, who may be in earnest.
#[test]
fn the_oldest_that_has_not_begun_gives_way() {
    let began = Instant::now();
    with(Options { starting: 1, ..Options::default() }, 2, |connect, to_server| {
        let mut oldest = connect();
        thread::sleep(Duration::from_millis(200));
        let (_client, _server) = log_in(connect, to_server);
        assert!(ends(&mut oldest));
    });
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[test]
fn who_has_begun_gives_way_to_nobody() {
    with(Options { starting: 1, ..Options::default() }, 3, |connect, to_server| {
        let (mut client, mut server) = log_in(connect, to_server);
        let (_one, _two) = (connect(), connect());
        thread::sleep(Duration::from_millis(200));
        client.write_all(QUERY).expect("sent");
        expect(&mut server, QUERY);
    });
}

#[test]
fn who_has_begun_takes_no_place() {
    with(Options { starting: 2, ..Options::default() }, 3, |connect, to_server| {
        let mut oldest = connect();
        thread::sleep(Duration::from_millis(200));
        let (_client, _server) = log_in(connect, to_server);
        let _newcomer = connect();
        thread::sleep(Duration::from_millis(200));
        oldest.write_all(STARTUP).expect("sent");
        expect(&mut accepted(to_server), STARTUP);
    });
}

/// As much waits as the kernel and one queue hold. The other direction goes on meanwhile, and in the end nothing does.
#[test]
fn who_takes_nothing_is_dropped() {
    let progress = Duration::from_millis(1500);
    with(Options { progress, ..Options::default() }, 1, |connect, to_server| {
        let (mut client, mut server) = log_in(connect, to_server);
        server.set_write_timeout(Some(Duration::from_millis(300))).expect("a socket");
        let (rows, mut sent) = (ROW.repeat(1000), 0);
        loop {
            match server.write(&rows) {
                Ok(n) => sent += n,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => panic!("{error}"),
            }
            assert!(sent < 64 << 20, "it holds everything");
        }
        let began = Instant::now();
        client.write_all(QUERY).expect("sent");
        expect(&mut server, QUERY);
        assert!(ends(&mut server));
        assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    });
}

/// A slow client, and a server that has said all and closed. The last words come too.
#[test]
fn what_is_queued_is_delivered_at_the_end() {
    with(Options::default(), 1, |connect, to_server| {
        let (mut client, mut server) = log_in(connect, to_server);
        let last = b"E\0\0\0\x1dSFATAL\0C57P01\0Mgood-bye\0\0";
        let all = [&ROW.repeat(200_000)[..], last].concat();
        let said = all.clone();
        let says = thread::spawn(move || {
            server.write_all(&said).expect("sent");
            server.shutdown(Shutdown::Write).expect("open");
            server
        });
        thread::sleep(Duration::from_millis(300));
        let mut heard = vec![0; all.len()];
        client.read_exact(&mut heard).expect("all of it");
        assert!(heard == all);
        assert!(ends(&mut client));
        drop(says.join().expect("sent"));
    });
    with(Options::default(), 1, |connect, to_server| {
        let (mut client, mut server) = log_in(connect, to_server);
        client.write_all(TERMINATE).expect("sent");
        drop(client);
        expect(&mut server, TERMINATE);
        assert!(ends(&mut server));
    });
}

/// What a server says before it is known to be one is not passed on: anybody may have said it.
#[test]
fn a_server_that_does_not_encrypt_is_not_used() {
    for (answer, expected) in [
        (&b"N"[..], "the server does not encrypt"),
        (b"ESFATAL\0Mgo to evil.example\0\0", "the server answered the request for TLS with an error"),
        (
            b"E\0\0\0\x20SFATAL\0Mgo to evil.example\0\0\0",
            "the server answered the request for TLS with an error",
        ),
        (b"", "the server closed the connection when it was asked for TLS"),
        (b"?", "not"),
    ] {
        with(Options { server_tls: true, ..Options::default() }, 1, |connect, to_server| {
            let mut client = connect();
            client.write_all(STARTUP).expect("sent");
            let mut server = accepted(to_server);
            expect(&mut server, SSL_REQUEST);
            server.write_all(answer).expect("sent");
            server.shutdown(Shutdown::Write).expect("open");
            let (mut heard, mut more) = (Vec::new(), Vec::new());
            client.read_to_end(&mut heard).expect("an error");
            let text = heard.escape_ascii().to_string();
            assert!(text.starts_with("E\\x00") && text.contains(expected), "{text}");
            assert!(text.contains("could not connect to 127.0.0.1") && !text.contains("evil"), "{text}");
            // And it has heard nothing of the client.
            server.read_to_end(&mut more).expect("an end");
            assert_eq!(more, b"");
        });
    }
}

/// Without a certificate.
#[test]
fn requests_for_encryption_are_refused() {
    with(Options::default(), 2, |connect, to_server| {
        let mut client = connect();
        for request in [&b"\0\0\0\x08\x04\xd2\x16\x30"[..], SSL_REQUEST] {
            client.write_all(request).expect("sent");
            expect(&mut client, b"N");
        }
        client.write_all(STARTUP).expect("sent");
        expect(&mut accepted(to_server), STARTUP);
        // TLS without a question.
        let mut client = connect();
        client.write_all(b"\x16\x03\x01\0\x05").expect("sent");
        assert!(ends(&mut client));
    });
}

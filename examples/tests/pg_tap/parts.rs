//! The parts that know nothing of connections.

use std::io::{self, Write};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use feedrate::pg::backend::{self, Authentication, ErrorResponse, NoticeField};
use feedrate::pg::frontend::{self, SASLInitialResponse};
use feedrate::pg::{Frontend, List, Secret, Text};
use feedrate::{Decoder, Grow};
use feedrate_io::pg_tls::Stream;

use super::binding::Binding;
use super::check::Check;
use super::options::Options;
use super::output::Output;

/// Takes nothing before it is told to.
struct Slow {
    go: Receiver<()>,
    written: Arc<Mutex<Vec<u8>>>,
}

impl Write for Slow {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // The sender is dropped: from then on it takes all.
        let _ = self.go.recv();
        self.written.lock().expect("no panic").extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn output_that_nobody_takes_is_lost_and_nothing_else() {
    let ((hold, go), written) = (channel(), Arc::new(Mutex::new(Vec::new())));
    let output = Output::new(Slow { go, written: Arc::clone(&written) }, |_| {}).expect("a thread");
    let mut began = Instant::now();
    let mut kept = 0;
    while output.lost() == 0 {
        began = Instant::now();
        output.put(b"line\n".to_vec()).await;
        kept += 1;
        assert!(kept < 1000, "it holds everything");
    }
    // That one has waited, and no other one does.
    assert!(began.elapsed() >= Duration::from_millis(900), "{:?}", began.elapsed());
    let began = Instant::now();
    for _ in 0..100 {
        output.put(b"gone\n".to_vec()).await;
    }
    assert!(began.elapsed() < Duration::from_millis(500), "{:?}", began.elapsed());
    assert_eq!(output.lost(), 101 * 5);
    // Nor does the end of the program.
    output.finish();
    assert!(began.elapsed() < Duration::from_secs(3));
    // Somebody takes it after all: what is there, and what comes now.
    drop(hold);
    while written.lock().expect("no panic").len() < (kept - 1) * 5 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    output.put(b"last\n".to_vec()).await;
    output.finish();
    let expected = ["line\n".repeat(kept - 1), "last\n".into()].concat();
    assert_eq!(String::from_utf8_lossy(&written.lock().expect("no panic")), expected);
}

/// `pg_tap | head`, or a disk that is full.
#[tokio::test]
async fn output_that_fails_is_told_of_once() {
    struct Closed;
    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let (tell, told) = channel();
    let output =
        Output::new(Closed, move |error| tell.send(error.kind()).expect("a test")).expect("a thread");
    for _ in 0..1000 {
        output.put(b"line\n".to_vec()).await;
    }
    assert_eq!((output.lost(), told.iter().collect::<Vec<_>>()), (0, vec![io::ErrorKind::BrokenPipe]));
}

fn offer(mechanisms: &[&str]) -> Vec<u8> {
    let mechanisms: Vec<_> = mechanisms.iter().map(|name| Text::from(*name)).collect();
    let mut out = Vec::new();
    let offer = Authentication::Sasl { mechanisms: List::from(&mechanisms) };
    feedrate::Encode::encode(&offer, &mut out).expect("memory");
    out
}

fn of_server(binding: &Binding, mechanisms: &[&str]) -> Option<Vec<u8>> {
    let mechanisms: Vec<_> = mechanisms.iter().map(|name| Text::from(*name)).collect();
    binding.of_server(&Authentication::Sasl { mechanisms: List::from(&mechanisms) }.into())
}

fn of_client(binding: &Binding, data: &[u8]) {
    let initial = SASLInitialResponse { mechanism: "SCRAM-SHA-256".into(), data: Some(Secret::from(data)) };
    binding.of_client(&frontend::Message::SASLInitialResponse(initial));
}

fn has_hint(binding: &Binding) -> bool {
    let fields = [NoticeField { code: b'M', value: "no".into() }];
    let other = binding.of_server(&ErrorResponse { fields: List::from(&fields) }.into());
    other.is_some_and(|error| {
        error.starts_with(b"E") && error.windows(24).any(|text| text == b"channel_binding=disable,")
    })
}

#[test]
fn channel_binding_is_not_offered_where_it_cannot_be() {
    let in_clear = || Binding::new(&Stream::plain(()), &Stream::plain(()));
    let binding = in_clear();
    assert_eq!(
        of_server(&binding, &["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "X"]),
        Some(offer(&["SCRAM-SHA-256", "X"]))
    );
    // Who would have wanted it is told how to do without.
    assert!(!has_hint(&binding));
    of_client(&binding, b"n,,n=,r=abc");
    assert!(!has_hint(&binding));
    of_client(&binding, b"y,,n=,r=abc");
    assert!(has_hint(&binding));
    // Later errors have nothing to do with it.
    assert_eq!(binding.of_server(&backend::Message::from(Authentication::Ok)), None);
    assert!(!has_hint(&binding));

    // A server without it is none of our business.
    let binding = in_clear();
    assert_eq!(of_server(&binding, &["SCRAM-SHA-256"]), None);
    of_client(&binding, b"y,,n=,r=abc");
    assert!(!has_hint(&binding));
}

#[test]
fn options_that_make_no_sense_are_refused() {
    let parse = |more: &str| {
        let line = format!("--listen 127.0.0.1:0 --server 127.0.0.1:1 {more}");
        Options::parse(line.split_whitespace().map(str::to_owned)).map(|options| options.is_some())
    };
    for good in [
        "",
        "--tls-cert a --tls-key b",
        "--server-tls require --server-direct",
        "--server-tls verify-full --server-ca c --server-name n",
        "--listen /run/a --server /run/b",
        "--starting 1 --progress 0.5",
    ] {
        assert_eq!(parse(good), Ok(true), "{good}");
    }
    for (wrong, expected) in [
        ("--tls-cert a", "--tls-cert and --tls-key need each other"),
        ("--tls-key a", "--tls-cert and --tls-key need each other"),
        ("--server-tls verify-full", "--server-tls verify-full and --server-ca need each other"),
        ("--server-tls require --server-ca c", "--server-tls verify-full and --server-ca need each other"),
        ("--server-ca c", "--server-tls verify-full and --server-ca need each other"),
        ("--server-tls prefer", "--server-tls prefer: expected require or verify-full"),
        ("--server-direct", "--server-direct and --server-name need --server-tls"),
        ("--server-name n", "--server-direct and --server-name need --server-tls"),
        ("--starting 0", "--starting 0: expected a number of clients"),
        ("--trace-regress", "--trace-regress needs --trace"),
        ("--server nowhere", "--server \"nowhere\" is not of the form ADDRESS:PORT"),
    ] {
        assert_eq!(parse(wrong), Err(expected.into()));
    }
}

#[tokio::test]
async fn a_check_says_what_may_not_come() {
    let check = Check::new(7);
    let startup = b"\0\0\0\x14\0\x03\0\0user\0alice\0\0";
    let mut client = Decoder::new(Frontend::new(), Grow::new(64));
    let mut input = &startup[..];
    assert_eq!(check.pass(&client.feed(&mut input).unwrap().unwrap()), Ok(None));
    let server = |bytes: &[u8]| check.pass(&backend::Frame::from_bytes(bytes).unwrap()).unwrap();
    assert_eq!(server(b"R\0\0\0\x08\0\0\0\0"), None);
    assert_eq!(server(b"Z\0\0\0\x05I"), None);
    assert_eq!(check.end(), "connection 7: 3 messages, 0 unexpected, owed 0..0, in step yes\n");
    let line = server(b"C\0\0\0\x0dSELECT 1\0").unwrap();
    assert!(line.starts_with("unexpected 7 server CommandComplete: expected "), "{line}");
    assert_eq!(check.end(), "connection 7: 4 messages, 1 unexpected, owed 0..0, in step no\n");

    // A client that is never answered has to wait, until something has come.
    let (bind, execute) = (b"B\0\0\0\x0c\0\0\0\0\0\0\0\0", b"E\0\0\0\x09\0\0\0\0\0");
    let check = Check::new(8);
    let mut client = Decoder::new(Frontend::new(), Grow::new(64));
    check.pass(&client.feed(&mut &startup[..]).unwrap().unwrap()).unwrap();
    let server = |bytes: &[u8]| check.pass(&backend::Frame::from_bytes(bytes).unwrap()).unwrap();
    server(b"R\0\0\0\x08\0\0\0\0");
    server(b"Z\0\0\0\x05I");
    let mut sent = 0;
    while check
        .pass(&frontend::Frame::from_bytes(if sent % 2 == 0 { bind } else { execute }).unwrap())
        .is_ok()
    {
        sent += 1;
        assert!(sent < 100_000, "it remembers any number");
    }
    check.room().await;
    server(b"2\0\0\0\x04");
    check.room().await;
    assert!(
        check.pass(&frontend::Frame::from_bytes(if sent % 2 == 0 { bind } else { execute }).unwrap()).is_ok()
    );
}

//! Connections over `std::io`.
#![cfg(feature = "std")]

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::Duration;

use feedrate::pg::Frontend;
use feedrate::pg::frontend::{Query, Sync};
use feedrate::{Encode, Grow};
use feedrate_io::Error;
use feedrate_io::blocking::Connection;

/// Reads one byte at a time, and is interrupted before each.
struct Interrupted<'a>(&'a [u8], bool, Vec<u8>);

impl Read for Interrupted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.1 = !self.1;
        if self.1 {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let one = buffer.len().min(1);
        self.0.read(&mut buffer[..one])
    }
}

impl Write for Interrupted<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.1 = !self.1;
        if self.1 {
            return Err(io::ErrorKind::Interrupted.into());
        }
        self.2.write(&bytes[..1])
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn an_interrupted_transport_loses_nothing() {
    let mut stream = Vec::new();
    for n in 0..50 {
        Query { sql: "x".repeat(n).as_str().into() }.encode(&mut stream).unwrap();
    }
    let io = Interrupted(&stream, false, Vec::new());
    let mut server = Connection::new(io, Frontend::established(), Grow::new(4096), 16);
    let mut found = Vec::new();
    while let Some(frame) = server.next().unwrap() {
        found.extend_from_slice(frame.raw());
    }
    assert_eq!(found, stream);
    server.push(&Sync).unwrap();
    server.send(&Sync).unwrap();
    assert_eq!(server.io().2, b"S\0\0\0\x04S\0\0\0\x04");
}

/// The socket's own limit of time: the same call can be made again.
#[test]
fn a_timeout_loses_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut raw = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (io, _) = listener.accept().unwrap();
    io.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    let mut server = Connection::new(io, Frontend::established(), Grow::new(4096), 4096);
    for byte in b"S\0\0\0" {
        raw.write_all(&[*byte]).unwrap();
        let Err(Error::Io(error)) = server.next() else { panic!("no timeout") };
        assert!(matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut), "{error}");
    }
    raw.write_all(b"\x04").unwrap();
    assert_eq!(server.next().unwrap().unwrap().name(), "Sync");
    assert!(server.try_next().unwrap().is_none());
    raw.write_all(b"S\0").unwrap();
    raw.shutdown(Shutdown::Write).unwrap();
    let error = server.next().unwrap_err();
    assert!(error.is_over(), "{error}");
    assert!(error.to_string().starts_with("lost stream: "), "{error}");
}

/// What was pushed is written before an answer is waited for.
#[test]
fn next_writes_what_was_pushed() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let echo = std::thread::spawn(move || {
        let mut socket = listener.accept().unwrap().0;
        let mut bytes = [0; 5];
        socket.read_exact(&mut bytes).unwrap();
        socket.write_all(&bytes).unwrap();
    });
    let io = TcpStream::connect(address).unwrap();
    let mut client = Connection::new(io, Frontend::established(), Grow::new(4096), 0);
    client.push(&Sync).unwrap();
    assert_eq!(client.next().unwrap().unwrap().name(), "Sync");
    assert!(client.next().unwrap().is_none());
    echo.join().unwrap();
}

/// A buffered transport gives nothing to the socket before it is flushed.
#[test]
fn what_is_written_is_flushed() {
    struct Buffered(io::BufWriter<Vec<u8>>);
    impl Read for Buffered {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Ok(0)
        }
    }
    impl Write for Buffered {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            self.0.flush()
        }
    }
    let io = Buffered(io::BufWriter::new(Vec::new()));
    let mut client = Connection::new(io, Frontend::established(), Grow::new(4096), 16);
    client.send(&Sync).unwrap();
    assert_eq!(client.io().0.get_ref(), b"S\0\0\0\x04");
}

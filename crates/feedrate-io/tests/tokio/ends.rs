//! Ends: a peer that sends no more, that reads no more, that is gone.

use feedrate::Fault;
use feedrate::pg::List;
use feedrate::pg::backend::{self, ErrorResponse, NoticeField};
use feedrate::pg::frontend::{Message, Query, Sync, Terminate};
use feedrate_io::{Error, Limits};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::net::{TcpListener, TcpStream};

use crate::{bytes, client, server};

async fn sockets() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let connect = TcpStream::connect(listener.local_addr().unwrap());
    let (client, server) = tokio::join!(connect, listener.accept());
    (client.unwrap(), server.unwrap().0)
}

/// What waits is written after the end of input: 200 times, as chance is in it.
#[tokio::test]
async fn a_half_close_loses_no_answer() {
    for _ in 0..200 {
        let (mut raw, io) = sockets().await;
        raw.write_all(&bytes(&Query { sql: "select 1".into() })).await.unwrap();
        raw.shutdown().await.unwrap();
        let mut server = server(io, Limits::new());
        while let Some(frame) = server.next().await.unwrap() {
            assert!(matches!(frame.message(), Ok(Message::Query(_))));
            server.push_bytes(&[7; 300_000]).unwrap();
        }
        server.shutdown().await.unwrap();
        drop(server);
        let mut answer = Vec::new();
        raw.read_to_end(&mut answer).await.unwrap();
        assert_eq!(answer.len(), 300_000);
    }
}

/// A server says why it leaves, and has closed by the time that the client writes: the words are read, and the failure
/// is told afterwards.
#[tokio::test]
async fn the_last_words_are_read_although_writing_fails() {
    let (io, mut raw) = duplex(4096);
    let fields = [NoticeField { code: b'M', value: "terminating connection".into() }];
    raw.write_all(&bytes(&ErrorResponse { fields: List::from(&fields) })).await.unwrap();
    drop(raw);
    let mut client = client(io, Limits::new());
    client.push(&Query { sql: "select 1".into() }).unwrap();
    let frame = client.next().await.unwrap().unwrap();
    assert!(matches!(frame.message(), Ok(backend::Message::ErrorResponse(_))));
    let error = client.next().await.unwrap_err();
    assert!(matches!(&error, Error::Io(io) if io.kind() == std::io::ErrorKind::BrokenPipe), "{error:?}");
    assert!(error.is_over());
    // It is told once. What can be told then is that the stream has ended.
    assert!(client.next().await.unwrap().is_none());
}

#[tokio::test]
async fn a_stream_that_ends_inside_a_message_is_lost() {
    let (mut raw, io) = duplex(4096);
    raw.write_all(b"Q\0\0\0\x0aabc").await.unwrap();
    drop(raw);
    let mut server = server(io, Limits::new());
    let error = server.next().await.unwrap_err();
    let Error::Protocol(feedrate::Error::Lost(lost)) = &error else { panic!("{error:?}") };
    let truncated = Fault::Truncated { held: 8, missing: 3 };
    assert_eq!(lost.problem(), feedrate::pg::Problem::Fault(truncated));
    assert!(error.is_over());
}

#[tokio::test]
async fn after_a_bad_message_the_next_one_follows() {
    let (mut raw, io) = duplex(4096);
    raw.write_all(&bytes(&Query { sql: "a".repeat(100).as_str().into() })).await.unwrap();
    raw.write_all(&bytes(&Sync)).await.unwrap();
    drop(raw);
    // It cannot be held.
    let mut server = feedrate_io::tokio::Connection::new(
        io,
        feedrate::pg::Frontend::established(),
        feedrate::Grow::new(64),
        Limits::new(),
    );
    let error = server.next().await.unwrap_err();
    assert!(!error.is_over(), "{error:?}");
    assert_eq!(server.next().await.unwrap().unwrap().name(), "Sync");
    assert!(server.next().await.unwrap().is_none());
}

/// Two sides that both have more to say than the transport holds.
#[tokio::test]
async fn both_sides_talk_at_once() {
    let (left, right) = duplex(64);
    let (mut client, mut server) = (client(left, Limits::new()), server(right, Limits::new()));
    let long = "x".repeat(20_000);
    client.push(&Query { sql: long.as_str().into() }).unwrap();
    server.push(&backend::CopyData { data: long.as_bytes() }).unwrap();
    let (left, right) = tokio::join!(async { client.next().await.unwrap().unwrap().raw().len() }, async {
        server.next().await.unwrap().unwrap().raw().len()
    });
    assert_eq!((left, right), (20_005, 20_006));
}

#[tokio::test]
async fn parts_keep_what_is_unread_and_unsent() {
    let (mut raw, io) = duplex(4096);
    let mut server = server(io, Limits::new());
    raw.write_all(&[bytes(&Sync), bytes(&Sync), bytes(&Terminate)].concat()).await.unwrap();
    assert_eq!(server.next().await.unwrap().unwrap().name(), "Sync");
    server.push_bytes(b"unsent").unwrap();
    let parts = server.into_parts();
    assert_eq!(parts.unread, [bytes(&Sync), bytes(&Terminate)].concat());
    assert_eq!(parts.unsent, b"unsent");
    assert_eq!(parts.decoder.pending(), b"");
}

#[tokio::test]
async fn a_message_that_can_never_be_sent_is_refused() {
    let (_raw, io) = duplex(4096);
    let mut client = client(io, Limits::new().queued(100));
    let error = client.send(&Query { sql: "x".repeat(200).as_str().into() }).await.unwrap_err();
    assert!(matches!(error, Error::Message(feedrate::EncodeError::Full)), "{error:?}");
    assert!(!error.is_over());
    client.send(&Sync).await.unwrap();
}

//! Owned messages as a codec of tokio-util.
#![cfg(all(feature = "codec", feature = "pg"))]

use bytes::BytesMut;
use feedrate::Grow;
use feedrate::pg::frontend::{Message, Query, Sync};
use feedrate::pg::{Backend, Frontend};
use feedrate_io::Error;
use feedrate_io::codec::Codec;
use feedrate_testkit::pg::vectors;
use tokio_util::codec::{Decoder, Encoder};

/// Every vector of an established session, however it arrives.
#[test]
fn what_comes_out_does_not_depend_on_how_it_arrives() {
    let ready = |row: &vectors::Good<Backend, _>| row.start.is_authenticated() && row.bytes.len() < 500;
    let all: Vec<_> = vectors::backend().into_iter().filter(ready).map(|row| row.bytes).collect();
    let stream = all.concat();
    for size in [1, 2, 3, 7, 100, stream.len()] {
        let start = Backend::established().allow_unknown(100);
        let mut codec = Codec::new(start, Grow::new(1 << 20));
        let (mut bytes, mut found) = (BytesMut::new(), Vec::new());
        for chunk in stream.chunks(size) {
            bytes.extend_from_slice(chunk);
            while let Some(frame) = codec.decode(&mut bytes).unwrap() {
                found.push(frame.unwrap().as_frame().raw().to_vec());
            }
        }
        assert!(codec.decode_eof(&mut bytes).unwrap().is_none());
        assert_eq!(found, all, "{size}");
    }
}

#[test]
fn a_refused_message_is_an_item_and_the_stream_goes_on() {
    let mut codec = Codec::new(Frontend::established(), Grow::new(32));
    let mut bytes = BytesMut::new();
    codec.encode(Query { sql: "x".repeat(100).as_str().into() }, &mut bytes).unwrap();
    codec.encode(Sync, &mut bytes).unwrap();
    assert!(codec.decode(&mut bytes).unwrap().unwrap().is_err());
    let sync = codec.decode(&mut bytes).unwrap().unwrap().unwrap();
    assert!(matches!(sync.as_frame().message(), Ok(Message::Sync(_))));
    assert!(codec.decode_eof(&mut bytes).unwrap().is_none());
}

#[test]
fn a_lost_stream_is_an_error() {
    let mut codec = Codec::new(Frontend::established(), Grow::new(32));
    let mut bytes = BytesMut::from(&b"z\0\0\0\x04"[..]);
    assert!(matches!(codec.decode(&mut bytes), Err(Error::Protocol(feedrate::Error::Lost(_)))));
    let mut codec = Codec::new(Frontend::established(), Grow::new(32));
    let mut bytes = BytesMut::from(&b"S\0\0"[..]);
    assert!(matches!(codec.decode_eof(&mut bytes), Err(Error::Protocol(feedrate::Error::Lost(_)))));
}

//! Nothing is allocated on a claim, between messages, or while idle; and with a storage that is not on the
//! heap, nothing at all.

use feedrate::pg::stream::Streaming;
use feedrate::pg::{Backend, Frontend, Version, backend, frontend};
use feedrate::{Array, Borrowed, Decoder, Encode, Extent, Fault, Grow, Protocol, SliceOutput, Storage};
use feedrate_testkit::counting::{Counting, Taken, taken};
use feedrate_testkit::pg::vectors;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const NOTHING: Taken = Taken::NOTHING;

/// Reads every field there is to be read, and answers how many messages there were.
fn drive<S: Storage>(decoder: &mut Decoder<Backend, S>, chunks: &[Vec<u8>]) -> usize {
    let mut messages = 0;
    for chunk in chunks {
        let mut input = &chunk[..];
        while let Some(frame) = decoder.feed(&mut input).expect("good messages") {
            if let Ok(backend::Message::DataRow(row)) = frame.message() {
                assert_eq!(row.columns.iter().filter(Option::is_some).count(), 2);
            }
            messages += 1;
        }
    }
    messages
}

/// Rows of 33 bytes in reads of 100: every read but each 33rd ends in the middle of a message.
fn rows() -> Vec<Vec<u8>> {
    let row = b"D\0\0\0\x20\0\x02\0\0\0\x04\0\0\0\x2a\0\0\0\x0ehello, world!!";
    assert_eq!(row.len(), 33);
    row.repeat(1_000).chunks(100).map(<[u8]>::to_vec).collect()
}

#[test]
fn without_a_heap_nothing_is_allocated() {
    let rows = rows();
    let (used, messages) =
        taken(|| drive(&mut Decoder::new(Backend::established(), Array::<64>::new()), &rows));
    assert_eq!((used, messages), (NOTHING, 1_000));

    let mut memory = [0; 64];
    let storage = Borrowed::new(&mut memory);
    let (used, messages) = taken(|| drive(&mut Decoder::new(Backend::established(), storage), &rows));
    assert_eq!((used, messages), (NOTHING, 1_000));
}

#[test]
fn whole_messages_need_no_storage() {
    let chunk = [rows().concat()];
    let mut decoder = Decoder::new(Backend::established(), Grow::new(1 << 20));
    let (used, messages) = taken(|| drive(&mut decoder, &chunk));
    assert_eq!((used, messages), (NOTHING, 1_000));
}

#[test]
fn in_steady_state_a_growing_storage_does_not_grow() {
    let rows = rows();
    let mut decoder = Decoder::new(Backend::established(), Grow::new(1 << 20));
    drive(&mut decoder, &rows[..10]);
    // No read of these ends where a message ends.
    let (used, messages) = taken(|| drive(&mut decoder, &rows[10..32]));
    assert_eq!((used, messages), (NOTHING, 22 * 100 / 33));
}

#[test]
fn an_idle_decoder_holds_no_heap() {
    let mut decoder = Decoder::new(Backend::established(), Grow::new(1 << 20));
    let (used, _) = taken(|| {
        for row in [&rows().concat()[..66], vectors::READY] {
            let (a, b) = row.split_at(row.len() - 3);
            let mut input = a;
            while decoder.feed(&mut input).expect("good").is_some() {}
            assert!(decoder.storage().capacity() > 0);
            let mut input = b;
            while decoder.feed(&mut input).expect("good").is_some() {}
            assert_eq!(decoder.storage().capacity(), 0);
        }
    });
    assert_eq!(used.kept, 0);
    assert!(used.allocations > 0);
}

#[test]
fn the_memory_of_a_long_message_is_given_back() {
    let long = [b"d\0\x10\0\x04", &[b'x'; 1 << 20][..], vectors::READY, b"Z\0\0"].concat();
    let mut decoder = Decoder::new(Backend::established(), Grow::new(2 << 20));
    let (mut most, mut names) = (0, Vec::new());
    for mut input in long.chunks(65_536) {
        while let Some(frame) = decoder.feed(&mut input).expect("good") {
            names.push(frame.name());
        }
        most = most.max(decoder.storage().capacity());
    }
    assert_eq!(names, ["CopyData", "ReadyForQuery"]);
    assert!(most >= 1 << 20, "{most}");
    // In the middle of the next message it has what that one needs.
    assert!((1..64).contains(&decoder.storage().capacity()), "{}", decoder.storage().capacity());
}

#[test]
fn nothing_is_reserved_on_a_claim() {
    fn claims<P: Protocol>(protocol: P, header: &[u8]) {
        let mut decoder = Decoder::new(protocol, Grow::new(usize::MAX));
        let (used, nothing) = taken(|| {
            let mut input = header;
            matches!(decoder.feed(&mut input), Ok(None))
        });
        assert!(nothing && used.bytes < 64, "{used:?}");
        assert!(decoder.needed() >= (1 << 30) - 8, "{}", decoder.needed());
        // It grows with what comes.
        let (used, _) = taken(|| {
            let mut input = &[0; 1_000][..];
            matches!(decoder.feed(&mut input), Ok(None))
        });
        assert!(used.bytes < 4_096, "{used:?}");
    }
    claims(Backend::established(), b"d\x40\0\0\x04");
    claims(Backend::established(), b"D\x7f\xff\xff\xff");
    claims(Backend::established(), b"T\x40\0\0\x04\xff\xff");
    claims(Frontend::established(), b"Q\x3f\xff\xff\xfe");
    claims(Frontend::established(), b"B\x3f\xff\xff\xfe");
}

#[test]
fn counts_and_lengths_in_a_body_reserve_nothing() {
    let (used, bad) = taken(|| {
        let bodies = [
            &b"D\0\0\0\x06\xff\xff"[..],
            b"t\0\0\0\x06\xff\xff",
            b"T\0\0\0\x06\xff\xff",
            b"G\0\0\0\x07\0\xff\xff",
        ];
        let mut decoder = Decoder::new(Backend::established(), Array::<64>::new());
        bodies
            .into_iter()
            .filter(|body| {
                let mut input = *body;
                decoder.feed(&mut input).expect("a frame").expect("whole").message().is_err()
            })
            .count()
    });
    assert_eq!((used, bad), (NOTHING, 4));
}

#[test]
fn streaming_allocates_nothing() {
    let row = [&b"D\0\x01\x86\xaa\0\x01\0\x01\x86\xa0"[..], &[b'x'; 100_000]].concat();
    let mut decoder = Decoder::new(Streaming::new(Backend::established()), Array::<16>::new());
    let (used, events) = taken(|| {
        let mut events = 0;
        for mut input in row.chunks(7) {
            while decoder.feed(&mut input).expect("good").is_some() {
                events += 1;
            }
        }
        events
    });
    assert_eq!(used, NOTHING);
    assert!(events > 100_000 / 7);
}

#[test]
fn encoding_into_a_slice_allocates_nothing() {
    let mut memory = [0; 256];
    let columns = [Some(&b"42"[..]), None];
    let parameters = [frontend::Parameter { name: "user".into(), value: "alice".into() }];
    let (used, length) = taken(|| {
        let mut out = SliceOutput::new(&mut memory);
        let row = backend::DataRow { columns: (&columns).into() };
        let startup = frontend::StartupMessage { version: Version::V3_2, parameters: (&parameters).into() };
        let length = row.encoded_length().expect("short") + startup.encoded_length().expect("short");
        row.encode(&mut out).expect("room");
        startup.encode(&mut out).expect("room");
        assert_eq!(out.as_bytes().len(), length);
        length
    });
    assert_eq!((used, length), (NOTHING, 17 + 20));
}

/// A delimiter that does not come must not be waited for without a limit.
#[test]
fn a_text_without_an_end_is_limited_by_the_storage() {
    struct Lines;
    impl Protocol for Lines {
        type Bytes<'a> = &'a [u8];
        type Message<'a> = &'a [u8];
        type Error = Fault;
        fn extent(&self, _: &[u8]) -> Result<Extent, Fault> {
            Ok(Extent::Until(b"\n"))
        }
        fn parse<'a>(&mut self, frame: Self::Bytes<'a>) -> Result<&'a [u8], Fault> {
            Ok(frame)
        }
    }
    let mut decoder = Decoder::new(Lines, Grow::new(1_000));
    let (used, lost) = taken(|| (0..100).any(|_| decoder.feed(&mut &[b'x'; 100][..]).is_err()));
    assert!(lost && used.bytes < 10_000, "{used:?}");
}

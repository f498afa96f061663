//! A test of the test.

use feedrate::{Array, Extent, Fault};

use super::*;

/// Claims what depends on how much is there.
#[derive(Clone)]
struct Greedy;

impl Protocol for Greedy {
    type Bytes<'a> = &'a [u8];
    type Message<'a> = usize;
    type Error = Fault;

    fn extent(&self, head: &[u8]) -> Result<Extent, Fault> {
        Ok(Extent::Message(head.len().clamp(1, 2)))
    }

    fn parse<'a>(&mut self, frame: Self::Bytes<'a>) -> Result<Self::Message<'a>, Fault> {
        Ok(frame.len())
    }
}

#[test]
#[should_panic = "Shared, byte by byte, of abc"]
fn a_protocol_that_depends_on_the_cut_is_found() {
    Ways::new(Greedy, Array::<4>::new).check(b"abc", |length| length);
}

/// Bodies in pieces, and a protocol that has to be told something.
#[test]
fn postgresql_can_be_given_in_all_ways() {
    use feedrate::pg::{Backend, Encryption, Frontend, stream::Streaming};

    let row = [&b"D\0\0\0\x1e\0\x01\0\0\0\x14"[..], &[b'x'; 20], b"Z\0\0\0\x05I"].concat();
    let ways = Ways::new(Streaming::new(Backend::established()), Array::<8>::new);
    for (way, seen) in ways.all(&row, |event| format!("{event:?}")) {
        assert!(seen.entries.len() >= 5, "{way}: {:?}", seen.entries);
        assert_eq!(seen.end, Ok(()));
    }

    let startup = b"\0\0\0\x08\x04\xd2\x16\x2f\0\0\0\x08\x04\xd2\x16\x2f";
    let ways = Ways::new(Frontend::new(), Array::<64>::new);
    let seen = ways.check_reacting(
        startup,
        |frame| frame.name(),
        |frontend, _| {
            let refused = feedrate::pg::EncryptionResponse::Refused;
            frontend.answered(refused, &[]).expect("nothing in clear");
        },
    );
    assert!(matches!(seen.entries[..], [Ok("SSLRequest"), Err(Error::Lost(_))]), "{:?}", seen.entries);
    let mut backend = Backend::new();
    backend.expect_encryption_response(Encryption::Ssl);
    let seen = Ways::new(backend, Array::<64>::new).check(b"N", |frame| frame.name());
    assert_eq!(seen.entries, [Ok("EncryptionResponse")]);
}

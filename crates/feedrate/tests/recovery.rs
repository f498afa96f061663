//! Protocols of lines that lose bytes: noise costs no message that is intact, silence ends one, and none of
//! it depends on how the bytes were cut.

use feedrate::{Array, Decoder, Error, Extent, Fault, Grow, Protocol, Recovery, Storage};
use feedrate_testkit::chunks::{bytewise, cuts};

/// What is wrong with a message of these protocols.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    Fault(Fault),
    Noise(u8),
    Checksum,
}

impl From<Fault> for Wrong {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl std::fmt::Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self:?}")
    }
}

impl std::error::Error for Wrong {}

/// FNV-1a, in four bytes.
fn checksum(bytes: &[u8]) -> [u8; 4] {
    bytes
        .iter()
        .fold(0x811c_9dc5_u32, |sum, byte| (sum ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
        .to_be_bytes()
}

/// Magic, length, payload, checksum. Noise is skipped, or each byte of it is an error.
#[derive(Debug, Default)]
struct Serial<const STRICT: bool> {
    skipped: usize,
}

fn serial(payload: &[u8]) -> Vec<u8> {
    let frame = [&[0xa5, 0x5a, u8::try_from(payload.len()).expect("short")][..], payload].concat();
    [&frame[..], &checksum(&frame)].concat()
}

impl<const STRICT: bool> Protocol for Serial<STRICT> {
    type Bytes<'a> = &'a [u8];
    type Message<'a> = &'a [u8];
    type Error = Wrong;
    const RECOVERY: Recovery = Recovery::Hunt;

    fn extent(&self, head: &[u8]) -> Result<Extent, Wrong> {
        match *head {
            [] | [0xa5] | [0xa5, 0x5a] => Ok(Extent::Need(3)),
            [0xa5, 0x5a, length, ..] => Ok(Extent::Message(usize::from(length) + 7)),
            [byte, ..] if STRICT => Err(Wrong::Noise(byte)),
            _ => Ok(Extent::Skip(head.iter().skip(1).take_while(|byte| **byte != 0xa5).count() + 1)),
        }
    }

    fn check(&self, frame: &[u8]) -> Result<(), Wrong> {
        let (payload, sum) = frame.split_at(frame.len() - 4);
        if sum == checksum(payload) { Ok(()) } else { Err(Wrong::Checksum) }
    }

    fn parse<'a>(&mut self, frame: Self::Bytes<'a>) -> Result<&'a [u8], Wrong> {
        Ok(&frame[3..frame.len() - 4])
    }

    fn skipped(&mut self, n: usize) {
        self.skipped += n;
    }

    fn reset(&mut self) {
        self.skipped = 0;
    }
}

type Out = Vec<Result<Vec<u8>, Error<Wrong>>>;

/// Everything that comes out of the chunks, and then of the silence behind them.
fn read<P, S>(decoder: &mut Decoder<P, S>, chunks: &[&[u8]]) -> Out
where
    P: for<'a> Protocol<Bytes<'a> = &'a [u8], Message<'a> = &'a [u8], Error = Wrong>,
    S: Storage,
{
    let mut out = Vec::new();
    for chunk in chunks {
        let mut input = *chunk;
        loop {
            match decoder.feed(&mut input) {
                Ok(Some(message)) => out.push(Ok(message.to_vec())),
                Ok(None) => break,
                Err(error) => out.push(Err(error)),
            }
            if let Some(Err(Error::Lost(_))) = out.last() {
                return out;
            }
        }
        assert!(input.is_empty());
    }
    loop {
        match decoder.gap() {
            Ok(Some(message)) => out.push(Ok(message.to_vec())),
            Ok(None) => return out,
            Err(error) => out.push(Err(error)),
        }
    }
}

fn good(out: &Out) -> Vec<Vec<u8>> {
    out.iter().filter_map(|result| result.clone().ok()).collect()
}

/// The same for all cuts.
fn always<P, S>(bytes: &[u8], new: impl Fn() -> Decoder<P, S>) -> Out
where
    P: for<'a> Protocol<Bytes<'a> = &'a [u8], Message<'a> = &'a [u8], Error = Wrong>,
    S: Storage,
{
    let whole = read(&mut new(), &[bytes]);
    assert_eq!(whole, read(&mut new(), &bytewise(bytes)), "{}", bytes.escape_ascii());
    for at in cuts(bytes) {
        let cut = read(&mut new(), &[&bytes[..at], &bytes[at..]]);
        assert_eq!(whole, cut, "{} at {at}", bytes.escape_ascii());
    }
    whole
}

/// Noise from a generator; much of it is magic.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize
    }

    fn bytes(&mut self, most: usize) -> Vec<u8> {
        let length = self.next() % most;
        (0..length).map(|_| [0xa5, 0x5a, 0, 0x20, 0xff, self.next() as u8][self.next() % 6]).collect()
    }
}

#[test]
fn noise_costs_no_message() {
    let mut false_headers = 0;
    for seed in 0..150 {
        let mut noise = Noise(seed);
        let (mut stream, mut payloads, mut noisy) = (noise.bytes(40), Vec::new(), 0);
        noisy += stream.len();
        for _ in 0..8 {
            let payload = noise.bytes(30);
            stream.extend(serial(&payload));
            payloads.push(payload);
            let between = noise.bytes(40);
            noisy += between.len();
            stream.extend(between);
        }
        false_headers += stream.windows(2).filter(|two| two == &[0xa5, 0x5a]).count() - payloads.len();

        let mut decoder = Decoder::new(Serial::<false>::default(), Array::<64>::new());
        let out = read(&mut decoder, &[&stream]);
        assert_eq!(good(&out), payloads, "seed {seed}");
        // Every byte that is not in a message has been given up, and no other.
        assert_eq!(decoder.protocol().skipped, noisy, "seed {seed}");
        assert_eq!((decoder.end(), decoder.pending()), (Ok(()), &b""[..]));

        if seed < 12 {
            let strict = always(&stream, || Decoder::new(Serial::<true>::default(), Grow::new(300)));
            assert_eq!(good(&strict), payloads);
            assert_eq!(out, always(&stream, || Decoder::new(Serial::<false>::default(), Array::<64>::new())));
        }
    }
    assert!(false_headers > 1_000, "only {false_headers}");
}

#[test]
fn one_byte_is_given_up_at_a_time() {
    let mut decoder = Decoder::new(Serial::<true>::default(), Array::<64>::new());
    let stream = [b"xyz", &serial(b"one")[..], b"w", &serial(b"two")].concat();
    let noise = |byte| Err(Error::Message(Wrong::Noise(byte)));
    let expected =
        vec![noise(b'x'), noise(b'y'), noise(b'z'), Ok(b"one".to_vec()), noise(b'w'), Ok(b"two".to_vec())];
    assert_eq!(read(&mut decoder, &[&stream]), expected);
    assert_eq!(decoder.protocol().skipped, 4);

    // A bad checksum costs the first byte; the others show themselves to be noise.
    let mut broken = serial(b"one");
    broken[3] ^= 1;
    let stream = [&broken[..], &serial(b"two")].concat();
    let mut decoder = Decoder::new(Serial::<false>::default(), Array::<64>::new());
    let out = read(&mut decoder, &[&stream]);
    assert_eq!(out, vec![Err(Error::Message(Wrong::Checksum)), Ok(b"two".to_vec())]);
    assert_eq!(decoder.protocol().skipped, broken.len());
}

#[test]
fn a_message_behind_a_false_header_waits_for_silence_at_most() {
    // The false one claims the real one, and 20 bytes more than there are.
    let frame = serial(b"real");
    let stream = [&[0xa5, 0x5a, 30][..], &frame].concat();
    let mut decoder = Decoder::new(Serial::<false>::default(), Array::<64>::new());
    assert_eq!(decoder.feed(&mut &stream[..]), Ok(None));
    assert_eq!(decoder.pending(), stream);
    assert!(decoder.end().is_err());
    assert_eq!(decoder.gap(), Ok(Some(&b"real"[..])));
    assert_eq!(decoder.gap(), Ok(None));
    assert_eq!((decoder.protocol().skipped, decoder.end()), (3, Ok(())));

    // Or for as many bytes as were claimed; they are in the storage by then, and messages behind the first too.
    let stream = [&stream[..], &serial(b"a"), &serial(b"b"), &serial(b"c")].concat();
    let out = always(&stream, || Decoder::new(Serial::<false>::default(), Array::<64>::new()));
    assert_eq!(good(&out), [&b"real"[..], b"a", b"b", b"c"]);
}

#[test]
fn a_claim_beyond_the_storage_costs_one_byte() {
    let stream = [&[0xa5, 0x5a, 200][..], &serial(b"real")].concat();
    let out = always(&stream, || Decoder::new(Serial::<false>::default(), Array::<64>::new()));
    let too_long = Wrong::Fault(Fault::TooLong { declared: 207, limit: 64 });
    assert_eq!(out, vec![Err(Error::Message(too_long)), Ok(b"real".to_vec())]);
}

/// Messages that end in a zero, and must not hold a `!`.
#[derive(Debug, Default)]
struct Zeros {
    skipped: usize,
}

impl Protocol for Zeros {
    type Bytes<'a> = &'a [u8];
    type Message<'a> = &'a [u8];
    type Error = Wrong;
    const RECOVERY: Recovery = Recovery::Delimiter;

    fn extent(&self, _: &[u8]) -> Result<Extent, Wrong> {
        Ok(Extent::Until(b"\0"))
    }

    fn parse<'a>(&mut self, frame: Self::Bytes<'a>) -> Result<&'a [u8], Wrong> {
        if frame.contains(&b'!') { Err(Wrong::Noise(b'!')) } else { Ok(&frame[..frame.len() - 1]) }
    }

    fn skipped(&mut self, n: usize) {
        self.skipped += n;
    }
}

#[test]
fn a_delimited_message_that_is_bad_or_too_long_costs_itself() {
    let new = || Decoder::new(Zeros::default(), Array::<8>::new());
    let too_long = || Err(Error::Message(Wrong::Fault(Fault::TooLong { declared: 9, limit: 8 })));
    let bad = || Err(Error::Message(Wrong::Noise(b'!')));
    let ok = |text: &str| Ok(text.as_bytes().to_vec());
    for (bytes, expected) in [
        (&b"one\0\0two\0"[..], vec![ok("one"), ok(""), ok("two")]),
        (b"o!e\0two\0", vec![bad(), ok("two")]),
        // Seven bytes and the zero fit.
        (b"1234567\0two\0", vec![ok("1234567"), ok("two")]),
        (b"12345678\0two\0", vec![too_long(), ok("two")]),
        (b"123456789abcdefghijklmnopqrstuvwxyz\0two\0", vec![too_long(), ok("two")]),
        (b"12345678\x00123456789\0\0two\0", vec![too_long(), too_long(), ok(""), ok("two")]),
        (b"one\x0012345678", vec![ok("one"), too_long()]),
    ] {
        assert_eq!(always(bytes, new), expected, "{}", bytes.escape_ascii());
    }

    let mut decoder = new();
    assert_eq!(read(&mut decoder, &[b"one\x0012345678", b"9abc"]), vec![ok("one"), too_long()]);
    // In the middle of one that is being passed over.
    assert!(matches!(decoder.end(), Err(Error::Lost(Wrong::Fault(Fault::Truncated { .. })))));
    assert_eq!(read(&mut decoder, &[b"d\0two\0"]), vec![ok("two")]);
    assert_eq!((decoder.end(), decoder.protocol().skipped), (Ok(()), 14));
    decoder.reset();
    assert_eq!(read(&mut decoder, &[b"123456789"]), vec![too_long()]);
    decoder.reset();
    assert_eq!(read(&mut decoder, &[b"new\0"]), vec![ok("new")]);
}

/// Payload and checksum, and silence: how a Modbus line does it.
#[derive(Debug, Default)]
struct Quiet<const RECOVERY: u8> {
    skipped: usize,
}

const CLOSES: u8 = 0;
const HUNTS: u8 = 1;
const SILENCE: u8 = 2;

fn quiet(payload: &[u8]) -> Vec<u8> {
    [payload, &checksum(payload)].concat()
}

impl<const RECOVERY: u8> Protocol for Quiet<RECOVERY> {
    type Bytes<'a> = &'a [u8];
    type Message<'a> = &'a [u8];
    type Error = Wrong;
    const RECOVERY: Recovery = match RECOVERY {
        CLOSES => Recovery::Close,
        HUNTS => Recovery::Hunt,
        _ => Recovery::Silence,
    };

    fn extent(&self, head: &[u8]) -> Result<Extent, Wrong> {
        // No message begins with this.
        if head.first() == Some(&b'?') { Err(Wrong::Noise(b'?')) } else { Ok(Extent::Silence) }
    }

    fn check(&self, frame: &[u8]) -> Result<(), Wrong> {
        let Some((payload, sum)) = frame.split_at_checked(frame.len().wrapping_sub(4)) else {
            return Err(Wrong::Checksum);
        };
        if sum == checksum(payload) { Ok(()) } else { Err(Wrong::Checksum) }
    }

    fn parse<'a>(&mut self, frame: Self::Bytes<'a>) -> Result<&'a [u8], Wrong> {
        Ok(&frame[..frame.len() - 4])
    }

    fn skipped(&mut self, n: usize) {
        self.skipped += n;
    }
}

const BAD: Result<Vec<u8>, Error<Wrong>> = Err(Error::Message(Wrong::Checksum));

#[test]
fn silence_ends_a_message() {
    let mut decoder = Decoder::new(Quiet::<SILENCE>::default(), Array::<32>::new());
    for text in [&b"one"[..], b"", b"two"] {
        let frame = quiet(text);
        for byte in &frame {
            assert_eq!(decoder.feed(&mut &[*byte][..]), Ok(None));
        }
        assert_eq!(decoder.pending(), frame);
        assert!(decoder.end().is_err());
        assert_eq!(decoder.gap(), Ok(Some(text)));
        assert_eq!(decoder.gap(), Ok(None));
        assert_eq!((decoder.end(), decoder.pending()), (Ok(()), &b""[..]));
    }
    assert_eq!(decoder.protocol().skipped, 0);
}

/// Whatever it was: noise is one error, and ends with the silence behind it.
#[test]
fn noise_between_two_silences_is_one_error() {
    let new = || Decoder::new(Quiet::<SILENCE>::default(), Array::<32>::new());
    for noise in [
        [b"xyz", &quiet(b"one")[..]].concat(),
        [&quiet(b"one")[..], b"xyz"].concat(),
        b"x".to_vec(),
        vec![0xff; 32],
    ] {
        assert_eq!(always(&noise, new), vec![BAD], "{}", noise.escape_ascii());
        let mut decoder = new();
        assert_eq!(read(&mut decoder, &[&noise]), vec![BAD]);
        assert_eq!((decoder.protocol().skipped, decoder.end()), (noise.len(), Ok(())));
        assert_eq!(read(&mut decoder, &[&quiet(b"next")]), vec![Ok(b"next".to_vec())]);
    }
    // Longer than the storage; and bytes that `extent` refuses, first or not.
    let too_long = Wrong::Fault(Fault::TooLong { declared: 33, limit: 32 });
    for (noise, error) in [
        (vec![0xff; 33], too_long),
        (vec![0xff; 300], too_long),
        (b"?".to_vec(), Wrong::Noise(b'?')),
        ([&b"?"[..], &quiet(b"one")].concat(), Wrong::Noise(b'?')),
        ([&b"?"[..], &[0xff; 300]].concat(), Wrong::Noise(b'?')),
    ] {
        let expected = vec![Err(Error::Message(error))];
        assert_eq!(always(&noise, new), expected, "{}", noise.escape_ascii());
        let mut decoder = new();
        assert_eq!(read(&mut decoder, &[&noise]), expected);
        assert_eq!((decoder.protocol().skipped, decoder.end()), (noise.len(), Ok(())));
        assert_eq!(read(&mut decoder, &[&quiet(b"next")]), vec![Ok(b"next".to_vec())]);
    }
}

/// One that hunts as well finds a message that has noise in front of it, at the price of an error for each
/// byte of noise.
#[test]
fn silence_ends_a_message_behind_noise() {
    let new = || Decoder::new(Quiet::<HUNTS>::default(), Array::<32>::new());
    let noisy = [b"xyz", &quiet(b"one")[..]].concat();
    assert_eq!(always(&noisy, new), vec![BAD, BAD, BAD, Ok(b"one".to_vec())]);
    let mut decoder = new();
    assert_eq!(read(&mut decoder, &[&quiet(b"one"), b"xyz"]), vec![BAD; 10]);
    assert_eq!((decoder.protocol().skipped, decoder.end()), (10, Ok(())));
}

/// The storage's limit is the length of the longest message, also where only silence ends it.
#[test]
fn silence_ends_a_message_as_long_as_the_storage() {
    let payload = [b'x'; 28];
    let too_long = Wrong::Fault(Fault::TooLong { declared: 33, limit: 32 });
    let closes = || Decoder::new(Quiet::<CLOSES>::default(), Array::<32>::new());
    assert_eq!(always(&quiet(&payload), closes), vec![Ok(payload.to_vec())]);
    assert_eq!(always(&quiet(&[b'x'; 29]), closes), vec![Err(Error::Lost(too_long))]);
    let hunts = || Decoder::new(Quiet::<HUNTS>::default(), Array::<32>::new());
    assert_eq!(
        always(&[b"no", &quiet(&payload)[..]].concat(), hunts),
        vec![Err(Error::Message(too_long)), Err(Error::Message(too_long)), Ok(payload.to_vec())]
    );
    let silence = || Decoder::new(Quiet::<SILENCE>::default(), Array::<32>::new());
    assert_eq!(always(&quiet(&payload), silence), vec![Ok(payload.to_vec())]);
}

/// Length and payload, between silences: one that the silence cuts short is one error.
#[derive(Debug, Default)]
struct Counted {
    skipped: usize,
}

impl Protocol for Counted {
    type Bytes<'a> = &'a [u8];
    type Message<'a> = &'a [u8];
    type Error = Wrong;
    const RECOVERY: Recovery = Recovery::Silence;

    fn extent(&self, head: &[u8]) -> Result<Extent, Wrong> {
        Ok(head.first().map_or(Extent::Need(1), |length| Extent::Message(usize::from(*length) + 1)))
    }

    fn parse<'a>(&mut self, frame: Self::Bytes<'a>) -> Result<&'a [u8], Wrong> {
        Ok(&frame[1..])
    }

    fn skipped(&mut self, n: usize) {
        self.skipped += n;
    }
}

#[test]
fn silence_inside_a_message_costs_that_message() {
    let new = || Decoder::new(Counted::default(), Array::<8>::new());
    let cut = Wrong::Fault(Fault::Truncated { held: 3, missing: 2 });
    assert_eq!(always(b"\x01a\x04bc", new), vec![Ok(b"a".to_vec()), Err(Error::Message(cut))]);
    // Longer than the storage: that is known at once, and what follows is not believed before the silence.
    let too_long = Wrong::Fault(Fault::TooLong { declared: 9, limit: 8 });
    let mut decoder = new();
    assert_eq!(
        always(b"\x01a\x08bcdefghi\x01z", new),
        vec![Ok(b"a".to_vec()), Err(Error::Message(too_long))]
    );
    assert_eq!(read(&mut decoder, &[b"\x08b", b"\x01z"]), vec![Err(Error::Message(too_long))]);
    assert_eq!((decoder.protocol().skipped, decoder.end()), (4, Ok(())));
    assert_eq!(read(&mut decoder, &[b"\x01z"]), vec![Ok(b"z".to_vec())]);
}

/// Lines that end in CR LF; no byte of them is below a blank, which shows at once.
#[derive(Debug, Default)]
struct Lines<const CLOSES: bool> {
    skipped: usize,
    /// Bytes of the line that `scan` has been shown.
    shown: usize,
}

impl<const CLOSES: bool> Protocol for Lines<CLOSES> {
    type Bytes<'a> = &'a [u8];
    type Message<'a> = &'a [u8];
    type Error = Wrong;
    const RECOVERY: Recovery = if CLOSES { Recovery::Close } else { Recovery::Delimiter };

    fn extent(&self, _: &[u8]) -> Result<Extent, Wrong> {
        Ok(Extent::Until(b"\r\n"))
    }

    fn scan(&mut self, so_far: &[u8], from: usize) -> Result<(), Wrong> {
        // Each once, and in order.
        assert_eq!(from, self.shown);
        self.shown = so_far.len();
        let text = so_far.strip_suffix(b"\r\n").unwrap_or(so_far);
        match text.get(from..).unwrap_or_default().iter().find(|byte| **byte == 0) {
            Some(zero) => Err(Wrong::Noise(*zero)),
            None => Ok(()),
        }
    }

    fn parse<'a>(&mut self, frame: Self::Bytes<'a>) -> Result<&'a [u8], Wrong> {
        self.shown = 0;
        Ok(&frame[..frame.len() - 2])
    }

    fn skipped(&mut self, n: usize) {
        self.skipped += n;
        self.shown = 0;
    }
}

#[test]
fn a_delimiter_of_two_bytes_may_be_cut() {
    let new = || Decoder::new(Lines::<false>::default(), Array::<8>::new());
    let too_long = || Err(Error::Message(Wrong::Fault(Fault::TooLong { declared: 9, limit: 8 })));
    let ok = |text: &str| Ok(text.as_bytes().to_vec());
    for (bytes, expected) in [
        (&b"one\r\n\r\ntwo\r\n"[..], vec![ok("one"), ok(""), ok("two")]),
        (b"a\rb\r\nc\nd\r\n\r\r\n", vec![ok("a\rb"), ok("c\nd"), ok("\r")]),
        (b"123456\r\ntwo\r\n", vec![ok("123456"), ok("two")]),
        // The delimiter would end behind the limit.
        (b"1234567\r\ntwo\r\n", vec![too_long(), ok("two")]),
        (b"12345678\r\ntwo\r\n", vec![too_long(), ok("two")]),
        (b"123456789abcdef\r\r\r\ntwo\r\n", vec![too_long(), ok("two")]),
        (b"1234567\r\r\ntwo\r\n", vec![too_long(), ok("two")]),
        (b"12345678", vec![too_long()]),
        (b"one\r", vec![]),
    ] {
        assert_eq!(always(bytes, new), expected, "{}", bytes.escape_ascii());
    }
    // Nothing behind the delimiter is touched, wherever it was cut.
    for cut in 1..5 {
        let (mut first, mut rest) = b"one\r\ntwo".split_at(cut);
        let mut decoder = new();
        assert_eq!(decoder.feed(&mut first), Ok(None));
        assert_eq!(decoder.feed(&mut rest), Ok(Some(&b"one"[..])));
        assert_eq!((rest, decoder.pending()), (&b"two"[..], &b""[..]));
    }
    let mut decoder = new();
    assert_eq!(read(&mut decoder, &[b"123456", b"7\r", b"\na\r\n"]), vec![too_long(), ok("a")]);
    assert_eq!(decoder.protocol().skipped, 9);
}

/// A delimited message is refused at the first byte that shows it, not at its end.
#[test]
fn a_delimited_message_may_be_refused_before_its_end() {
    let new = || Decoder::new(Lines::<true>::default(), Array::<8>::new());
    let lost = |wrong| Err(Error::Lost(wrong));
    let too_long = Wrong::Fault(Fault::TooLong { declared: 9, limit: 8 });
    for (bytes, expected) in [
        (&b"ab\r\nc\0"[..], vec![Ok(b"ab".to_vec()), lost(Wrong::Noise(0))]),
        (b"\0", vec![lost(Wrong::Noise(0))]),
        (b"1234567\0", vec![lost(Wrong::Noise(0))]),
        (b"12345678\0", vec![lost(too_long)]),
        (b"1234567\r\n", vec![lost(too_long)]),
        (b"123456\r\n\0", vec![Ok(b"123456".to_vec()), lost(Wrong::Noise(0))]),
    ] {
        assert_eq!(always(bytes, new), expected, "{}", bytes.escape_ascii());
    }
}

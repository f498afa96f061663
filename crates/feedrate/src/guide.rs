//! How to write your own protocol, step by step.
//!
//! A [`Protocol`] finds out how long a message is ([`extent`](Protocol::extent)), whether it is intact
//! ([`check`](Protocol::check)), and what it means ([`parse`](Protocol::parse)). The [`Decoder`] does the rest, the
//! same way for all protocols: it cuts the stream into messages, puts pieces together, enforces limits and
//! resynchronises.
//!
//! Three complete protocols, each a file to copy, are in the repository's `examples/protocols`: Modbus RTU, DL/T 645
//! and lines.
//!
//! # Lengths and messages
//!
//! Say that a record is a type byte, a length of two bytes, and a body. `extent` looks at the header and
//! returns a number; `parse` is given exactly that many bytes:
//!
//! ```
//! use feedrate::{Array, Decoder, Extent, Fault, Protocol};
//!
//! struct Records;
//!
//! #[derive(Debug, PartialEq)]
//! struct Record<'a> {
//!     kind: u8,
//!     body: &'a [u8],
//! }
//!
//! impl Protocol for Records {
//!     type Bytes<'a> = &'a [u8];
//!     type Message<'a> = Record<'a>;
//!     type Error = Fault;
//!
//!     fn extent(&self, head: &[u8]) -> Result<Extent, Fault> {
//!         Ok(match *head {
//!             [_, high, low, ..] => Extent::Message(3 + usize::from(u16::from_be_bytes([high, low]))),
//!             _ => Extent::Need(3),
//!         })
//!     }
//!
//!     fn parse<'a>(&mut self, frame: Self::Bytes<'a>) -> Result<Self::Message<'a>, Self::Error> {
//!         match frame {
//!             [kind, _, _, body @ ..] => Ok(Record { kind: *kind, body }),
//!             // Cannot happen: `extent` asks for three bytes at least.
//!             _ => Err(Fault::Truncated { held: frame.len(), missing: 1 }),
//!         }
//!     }
//! }
//!
//! let mut decoder = Decoder::new(Records, Array::<64>::new());
//! let mut records = 0;
//! for mut chunk in [&b"A\0\x02hi"[..], b"B\0", b"\0C\0\x01!"] {
//!     while let Some(record) = decoder.feed(&mut chunk)? {
//!         println!("{record:?}");
//!         records += 1;
//!     }
//! }
//! assert_eq!(records, 3);
//! # Ok::<(), feedrate::Error<Fault>>(())
//! ```
//!
//! Slice patterns, [`get`](slice::get) and [`split_first_chunk`](slice::split_first_chunk) keep a protocol
//! free of panics.
//!
//! Copy the signature of `parse` as it is, with `Self::Bytes<'a>` and `Self::Message<'a>`. If you write `&'a mut [u8]`
//! instead of the former, or a type without `'a` instead of the latter, the compiler reports E0195, "lifetime
//! parameters do not match".
//!
//! [`Extent::Need`] asks for more bytes. Ask for no more than it takes to find the next possible error: otherwise an
//! error stays hidden as long as the rest does not come.
//!
//! # Limits
//!
//! A message may be as long as the storage: a longer one is refused because of its declared length, before its bytes
//! arrive. To set a limit of your own, return an error from `extent`. The error type is yours; it has to wrap
//! [`Fault`], the decoder's own errors:
//!
//! ```
//! # use feedrate::{Array, Decoder, Error, Extent, Fault, Protocol};
//! #[derive(Debug, Clone, PartialEq, thiserror::Error)]
//! enum RecordError {
//!     #[error("{0} bytes of body, expected at most 1000")]
//!     Length(u16),
//!     #[error(transparent)]
//!     Fault(#[from] Fault),
//! }
//!
//! struct Records;
//!
//! impl Protocol for Records {
//! #   type Bytes<'a> = &'a [u8];
//! #   type Message<'a> = &'a [u8];
//!     type Error = RecordError;
//!     // ...
//!     fn extent(&self, head: &[u8]) -> Result<Extent, RecordError> {
//!         let [_, high, low, ..] = *head else { return Ok(Extent::Need(3)) };
//!         match u16::from_be_bytes([high, low]) {
//!             length @ ..=1000 => Ok(Extent::Message(3 + usize::from(length))),
//!             length => Err(RecordError::Length(length)),
//!         }
//!     }
//! #   fn parse<'a>(&mut self, frame: Self::Bytes<'a>) -> Result<Self::Message<'a>, Self::Error> {
//! #       Ok(frame)
//! #   }
//! }
//!
//! let mut decoder = Decoder::new(Records, Array::<64>::new());
//! // Longer than the storage. Its length is known, so it alone is refused.
//! let mut input = &[&[b'A', 0, 100][..], &[0; 100], b"B\0\0"].concat()[..];
//! let refused = Fault::TooLong { declared: 103, limit: 64 };
//! assert_eq!(decoder.feed(&mut input), Err(Error::Message(refused.into())));
//! assert_eq!(decoder.feed(&mut input), Ok(Some(&b"B\0\0"[..])));
//! // A length that no record has: nothing after it can be trusted.
//! let mut input = &b"A\xff\xff"[..];
//! assert_eq!(decoder.feed(&mut input), Err(Error::Lost(RecordError::Length(0xffff))));
//! ```
//!
//! A caller only has to distinguish the two severities. After [`Error::Message`], keep feeding. After [`Error::Lost`],
//! close, or [`reset`](Decoder::reset). An error of `parse` is always an [`Error::Message`].
//!
//! # Checksums, and lines that lose bytes
//!
//! On a serial line a length may be noise. Then only one byte should be given up, not as many as the noise claims: that
//! is [`Recovery::Hunt`]. `check` verifies the checksum, and `extent` skips bytes that cannot begin a frame:
//!
//! ```
//! # use feedrate::{Array, Decoder, Error, Extent, Fault, Protocol, Recovery};
//! #[derive(Debug, Clone, PartialEq, thiserror::Error)]
//! enum SerialError {
//!     #[error("the checksum is wrong")]
//!     Checksum,
//!     #[error(transparent)]
//!     Fault(#[from] Fault),
//! }
//!
//! /// 7E, length, body, and a byte that makes the sum of all of them 0.
//! struct Serial;
//!
//! impl Protocol for Serial {
//!     type Bytes<'a> = &'a [u8];
//!     type Message<'a> = &'a [u8];
//!     type Error = SerialError;
//!     const RECOVERY: Recovery = Recovery::Hunt;
//!
//!     fn extent(&self, head: &[u8]) -> Result<Extent, SerialError> {
//!         Ok(match *head {
//!             [0x7e, length, ..] => Extent::Message(3 + usize::from(length)),
//!             [0x7e] | [] => Extent::Need(2),
//!             _ => Extent::Skip(head.iter().take_while(|byte| **byte != 0x7e).count()),
//!         })
//!     }
//!
//!     fn check(&self, frame: &[u8]) -> Result<(), SerialError> {
//!         let sum = frame.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
//!         if sum == 0 { Ok(()) } else { Err(SerialError::Checksum) }
//!     }
//!
//!     fn parse<'a>(&mut self, frame: Self::Bytes<'a>) -> Result<Self::Message<'a>, Self::Error> {
//!         Ok(frame.get(2..frame.len().saturating_sub(1)).unwrap_or_default())
//!     }
//! }
//!
//! let mut decoder = Decoder::new(Serial, Array::<64>::new());
//! // Noise that claims 50 bytes, with an intact frame inside them.
//! let mut input = &b"\xff\x7e\x32\x7e\x02hi\xaf"[..];
//! assert_eq!(decoder.feed(&mut input)?, None);
//! // The line falls silent: the 50 bytes will not come, and the intact frame is found.
//! assert_eq!(decoder.gap()?, Some(&b"hi"[..]));
//! # Ok::<(), Error<SerialError>>(())
//! ```
//!
//! The caller calls [`Decoder::gap`], by its own clock. The decoder reports bytes given up to [`Protocol::skipped`].
//!
//! # Bytes that have to be transformed
//!
//! Some bytes have to be unmasked, unstuffed or offset before they mean anything. With `Bytes<'a> = &'a mut [u8]`,
//! `parse` changes them in place: in the caller's memory if it feeds `&mut [u8]` or pulls from a [`Buffer`], and in the
//! storage otherwise. `check` sees them before the change.
//!
//! ```
//! # use feedrate::{Array, Decoder, Extent, Fault, Protocol};
//! /// A length, a mask, and a body under the mask.
//! struct Masked;
//!
//! impl Protocol for Masked {
//!     type Bytes<'a> = &'a mut [u8];
//!     type Message<'a> = &'a [u8];
//!     type Error = Fault;
//!
//!     fn extent(&self, head: &[u8]) -> Result<Extent, Fault> {
//!         Ok(head.first().map_or(Extent::Need(1), |length| Extent::Message(2 + usize::from(*length))))
//!     }
//!
//!     fn parse<'a>(&mut self, frame: Self::Bytes<'a>) -> Result<Self::Message<'a>, Self::Error> {
//!         let [_, mask, body @ ..] = frame else { return Ok(&[]) };
//!         body.iter_mut().for_each(|byte| *byte ^= *mask);
//!         Ok(body)
//!     }
//! }
//!
//! let mut decoder = Decoder::new(Masked, Array::<64>::new());
//! let mut received = *b"\x02\x20HI";
//! assert_eq!(decoder.feed(&mut &mut received[..])?, Some(&b"hi"[..]));
//! assert_eq!(received, *b"\x02\x20hi");
//! // Shared bytes are copied to the storage first:
//! assert_eq!(decoder.feed(&mut &b"\x02\x20HI"[..])?, Some(&b"hi"[..]));
//! # Ok::<(), feedrate::Error<Fault>>(())
//! ```
//!
//! [`Lent`] is for a protocol that changes its bytes in place where it can, and copies them itself where it cannot.
//!
//! # Bodies that are longer than memory
//!
//! For a message that is too long, [`Protocol::head`] returns how many of its first bytes to parse by themselves.
//! `parse` remembers how much is to follow, and `extent` cuts that into [pieces](Extent::Piece), which are handed out
//! as they arrive:
//!
//! ```
//! # use feedrate::{Array, Decoder, Extent, Fault, Protocol};
//! /// A length of four bytes, and a body.
//! #[derive(Default)]
//! struct Files {
//!     left: usize,
//! }
//!
//! enum Event<'a> {
//!     Whole(&'a [u8]),
//!     Begin(usize),
//!     Bytes { piece: &'a [u8], last: bool },
//! }
//!
//! impl Protocol for Files {
//!     type Bytes<'a> = &'a [u8];
//!     type Message<'a> = Event<'a>;
//!     type Error = Fault;
//!
//!     fn extent(&self, head: &[u8]) -> Result<Extent, Fault> {
//!         Ok(match head.first_chunk() {
//!             _ if self.left > 0 => Extent::Piece(self.left),
//!             Some(length) => Extent::Message(4 + u32::from_be_bytes(*length) as usize),
//!             None => Extent::Need(4),
//!         })
//!     }
//!
//!     fn head(&self, _: &[u8], _: usize) -> Option<usize> {
//!         Some(4)
//!     }
//!
//!     fn parse<'a>(&mut self, frame: Self::Bytes<'a>) -> Result<Self::Message<'a>, Self::Error> {
//!         if self.left > 0 {
//!             self.left -= frame.len();
//!             return Ok(Event::Bytes { piece: frame, last: self.left == 0 });
//!         }
//!         match frame.split_first_chunk() {
//!             Some((length, [])) if *length != [0; 4] => {
//!                 self.left = u32::from_be_bytes(*length) as usize;
//!                 Ok(Event::Begin(self.left))
//!             }
//!             Some((_, body)) => Ok(Event::Whole(body)),
//!             None => Ok(Event::Whole(&[])),
//!         }
//!     }
//!
//!     fn inside(&self) -> bool {
//!         self.left > 0
//!     }
//!
//!     fn reset(&mut self) {
//!         self.left = 0;
//!     }
//! }
//!
//! // A million bytes through 64.
//! let mut decoder = Decoder::new(Files::default(), Array::<64>::new());
//! let file = [&1_000_000_u32.to_be_bytes()[..], &vec![b'x'; 1_000_000]].concat();
//! let (mut length, mut ended) = (0, false);
//! for mut chunk in file.chunks(1460) {
//!     while let Some(event) = decoder.feed(&mut chunk)? {
//!         match event {
//!             Event::Whole(body) => println!("{} bytes", body.len()),
//!             Event::Begin(length) => println!("{length} bytes will come"),
//!             Event::Bytes { piece, last } => {
//!                 length += piece.len();
//!                 ended = last;
//!             }
//!         }
//!     }
//! }
//! assert_eq!((length, ended, decoder.end()), (1_000_000, true, Ok(())));
//! # Ok::<(), feedrate::Error<Fault>>(())
//! ```
//!
//! With `inside`, the end of the stream in the middle of a body is an error. `check` is not called for pieces.
//!
//! # Delimiters and silence
//!
//! [`Extent::Until`] is a message that ends with a delimiter. With [`Recovery::Delimiter`], a message that is too long
//! or malformed costs only itself, never the next. The example at [`Protocol`] reads lines.
//!
//! [`Extent::Silence`] is a message that ends when the line falls silent; [`Decoder::gap`] returns it. With
//! [`Recovery::Silence`], whatever is wrong between two silences is one error:
//!
//! ```
//! # use feedrate::{Array, Decoder, Error, Extent, Fault, Protocol, Recovery};
//! struct Telegrams;
//!
//! impl Protocol for Telegrams {
//!     type Bytes<'a> = &'a [u8];
//!     type Message<'a> = &'a [u8];
//!     type Error = Fault;
//!     const RECOVERY: Recovery = Recovery::Silence;
//!
//!     fn extent(&self, _: &[u8]) -> Result<Extent, Fault> {
//!         Ok(Extent::Silence)
//!     }
//!
//!     fn parse<'a>(&mut self, frame: Self::Bytes<'a>) -> Result<Self::Message<'a>, Self::Error> {
//!         Ok(frame)
//!     }
//! }
//!
//! let mut decoder = Decoder::new(Telegrams, Array::<16>::new());
//! assert_eq!(decoder.feed(&mut &b"tele"[..]), Ok(None));
//! assert_eq!(decoder.feed(&mut &b"gram"[..]), Ok(None));
//! assert_eq!(decoder.gap(), Ok(Some(&b"telegram"[..])));
//! assert_eq!(decoder.gap(), Ok(None));
//!
//! let too_long = Fault::TooLong { declared: 17, limit: 16 };
//! assert_eq!(decoder.feed(&mut &[0xff; 300][..]), Err(Error::Message(too_long)));
//! assert_eq!(decoder.feed(&mut &[0xff; 300][..]), Ok(None));
//! assert_eq!(decoder.gap(), Ok(None));
//! ```
//!
//! # Testing it at every split
//!
//! What comes out must not depend on how the bytes were split. A test for that is short, and finds most mistakes:
//!
//! ```
//! # use feedrate::{Array, Decoder, Error, Extent, Fault, Protocol, Recovery};
//! # #[derive(Clone)]
//! # struct Lines;
//! # impl Protocol for Lines {
//! #     type Bytes<'a> = &'a [u8];
//! #     type Message<'a> = &'a [u8];
//! #     type Error = Fault;
//! #     const RECOVERY: Recovery = Recovery::Delimiter;
//! #     fn extent(&self, _: &[u8]) -> Result<Extent, Fault> { Ok(Extent::Until(b"\r\n")) }
//! #     fn parse<'a>(&mut self, frame: Self::Bytes<'a>) -> Result<Self::Message<'a>, Self::Error> {
//! #         Ok(frame)
//! #     }
//! # }
//! fn run(chunks: &[&[u8]]) -> Vec<Result<Vec<u8>, Error<Fault>>> {
//!     let mut decoder = Decoder::new(Lines, Array::<8>::new());
//!     let mut out = Vec::new();
//!     for chunk in chunks {
//!         let mut input = *chunk;
//!         while let Some(next) = decoder.feed(&mut input).map(|line| line.map(<[u8]>::to_vec)).transpose() {
//!             let lost = next.as_ref().is_err_and(Error::is_lost);
//!             out.push(next);
//!             if lost {
//!                 return out;
//!             }
//!         }
//!     }
//!     // If silence means something: call `gap` here until it returns `None`.
//!     out.extend(decoder.end().err().map(Err));
//!     out
//! }
//!
//! let stream = b"one\r\nmuch too long\r\n\r\nend";
//! let whole = run(&[stream]);
//! assert_eq!(whole.len(), 4);
//! assert_eq!(run(&stream.chunks(1).collect::<Vec<_>>()), whole);
//! for at in 0..=stream.len() {
//!     let (first, second) = stream.split_at(at);
//!     assert_eq!(run(&[first, second]), whole, "cut at {at}");
//! }
//! ```
//!
//! Feed the same bytes from `&mut [u8]` and from a [`Buffer`], and let a fuzzer split them at random, as the
//! repository's module `ways` of feedrate-testkit and `fuzz/fuzz_targets/protocols.rs` do.
//!
//! # Optional functions
//!
//! * [`glance`](Protocol::glance) measures the most common kind of message, inlined into the caller's loop: if a
//!   profile shows that `feed` matters.
//! * [`quick`](Protocol::quick) replaces `parse` after `glance`: if `parse` would repeat checks of `glance`.
//! * [`scan`](Protocol::scan) looks at a delimited message as it arrives: if it can be refused before its delimiter is
//!   there, such as a request whose first byte is not a letter.
//!
//! # Existing protocols
//!
//! | protocol | messages end | bytes | recovery | other functions |
//! |---|---|---|---|---|
//! | PostgreSQL ([`pg`]) | by length; one old error message at a NUL | `&[u8]` | `Close` | `glance`, `quick`, `scan` |
//! | the same in pieces ([`pg::stream`]) | the same | `&[u8]` | `Close` | `head`, `inside` |
//! | RDPv3 on a serial line (`rdp`) | at a zero (COBS) | `&mut [u8]` | `Delimiter` | |
//! | RDPv3 on a byte stream (`rdp`) | by length | `Lent` | `Close` | |
//! | lines (`examples/protocols/lines.rs`) | at CR LF | `&[u8]` | `Delimiter` | |
//! | Modbus RTU (`examples/protocols/modbus_rtu.rs`) | at a silence | `&[u8]` | `Silence` | `check` |
//! | DL/T 645 (`examples/protocols/dlt645.rs`) | by length | `&mut [u8]` | `Hunt` | `check` |

#[cfg(feature = "pg")]
#[allow(unused_imports, reason = "for the links")]
use crate::pg;
#[allow(unused_imports, reason = "for the links")]
use crate::{Buffer, Decoder, Error, Extent, Fault, Lent, Protocol, Recovery};

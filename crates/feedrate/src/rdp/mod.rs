//! The wire formats of RDPv3, a remote debug protocol for the controllers of machine tools: debug frames, and what
//! they travel in on serial lanes and on byte streams.
//!
//! | layer | what it is | here |
//! |---|---|---|
//! | debug frame | what is to be done, or what was done | [`frame`] |
//! | record | a message on a byte stream: TCP, WebSocket | [`record`] |
//! | lane | packets between zeros: UART, SPI | [`packet`], with [`cobs`] and [`crc`] below |
//!
//! The layers between (sessions, seals, a link that loses nothing) and both ends (the agent in a controller's firmware,
//! the host that a debugging tool is built on) are in the crate `feedrate-rdp`. So is the specification, `SPEC.md`.
//!
//! A debug frame in a packet, on a serial line (the layers between are left out):
//!
//! ```
//! use feedrate::rdp::frame::{Frame, Halt};
//! use feedrate::rdp::packet::{Header, Lane, Packet, PacketType, Packets};
//! use feedrate::{Array, Decoder, Encode};
//!
//! let mut frame = heapless::Vec::<u8, 32>::new();
//! let mut line = heapless::Vec::<u8, 64>::new();
//! Halt.encode(&mut frame)?;
//! Packet::new(Header::new(PacketType::Data, 7, 0), &frame).encode(&mut line)?;
//!
//! let mut decoder = Decoder::new(Packets, Array::<{ Lane::UART.frame() }>::new());
//! let mut input = &mut line[..];
//! while let Some(packet) = decoder.feed(&mut input)? {
//!     assert_eq!(Frame::read(packet.payload())?, Frame::Halt(Halt));
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod channel;
pub mod cobs;
pub mod crc;
pub mod frame;
mod header;
mod lane;
pub mod packet;
pub mod record;

pub use self::channel::Channel;

#![no_std]
#![forbid(unsafe_code)]
#![deny(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::as_conversions,
    clippy::string_slice
)]
#![cfg_attr(test, allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::unwrap_used))]
#![cfg_attr(docsrs, feature(doc_cfg))]
//! RDPv3, a remote debug protocol for the controllers of machine tools: both ends of it, without I/O, without a clock,
//! without a heap, without `unsafe`, and without a panic, whatever the bytes: the linker proves it.
//!
//! The protocol is specified in [`spec`]. Its layers, each usable alone:
//!
//! | layer | what it is | here |
//! |---|---|---|
//! | debug frame | what is to be done, or what was done | [`feedrate::rdp::frame`] |
//! | session | order, time, authority, end | [`session`], [`authority`] |
//! | byte stream | records on a stream that loses nothing: TCP, WebSocket | [`stream`] |
//! | link | the same over serial lanes, which lose, repeat and reorder data and flip bits | [`link`] |
//! | lane | packets between zeros | [`feedrate::rdp::packet`] |
//!
//! On top of these are the two ends: [`agent::Agent`], which acts on a [`target::Target`] and fits into a `static` of a
//! controller's firmware, and [`host::Host`], which a debugging tool is built on.
//!
//! The two ends, talking over a line that is a variable:
//!
//! ```
//! use core::time::Duration;
//! use feedrate::Instant;
//! use feedrate::rdp::frame::{Domains, Fingerprint, GetStatus};
//! use feedrate_rdp::agent::{Agent, AgentConfig};
//! use feedrate_rdp::arch::CortexM;
//! use feedrate_rdp::authority::{Claim, Grant};
//! use feedrate_rdp::host::{Event, Host, HostConfig};
//! use feedrate_rdp::session::Checksum;
//! use feedrate_rdp::stream::Stream;
//! use feedrate_rdp::target::{Refusal, Target};
//!
//! # struct Servo;
//! # impl Target for Servo {
//! #     type Arch = CortexM;
//! #     fn fingerprint(&self) -> Fingerprint { *b"servo 7, fw 1.02" }
//! #     fn is_stopped(&self) -> bool { false }
//! #     fn read_registers(&mut self, _: &mut [u64; 17]) -> Result<(), Refusal> { Err(Refusal::WrongState) }
//! #     fn recover(&mut self) -> Result<(), Refusal> { Ok(()) }
//! # }
//! # fn authority(_: &Claim<'_>) -> Result<Grant, u32> {
//! #     Ok(Grant::new(*b"maria\0\0\0", Domains::ALL, Duration::from_secs(60)))
//! # }
//! let mut servo = Servo;
//! let config = AgentConfig::new(*b"boot no. 815", 815, "servo");
//! let line: Stream = Stream::agent();
//! let mut agent = Agent::<CortexM, _, _>::new(config, line, authority, Checksum::new());
//! let mut host: Host = Host::new(HostConfig::new(), Stream::host(), Checksum::new());
//! agent.connect()?;
//! host.connect(b"my token", *b"sixteen bytes ok", Instant::ZERO)?;
//!
//! let mut ticket = None;
//! let mut running = None;
//! for millis in 0..100 {
//!     let now = Instant::from_millis(millis);
//!     let mut bytes = [0; 1024];
//!     let length = host.poll_transmit(&mut bytes);
//!     agent.feed(&mut &bytes[..length], now)?;
//!     agent.run(&mut servo, now);
//!     let length = agent.poll_transmit(&mut bytes);
//!     host.feed(&mut &bytes[..length], now)?;
//!     let mut active = false;
//!     while let Some(event) = host.poll_event(now) {
//!         match (event, &ticket) {
//!             (Event::Active, _) => active = true,
//!             (Event::Answer(answer), Some(ticket)) => {
//!                 # let ticket: &feedrate_rdp::host::command::Ticket<GetStatus> = ticket;
//!                 if let Some(Ok(status)) = ticket.read(&answer) {
//!                     running = Some(status.run);
//!                 }
//!             }
//!             _ => {}
//!         }
//!     }
//!     if active {
//!         ticket = Some(host.request(&GetStatus, now)?);
//!     }
//! }
//! assert_eq!(running, Some(feedrate::rdp::frame::RunState::Running));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! There is no cryptography in it: without TLS around it, or a [`session::Seal`] with keys, it stops accidents, but
//! no attacker.
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `std` | yes | larger tables for checksums, and the dependencies' runtime choice of vector instructions |
//! | `crc-table` | | tables for checksums: 2.5 KiB of flash for speed |
//!
//! Firmware turns default features off. The minimum supported Rust version is 1.85.

#[cfg(test)]
extern crate std;

pub mod agent;
pub mod arch;
pub mod audit;
pub mod authority;
mod count;
mod endpoint;
mod gate;
pub mod host;
mod inbox;
mod limits;
pub mod line;
pub mod link;
mod ring;
mod role;
pub mod session;
pub mod sizes;
pub mod stream;
pub mod target;
mod time;

#[doc = include_str!("SPEC.md")]
pub mod spec {}

pub use role::Role;

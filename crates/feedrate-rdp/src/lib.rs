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
//! | debug frame | what is to be done, or was done | [`feedrate::rdp::frame`] |
//! | session | order, time, authority, end | [`session`], [`authority`] |
//! | link | two streams of messages, exactly once, over lossy lanes | [`link`] |
//! | lane | packets between zeros, or behind lengths | [`feedrate::rdp::packet`] |
//!
//! On top of these are the two ends: [`agent::Agent`], which acts on a [`target::Target`] and fits into a `static` of a
//! controller's firmware, and [`host::Host`], which a debugging tool is built on.
//!
//! The two ends, talking over a line that is a variable:
//!
//! ```
//! use feedrate::rdp::frame::{Domains, Fingerprint};
//! use feedrate::rdp::packet::Line;
//! use feedrate_rdp::agent::{Agent, AgentConfig};
//! use feedrate_rdp::arch::CortexM;
//! use feedrate_rdp::authority::Grant;
//! use feedrate_rdp::host::command::GetStatus;
//! use feedrate_rdp::host::{Event, Host, HostConfig};
//! use feedrate_rdp::link::LaneId;
//! use feedrate_rdp::session::Checksum;
//! use feedrate_rdp::target::{Refusal, Target};
//!
//! # struct Servo;
//! # impl Target for Servo {
//! #     type Arch = CortexM;
//! #     fn fingerprint(&self) -> Fingerprint { *b"servo 7, fw 1.02" }
//! #     fn is_stopped(&self) -> bool { false }
//! #     fn read_registers(&mut self, _: &mut [u64; 17]) -> Result<(), Refusal> { Err(Refusal::WrongState) }
//! # }
//! # fn authority(_: &[u8], _: &Fingerprint) -> Result<Grant, u32> {
//! #     Ok(Grant { operator: *b"maria\0\0\0", domains: Domains::ALL, lasts: 60_000 })
//! # }
//! let mut servo = Servo;
//! let mut agent = Agent::<CortexM, _>::new(AgentConfig::board(*b"boot no. 815", "servo"), authority, Checksum);
//! let mut host: Host = Host::new(HostConfig::new(Line::UART), Checksum);
//! host.connect(b"my token", 0x1234_5678, *b"sixteen bytes ok", 0)?;
//!
//! let mut status = None;
//! for now in 0..1000 {
//!     let mut packet = [0; 64];
//!     while let length @ 1.. = host.poll(LaneId::Signal, &mut packet, now) {
//!         agent.feed(LaneId::Signal, &packet[..length], now);
//!     }
//!     agent.run(&mut servo, now);
//!     while let length @ 1.. = agent.poll(LaneId::Signal, &mut packet, now) {
//!         host.feed(LaneId::Signal, &packet[..length], now);
//!     }
//!     let mut ask = false;
//!     while let Some(event) = host.event(now) {
//!         match event {
//!             Event::Active => ask = true,
//!             Event::Answer(answer) => status = Some(answer.frame.name()),
//!             _ => {}
//!         }
//!     }
//!     if ask {
//!         host.request(&GetStatus, now)?;
//!     }
//! }
//! assert_eq!(status, Some("Status"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! There is no cryptography in it: without TLS around it, or a [`session::Seal`] with keys, it stops accidents and no
//! attacker.
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
pub mod host;
mod limits;
pub mod link;
mod role;
pub mod session;
pub mod target;
mod time;
mod timers;

#[doc = include_str!("SPEC.md")]
pub mod spec {}

pub use role::Role;
pub use time::Millis;

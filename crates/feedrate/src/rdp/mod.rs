//! RDPv3, a remote debug protocol for the controllers of machine tools: both ends of it, without I/O, without a clock, without a heap.
//!
//! The protocol is specified in [`spec`]. Its layers, each usable alone:
//!
//! | layer | what it is | here |
//! |---|---|---|
//! | debug frame | what is to be done, or was done | [`Frame`] |
//! | session | order, time, authority, end | [`Session`], [`Seal`], [`Authorize`], [`ReplayGuard`] |
//! | link | two streams of messages, exactly once, over lossy lanes | [`Link`] |
//! | lane | packets between zeros, or behind lengths | [`Packets`], [`Packet`] |
//!
//! On top of these are the two ends: [`Agent`], which acts on a [`Target`] and fits into a `static` of a controller's firmware, and
//! [`Host`], which a debugging tool is built on.
//!
//! The two ends, talking over a line that is a variable:
//!
//! ```
//! # use feedrate::rdp::*;
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
//!         host.request(&command::GetStatus, now)?;
//!     }
//! }
//! assert_eq!(status, Some("Status"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod agent;
mod answer;
mod audit;
mod authority;
mod buffer;
mod channel;
mod cobs;
mod crc;
mod endpoint;
mod error;
mod frame;
mod framing;
mod header;
mod host;
mod lane;
mod link;
mod packet;
mod registers;
mod replay;
mod request;
mod seal;
mod session;
mod state;
mod status;
mod target;
mod time;
mod values;
mod wire;

#[doc = include_str!("SPEC.md")]
pub mod spec {}

pub use agent::{Agent, AgentConfig, StopCause};
pub use answer::{
    Audit as AuditAnswer, Axes, BreakpointSet, Breakpoints as BreakpointList, CursorAt, Done, Listed,
    Memory as MemoryAnswer, Metric, Metrics, Plc, Reason, Refused, Registers, SetAs, State, Status, Stopped,
    Welcome,
};
pub use audit::{AuditRing, Full, Operator, PENDING, Record};
pub use authority::{Authorize, Capabilities, Domains, Grant};
pub use buffer::{Board, Buffer, Desk, Sizes};
pub use error::ErrorCode;
pub use frame::{Frame, FrameError, MAGIC, Problem, VERSION};
pub use framing::{Framing, Line};
pub use header::{Header, PacketType};
pub use host::{Answer, Closed, Device, Event, Host, HostConfig, TokenTooLong, command, command::Ticket};
pub use lane::{LaneCounts, LaneId};
pub use link::{Channel, Link, LinkCounts, LinkEnd, LinkStatus, Role};
pub use packet::{Framed, Packet, PacketError, Packets};
pub use registers::{Aarch64, Arch, CortexM, X86_64};
pub use replay::{Order, ReplayGuard};
pub use request::{
    Action, Agree, Breakpoint, Bye, Force, Heartbeat, Hello, PushPolicy, ReadAudit, ReadMemory, ReadPlc,
    ReadRegisters, Release, Rule, SetAxis, SetWatchpoint, Step,
};
pub use seal::{Checksum, Context, Seal};
pub use session::{ByeReason, IntegrityLost, Opened, SendError, Session};
pub use state::{SessionEvent, SessionState};
pub use status::RunState;
pub use target::{
    Access, Audit, Breakpoints, Cursor, Fingerprint, Forcing, Machine, Memory, Refusal, Stepping, Target,
    Trap,
};
pub use time::Millis;
pub use values::Values;
pub use wire::{Bytes, Count, List};

//! RDPv3 over tokio's traits: a tool's [`host::Connection`], and the [`agent::Server`] of what is debugged.
//!
//! A line is anything that is `AsyncRead` and `AsyncWrite`. A TCP socket, a Unix socket and a WebSocket
//! ([`crate::ws::Bytes`]) are byte streams; [`crate::serial::Port`] is a serial lane, with another one beside it for
//! bulk data, if there is one.
//!
//! A tool that stops a machine and looks at its memory:
//!
//! ```no_run
//! use feedrate::rdp::frame::{Halt, ReadMemory};
//! use feedrate_io::rdp::host::Connection;
//! use feedrate_rdp::host::HostConfig;
//! use feedrate_rdp::session::Checksum;
//!
//! # async fn debug() -> Result<(), Box<dyn std::error::Error>> {
//! let socket = tokio::net::TcpStream::connect("127.0.0.1:7000").await?;
//! let mut rdp = Connection::stream(socket, HostConfig::new(), Checksum::new(), b"my token")?;
//! rdp.active(|_| {}).await?;
//! rdp.ask(&Halt, |_| (), |event| println!("{event:?}")).await??;
//! let read = ReadMemory { addr: 0x2000_0000, length: 64 };
//! let memory = rdp.ask(&read, |memory| memory.data.as_slice().to_vec(), |event| println!("{event:?}")).await??;
//! println!("{memory:02x?}");
//! rdp.close(|_| {}).await;
//! # Ok(())
//! # }
//! ```
//!
//! What it debugs, and the loop that everything happens in:
//!
//! ```no_run
//! use feedrate_io::rdp::agent::Server;
//! use feedrate_rdp::agent::AgentConfig;
//! use feedrate_rdp::arch::CortexM;
//! use feedrate_rdp::authority::{Claim, Grant};
//! use feedrate_rdp::session::Checksum;
//! use feedrate_rdp::target::Target;
//! use tokio::net::{TcpListener, TcpStream};
//!
//! # fn authority(_: &Claim<'_>) -> Result<Grant, u32> { Err(0) }
//! # async fn serve(servo: &mut impl Target<Arch = CortexM>, boot: [u8; 12]) -> std::io::Result<()> {
//! let listener = TcpListener::bind("127.0.0.1:7000").await?;
//! let config = AgentConfig::new(boot, 1, "servo");
//! let mut server = Server::<CortexM, _, TcpStream>::stream(config, authority, Checksum::new());
//! loop {
//!     tokio::select! {
//!         _ = server.wait() => {}
//!         Ok((socket, _)) = listener.accept() => {
//!             // Busy: somebody has a session. Dropping the socket says so.
//!             let _ = server.connect(socket);
//!         }
//!     }
//!     server.run(servo);
//! }
//! # }
//! ```
//!
//! # What is written first
//!
//! Halt must not wait behind bulk data. So no more than one packet, or one piece of a stream, is taken from the
//! protocol before the transport has taken the last one. What the system has taken nobody overtakes: keep its buffers
//! small, with [`TcpOptions::send_buffer`](crate::socket::TcpOptions::send_buffer). A [`Port`](crate::serial::Port)
//! does it by itself.
//!
//! # No task of their own
//!
//! Nothing happens unless something is awaited. A host's answers to the agent's challenges prove that the loop which
//! acts for the operator is alive, so that loop, and no task beside it, awaits the [`host::Connection`]
//! (SPEC section 5.7). A loop that is busy for longer than the agent's loss time loses the session.

pub mod agent;
pub mod host;
mod lane;
mod lanes;

pub use self::lanes::Ended;

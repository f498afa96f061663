//! Compression: the extension permessage-deflate, RFC 7692.
//!
//! [`Offer`] and [`Params`] are what the handshake agrees on; [`Receiver::deflate`](crate::Receiver::deflate) and
//! [`Sender::deflate`](crate::Sender::deflate) act on it.
//!
//! # Memory
//!
//! Each direction allocates at its first compressed message: [`Params::memory`] says how much. A smaller
//! window saves the side that compresses up to 130 KiB, and the other nothing: it is ready for 32 KiB
//! always. `release` gives back what is no longer needed: to compress, between any two messages; to
//! decompress, if the peer begins each message with an empty window (`no_context`). What a message may
//! become is limited by the receiver's limit, which is checked as it is decompressed, in steps of 4 KiB.
//!
//! A byte can become a thousand. Of a message that has not ended, a receiver that puts messages together decompresses
//! 64 KiB and four bytes for each that has come, and keeps the rest as it came until the message ends or more of it
//! has come. So a client has to send what it wants to have held, and what is wrong with what waits is told later.
//! Once a message has ended, it is all there, up to the limit: that is to be what the messages need and no more.
//!
//! # Example
//!
//! ```
//! use feedrate::{Grow, Instant};
//! use feedrate_ws::deflate::{Config, Offer};
//! use feedrate_ws::{Event, Message, Receiver, Role, Sender};
//!
//! // In a handshake a server gets this from `Request::deflate`, and a client from `Response::deflate`.
//! let agreed = Some(Config::new().server_bits(10).accept(&Offer::new()));
//!
//! let mut sender = Sender::server(Grow::new(4096)).deflate(agreed);
//! sender.text("again and again and again and again and again and again")?;
//! assert!(sender.queued() < 25);
//!
//! let mut receiver = Receiver::new(Role::Client, Grow::new(4096)).deflate(agreed);
//! let mut input = sender.transmit();
//! let event = receiver.feed(&mut input, Instant::ZERO, &mut ())?;
//! let Some(Event::Message(Message::Text(text))) = event else { panic!() };
//! assert!(text.as_str().starts_with("again and again"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod compress;
mod config;
mod decompress;
mod offer;
mod params;

pub(crate) use compress::Deflater;
pub use config::Config;
pub(crate) use decompress::{Inflater, Window};
pub use offer::{BadParams, Offer};
pub use params::Params;

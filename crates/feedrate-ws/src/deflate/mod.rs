//! Compression: the extension permessage-deflate, RFC 7692.
//!
//! The handshake turns an [`Offer`] into [`Params`]; [`Receiver::deflate`](crate::Receiver::deflate) and
//! [`Sender::deflate`](crate::Sender::deflate) take these.
//!
//! # Memory
//!
//! Each direction allocates at its first compressed message; [`Params::memory`] returns how much. A smaller window
//! saves the compressing side up to 130 KiB. It saves the other side nothing, because that always keeps a window of 32
//! KiB. `release` frees the compressor's memory between any two messages, and the decompressor's if the peer begins
//! each message with an empty window (`no_context`). The receiver's limit applies to the decompressed message, and is
//! checked during decompression, in steps of 4 KiB.
//!
//! One compressed byte can become a thousand. Of an unfinished message, a receiver of whole messages decompresses no
//! more than 64 KiB plus four bytes for each byte received. It keeps the rest compressed until the message ends or more
//! of it arrives. So a peer that wants much memory held has to send much, and errors in the waiting bytes are reported
//! later. Once a message has ended, all of it is held, up to the limit: so set the limit no higher than your messages
//! need.
//!
//! # Example
//!
//! ```
//! use feedrate::{Grow, Instant};
//! use feedrate_ws::deflate::{Config, Offer};
//! use feedrate_ws::{Event, Message, Receiver, Role, Sender};
//!
//! // In a handshake, a server gets this from `Request::deflate`, and a client from `Response::deflate`.
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

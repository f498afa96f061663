//! Against tungstenite: a message that both accept is the same, and what it refuses we refuse.
#![no_main]

use std::io::{self, Read, Write};

use feedrate_fuzz::Plan;
use feedrate_fuzz::ws::{Item, LIMIT, Side, Way, receive};
use feedrate_ws::{Role, Violation};
use tungstenite::protocol::{Role as TheirRole, WebSocketConfig};
use tungstenite::{Error, Message, WebSocket};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some(plan) = Plan::new(data) else { return };
    let (role, their_role) =
        if plan.flag(0) { (Role::Server, TheirRole::Server) } else { (Role::Client, TheirRole::Client) };
    let way = Way { sizes: plan.sizes, ..Way::PLAIN };
    let ours = receive(Side { role, deflate: None }, way, plan.stream);
    let config = WebSocketConfig::default()
        .max_message_size(Some(LIMIT))
        .max_frame_size(Some(LIMIT))
        .read_buffer_size(512);
    let mut theirs = WebSocket::from_raw_socket(Wire(plan.stream), their_role, Some(config));
    let mut items = ours.items.iter();
    loop {
        let said = theirs.read();
        let item = items.next();
        match (said, item) {
            // After a close frame it looks at what follows.
            (_, None) if matches!(ours.items.last(), Some(Item::Closed(_))) => return,
            // It is laxer than we are.
            (Ok(_), Some(Item::Failed(error))) if is_laxer(&error.violation) => return,
            (Ok(message), item) => compare(&message, item),
            // The input has ended, for it too.
            (Err(Error::Io(_)), None) => return,
            // Which rule a frame breaks first is a matter of taste, and it waits for more of it than we do.
            (Err(_), Some(Item::Failed(_))) => return,
            (Err(error), item) => panic!("they say: {error}, we have {item:?}"),
        }
    }
});

fn compare(message: &Message, item: Option<&Item>) {
    match (message, item) {
        (Message::Text(text), Some(Item::Text(ours))) => assert_eq!(text.as_str(), ours),
        (Message::Binary(bytes), Some(Item::Binary(ours))) => assert_eq!(bytes, ours),
        (Message::Ping(bytes), Some(Item::Ping(ours))) => assert_eq!(bytes, ours),
        (Message::Pong(bytes), Some(Item::Pong(ours))) => assert_eq!(bytes, ours),
        (Message::Close(None), Some(Item::Closed(None))) => {}
        (Message::Close(Some(close)), Some(Item::Closed(Some((code, reason))))) => {
            assert_eq!((u16::from(close.code), close.reason.as_str()), (code.get(), &reason[..]));
        }
        (theirs, ours) => panic!("they have {theirs:?}, we have {ours:?}"),
    }
}

/// What only we refuse.
fn is_laxer(violation: &Violation) -> bool {
    // A control frame is too long by its length's form, and then that is not its shortest.
    matches!(violation, Violation::NotMinimal { .. } | Violation::ControlTooLong(_) | Violation::CloseCode(_))
}

/// What comes in; and what goes out is taken.
struct Wire<'a>(&'a [u8]);

impl Read for Wire<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.0.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.0.read(into)
    }
}

impl Write for Wire<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

//! tokio-websockets, with `WebSocketStream`.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use futures_core::Stream;
use futures_sink::Sink;
use tokio_websockets::{ClientBuilder, Message, ServerBuilder, WebSocketStream};

use super::end::{End, Role, Visited};
use super::wire::Wire;

#[derive(Debug)]
pub struct Peer {
    socket: WebSocketStream<Wire>,
    text: Message,
}

impl Peer {
    #[inline(always)]
    fn next(&mut self, context: &mut Context<'_>) -> Message {
        match Pin::new(&mut self.socket).poll_next(context) {
            Poll::Ready(Some(message)) => message.expect("a good stream"),
            other => panic!("{other:?}"),
        }
    }

    #[inline(always)]
    fn send(&mut self, context: &mut Context<'_>, message: Message) {
        let mut socket = Pin::new(&mut self.socket);
        assert!(socket.as_mut().poll_ready(context).is_ready());
        socket.start_send(message).expect("a good message");
    }

    #[inline(always)]
    fn flush(&mut self, context: &mut Context<'_>) {
        assert!(matches!(Pin::new(&mut self.socket).poll_flush(context), Poll::Ready(Ok(()))));
    }
}

impl End for Peer {
    fn open(wire: Wire, role: Role, text: &str) -> Self {
        let socket = match role {
            Role::Server => ServerBuilder::new().serve(wire),
            Role::Client => ClientBuilder::new().take_over(wire),
        };
        Self { socket, text: Message::text(text.to_owned()) }
    }

    #[inline(never)]
    fn decode(&mut self, messages: usize) -> Visited {
        let mut context = Context::from_waker(Waker::noop());
        let mut visited = Visited::default();
        for _ in 0..messages {
            visited.message(self.next(&mut context).as_payload());
        }
        visited
    }

    #[inline(never)]
    fn encode(&mut self, times: usize) {
        let mut context = Context::from_waker(Waker::noop());
        for _ in 0..times {
            self.send(&mut context, self.text.clone());
        }
        self.flush(&mut context);
    }

    #[inline(never)]
    fn echo(&mut self) {
        let mut context = Context::from_waker(Waker::noop());
        let message = self.next(&mut context);
        self.send(&mut context, message);
        self.flush(&mut context);
    }

    fn state() -> usize {
        size_of::<WebSocketStream<Wire>>() - size_of::<Wire>()
    }
}

//! pg-proto, which reads a stream only as a connection of its own.

use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use pg_proto::{
    BackendMessage, Client, ClientTlsPolicy, ConnectTarget, StartupParameters, TrustClientAuthentication,
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::Sum;

/// Its codec is for its own connections only: so this is one, over a transport that always has the next chunk.
#[inline(never)]
pub fn fields(stream: &[u8], chunk: usize) -> Sum {
    let mut task = pin!(session(Canned { greeting: b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I", stream, chunk }));
    match task.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(sum) => sum,
        Poll::Pending => unreachable!("the transport never waits"),
    }
}

async fn session(transport: Canned<'_>) -> Sum {
    let client = Client::builder()
        .connector(move |_| async move { Ok::<_, io::Error>(transport) })
        .tls(ClientTlsPolicy::Disabled)
        .authentication(TrustClientAuthentication)
        .build()
        .expect("a good configuration");
    let (target, startup) = (ConnectTarget::new("here"), StartupParameters::new("me"));
    let mut connection = client.connect(target, startup, ()).await.expect("a good greeting");
    let mut sum = Sum::default();
    // It ends with the transport.
    while let Ok(message) = connection.receive_wire().await {
        if let BackendMessage::DataRow(row) = message {
            row.columns.iter().for_each(|value| sum.value(value.as_deref()));
        }
    }
    sum
}

/// Says what a server says at first, then the stream, and listens to nothing.
#[derive(Clone, Copy)]
struct Canned<'s> {
    greeting: &'s [u8],
    stream: &'s [u8],
    chunk: usize,
}

impl AsyncRead for Canned<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let (chunk, room) = (self.chunk, out.remaining());
        let greets = !self.greeting.is_empty();
        let from = if greets { self.greeting } else { self.stream };
        let (now, rest) = from.split_at(from.len().min(chunk).min(room));
        out.put_slice(now);
        *(if greets { &mut self.greeting } else { &mut self.stream }) = rest;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Canned<'_> {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

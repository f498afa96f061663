//! One client and the server: two directions, each with a decoder.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use feedrate::pg::backend::{Authentication, Message};
use feedrate::pg::frontend::Terminate;
use feedrate::pg::{Backend, Error, Frontend};
use feedrate::{Grow, Protocol};
use feedrate_examples::capture;
use feedrate_io::Limits;
use feedrate_io::pg_tls::Stream;
use feedrate_io::tokio::{Connection, Reader, Writer};
use tokio::select;

use crate::begin::{Side, Socket, begin};
use crate::binding::Binding;
use crate::check::Check;
use crate::handshake::Handshake;
use crate::lane::Lane;
use crate::tap::Tap;

/// How many bytes wait for a receiver. If it takes no more, nothing more is read from the sender.
const QUEUED: usize = 64 * 1024;

type Failure = feedrate_io::Error<Error, io::Error>;

/// Why the rest of a stream cannot be forwarded.
enum Stop {
    /// The receiver has gone.
    Deaf,
    /// The sender cannot be read or understood, or the receiver takes nothing.
    Broken(String),
}

/// Serves one client, to the end of the connection.
pub(crate) async fn serve(tap: &Tap, number: u64, client: Socket) {
    let _open = tap.count();
    let told = tap.starting.add(number);
    let began = Instant::now();
    let check = tap.options.check.then(|| Arc::new(Check::new(number)));
    let mut to_server = Lane::new(tap, number, capture::Side::Frontend, began, check.clone());
    let mut to_client = Lane::new(tap, number, capture::Side::Backend, began, check.clone());
    let mut end = Lane::new(tap, number, capture::Side::Frontend, began, check);
    // Each in memory of its own: a connection that has begun does not hold what beginning takes.
    let serving = {
        let begun = select! {
            begun = Box::pin(begin(tap, client, &mut to_server, &mut to_client)) => begun,
            Ok(()) = told => Err("it has not begun, and others want to".into()),
        };
        tap.starting.remove(number);
        match begun {
            Ok(Some((client, server))) => Box::pin(both(tap, number, client, server, to_server, to_client)),
            Ok(None) => return end.end_check().await,
            Err(why) => {
                to_server.publish().await;
                to_server.complain(&why);
                return end.end_check().await;
            }
        }
    };
    serving.await;
    end.end_check().await;
}

/// Both directions, until both have ended.
fn both<'t>(
    tap: &'t Tap,
    number: u64,
    client: Side<Frontend>,
    server: Side<Backend>,
    to_server: Lane<'t>,
    to_client: Lane<'t>,
) -> impl Future<Output = ()> + 't {
    let (binding, handshake) = (Binding::new(client.io(), server.io()), Handshake::default());
    // How long the login may take is for the server to decide. Neither has a limit for a message: a COPY whose data
    // are slow, and rows that are found slowly, can stop inside one for hours. And a server that takes nothing may wait
    // for a lock; but a client that takes nothing makes the server wait.
    let limits = Limits::new().handshake(None).message(None).queued(QUEUED);
    let (frontend, client) =
        Connection::from_parts(client.into_parts(), limits.progress(tap.options.progress)).split();
    let (backend, server) = Connection::from_parts(server.into_parts(), limits.progress(None)).split();
    let mut up = Direction { from: frontend, to: server, lane: to_server };
    let mut down = Direction { from: backend, to: client, lane: to_client };
    async move {
        let mut up = pin!(async {
            let end = up.frontend(&handshake, &binding).await;
            up.end(end).await
        });
        let mut down = pin!(async {
            let end = down.backend(&handshake, &binding).await;
            handshake.end();
            down.end(end).await
        });
        // The receiver that has gone may have said something before, and the one that sends no more may still read: the
        // other direction goes on, as long as something passes.
        let silence = handshake.silence(tap.options.linger);
        let silent = select! {
            end = &mut up => match end {
                Ok(()) => select! { _ = down => false, () = silence => true },
                Err(Dropped) => false,
            },
            end = &mut down => match end {
                Ok(()) => select! { _ = up => false, () = silence => true },
                Err(Dropped) => false,
            },
        };
        if silent {
            tap.complain(&format!(
                "connection {number}: one side has closed, and the other one is silent: dropped"
            ));
        }
    }
}

/// The connection is lost.
struct Dropped;

/// One direction: whose messages are read, and to whom they go.
struct Direction<'t, P: Protocol, Q> {
    from: Reader<P, Grow, Stream<Socket>>,
    to: Writer<Q, Stream<Socket>>,
    lane: Lane<'t>,
}

impl From<Failure> for Stop {
    fn from(error: Failure) -> Self {
        Self::Broken(error.to_string())
    }
}

impl Direction<'_, Backend, Frontend> {
    /// The main loop for the server's messages.
    async fn backend(&mut self, handshake: &Handshake, binding: &Binding) -> Result<(), Stop> {
        loop {
            if !self.from.has_message()? {
                self.flush(handshake).await?;
            }
            let Some(frame) = self.from.next().await? else { return Ok(()) };
            let message = frame.message();
            // The server's are always counted.
            let _ = self.lane.check(&frame);
            handshake.tell(&frame, &message);
            let mut bytes = self.lane.pass(&frame, &message);
            if let Some(other) = message.as_ref().ok().and_then(|message| binding.of_server(message)) {
                bytes = other.into();
            }
            let logged_in = matches!(message, Ok(Message::Authentication(Authentication::Ok)));
            forward(&mut self.lane, &mut self.to, &bytes).await?;
            if logged_in {
                self.from.established();
                self.to.established();
            }
        }
    }
}

impl Direction<'_, Frontend, Backend> {
    /// The same for the client's messages. But until it has logged in, the meaning of its next message depends on the
    /// server's answer to the last one.
    async fn frontend(&mut self, handshake: &Handshake, binding: &Binding) -> Result<(), Stop> {
        let mut logged_in = false;
        loop {
            if !logged_in {
                self.flush(handshake).await?;
                let Some(first) = self.from.peek().await? else { return Ok(()) };
                logged_in = handshake.apply(self.from.protocol_mut(), first).await;
                if logged_in {
                    self.from.established();
                    self.to.established();
                }
            } else if !self.from.has_message()? {
                self.flush(handshake).await?;
            }
            let Some(frame) = self.from.next().await? else { return Ok(()) };
            while let Err(full) = self.lane.check(&frame) {
                self.lane.publish().await;
                self.to.flush().await.map_err(deaf)?;
                full.room().await;
            }
            let message = frame.message();
            let bytes = self.lane.pass(&frame, &message);
            if let Ok(message) = &message {
                binding.of_client(message);
            }
            forward(&mut self.lane, &mut self.to, &bytes).await?;
            // Servers ignore what follows. pg_basebackup, which forks, sends Terminate twice.
            if frame.tag() == Terminate::TAG {
                return Ok(());
            }
        }
    }
}

/// What has room goes with what comes next, and what has not goes now: after the output about it.
async fn forward<Q: Protocol<Error = Error>>(
    lane: &mut Lane<'_>,
    to: &mut Writer<Q, Stream<Socket>>,
    mut bytes: &[u8],
) -> Result<(), Stop> {
    lane.forwards(bytes);
    if to.queued() + bytes.len() > QUEUED {
        lane.publish().await;
    }
    to.forward(&mut bytes).await.map_err(deaf)
}

impl<P: Protocol<Error = Error>, Q: Protocol<Error = Error>> Direction<'_, P, Q> {
    /// Everything that has been read goes on.
    async fn flush(&mut self, handshake: &Handshake) -> Result<(), Stop> {
        self.lane.publish().await;
        self.to.flush().await.map_err(deaf)?;
        handshake.moved();
        Ok(())
    }

    /// Even if the stream is lost: what came before is good.
    async fn end(&mut self, end: Result<(), Stop>) -> Result<(), Dropped> {
        self.lane.publish().await;
        let end = match end {
            Ok(()) => self.to.shutdown().await.map_err(deaf),
            Err(Stop::Broken(_)) => {
                let _ = self.to.flush().await;
                end
            }
            Err(Stop::Deaf) => end,
        };
        match end {
            Ok(()) | Err(Stop::Deaf) => Ok(()),
            Err(Stop::Broken(why)) => {
                self.lane.complain(&why);
                Err(Dropped)
            }
        }
    }
}

fn deaf(error: Failure) -> Stop {
    match error {
        feedrate_io::Error::Late(late) => Stop::Broken(late.to_string()),
        _ => Stop::Deaf,
    }
}

//! What is talked, and how it has to end.

use std::future::Future;
use std::ops::RangeInclusive;
use std::pin::Pin;

use tokio::net::TcpStream;

use crate::plan::Plan;
use crate::{rdp, talk};

/// Which limit a connection has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// PostgreSQL's messages, with a limit for silence.
    Idle,
    /// A client that sends more than is taken.
    Progress,
    /// WebSocket, with pings.
    Pong,
    /// TCP's own means alone.
    Tcp,
    /// RDPv3's heartbeats.
    Rdp,
}

impl Kind {
    pub(crate) const ALL: [Self; 5] = [Self::Idle, Self::Progress, Self::Pong, Self::Tcp, Self::Rdp];

    /// RDPv3's limit is its specification's: a line that is dead for 2 s may end its session.
    pub(crate) fn is_in(self, plan: Plan) -> bool {
        !(plan.returns && self == Self::Rdp)
    }

    /// Its port, from the first one on.
    pub(crate) const fn number(self) -> u16 {
        self as u16
    }

    /// Talks, and says why it has ended.
    pub(crate) fn talk(
        self,
        serves: bool,
        socket: TcpStream,
        plan: Plan,
    ) -> Pin<Box<dyn Future<Output = String>>> {
        match (self, serves) {
            (Self::Idle, true) => Box::pin(talk::answer(socket, plan)),
            (Self::Idle, false) => Box::pin(talk::ask(socket, plan)),
            (Self::Progress, true) => Box::pin(talk::swallow(socket, plan)),
            (Self::Progress, false) => Box::pin(talk::pour(socket, plan)),
            (Self::Pong, true) => Box::pin(talk::echo(socket, plan)),
            (Self::Pong, false) => Box::pin(talk::converse(socket, plan)),
            (Self::Tcp, _) => Box::pin(talk::wait(socket, plan)),
            (Self::Rdp, true) => Box::pin(rdp::machine(socket)),
            (Self::Rdp, false) => Box::pin(rdp::tool(socket)),
        }
    }

    /// Why it ends, and how many seconds after the network has died.
    pub(crate) fn expected(self, serves: bool, plan: Plan) -> (&'static [&'static str], RangeInclusive<f64>) {
        if plan.returns {
            return (&["done"], 0.0..=39.0);
        }
        match (self, serves) {
            (Self::Idle, _) => (&["idle"], 3.5..=5.5),
            (Self::Progress, true) => (&["idle", "message"], 3.5..=5.5),
            (Self::Progress, false) => (&["progress"], 2.9..=5.5),
            // A second of silence, and then the pong's.
            (Self::Pong, _) => (&["pong"], 1.9..=4.5),
            (Self::Tcp, _) => (&["timed out"], 1.9..=7.0),
            (Self::Rdp, true) => (&["over"], 1.9..=6.0),
            (Self::Rdp, false) => (&["the peer was not heard for the loss time"], 1.9..=5.5),
        }
    }
}

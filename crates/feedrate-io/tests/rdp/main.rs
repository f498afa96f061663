//! RDPv3 over tokio's traits: what is promised of every await, deadline and end.

mod backlog;
mod cancel;
mod deadlines;
mod ends;
mod priorities;
#[path = "../serial/pty.rs"]
#[cfg(all(unix, feature = "serial"))]
mod pty;
mod sessions;
mod stalls;
mod transport;

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use feedrate::rdp::frame::Domains;
use feedrate_io::Timer;
use feedrate_io::rdp::agent::{Left, Server};
use feedrate_io::rdp::host::Connection;
use feedrate_rdp::arch::CortexM;
use feedrate_rdp::host::{Event, HostConfig};
use feedrate_rdp::session::Checksum;
use feedrate_rdp::sizes::{Board, Sizes};
use feedrate_testkit::machine::{Deed, Fake, Journal};
use feedrate_testkit::rdp::rig::{Authority, CONFIG, authority, token};
use tokio::io::{AsyncRead, AsyncWrite};

type Agent<T, S = Board> = Server<CortexM, Authority, T, S>;

/// Polls a future once.
fn once<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// A token for everything.
fn all() -> Vec<u8> {
    token(Domains::ALL, 3600)
}

fn stream<T: AsyncRead + AsyncWrite + Unpin>(io: T) -> Connection<T> {
    Connection::stream(io, HostConfig::new(), Checksum::new(), &all()).unwrap()
}

fn serial<T: AsyncRead + AsyncWrite + Unpin>(signal: T, bulk: Option<T>) -> Connection<T> {
    Connection::serial(signal, bulk, HostConfig::new(), Checksum::new(), &all()).unwrap()
}

fn agent<T: AsyncRead + AsyncWrite + Unpin>() -> Agent<T> {
    Server::stream(CONFIG, authority as Authority, Checksum::new())
}

fn serial_agent<T: AsyncRead + AsyncWrite + Unpin>(bulk: bool) -> Agent<T> {
    Server::serial(CONFIG, bulk, authority as Authority, Checksum::new())
}

/// A machine whose deeds are written down, and whose program runs.
fn machine() -> Fake {
    Fake { journal: Journal::kept(), stopped: false, ..Fake::new() }
}

/// Runs the agent, and tells it when the program has stopped.
fn run<T: AsyncRead + AsyncWrite + Unpin, S: Sizes>(agent: &mut Agent<T, S>, machine: &mut Fake) {
    machine.pass_to(agent.clock().now().as_millis());
    agent.run(machine);
    while let Some(cause) = machine.stop_now() {
        agent.stopped(machine, cause);
    }
}

/// Serves for ever, and writes down who leaves.
async fn serve<T: AsyncRead + AsyncWrite + Unpin, S: Sizes>(
    agent: &mut Agent<T, S>,
    machine: &mut Fake,
    gone: &mut Vec<Left>,
) {
    loop {
        gone.extend(agent.wait().await);
        run(agent, machine);
    }
}

/// Does something while an agent is served.
async fn beside<T: AsyncRead + AsyncWrite + Unpin, S: Sizes, R>(
    agent: &mut Agent<T, S>,
    machine: &mut Fake,
    what: impl Future<Output = R>,
) -> R {
    let mut gone = Vec::new();
    tokio::select! {
        done = what => done,
        () = serve(agent, machine, &mut gone) => unreachable!(),
    }
}

/// How often the machine's memory was read.
fn reads(machine: &Fake) -> usize {
    machine.journal.deeds().filter(|deed| matches!(deed, Deed::Read(..))).count()
}

/// Nobody is to see this.
fn unseen(event: &Event<'_>) {
    assert!(!matches!(event, Event::Unknown { .. }), "{event:?}");
}

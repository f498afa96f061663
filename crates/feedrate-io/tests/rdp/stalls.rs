//! No session waits for a wake-up that does not come. Host and agent are tasks of their own, over transports that wake
//! whoever they must and nobody else. The clock moves only when both wait: what is waited for in vain shows as time.
//!
//! `FEEDRATE_SESSIONS` (200) is how many sessions there are of each kind.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use feedrate::rdp::frame::{GetStatus, Halt, ReadMemory, Resume, RunState};
use feedrate_io::rdp::host::Connection;
use feedrate_rdp::host::Event;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf, duplex};
use tokio::runtime::Builder;
use tokio::task::{LocalSet, spawn_local};
use tokio::time::Instant;

use crate::{agent, machine, run, serial, serial_agent, stream, unseen};

/// A pipe that takes and gives a few bytes at a time, and says nothing about the rest.
struct Narrow {
    io: DuplexStream,
    seed: u64,
}

impl Narrow {
    fn few(&mut self) -> usize {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        1 + (self.seed >> 33) as usize % 40
    }
}

impl AsyncRead for Narrow {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut bytes = [0; 40];
        let most = self.few().min(buffer.remaining());
        let mut few = ReadBuf::new(&mut bytes[..most]);
        let read = Pin::new(&mut self.io).poll_read(cx, &mut few);
        buffer.put_slice(few.filled());
        read
    }
}

impl AsyncWrite for Narrow {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let most = self.few().min(bytes.len());
        Pin::new(&mut self.io).poll_write(cx, &bytes[..most])
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

fn narrow(seed: u64) -> (Narrow, Narrow) {
    let (a, b) = duplex(1 + seed as usize * 7 % 90);
    (Narrow { io: a, seed }, Narrow { io: b, seed: seed.wrapping_mul(31) })
}

/// A whole session, and how long it took.
async fn session(mut rdp: Connection<Narrow>) -> Duration {
    let began = Instant::now();
    rdp.active(unseen).await.unwrap();
    for n in 0..3 {
        rdp.ask(&Halt, |_| (), unseen).await.unwrap().unwrap();
        assert_eq!(rdp.ask(&GetStatus, |status| status.run, unseen).await.unwrap(), Ok(RunState::Stopped));
        let read = ReadMemory { addr: n, length: 250 };
        rdp.ask(&read, |_| (), unseen).await.unwrap().unwrap();
        rdp.ask(&Resume, |_| (), unseen).await.unwrap().unwrap();
    }
    // Many at a time, as far as there is credit.
    for addr in 0..4 {
        rdp.request(&ReadMemory { addr, length: 250 }).unwrap();
    }
    let mut answers = 0;
    let count = |event: &Event<'_>| answers += usize::from(matches!(event, Event::Answer(_)));
    rdp.ask(&Halt, |_| (), count).await.unwrap().unwrap();
    while answers < 5 {
        answers += usize::from(matches!(rdp.next().await.unwrap(), Event::Answer(_)));
    }
    assert_eq!(rdp.close(unseen).await.to_string(), "it was asked for");
    began.elapsed()
}

/// The longest session, over streams, or over serial lanes with and without one for bulk data.
fn longest(lanes: Option<bool>) -> Duration {
    let sessions = std::env::var("FEEDRATE_SESSIONS").map_or(200, |n| n.parse().expect("a number"));
    let sessions = (1..=sessions).map(|seed| {
        let runtime = Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        LocalSet::new().block_on(&runtime, async {
            let ((host, signal), (fast, bulk)) = (narrow(seed), narrow(seed + 1000));
            let mut agent = lanes.map_or_else(agent, serial_agent);
            agent.connect(signal).unwrap();
            let rdp = match lanes {
                None => stream(host),
                Some(false) => serial(host, None),
                Some(true) => {
                    agent.connect_bulk(bulk);
                    serial(host, Some(fast))
                }
            };
            spawn_local(async move {
                let mut machine = machine();
                loop {
                    // First of all: nobody gets a connection before the machine has recovered (SPEC 8.12).
                    run(&mut agent, &mut machine);
                    agent.wait().await;
                }
            });
            session(rdp).await
        })
    });
    sessions.max().unwrap()
}

#[test]
fn a_stream_never_waits_in_vain() {
    let longest = longest(None);
    assert!(longest < Duration::from_millis(20), "{longest:?}");
}

#[test]
fn lanes_never_wait_in_vain() {
    for bulk in [false, true] {
        let longest = longest(Some(bulk));
        assert!(longest < Duration::from_millis(20), "{longest:?}, bulk: {bulk}");
    }
}

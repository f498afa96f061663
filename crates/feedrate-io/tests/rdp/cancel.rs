//! Every future is polled once and dropped, until one is ready: no event is lost, and no command is executed twice.
//!
//! `FEEDRATE_DROPS` (2000) is how many futures of each kind are dropped at least.

use std::task::Poll;

use feedrate::rdp::frame::ReadMemory;
use feedrate_io::rdp::host::Connection;
use feedrate_rdp::host::Event;
use feedrate_rdp::session::SendError;
use feedrate_testkit::machine::Fake;

use crate::transport::{Trickle, trickles};
use crate::{Agent, agent, machine, once, reads, run, serial, serial_agent, stream};

fn least() -> usize {
    std::env::var("FEEDRATE_DROPS").map_or(2000, |drops| drops.parse().expect("a number"))
}

/// Both ends, on each kind of line.
fn both(seed: u64, lanes: bool) -> (Connection<Trickle>, Agent<Trickle>) {
    let ((a, b), (c, d)) = (trickles(seed), trickles(seed + 1));
    if !lanes {
        let mut agent = agent();
        agent.connect(b).unwrap();
        return (stream(a), agent);
    }
    let mut agent = serial_agent(true);
    agent.connect(b).unwrap();
    agent.connect_bulk(d);
    (serial(a, Some(c)), agent)
}

/// The agent's turn: `wait` is polled once and dropped. Returns whether it was dropped before it was ready.
async fn serve(agent: &mut Agent<Trickle>, machine: &mut Fake, turn: &mut usize) -> usize {
    *turn += 1;
    // What is lost waits for a timer: time passes, slowly.
    if *turn % 64 == 0 {
        tokio::time::advance(std::time::Duration::from_millis(1)).await;
    }
    let waited = once(agent.wait());
    if let Poll::Ready(left) = &waited {
        assert!(left.is_none(), "{left:?}");
        run(agent, machine);
    }
    usize::from(waited.is_pending())
}

async fn activate(
    rdp: &mut Connection<Trickle>,
    agent: &mut Agent<Trickle>,
    machine: &mut Fake,
    turn: &mut usize,
) -> usize {
    let mut dropped = 0;
    let mut states = 0;
    loop {
        let active = once(rdp.active(|event| states += usize::from(matches!(event, Event::State(_)))));
        match active {
            Poll::Ready(active) => {
                active.unwrap();
                assert_eq!(states, 1);
                return dropped;
            }
            Poll::Pending => dropped += 1,
        }
        serve(agent, machine, turn).await;
    }
}

/// Ends it, with futures that are dropped.
async fn finish(
    rdp: &mut Connection<Trickle>,
    agent: &mut Agent<Trickle>,
    machine: &mut Fake,
    turn: &mut usize,
) -> usize {
    let (mut dropped, mut closed) = (0, 0);
    loop {
        let close = once(rdp.close(|event| closed += usize::from(matches!(event, Event::Closed(_)))));
        match close {
            Poll::Ready(why) => {
                assert_eq!((why.to_string().as_str(), closed), ("it was asked for", 1));
                return dropped;
            }
            Poll::Pending => dropped += 1,
        }
        *turn += 1;
        tokio::time::advance(std::time::Duration::from_millis(1)).await;
        if once(agent.wait()).is_ready() {
            run(agent, machine);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn next_loses_no_event() {
    for lanes in [false, true] {
        let (mut dropped, mut waits, mut ends, mut seed) = (0, 0, 0, 0);
        while dropped.min(waits) < least() || ends < 40 {
            seed += 2;
            let ((mut rdp, mut agent), mut machine, mut turn) = (both(seed, lanes), machine(), 0);
            activate(&mut rdp, &mut agent, &mut machine, &mut turn).await;
            let (mut asked, mut tickets, mut answers) = (0_u8, Vec::new(), Vec::new());
            while answers.len() < 12 {
                while asked < 12 {
                    let read = ReadMemory { addr: asked.into(), length: 20 + u16::from(asked) * 9 };
                    match rdp.request(&read) {
                        Ok(ticket) => tickets.push(ticket),
                        Err(SendError::Credit | SendError::Full) => break,
                        Err(error) => panic!("{error}"),
                    }
                    asked += 1;
                }
                match once(rdp.next()) {
                    Poll::Pending => dropped += 1,
                    Poll::Ready(Some(Event::Answer(answer))) => {
                        let memory = tickets[answers.len()].read(&answer).expect("in order").unwrap();
                        answers.push(memory.data.as_slice().to_vec());
                    }
                    Poll::Ready(event) => panic!("{event:?}"),
                }
                waits += serve(&mut agent, &mut machine, &mut turn).await;
            }
            for (n, answer) in (0_u8..).zip(&answers) {
                assert_eq!(*answer, vec![n; 20 + usize::from(n) * 9]);
            }
            assert_eq!((reads(&machine), &machine.misuse), (12, &None));
            ends += finish(&mut rdp, &mut agent, &mut machine, &mut turn).await;
        }
        println!("{dropped} of next, {waits} of wait, {ends} of close dropped, lanes: {lanes}");
    }
}

#[tokio::test(start_paused = true)]
async fn active_is_reached() {
    for lanes in [false, true] {
        let (mut dropped, mut seed) = (0, 1000);
        while dropped < least() {
            seed += 2;
            let ((mut rdp, mut agent), mut machine) = (both(seed, lanes), machine());
            dropped += activate(&mut rdp, &mut agent, &mut machine, &mut 0).await;
        }
    }
}

/// A command whose `ask` was dropped has been sent, or not; its answer comes once.
#[tokio::test(start_paused = true)]
async fn what_was_asked_is_answered_once() {
    for lanes in [false, true] {
        let (mut dropped, mut seed) = (0, 2000);
        while dropped < least() {
            seed += 2;
            let ((mut rdp, mut agent), mut machine, mut turn) = (both(seed, lanes), machine(), 0);
            activate(&mut rdp, &mut agent, &mut machine, &mut turn).await;
            let (mut answers, mut own) = (0, 0);
            for _ in 0..200 {
                let seen = |event: &Event<'_>| answers += usize::from(matches!(event, Event::Answer(_)));
                match once(rdp.ask(&ReadMemory { addr: 7, length: 99 }, |_| (), seen)) {
                    Poll::Pending => dropped += 1,
                    Poll::Ready(done) => {
                        done.unwrap().unwrap();
                        own += 1;
                    }
                }
                serve(&mut agent, &mut machine, &mut turn).await;
            }
            // What is still under way.
            for _ in 0..20_000 {
                match once(rdp.next()) {
                    Poll::Ready(Some(Event::Answer(_))) => answers += 1,
                    Poll::Ready(event) => panic!("{event:?}"),
                    Poll::Pending => {}
                }
                serve(&mut agent, &mut machine, &mut turn).await;
            }
            assert!(answers > 1, "{answers} answers, {own} of them to the future that waited");
            assert_eq!(answers, reads(&machine));
            finish(&mut rdp, &mut agent, &mut machine, &mut turn).await;
        }
    }
}

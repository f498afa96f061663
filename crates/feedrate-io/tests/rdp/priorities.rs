//! Halt does not wait behind bulk data, in either direction, while the transport takes nothing.

use feedrate::rdp::frame::{Bytes, ErrorCode, Halt, ReadMemory, WriteMemory};
use feedrate_io::rdp::agent::Server;
use feedrate_rdp::host::Event;
use feedrate_rdp::session::Checksum;
use feedrate_rdp::sizes::Sizes;
use tokio::io::duplex;

use crate::transport::Valve;
use crate::{
    Agent, Authority, CONFIG, agent, authority, beside, machine, once, run, serial, serial_agent, stream,
    unseen,
};

/// What is taken at a time, and the longest record that may be under way.
const MOST: usize = 1024 + 300;

/// Room for answers to seven commands.
enum Roomy {}

impl Sizes for Roomy {
    type Lane = [u8; 512];
    type Urgent = [u8; 640];
    type Ordinary = [u8; 4096];
    type Send = [u8; 8192];
    type Message = [u8; 512];
}

/// The host has written one piece; what it is asked to send then goes before the rest.
#[tokio::test]
async fn of_the_host() {
    let (a, b) = duplex(1 << 16);
    let valve = Valve::new(a);
    let (shut, written) = (valve.shut.clone(), valve.written.clone());
    let (mut agent, mut machine): (Agent<_>, _) = (agent(), machine());
    agent.connect(b).unwrap();
    let mut rdp = stream(valve);
    beside(&mut agent, &mut machine, rdp.active(unseen)).await.unwrap();
    machine.stopped = true;
    shut.set(true);
    let fingerprint = machine.fingerprint;
    let data = [9; 250];
    let write = WriteMemory { addr: 1, fingerprint, data: Bytes::new(&data) };
    let writes: Vec<_> = std::iter::from_fn(|| rdp.request(&write).ok()).collect();
    assert!(writes.len() * 250 > MOST, "{} writes", writes.len());
    // The first piece is taken, and cannot be written.
    assert!(once(rdp.next()).is_pending());
    let halt = rdp.request(&Halt).unwrap();
    let before = written.get();
    shut.set(false);
    let (mut answers, mut overtaken, mut halted) = (0, 0, None);
    beside(&mut agent, &mut machine, async {
        while halted.is_none() || answers < writes.len() {
            let Some(Event::Answer(answer)) = rdp.next().await else { continue };
            if halt.read(&answer).is_some() {
                halted = Some(answers);
            } else {
                let done = writes.iter().find_map(|ticket| ticket.read(&answer)).expect("a write's");
                overtaken += usize::from(done.is_err_and(|error| error.code == ErrorCode::Disordered));
                answers += 1;
            }
        }
    })
    .await;
    // Those that had not been written yet arrived behind it: they are not executed any more.
    let written_before = answers - overtaken;
    assert!(written_before * 250 <= MOST, "{written_before} of {answers} were written before Halt");
    assert!(overtaken > 0 && written.get() > before);
}

/// The agent has answers to bulk data that nobody takes: the answer to Halt goes before most of them.
#[tokio::test]
async fn of_the_agent() {
    let (a, b) = duplex(1 << 16);
    let valve = Valve::new(b);
    let shut = valve.shut.clone();
    let mut agent: Agent<_, Roomy> = Server::stream(CONFIG, authority as Authority, Checksum::new());
    let mut machine = machine();
    agent.connect(valve).unwrap();
    let mut rdp = stream(a);
    beside(&mut agent, &mut machine, rdp.active(unseen)).await.unwrap();
    shut.set(true);
    let read = ReadMemory { addr: 1, length: 250 };
    let reads: Vec<_> = std::iter::from_fn(|| rdp.request(&read).ok()).collect();
    assert!(once(rdp.next()).is_pending());
    for _ in 0..50 {
        let _ = once(agent.wait());
        run(&mut agent, &mut machine);
    }
    let done = crate::reads(&machine);
    assert!(done * 250 > MOST, "{done} of {} reads are done, and not told", reads.len());
    let halt = rdp.request(&Halt).unwrap();
    assert!(once(rdp.next()).is_pending());
    // It is executed at once, whoever takes what was read.
    let _ = once(agent.wait());
    run(&mut agent, &mut machine);
    assert!(machine.stopped);
    shut.set(false);
    let mut before = 0;
    beside(&mut agent, &mut machine, async {
        loop {
            let Some(Event::Answer(answer)) = rdp.next().await else { continue };
            if halt.read(&answer).is_some() {
                return;
            }
            before += 1;
        }
    })
    .await;
    assert!(before * 250 <= MOST && before < done, "{before} of {done} answers came before Halt's");
}

/// On serial lanes: the bulk lane takes nothing at all, and Halt is done.
#[tokio::test]
async fn beside_a_bulk_lane_that_is_stuck() {
    let ((a, b), (c, d)) = (duplex(64), duplex(512));
    let (mut agent, mut machine) = (serial_agent(true), machine());
    let valves = [b, d].map(Valve::new);
    let shut = valves[1].shut.clone();
    let [signal, bulk] = valves;
    agent.connect(signal).unwrap();
    agent.connect_bulk(bulk);
    let mut rdp = serial(a, Some(c));
    beside(&mut agent, &mut machine, rdp.active(unseen)).await.unwrap();
    shut.set(true);
    let read = ReadMemory { addr: 1, length: 250 };
    let reads: Vec<_> = std::iter::from_fn(|| rdp.request(&read).ok()).collect();
    let halt = rdp.request(&Halt).unwrap();
    let mut before = 0;
    beside(&mut agent, &mut machine, async {
        loop {
            let Some(Event::Answer(answer)) = rdp.next().await else { continue };
            if halt.read(&answer).is_some() {
                return;
            }
            before += 1;
        }
    })
    .await;
    assert!(machine.stopped && before == 0, "{before} of {} came before it", reads.len());
}

//! As `rdp_agent`, with as little memory as the protocol allows: a UART, no bulk lane, messages of 512 bytes.
#![no_std]
#![no_main]

use feedrate::Instant;
use feedrate::rdp::packet::Lane;
use feedrate_footprint::machine::{Authority, Servo, authority, cause};
use feedrate_footprint::{Alone, bytes, bytes_mut};
use feedrate_rdp::agent::{Agent, AgentConfig};
use feedrate_rdp::arch::CortexM;
use feedrate_rdp::link::{LaneId, Link};
use feedrate_rdp::session::{Checksum, SessionState};
use feedrate_rdp::sizes::Sizes;

/// A UART, and no more memory than needed.
enum Tiny {}

impl Sizes for Tiny {
    type Lane = [u8; 64];
    type Urgent = [u8; 514];
    type Ordinary = [u8; 514];
    type Send = [u8; 514];
    type Message = [u8; 512];
}

static AGENT: Alone<Agent<CortexM, Authority, Link<Tiny>, Checksum>> = Alone::new(Agent::new(
    AgentConfig::new(*b"boot no. 815", 815, "servo"),
    Link::agent(Lane::UART, None),
    authority,
    Checksum::new(),
));
static SERVO: Alone<Servo> = Alone::new(Servo::NEW);

/// # Safety
///
/// See [`bytes`] and [`bytes_mut`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn entry(command: u8, input: *mut u8, length: usize, now: u64) -> u32 {
    // SAFETY: nobody else has them.
    let (agent, servo) = unsafe { (AGENT.get(), SERVO.get()) };
    let now = Instant::from_micros(now);
    let lane = LaneId::Signal;
    match command & 0x3F {
        // SAFETY: the caller's word.
        0 => agent.feed(lane, unsafe { bytes(input, length) }, now),
        // SAFETY: the caller's word.
        1 => return agent.poll_transmit(lane, unsafe { bytes_mut(input, length) }, now) as u32,
        2 => agent.run(servo, now),
        3 => agent.stopped(servo, cause(), now),
        4 => return agent.deadline().map_or(0, |at| at.as_micros() as u32),
        5 => agent.reconnect(lane),
        6 => agent.disconnect(lane, now),
        _ => return (agent.state() == SessionState::Active).into(),
    }
    0
}

//! The complete agent of RDPv3, in a `static`, on a UART with SPI beside it, in front of a machine that has
//! everything a target can have.
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

static AGENT: Alone<Agent<CortexM, Authority, Link, Checksum>> = Alone::new(Agent::new(
    AgentConfig::new(*b"boot no. 815", 815, "servo"),
    Link::agent(Lane::UART, Some(Lane::SPI)),
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
    let lane = if command & 0x40 == 0 { LaneId::Signal } else { LaneId::Bulk };
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

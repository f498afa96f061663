//! As `rdp_agent_serial`, in front of a machine that has nothing but its registers: what nobody can ask it for is not
//! linked.
#![no_std]
#![no_main]

use feedrate_footprint::machine::{Authority, Plain, authority, cause};
use feedrate_footprint::{Alone, bytes, bytes_mut};
use feedrate_rdp::agent::{Agent, AgentConfig};
use feedrate_rdp::arch::CortexM;
use feedrate_rdp::link::{LaneId, Sizes};
use feedrate_rdp::session::{Checksum, SessionState};

/// A UART, and no more memory than needed.
enum Tiny {}

impl Sizes for Tiny {
    type Lane = [u8; 64];
    type Send = [u8; 520];
    type Message = [u8; 512];
    type Queue = [u8; 520];
}

const CONFIG: AgentConfig = AgentConfig::board(*b"boot no. 815", "servo").bulk(None);

static AGENT: Alone<Agent<CortexM, Authority, Tiny, Checksum>> =
    Alone::new(Agent::new(CONFIG, authority, Checksum));
static SERVO: Alone<Plain> = Alone::new(Plain);

/// # Safety
///
/// See [`bytes`] and [`bytes_mut`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn entry(command: u8, input: *mut u8, length: usize, now: u32) -> u32 {
    // SAFETY: nobody else has them.
    let (agent, servo) = unsafe { (AGENT.get(), SERVO.get()) };
    let lane = LaneId::Signal;
    match command & 0x3F {
        // SAFETY: the caller's word.
        0 => agent.feed(lane, unsafe { bytes(input, length) }, now),
        // SAFETY: the caller's word.
        1 => return agent.poll(lane, unsafe { bytes_mut(input, length) }, now) as u32,
        2 => agent.run(servo, now),
        3 => agent.stopped(servo, cause(), now),
        4 => return agent.deadline().unwrap_or_default(),
        5 => agent.reconnect(lane),
        _ => return (agent.state() == SessionState::Active).into(),
    }
    0
}

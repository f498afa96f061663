//! The complete agent of RDPv3 on TCP, in front of a machine that has everything a target can have.
#![no_std]
#![no_main]

use feedrate::Instant;
use feedrate_footprint::machine::{Authority, Servo, authority, cause};
use feedrate_footprint::{Alone, bytes, bytes_mut};
use feedrate_rdp::agent::{Agent, AgentConfig};
use feedrate_rdp::arch::CortexM;
use feedrate_rdp::session::{Checksum, SessionState};
use feedrate_rdp::stream::Stream;

static AGENT: Alone<Agent<CortexM, Authority, Stream, Checksum>> = Alone::new(Agent::new(
    AgentConfig::new(*b"boot no. 815", 815, "servo"),
    Stream::agent(),
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
    match command {
        0 => {
            // SAFETY: the caller's word.
            let mut input = unsafe { bytes(input, length) };
            return if agent.feed(&mut input, now).is_ok() { input.len() as u32 } else { u32::MAX };
        }
        // SAFETY: the caller's word.
        1 => return agent.poll_transmit(unsafe { bytes_mut(input, length) }) as u32,
        2 => agent.run(servo, now),
        3 => agent.stopped(servo, cause(), now),
        4 => return agent.deadline().map_or(0, |at| at.as_micros() as u32),
        5 => return agent.connect().is_ok().into(),
        6 => agent.disconnect(),
        7 => return agent.is_finished().into(),
        _ => return (agent.state() == SessionState::Active).into(),
    }
    0
}

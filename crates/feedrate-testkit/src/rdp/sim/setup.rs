//! The two sides: how much memory they have, what a token allows, and how an agent is made.

use feedrate::rdp::frame::{Domains, Fingerprint};
use feedrate::rdp::packet::Line;
use feedrate_rdp::agent::{Agent, AgentConfig};
use feedrate_rdp::arch::CortexM;
use feedrate_rdp::authority::Grant;
use feedrate_rdp::link::Sizes;
use feedrate_rdp::session::Checksum;

use crate::random::Random;
use crate::rdp::plan::{BRIEF, Plan};

/// The starts of an agent that its name can tell of.
const NAMES: [&str; 16] =
    ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15"];

/// No bulk lane, and no more memory than the least.
pub(super) enum Tiny {}

impl Sizes for Tiny {
    type Lane = [u8; 64];
    type Send = [u8; 514];
    type Message = [u8; 512];
    type Queue = [u8; 516];
}

/// Odd sizes, and any lane.
pub(super) enum Middle {}

impl Sizes for Middle {
    type Lane = [u8; 1024];
    type Send = [u8; 1337];
    type Message = [u8; 601];
    type Queue = [u8; 777];
}

pub(super) type Authority = fn(&[u8], &Fingerprint) -> Result<Grant, u32>;

fn authority(token: &[u8], _: &Fingerprint) -> Result<Grant, u32> {
    let grant = Grant { operator: *b"operator", domains: Domains::ALL, lasts: u32::MAX };
    match token {
        b"all" => Ok(grant),
        b"look" => Ok(Grant { domains: Domains::OBSERVE, ..grant }),
        b"brief" => Ok(Grant { lasts: BRIEF as u32, ..grant }),
        _ => Err(7),
    }
}

/// The agent of this start of the controller.
pub(super) fn agent<A: Sizes>(
    plan: &Plan,
    boot: usize,
    random: &mut Random,
) -> Box<Agent<CortexM, Authority, A>> {
    let mut number: [u8; 12] = random.bytes();
    number[9] = boot as u8;
    if plan.same_boots {
        // Connections are counted from the sum of these pairs: packets of one boot's connections are taken for
        // the next one's.
        let (mut even, mut odd) = (0xFF, 0xFE);
        for pair in number[..10].chunks_exact(2) {
            even ^= pair[0];
            odd ^= pair[1];
        }
        [number[10], number[11]] = [even, odd];
    }
    let (heartbeat, loss, tolerance) = plan.times;
    let config = AgentConfig::board(number, NAMES[boot % NAMES.len()])
        .signal(plan.signal)
        .bulk(plan.agent_bulk.then_some(Line::SPI))
        .heartbeat(heartbeat)
        .loss(loss)
        .tolerance(tolerance);
    Box::new(Agent::new(config, authority as Authority, Checksum))
}

//! What carries bytes between the ends: two lanes of a serial line, or connections.

use std::collections::HashSet;

use feedrate::rdp::packet::Lane;

use super::plan::Plan;
use super::socket::Socket;
use super::wire::Wire;

/// All lines of a schedule.
pub(super) struct Lines {
    /// Of each lane the direction to the agent, and the one to the host. None on streams.
    pub(super) wires: Vec<[Wire; 2]>,
    /// Packets that have come from elsewhere.
    pub(super) carried: HashSet<u64>,
    pub(super) sockets: Vec<Socket>,
    /// The one that the agent has, and the one that the host has.
    pub(super) at_agent: Option<usize>,
    pub(super) at_host: Option<usize>,
}

impl Lines {
    pub(super) fn new(plan: &Plan) -> Self {
        let wire = |lane: usize| {
            let kind = if lane == 0 { plan.signal } else { Lane::SPI };
            [(); 2].map(|()| Wire::new(kind, plan.rates[lane], plan.latency, plan.jitter))
        };
        let wires = if plan.stream { Vec::new() } else { vec![wire(0), wire(1)] };
        Self { wires, carried: HashSet::new(), sockets: Vec::new(), at_agent: None, at_host: None }
    }

    /// When something arrives next, or a line that somebody waits for is free.
    pub(super) fn next(&self, now: u64) -> Option<u64> {
        let wires = self.wires.iter().flatten();
        let wires = wires.flat_map(|wire| [wire.next_arrival(), Some(wire.free_at()).filter(|at| *at > now)]);
        let sockets = self.sockets.iter().flat_map(|socket| {
            let flows = [&socket.to_agent, &socket.to_peer];
            let arrivals = flows.map(|flow| flow.next_arrival());
            let frees = flows.map(|flow| Some(flow.free_at()).filter(|at| *at > now));
            arrivals.into_iter().chain(frees).chain([socket.accept_at])
        });
        wires.flatten().chain(sockets.flatten()).min()
    }
}

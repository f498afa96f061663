//! What the agent counts, readable over the protocol (SPEC section 8.8).

use feedrate::rdp::frame::Metric;

use crate::link::buffer::Sizes;
use crate::link::{LaneCounts, LaneId, Link, LinkCounts};

/// How many there are.
const METRICS: usize = 25;

pub(super) struct Counts {
    pub(super) sessions: u32,
    pub(super) executed: u32,
    pub(super) refused: u32,
    pub(super) replayed: u32,
    pub(super) disordered: u32,
    pub(super) tags: u32,
}

impl Counts {
    pub(super) const NEW: Self =
        Self { sessions: 0, executed: 0, refused: 0, replayed: 0, disordered: 0, tags: 0 };
}

/// What the link has counted, taken before a command is looked at.
pub(super) struct LinkFacts {
    queued: (usize, usize),
    waiting: [usize; 2],
    link: LinkCounts,
    lanes: [LaneCounts; 2],
}

impl LinkFacts {
    const NO_LANE: LaneCounts =
        LaneCounts { received: 0, sent: 0, header_failures: 0, crc_failures: 0, resent: 0, overlong: 0 };
    pub(super) const NEW: Self = Self {
        queued: (0, 0),
        waiting: [0; 2],
        link: LinkCounts { stray: 0, damaged: 0 },
        lanes: [Self::NO_LANE; 2],
    };

    pub(super) fn of<S: Sizes>(link: &Link<S>) -> Self {
        Self {
            queued: link.queued(),
            waiting: link.most_waiting(),
            link: link.counts(),
            lanes: [link.lane_counts(LaneId::Signal), link.lane_counts(LaneId::Bulk)],
        }
    }
}

/// All of them, by their numbers.
pub(super) fn metrics(counts: &Counts, facts: &LinkFacts, uptime: u32) -> [Metric; METRICS] {
    let bytes = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let (queued, queued_most) = facts.queued;
    let [signal_waiting, bulk_waiting] = facts.waiting;
    let [signal, bulk] = &facts.lanes;
    [
        (1, uptime),
        (2, counts.sessions),
        (3, counts.executed),
        (4, counts.refused),
        (5, counts.replayed),
        (6, counts.disordered),
        (7, counts.tags),
        (8, bytes(queued)),
        (9, bytes(queued_most)),
        (10, bytes(signal_waiting)),
        (11, bytes(bulk_waiting)),
        (12, facts.link.stray),
        (13, facts.link.damaged),
        (0x100, signal.received),
        (0x101, signal.sent),
        (0x102, signal.header_failures),
        (0x103, signal.crc_failures),
        (0x104, signal.resent),
        (0x105, signal.overlong),
        (0x110, bulk.received),
        (0x111, bulk.sent),
        (0x112, bulk.header_failures),
        (0x113, bulk.crc_failures),
        (0x114, bulk.resent),
        (0x115, bulk.overlong),
    ]
    .map(|(metric, value)| Metric { metric, value })
}

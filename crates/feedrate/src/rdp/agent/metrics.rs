//! What the agent counts, readable over the protocol (SPEC section 8.8).

use super::super::answer::Metric;
use super::super::buffer::Sizes;
use super::super::lane::{LaneCounts, LaneId};
use super::super::link::{Link, LinkCounts};
use super::super::registers::Arch;
use super::Body;

/// How many there are.
pub(super) const METRICS: usize = 25;

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

impl<A: Arch, U> Body<A, U> {
    pub(super) fn metrics(&self, uptime: u32, into: &mut [Metric; METRICS]) -> usize {
        let Self { counts, facts, .. } = self;
        let bytes = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let (queued, queued_most) = facts.queued;
        let [signal, bulk] = facts.waiting;
        let common = [
            (1, uptime),
            (2, counts.sessions),
            (3, counts.executed),
            (4, counts.refused),
            (5, counts.replayed),
            (6, counts.disordered),
            (7, counts.tags),
            (8, bytes(queued)),
            (9, bytes(queued_most)),
            (10, bytes(signal)),
            (11, bytes(bulk)),
            (12, facts.link.stray),
            (13, facts.link.damaged),
        ];
        let lanes = facts.lanes.iter().zip([0x100, 0x110]).flat_map(|(lane, first): (_, u16)| {
            let counts = [
                lane.received,
                lane.sent,
                lane.header_failures,
                lane.crc_failures,
                lane.resent,
                lane.overlong,
            ];
            (first..).zip(counts)
        });
        let mut count = 0_usize;
        for (place, (metric, value)) in into.iter_mut().zip(common.into_iter().chain(lanes)) {
            *place = Metric { metric, value };
            count = count.saturating_add(1);
        }
        count
    }
}

//! What happens at its time, whatever else happens.

use feedrate_rdp::link::{LinkStatus, Sizes};
use feedrate_rdp::session::SessionState;

use super::Sim;
use super::setup::agent;
use crate::rdp::plan::{Event, Faults};

impl<H: Sizes, A: Sizes> Sim<H, A> {
    /// What is to happen at this time.
    pub(super) fn events(&mut self) {
        let now = self.clock();
        while let Some((_, event)) = self.plan.events.first().copied().filter(|(at, _)| *at <= self.now) {
            self.plan.events.remove(0);
            self.say(|| format!("event: {event:?}"));
            self.tally.add("events", format!("{event:?}").split(' ').next().unwrap_or_default(), 1);
            match event {
                Event::AgentRestarts => {
                    self.machine.restart();
                    let boot = self.machine.journal.boot as usize;
                    self.agent = agent(&self.plan, boot, &mut self.random);
                    (self.agent_state, self.agent_link) = (SessionState::Idle, LinkStatus::Idle);
                    self.last_stop = None;
                    self.agent_due = true;
                    self.foreign |= self.plan.same_boots;
                }
                Event::HostReconnects => self.connect(),
                Event::Silence { lane, direction, until } => self.wires[lane][direction].silent_until = until,
                Event::AgentHangs { until } => self.agent_hangs = until,
                Event::HostHangs { until } => self.host_hangs = until,
                Event::Interlock => self.machine.interlock ^= true,
                Event::Bye => self.host.bye(now),
                Event::ReplayRun { lane, direction } => {
                    let recorded = self.wires[lane][direction].recorded.clone();
                    let first = if self.random.chance(4_000) { 0 } else { self.random.index(recorded.len()) };
                    let count = self.random.pick(&[2, 5, 20, 100]);
                    for packet in recorded.into_iter().skip(first).take(count) {
                        self.tally.add("packets", "replayed", 1);
                        let Self { wires, random, tally, .. } = self;
                        wires[lane][direction].put(packet, self.now, &Faults::default(), random, tally);
                    }
                }
            }
        }
        if self.reconnect_at.is_some_and(|at| at <= self.now) {
            self.connect();
        }
    }
}

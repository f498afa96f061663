//! What the lanes carry.

use feedrate::rdp::packet::Framing;
use feedrate_rdp::link::Sizes;

use super::{LANES, Sim};
use crate::rdp::check::Checked;
use crate::rdp::plan::Faults;
use crate::rdp::wire::Wire;

impl<H: Sizes, A: Sizes> Sim<H, A> {
    pub(super) fn feed(&mut self, lane: usize, direction: usize, bytes: &[u8]) -> Checked {
        let now = self.clock();
        let wire = &mut self.wires[lane][direction];
        if self.plan.faults[lane].touch_bytes() {
            let forged = wire.forged(bytes, &self.carried);
            self.tally.add("packets", "intact that nobody sent (collisions)", forged);
        }
        let mut rest = bytes;
        while !rest.is_empty() {
            let most = if self.plan.pieces { 1 + self.random.index(9) } else { rest.len() };
            let (piece, behind) = rest.split_at(most.min(rest.len()));
            rest = behind;
            match direction {
                0 => self.agent.feed(LANES[lane], piece, now),
                _ => self.host.feed(LANES[lane], piece, now),
            }
        }
        if direction == 0 {
            self.agent_due = true
        } else {
            self.host_due = true
        };
        Ok(())
    }

    /// Everything that there is to be sent now.
    pub(super) fn poll(&mut self) {
        let now = self.clock();
        let mut packet = [0; 1024];
        for (lane, id) in LANES.into_iter().enumerate() {
            for direction in 0..2 {
                while self.wires[lane][direction].is_free(self.now) {
                    let length = match direction {
                        0 => self.host.poll(id, &mut packet, now),
                        _ => self.agent.poll(id, &mut packet, now),
                    };
                    if length == 0 {
                        break;
                    }
                    self.send(lane, direction, &packet[..length]);
                }
            }
        }
    }

    pub(super) fn send(&mut self, lane: usize, direction: usize, packet: &[u8]) {
        let faults = if self.quiet { Faults::default() } else { self.plan.faults[lane] };
        self.say(|| {
            format!("{} {:?}: {}", ["-->", "<--"][direction], LANES[lane], self.wires[lane][0].show(packet))
        });
        let Self { wires, random, tally, carried, .. } = self;
        wires[lane][direction].send(packet, self.now, &faults, random, tally);
        if !random.chance(faults.replay) {
            return;
        }
        // Something of earlier comes again: mostly from this wire, now and then from another one.
        let mut from = (lane, direction);
        if random.chance(700) {
            from.1 = 1 - direction;
            self.foreign = true;
        }
        if random.chance(700) && self.plan.signal.framing == Framing::Serial {
            from.0 = 1 - lane;
        }
        let recorded = &wires[from.0][from.1].recorded;
        let first = random.index(recorded.len());
        let count = if random.chance(3_000) { 6 } else { 1 };
        for again in recorded.iter().skip(first).take(count).cloned().collect::<Vec<_>>() {
            tally.add("packets", "replayed", 1);
            Wire::remember(carried, &again);
            wires[lane][direction].put(again, self.now, &faults, random, tally);
        }
    }
}

//! Bytes on their way: what arrives, what is lost, and who gets it.

use super::World;
use super::checked::Checked;
use super::lines::Lines;
use super::plan::Faults;
use super::socket::{Owner, Socket};
use super::wire::Wire;

impl World {
    /// What has arrived now.
    pub(super) fn arrivals(&mut self) -> Checked {
        for lane in 0..self.lines.wires.len() {
            for direction in 0..2 {
                while let Some(bytes) = self.lines.wires[lane][direction].arrive(self.now) {
                    self.arrive(lane, direction, &bytes);
                }
            }
        }
        for at in 0..self.lines.sockets.len() {
            self.accept(at);
            let socket = &mut self.lines.sockets[at];
            let (to_agent, to_peer) = (socket.to_agent.arrive(self.now), socket.to_peer.arrive(self.now));
            if to_agent || !self.lines.sockets[at].to_agent.arrived.is_empty() {
                self.hand_to_agent(at);
            }
            if to_peer || !self.lines.sockets[at].to_peer.arrived.is_empty() {
                self.hand_to_host(at);
            }
        }
        Ok(())
    }

    fn arrive(&mut self, lane: usize, direction: usize, bytes: &[u8]) {
        let wire = &mut self.lines.wires[lane][direction];
        if self.plan.faults[lane].any() {
            let forged = wire.forged(bytes, &self.lines.carried);
            self.tally.add("packets", "intact that nobody sent (collisions)", forged);
        }
        let mut rest = bytes;
        while !rest.is_empty() {
            let most = if self.plan.pieces { 1 + self.random.index(9) } else { rest.len() };
            let (piece, behind) = rest.split_at(most.min(rest.len()));
            rest = behind;
            match direction {
                0 => _ = self.agent.feed(lane, piece, self.clocks[0].read(self.now)),
                _ if self.host_dead_until.is_some() => {}
                _ => _ = self.host.feed(lane, piece, self.clocks[1].read(self.now)),
            }
        }
        if direction == 0 {
            (self.agent_due, self.agent_spins) = (true, 0);
        } else {
            (self.host_due, self.host_spins) = (true, 0);
        }
    }

    /// Somebody wants to talk to the agent.
    fn accept(&mut self, at: usize) {
        let latency = self.plan.latency;
        let socket = &mut self.lines.sockets[at];
        if socket.accept_at.is_none_or(|due| due > self.now) {
            return;
        }
        socket.accept_at = None;
        let owner = socket.owner;
        let taken = self.agent.connect();
        self.say(|| format!("agent: {owner:?} connects, {}", if taken { "and is taken" } else { "busy" }));
        if !taken {
            self.tally.add("connections", "busy", 1);
            return self.lines.sockets[at].to_peer.end(self.now + latency);
        }
        self.tally.add("connections", format!("of {owner:?}"), 1);
        if let Some(old) = self.lines.at_agent.replace(at) {
            self.lines.sockets[old].to_peer.end(self.now + latency);
        }
        (self.agent_due, self.agent_spins) = (true, 0);
    }

    fn hand_to_agent(&mut self, at: usize) {
        let clock = self.clocks[0].read(self.now);
        let socket = &mut self.lines.sockets[at];
        if socket.accept_at.is_some() {
            return;
        }
        if self.lines.at_agent != Some(at) {
            return socket.to_agent.arrived.clear();
        }
        let mut lost = false;
        while !socket.to_agent.arrived.is_empty() && !lost {
            let arrived = &mut socket.to_agent.arrived;
            let most = if self.plan.pieces { 1 + self.random.index(9) } else { arrived.len() };
            match self.agent.feed(0, &arrived[..most.min(arrived.len())], clock) {
                Some(0) => break,
                Some(taken) => drop(arrived.drain(..taken)),
                None => lost = true,
            }
        }
        let ended = socket.to_agent.ended && socket.to_agent.arrived.is_empty();
        if ended || lost {
            self.hang_up_agent();
        }
        (self.agent_due, self.agent_spins) = (true, 0);
    }

    /// The agent's connection ends, as its adapter sees it.
    pub(super) fn hang_up_agent(&mut self) {
        let clock = self.clocks[0].read(self.now);
        self.agent.disconnect(clock);
        self.agent_due = true;
        if let Some(at) = self.lines.at_agent.take() {
            self.say(|| "agent: its connection ends".into());
            self.lines.sockets[at].to_peer.end(self.now + self.plan.latency);
        }
    }

    fn hand_to_host(&mut self, at: usize) {
        let clock = self.clocks[1].read(self.now);
        let flow = &mut self.lines.sockets[at].to_peer;
        if self.lines.at_host != Some(at) || self.host_dead_until.is_some() {
            return flow.arrived.clear();
        }
        let mut lost = false;
        while !flow.arrived.is_empty() && !lost {
            match self.host.feed(0, &flow.arrived, clock) {
                Some(0) => break,
                Some(taken) => drop(flow.arrived.drain(..taken)),
                None => lost = true,
            }
        }
        if (flow.ended && flow.arrived.is_empty()) || lost {
            self.say(|| "host: its connection ends".into());
            self.host.disconnect(clock);
            self.hang_up_host();
        }
        (self.host_due, self.host_spins) = (true, 0);
    }

    /// The host has done with its connection.
    pub(super) fn hang_up_host(&mut self) {
        if let Some(at) = self.lines.at_host.take() {
            self.lines.sockets[at].to_agent.end(self.now + self.plan.latency);
        }
    }

    /// Everything that there is to be sent now.
    pub(super) fn poll(&mut self) {
        let clocks = [1, 0].map(|side| self.clocks[side].read(self.now));
        let mut out = [0; 1500];
        for lane in 0..self.lines.wires.len() {
            for direction in 0..2 {
                while self.lines.wires[lane][direction].free_at() <= self.now {
                    let length = match direction {
                        0 if self.host_dead_until.is_some() => 0,
                        0 => self.host.poll(lane, &mut out[..1024], clocks[0]),
                        _ => self.agent.poll(lane, &mut out[..1024], clocks[1]),
                    };
                    if length == 0 {
                        break;
                    }
                    self.send(lane, direction, &out[..length]);
                }
            }
        }
        let times = (self.plan.rates[0], self.plan.latency, self.plan.jitter);
        let portion = self.plan.portion;
        if let (Some(at), None) = (self.lines.at_host, self.host_dead_until) {
            while self.lines.sockets[at].to_agent.free_at() <= self.now {
                let length = self.host.poll(0, &mut out[..portion], clocks[0]);
                if length == 0 {
                    break;
                }
                self.lines.sockets[at].to_agent.send(&out[..length], self.now, times, &mut self.random);
            }
            if self.host.is_finished() {
                self.hang_up_host();
            }
        }
        if let Some(at) = self.lines.at_agent {
            while self.lines.sockets[at].to_peer.free_at() <= self.now {
                let length = self.agent.poll(0, &mut out[..portion], clocks[1]);
                if length == 0 {
                    break;
                }
                self.lines.sockets[at].to_peer.send(&out[..length], self.now, times, &mut self.random);
            }
            if self.agent.is_finished() {
                self.hang_up_agent();
            }
        }
    }

    fn send(&mut self, lane: usize, direction: usize, packet: &[u8]) {
        let faults = if self.quiet { Faults::default() } else { self.plan.faults[lane] };
        self.say(|| {
            let shown = self.lines.wires[lane][0].show(packet);
            format!("{} {}: {shown}", ["-->", "<--"][direction], ["signal", "bulk"][lane])
        });
        let Self { lines: Lines { wires, carried, .. }, random, tally, .. } = self;
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
        if random.chance(700) {
            from.0 = 1 - lane;
        }
        let recorded = &wires[from.0][from.1].recorded;
        if recorded.is_empty() {
            return;
        }
        let first = random.index(recorded.len());
        let count = if random.chance(3_000) { 6 } else { 1 };
        for again in recorded.iter().skip(first).take(count).cloned().collect::<Vec<_>>() {
            tally.add("packets", "replayed", 1);
            Wire::remember(carried, &again);
            wires[lane][direction].put(again, self.now, &faults, random, tally);
        }
    }

    /// A connection to the agent.
    pub(super) fn dial(&mut self, owner: Owner) -> usize {
        self.lines.sockets.push(Socket::new(owner, self.now + self.plan.latency));
        self.lines.sockets.len() - 1
    }
}

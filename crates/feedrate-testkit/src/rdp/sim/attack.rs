//! Somebody who has no token. On a serial line he writes to the operator's line what he has recorded there, and
//! nonsense; on streams he has connections of his own, and makes every tag of suite 0 that he likes.

use feedrate::rdp::Channel;
use feedrate::rdp::packet::{Header, Packet, PacketType};
use feedrate::{Decoder, Grow};

use super::World;
use super::lines::Lines;
use super::machine::FINGERPRINT;
use super::plan::{Attack, Faults};
use super::socket::Owner;
use super::wire::Wire;
use crate::rdp::packets::framed;
use crate::rdp::peer::{Peer, bytes, record};
use feedrate::rdp::frame::{Bytes, Force, Frame, Halt, Heartbeat, Resume, SetAxis};
use feedrate::rdp::packet::Packets;
use feedrate_rdp::session::{Checksum, Seal};

impl World {
    pub(super) fn attack(&mut self, attack: Attack) {
        self.tally.add("attacks", format!("{attack:?}"), 1);
        if self.plan.stream { self.attack_stream(attack) } else { self.attack_lane(attack) }
    }

    fn attack_lane(&mut self, attack: Attack) {
        let lane = self.random.index(2) * self.random.index(2);
        let recorded = &self.lines.wires[lane][0].recorded;
        let packets = match attack {
            Attack::Garbage => {
                let length = self.random.between(1, 200);
                vec![(0..length).map(|_| self.random.number() as u8).collect()]
            }
            Attack::Replay | Attack::Forge => {
                if recorded.is_empty() {
                    return;
                }
                let first = self.random.index(recorded.len());
                let first = if self.random.chance(4_000) { 0 } else { first };
                let count = self.random.pick(&[2, 5, 20, 100]);
                recorded.iter().skip(first).take(count).cloned().collect()
            }
            Attack::Silent | Attack::BadToken => {
                let cookie = self.random.number() as u32;
                let open = framed(Header::new(PacketType::Open, 0, cookie), &[4, 1]);
                vec![open; self.random.pick(&[1, 3, 30])]
            }
            Attack::Reset => {
                // He has listened: to the last packet's connection.
                let connection = recorded.last().and_then(|packet| connection(packet)).unwrap_or(1);
                vec![framed(Header::new(PacketType::Reset, connection, 0), &[5])]
            }
        };
        for packet in packets {
            let Self { lines: Lines { wires, carried, .. }, random, tally, .. } = self;
            Wire::remember(carried, &packet);
            wires[lane][0].put(packet, self.now, &Faults::default(), random, tally);
        }
    }

    fn attack_stream(&mut self, attack: Attack) {
        let mut said = Vec::new();
        match attack {
            Attack::Silent | Attack::Reset => {}
            Attack::Garbage => {
                let length = self.random.between(1, 200);
                said.extend((0..length).map(|_| self.random.number() as u8));
            }
            Attack::Replay => {
                let hosts: Vec<_> =
                    self.lines.sockets.iter().filter(|socket| socket.owner == Owner::Host).collect();
                if !hosts.is_empty() {
                    let whole = &hosts[self.random.index(hosts.len())].to_agent.recorded;
                    let from =
                        if self.random.chance(6_000) { 0 } else { self.random.index(whole.len().max(1)) };
                    said.extend(&whole[from.min(whole.len())..]);
                }
            }
            Attack::BadToken => {
                let mut peer = Peer::new(Checksum::new(), self.random.bytes());
                said.extend(record(Channel::Urgent, &peer.hello(b"let me in")));
                said.extend(record(Channel::Urgent, &peer.next(Channel::Urgent, &bytes(&Frame::Halt(Halt)))));
            }
            Attack::Forge => self.forge(&mut said),
        }
        let at = self.dial(Owner::Attacker);
        let times = (10_000_000, self.plan.latency, 0);
        let flow = &mut self.lines.sockets[at].to_agent;
        if !said.is_empty() {
            flow.send(&said, self.now, times, &mut self.random);
        }
        if matches!(attack, Attack::Reset) || self.random.chance(5_000) {
            flow.end(self.now + self.plan.latency + self.random.below(3_000_000));
        }
    }

    /// Messages whose tags are right for the session that the operator has now.
    fn forge(&mut self, said: &mut Vec<u8>) {
        let session = self.sessions.last().expect("there is one from the start on");
        let mut peer = Peer::new(Checksum::new(), session.nonce);
        peer.next = session.sent.keys().last().map_or(2, |last| last + 1 + self.random.below(50) as u32);
        peer.seal.bind(&peer.nonce, &[0; 16]);
        let mut hosts = self.lines.sockets.iter().filter(|socket| socket.owner == Owner::Host);
        if let Some(socket) = hosts.next_back() {
            // He has heard all of it, and knows the device's nonce and the time.
            peer.read(&socket.to_peer.recorded);
        }
        let axis = SetAxis { axis: 0, position: 0x666, fingerprint: FINGERPRINT };
        let force = Force {
            addr: 0x2000_1000,
            lease: 60_000,
            fingerprint: FINGERPRINT,
            value: Bytes::new(&[6; 8]),
            safe: Bytes::new(&[]),
        };
        let beat = Heartbeat { run: None, challenge: self.random.number() as u32 };
        for frame in [
            Frame::Halt(Halt),
            Frame::SetAxis(axis),
            Frame::Force(force),
            Frame::Resume(Resume),
            Frame::Heartbeat(beat),
            Frame::Halt(Halt),
        ] {
            let channel = frame.channel().expect("a host's");
            said.extend(record(channel, &peer.next(channel, &bytes(&frame))));
        }
    }
}

/// The connection that a packet is of.
fn connection(mut packet: &[u8]) -> Option<u16> {
    let mut decoder = Decoder::new(Packets, Grow::new(1024));
    let packet: Option<Packet<'_>> = decoder.feed(&mut packet).ok()?;
    packet.map(|packet| packet.header.connection)
}

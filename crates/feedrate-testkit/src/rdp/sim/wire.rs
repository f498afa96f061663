//! One direction of a lane, with everything that lanes do to packets.

use std::collections::HashSet;

use feedrate::rdp::packet::{Lane, Packets};
use feedrate::{Decoder, Encode, Error, Grow};

use super::plan::{Faults, MS};
use super::tally::Tally;
use crate::random::Random;

/// What is kept of what was sent, to be sent again.
const KEPT: usize = 400;

pub(super) struct Wire {
    lane: Lane,
    rate: u64,
    latency: u64,
    jitter: u64,
    free_at: u64,
    last_arrival: u64,
    pub(super) silent_until: u64,
    in_flight: Vec<(u64, Vec<u8>)>,
    pub(super) recorded: Vec<Vec<u8>>,
    /// Of what arrives: finds packets that nobody has sent.
    shadow: Decoder<Packets, Grow>,
    sent: HashSet<u64>,
    again: Vec<u8>,
}

fn hash(bytes: &[u8]) -> u64 {
    bytes.chunks(8).fold(bytes.len() as u64, |hash, chunk| {
        crate::random::mix(hash ^ chunk.iter().fold(0, |n, byte| n << 8 | u64::from(*byte)))
    })
}

impl Wire {
    pub(super) fn new(lane: Lane, rate: u64, latency: u64, jitter: u64) -> Self {
        Self {
            lane,
            rate,
            latency,
            jitter,
            free_at: 0,
            last_arrival: 0,
            silent_until: 0,
            in_flight: Vec::new(),
            recorded: Vec::new(),
            shadow: Decoder::new(Packets, Grow::new(lane.mtu() - 1)),
            sent: HashSet::new(),
            again: Vec::new(),
        }
    }

    /// What a packet is.
    pub(super) fn show(&self, mut packet: &[u8]) -> String {
        let mut decoder = Decoder::new(Packets, Grow::new(self.lane.mtu()));
        let Ok(Some(packet)) = decoder.feed(&mut packet) else { return "no packet".into() };
        let (header, payload) = (packet.header, packet.payload());
        format!("{:?} of {} at {:#x}, {payload:02x?}", header.kind, header.connection, header.position)
    }

    /// When the next packet can be sent.
    pub(super) fn free_at(&self) -> u64 {
        self.free_at
    }

    pub(super) fn next_arrival(&self) -> Option<u64> {
        self.in_flight.iter().map(|(at, _)| *at).min()
    }

    /// What was under way is lost.
    pub(super) fn cut(&mut self) {
        self.in_flight.clear();
    }

    /// A packet is sent.
    pub(super) fn send(
        &mut self,
        packet: &[u8],
        now: u64,
        faults: &Faults,
        random: &mut Random,
        tally: &mut Tally,
    ) {
        let begin = self.free_at.max(now);
        self.free_at = begin + packet.len() as u64 * 1_000_000 / self.rate;
        tally.add("packets", "sent", 1);
        self.sent.insert(hash(packet));
        if self.recorded.len() < KEPT {
            self.recorded.push(packet.to_vec());
        } else {
            let place = random.index(KEPT);
            self.recorded[place] = packet.to_vec();
        }
        let mut copies = 1;
        if faults.any() {
            if random.chance(faults.lose) {
                tally.add("packets", "lost", 1);
                copies = 0;
            } else if random.chance(faults.duplicate) {
                tally.add("packets", "sent twice or more", 1);
                copies = random.between(2, 4);
            }
        }
        for _ in 0..copies {
            let bytes = self.damage(packet.to_vec(), faults, random, tally);
            self.put(bytes, now, faults, random, tally);
        }
    }

    /// Something is put on the line, by whomever.
    pub(super) fn put(
        &mut self,
        bytes: Vec<u8>,
        now: u64,
        faults: &Faults,
        random: &mut Random,
        tally: &mut Tally,
    ) {
        if now < self.silent_until {
            return tally.add("packets", "sent into silence", 1);
        }
        let mut arrival = self.free_at.max(now) + self.latency + random.below(self.jitter + 1);
        if random.chance(faults.reorder) {
            tally.add("packets", "late, out of order", 1);
            arrival += random.pick(&[1, 10, 100, 700, 2_000]) * MS;
        } else {
            arrival = arrival.max(self.last_arrival);
            self.last_arrival = arrival;
        }
        self.in_flight.push((arrival, bytes));
    }

    fn damage(&self, mut bytes: Vec<u8>, faults: &Faults, random: &mut Random, tally: &mut Tally) -> Vec<u8> {
        if random.chance(faults.flip) {
            tally.add("packets", "flipped bits", 1);
            for _ in 0..random.pick(&[1, 1, 1, 2, 3, 8]) {
                let place = random.index(bytes.len());
                bytes[place] ^= 1 << random.below(8);
            }
        }
        if random.chance(faults.truncate) {
            tally.add("packets", "truncated", 1);
            bytes.truncate(random.index(bytes.len() + 1));
        }
        if random.chance(faults.shift) && !bytes.is_empty() {
            tally.add("packets", "byte lost or inserted", 1);
            let place = random.index(bytes.len());
            if random.chance(5_000) {
                bytes.remove(place);
            } else {
                bytes.insert(place, random.number() as u8);
            }
        }
        if random.chance(faults.noise) {
            tally.add("packets", "noise in front", 1);
            let length = random.between(1, 90);
            let noise = (0..length).map(|_| if random.chance(300) { 0 } else { random.number() as u8 });
            bytes = noise.collect::<Vec<_>>().into_iter().chain(bytes).collect();
        }
        bytes
    }

    /// What arrives now.
    pub(super) fn arrive(&mut self, now: u64) -> Option<Vec<u8>> {
        let (place, _) = self
            .in_flight
            .iter()
            .enumerate()
            .filter(|(_, (at, _))| *at <= now)
            .min_by_key(|(i, (at, _))| (*at, *i))?;
        Some(self.in_flight.remove(place).1)
    }

    /// Counts packets in `bytes` that nobody has sent, on this wire or those that packets are carried over from.
    pub(super) fn forged(&mut self, mut bytes: &[u8], others: &HashSet<u64>) -> u64 {
        let mut forged = 0;
        loop {
            match self.shadow.feed(&mut bytes) {
                Ok(Some(packet)) => {
                    self.again.clear();
                    packet.write(&mut self.again).expect("it was on a line");
                    let hash = hash(&self.again);
                    forged += u64::from(!self.sent.contains(&hash) && !others.contains(&hash));
                }
                Ok(None) | Err(Error::Lost(_)) => return forged,
                Err(Error::Message(_)) => {}
            }
        }
    }

    /// Hash of a packet that comes from elsewhere.
    pub(super) fn remember(others: &mut HashSet<u64>, packet: &[u8]) {
        others.insert(hash(packet));
    }
}

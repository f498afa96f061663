//! Two links back to back, over lanes that are variables.

mod bulk;
mod channels;
mod connections;

use std::vec;
use std::vec::Vec;

use feedrate::rdp::packet::{Header, Packet, PacketType, Packets};
use feedrate::{Array, Decoder, Encode};

use super::sealed::Line as _;
use super::*;
use crate::sizes::Desk;
use crate::sizes::tests::Tiny;

use Channel::{Ordinary, Urgent};
use LaneId::{Bulk, Signal};

const LANES: [LaneId; 2] = [Signal, Bulk];

fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

/// Numbers that look random, and are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(self.0 >> 33).unwrap() % n
    }
}

/// What the lanes do to packets, in parts of a thousand.
#[derive(Clone, Copy, Default)]
struct Faults {
    lost: usize,
    flipped: usize,
    repeated: usize,
    /// Nothing passes the bulk lane.
    cut: bool,
}

/// A packet under way, or free: when it arrives, on which lane, in which direction.
type Flying = (u64, usize, usize, Vec<u8>);

/// A host, an agent, and their lanes. A packet takes 6 ms on the signal lane and 1 ms on the bulk lane.
struct Pair<S: Sizes> {
    ends: [Link<S>; 2],
    flying: Vec<Flying>,
    /// When each lane is free, in each direction.
    free: [[u64; 2]; 2],
    dice: Dice,
    faults: Faults,
    now: u64,
}

const HOST: usize = 0;
const AGENT: usize = 1;

impl<S: Sizes> Pair<S> {
    fn new(bulk: Option<Lane>) -> Self {
        Self {
            ends: [Link::host(Lane::UART, bulk), Link::agent(Lane::UART, bulk)],
            flying: Vec::new(),
            free: [[0; 2]; 2],
            dice: Dice(42),
            faults: Faults::default(),
            now: 0,
        }
    }

    fn open(bulk: Option<Lane>) -> Self {
        let mut pair = Self::new(bulk);
        pair.ends[HOST].open(77, at(0));
        pair.run(100, |_| false);
        assert_eq!(pair.ends.each_ref().map(Link::status), [LinkStatus::Open(1); 2]);
        pair
    }

    fn host(&mut self) -> &mut Link<S> {
        &mut self.ends[HOST]
    }

    fn agent(&mut self) -> &mut Link<S> {
        &mut self.ends[AGENT]
    }

    /// A millisecond.
    fn step(&mut self) {
        self.now += 1;
        let Self { ends, flying, free, dice, faults, now } = self;
        let now = *now;
        let (arrived, still) = flying.drain(..).partition(|(when, ..)| *when <= now);
        *flying = still;
        let arrived: Vec<Flying> = arrived;
        for (_, lane, from, packet) in arrived {
            let (first, second) = packet.split_at(dice.below(packet.len()));
            ends[1 - from].feed(LANES[lane], first, at(now));
            ends[1 - from].feed(LANES[lane], second, at(now));
        }
        for (from, end) in ends.iter_mut().enumerate() {
            for (lane, id) in LANES.into_iter().enumerate() {
                if free[from][lane] > now {
                    continue;
                }
                let mut out = [0; 512];
                let length = end.poll_transmit(id, &mut out, at(now));
                if length == 0 {
                    continue;
                }
                let arrives = now + [6, 1][lane];
                free[from][lane] = arrives;
                let mut packet = out[..length].to_vec();
                if dice.below(1000) < faults.flipped {
                    packet[dice.below(length)] ^= 1 << dice.below(8);
                }
                if dice.below(1000) < faults.repeated {
                    let late = arrives + u64::from(u16::try_from(dice.below(1000)).unwrap());
                    flying.push((late, lane, from, packet.clone()));
                }
                if dice.below(1000) >= faults.lost && !(faults.cut && lane == 1) {
                    flying.push((arrives, lane, from, packet));
                }
            }
        }
    }

    /// Steps until `done`, or for so many milliseconds. Returns whether it is done.
    fn run(&mut self, millis: u64, mut done: impl FnMut(&mut Self) -> bool) -> bool {
        let end = self.now + millis;
        while self.now < end {
            self.step();
            if done(self) {
                return true;
            }
        }
        false
    }

    /// Both sides send messages of many lengths on both channels, and get them: all, once, and in order.
    fn converse(&mut self, messages: usize, millis: u64) {
        let (mut sent, mut got) = ([[0_usize; 2]; 2], [[0_usize; 2]; 2]);
        let message = |n: usize, from: usize, channel: Channel| {
            let length = 1 + (n * 97 + from * 31 + channel.index() * 13) % 512;
            (0..length).map(|i| (i / 3 + n).to_le_bytes()[0]).collect::<Vec<u8>>()
        };
        let done = self.run(millis, |pair| {
            let now = at(pair.now);
            for (me, end) in pair.ends.iter_mut().enumerate() {
                for channel in Channel::ALL {
                    let i = channel.index();
                    if sent[me][i] < messages && end.send(channel, &message(sent[me][i], me, channel), now) {
                        sent[me][i] += 1;
                    }
                    if let Some(Arrived { message: arrived, .. }) = end.message(channel) {
                        assert!(
                            arrived == message(got[me][i], 1 - me, channel),
                            "{me} {channel:?} {}",
                            got[me][i]
                        );
                        end.drop_message(channel);
                        got[me][i] += 1;
                    }
                }
            }
            got == [[messages; 2]; 2] && pair.ends.iter().all(Link::is_idle)
        });
        assert!(done, "{got:?} of {sent:?} after {} ms: {:?}", self.now, self.ends);
    }
}

/// Packets that a link sends now, on one lane.
fn polled<S: Sizes>(link: &mut Link<S>, lane: LaneId, now: u64) -> Vec<(Header, Vec<u8>)> {
    let mut all = Vec::new();
    let mut out = [0; 512];
    while let length @ 1.. = link.poll_transmit(lane, &mut out, at(now)) {
        let mut decoder = Decoder::new(Packets, Array::<512>::new());
        let packet = decoder.feed(&mut &mut out[..length]).unwrap().unwrap();
        all.push((packet.header, packet.payload().to_vec()));
    }
    all
}

fn packet(kind: PacketType, connection: u16, position: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    Packet::new(Header::new(kind, connection, position), payload).encode(&mut bytes).unwrap();
    bytes
}

fn data(connection: u16, channel: Channel, position: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let header = Header::new(PacketType::Data, connection, position).data(channel, 0);
    Packet::new(header, payload).encode(&mut bytes).unwrap();
    bytes
}

fn open(cookie: u32) -> Vec<u8> {
    packet(PacketType::Open, 0, cookie, &[4, 3])
}

/// An agent that has accepted somebody, at 0.
fn agent<S: Sizes>() -> Link<S> {
    let mut agent = Link::agent(Lane::UART, Some(Lane::SPI));
    agent.feed(Signal, &open(77), at(0));
    let sent = polled(&mut agent, Signal, 0);
    assert_eq!(sent, [(Header::new(PacketType::Accept, 1, 77), vec![4, 3])]);
    agent
}

fn bytes(ack: ack::Ack) -> Vec<u8> {
    ack.to_words().as_flattened()[..21].to_vec()
}

/// What is sent beside ACKs.
fn but_acks(mut packets: Vec<(Header, Vec<u8>)>) -> Vec<(Header, Vec<u8>)> {
    packets.retain(|(header, _)| header.kind != PacketType::Ack);
    packets
}

fn reset(connection: u16, cookie: u32, reason: ResetReason) -> (Header, Vec<u8>) {
    (Header::new(PacketType::Reset, connection, cookie), vec![reason.0])
}

#[test]
fn everything_arrives_once_and_in_order() {
    for bulk in [None, Some(Lane::SPI)] {
        Pair::<Board>::open(bulk).converse(40, 60_000);
        Pair::<Tiny>::open(bulk).converse(20, 60_000);
        Pair::<Desk>::open(bulk).converse(40, 60_000);
    }
}

#[test]
fn over_lanes_that_lose_flip_and_repeat() {
    for seed in 0..30 {
        let mut pair = Pair::<Board>::open((seed % 3 > 0).then_some(Lane::SPI));
        pair.dice = Dice(seed);
        let some = |pair: &mut Pair<_>, n| pair.dice.below(n);
        pair.faults = Faults {
            lost: some(&mut pair, 150),
            flipped: some(&mut pair, 150),
            repeated: some(&mut pair, 100),
            cut: seed % 3 == 2,
        };
        pair.converse(15, 300_000);
    }
}

/// SPEC section 8.13.
#[test]
fn metrics() {
    let mut agent = agent::<Tiny>();
    agent.feed(Signal, &data(1, Urgent, 0, &[0, 1, 9]), at(1));
    agent.feed(Signal, &data(2, Urgent, 0, &[0, 1, 9]), at(1));
    agent.feed(Signal, &[0, 9, 9, 0], at(1));
    agent.feed(Bulk, &[1; 600], at(1));
    agent.feed(Bulk, &[0], at(1));
    let mut spoiled = data(1, Ordinary, 0, &[0, 2, 0x55, 0x55]);
    let last = spoiled.len() - 2;
    spoiled[last] ^= 1;
    agent.feed(Bulk, &spoiled, at(1));
    assert!(agent.send(Ordinary, &[7; 30], at(1)));
    assert_eq!((polled(&mut agent, Signal, 1).len(), polled(&mut agent, Bulk, 1).len()), (2, 1));
    assert!(!polled(&mut agent, Bulk, 1_000).is_empty());
    let mut all = Vec::new();
    agent.metrics(&mut |metric, value| all.push((metric, value)));
    let queues = [(8, 3), (9, 0), (10, 0), (11, 32), (12, 1), (13, 1)];
    let signal = [(0x100, 3), (0x101, 3), (0x102, 1), (0x103, 0), (0x104, 0), (0x105, 0)];
    let bulk = [(0x110, 0), (0x111, 2), (0x112, 0), (0x113, 1), (0x114, 0), (0x115, 1)];
    assert_eq!(all, [queues, signal, bulk].concat());
    let mut one = Link::<Tiny>::agent(Lane::UART, None);
    one.feed(Signal, &open(1), at(0));
    let mut all = Vec::new();
    one.metrics(&mut |metric, _| all.push(metric));
    assert_eq!(all, [8, 9, 10, 11, 12, 13, 0x100, 0x101, 0x102, 0x103, 0x104, 0x105]);
}

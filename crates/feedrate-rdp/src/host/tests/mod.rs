//! A host, and an agent that says what it is told to, sealed as it must be.

#![allow(clippy::panic, reason = "a test may end so")]

mod commands;
mod ends;
mod handshake;
mod lines;

use std::vec::Vec;

use feedrate::rdp::frame::{
    Agree, Body, Bytes, Capabilities, Cause, Domains, Done, Durability, Frame, Lifecycle, List, RunState,
    State, StopEffect, Welcome,
};

use super::*;

const NONCE: [u8; 16] = *b"sixteen bytes ok";
const DEVICE: [u8; 16] = *b"a device's nonce";

/// What a host has sent.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Said {
    channel: Channel,
    sequence: u32,
    time: u32,
    frame: Vec<u8>,
}

impl Said {
    fn frame(&self) -> Frame<'_> {
        Frame::read_from_host(&self.frame).unwrap()
    }
}

/// The other end of a host's stream.
struct Peer {
    host: Host,
    session: Session<Checksum>,
    now: Instant,
}

/// An event without what it borrows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    State,
    Active,
    Answer(u32, u8),
    Stopped(u32),
    Unknown(u32),
    Closed(Closed),
}

impl Peer {
    /// The host has connected.
    fn new(config: HostConfig) -> Self {
        let mut host = Host::new(config, Stream::host(), Checksum::new());
        host.connect(b"token", NONCE, Instant::ZERO).unwrap();
        let mut session = Session::new(Role::Agent, Checksum::new());
        session.renew();
        Self { host, session, now: Instant::ZERO }
    }

    /// The session is active.
    fn active(config: HostConfig) -> Self {
        let mut peer = Self::new(config);
        peer.hello();
        peer.welcome(&welcome());
        peer.say(&STATE, Channel::Urgent, 1);
        assert_eq!(peer.events(), [Told::State]);
        let agree = peer.said().pop().unwrap();
        peer.say(&Done { request: agree.sequence }, Channel::Urgent, 2);
        assert_eq!(peer.events(), [Told::Active]);
        peer
    }

    /// Takes the Hello.
    fn hello(&mut self) -> Said {
        let hello = self.said().pop().unwrap();
        self.session.set_host_nonce(NONCE);
        hello
    }

    fn welcome(&mut self, welcome: &Welcome<'_>) {
        self.say(welcome, Channel::Urgent, 0);
        self.session.set_device_nonce(DEVICE);
    }

    fn wait(&mut self, millis: u64) {
        self.now = Instant::from_micros(self.now.as_micros() + 1000 * millis);
    }

    /// The message as it is sent.
    fn message(&mut self, body: &dyn Body, channel: Channel, time: u32) -> Vec<u8> {
        let mut out = [0; 1024];
        let (length, _) = self.session.write_body(body, channel, time, &mut out).unwrap();
        out[..length].to_vec()
    }

    fn deliver(&mut self, message: &[u8], channel: Channel) {
        let length = u16::try_from(message.len()).unwrap() | u16::from(channel.number()) << 15;
        let record = [&length.to_be_bytes(), message].concat();
        let mut input = &record[..];
        self.host.feed(&mut input, self.now).unwrap();
        assert!(input.is_empty());
    }

    fn say(&mut self, body: &dyn Body, channel: Channel, time: u32) {
        let message = self.message(body, channel, time);
        self.deliver(&message, channel);
    }

    /// All that the host has sent since.
    fn said(&mut self) -> Vec<Said> {
        let mut bytes = [0; 8192];
        let length = self.host.poll_transmit(&mut bytes);
        let mut rest = &mut bytes[..length];
        let mut said = Vec::new();
        while let Some((head, behind)) = rest.split_first_chunk_mut::<2>() {
            let head = u16::from_be_bytes(*head);
            let channel = if head & 0x8000 == 0 { Channel::Urgent } else { Channel::Ordinary };
            let (message, behind) = behind.split_at_mut((head & 0x7FFF).into());
            let opened = self.session.open(message, channel).unwrap();
            assert!(!opened.replayed);
            let (sequence, time) = (opened.sequence, opened.time);
            said.push(Said { channel, sequence, time, frame: opened.frame.to_vec() });
            rest = behind;
        }
        said
    }

    fn events(&mut self) -> Vec<Told> {
        let mut told = Vec::new();
        while let Some(event) = self.host.poll_event(self.now) {
            told.push(match event {
                Event::State(_) => Told::State,
                Event::Active => Told::Active,
                Event::Answer(answer) => Told::Answer(answer.request, answer.frame.kind()),
                Event::Stopped(stopped) => Told::Stopped(stopped.request),
                Event::Unknown { request } => Told::Unknown(request),
                Event::Closed(why) => Told::Closed(why),
            });
        }
        told
    }
}

const STATE: State<'_> = State {
    run: RunState::Running,
    axes: List::new(&[1, -2]),
    plc: List::new(&[]),
    cursor: feedrate::rdp::frame::Location { program: 1, line: 2, offset: 3 },
    modified: false,
    stuck: 0,
    last: None,
    detail: 0,
    cause: Cause::None,
    ended: List::new(&[]),
};

fn welcome() -> Welcome<'static> {
    Welcome {
        version: 3,
        host_nonce: NONCE,
        device_nonce: DEVICE,
        fingerprint: *b"servo 7, fw 1.02",
        architecture: 1,
        registers: 17,
        axes: 2,
        capabilities: Capabilities(0xFF),
        generation: 9,
        longest: 512,
        credit: 2,
        breakpoints: 8,
        memory: 256,
        forces: 8,
        rules: 16,
        lease: 60_000,
        heartbeat: 1000,
        loss: 3000,
        tolerance: 5000,
        stall: 500,
        halt: StopEffect::Program,
        trap: StopEffect::Program,
        lost: StopEffect::FeedHold,
        authority: Domains::ALL,
        expires: 3600,
        boot: 1,
        record: 1,
        durability: Durability::Memory,
        records_lost: 0,
        lifecycle: Lifecycle::Development,
        suite: 0,
        suites: List::new(&[0]),
        name: Bytes::new(b"servo"),
    }
}

fn agreed(said: &Said) -> Agree {
    match said.frame() {
        Frame::Agree(agree) => agree,
        other => panic!("{}", other.name()),
    }
}

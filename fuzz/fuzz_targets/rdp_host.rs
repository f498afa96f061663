//! A host whose agent is the fuzzer, with tags that are right: every command is answered once or reported, Heartbeats
//! are answered, times are echoed, and the end is told once.
#![no_main]

use std::collections::BTreeSet;

use arbitrary::{Arbitrary, Unstructured};
use feedrate::rdp::Channel;
use feedrate::rdp::frame::{Done, Frame, GetStatus, Halt, ReadMemory, Release, Step};
use feedrate::rdp::packet::{Header, Lane, Packet, PacketType};
use feedrate::{Encode, Instant};
use feedrate_fuzz::rdp::answers::{CREDIT, DEVICE_NONCE, HOST_NONCE, LOSS, answer, state, welcome};
use feedrate_fuzz::rdp::{AROUND, FINGERPRINT, Small, Speaker, accept_all, bytes, is_open, send, take};
use feedrate_fuzz::show;
use feedrate_rdp::Role;
use feedrate_rdp::arch::CortexM;
use feedrate_rdp::host::command::Command;
use feedrate_rdp::host::{Event, Host, HostConfig, RegisterSet};
use feedrate_rdp::link::{LaneId, Link};
use feedrate_rdp::session::{SendError, SessionState};
use feedrate_rdp::sizes::Desk;
use feedrate_rdp::stream::Stream;

/// What the fuzzer does next.
#[derive(Debug, Arbitrary)]
enum Act<'a> {
    /// A frame of this kind, in a message with everything right.
    Say {
        kind: u8,
        channel: Channel,
        body: &'a [u8],
    },
    /// One of the frames that make sense.
    Sense {
        which: u8,
        a: u8,
        b: u32,
    },
    /// With another sequence or time, or on any channel.
    Odd {
        sequence: i8,
        time: i16,
        which: u8,
        channel: Channel,
        b: u32,
    },
    /// A message with a right tag, and anything in it.
    Tagged {
        channel: Channel,
        bytes: &'a [u8],
    },
    /// Bytes on the line, whatever they are.
    Raw(&'a [u8]),
    /// A packet with right checksums.
    Packet {
        kind: u8,
        flags: u8,
        connection: u16,
        position: u32,
        payload: &'a [u8],
    },
    /// Whether what the host sends is taken off its line.
    Deaf(bool),
    /// The line ends.
    Cut,
    Wait(u16),
    Sleep,
    /// The host asks for something.
    Ask {
        which: u8,
        a: u32,
    },
}

/// A host, and its line's other end.
enum Ends {
    Serial(Box<Host<Link<Small>>>, Box<Link<Desk>>),
    Stream(Box<Host<Stream<Small>>>, Box<Stream<Desk>>),
}

/// Does the same on either kind of line.
macro_rules! on {
    ($ends:expr, $host:ident => $act:expr) => {
        match $ends {
            Ends::Serial($host, _) => $act,
            Ends::Stream($host, _) => $act,
        }
    };
}

struct World {
    ends: Ends,
    peer: Speaker,
    now: u64,
    /// Commands that wait: channel and sequence.
    waiting: BTreeSet<(usize, u32)>,
    registers: RegisterSet,
    closed: bool,
    active: bool,
    state: SessionState,
    /// Kinds that the host has sent, with their sequences.
    said: Vec<(u32, u8)>,
    greeted: bool,
    /// Challenges that are to be repeated.
    beats: Vec<u32>,
    /// The greatest time, and the last sequence of each channel, that the host has been told.
    told: u32,
    last: [Option<u32>; 2],
    /// When it was told anything.
    heard: u64,
    /// Something has happened on the line that no agent does.
    tainted: bool,
    deaf: bool,
}

impl World {
    fn now(&self) -> Instant {
        Instant::from_micros(self.now)
    }

    fn turn(&mut self) {
        let mut quiet = 0;
        for _ in 0..100 {
            let mut moved = self.to_host();
            self.events();
            moved |= self.from_host();
            quiet = if moved { 0 } else { quiet + 1 };
            if quiet > 1 {
                break;
            }
        }
        if !self.tainted && !self.deaf && self.state == SessionState::Active {
            assert!(self.beats.is_empty(), "Heartbeats are not answered: {:x?}", self.beats);
            let deadline = on!(&self.ends, host => host.deadline()).map(Instant::as_micros);
            assert!(deadline.is_some_and(|at| at > self.now), "{deadline:?}, and it is {}", self.now);
            assert!(deadline.is_some_and(|at| at <= self.heard + u64::from(LOSS) * 1_000));
        }
    }

    /// What the fuzzer has to say goes to the host.
    fn to_host(&mut self) -> bool {
        let (mut some, mut packet, now) = (false, [0; 512], self.now());
        match &mut self.ends {
            Ends::Serial(host, line) => {
                while let length @ 1.. = line.poll_transmit(LaneId::Signal, &mut packet[..64], now) {
                    host.feed(LaneId::Signal, &packet[..length], now);
                    some = true;
                }
            }
            Ends::Stream(host, line) => {
                // So much that it surely finds room.
                while let length @ 1.. = line.poll_transmit(&mut packet[..200]) {
                    let mut input = &packet[..length];
                    some = true;
                    if host.feed(&mut input, now).is_err() {
                        assert!(host.is_finished());
                        return host.disconnect() == ();
                    }
                    if !input.is_empty() {
                        let left = input.to_vec();
                        self.events();
                        self.raw(&left);
                        return true;
                    }
                }
            }
        }
        some
    }

    /// Bytes arrive at the host that its peer's line knows nothing of.
    fn raw(&mut self, bytes: &[u8]) {
        let now = self.now();
        let mut rest = bytes;
        for _ in 0..1_000 {
            match &mut self.ends {
                Ends::Serial(host, _) => return host.feed(LaneId::Signal, bytes, now),
                Ends::Stream(host, _) => {
                    if host.feed(&mut rest, now).is_err() {
                        return host.disconnect();
                    }
                }
            }
            if rest.is_empty() {
                return;
            }
            self.events();
            self.from_host();
            // A session that is over takes nothing any more; its line has a second to end.
            if self.deaf || self.closed {
                return;
            }
        }
        panic!("it takes nothing any more: {:?}, {} bytes of {}", self.state, rest.len(), bytes.len());
    }

    fn events(&mut self) {
        let now = self.now();
        loop {
            let before = self.state;
            let (waiting, active) = (&mut self.waiting, &mut self.active);
            let event = on!(&mut self.ends, host => {
                let event = host.poll_event(now);
                let Some(event) = event else { break };
                assert!(!self.closed, "{event:?} after the end");
                show(event);
                match event {
                    Event::State(_) => assert!(!*active),
                    Event::Active => assert!(!std::mem::replace(active, true), "twice active"),
                    Event::Answer(answer) => {
                        let of = waiting.iter().find(|(_, sequence)| *sequence == answer.request).copied();
                        let of = of.unwrap_or_else(|| panic!("{answer:?} answers nothing"));
                        assert!(*active && waiting.remove(&of));
                        if let Frame::Registers(registers) = answer.frame {
                            show(self.registers.registers(&registers));
                        }
                    }
                    Event::Stopped(stopped) => {
                        assert!(*active);
                        show(self.registers.stopped(&stopped));
                    }
                    Event::Unknown { request } => {
                        let of = waiting.iter().find(|(_, sequence)| *sequence == request).copied();
                        assert!(of.is_some_and(|of| waiting.remove(&of)), "{request} did not wait");
                    }
                    Event::Closed(why) => {
                        show(why.cause());
                        assert!(waiting.is_empty(), "nothing is said of {waiting:?}");
                        self.closed = true;
                    }
                    other => panic!("{other:?}"),
                }
                host.state()
            });
            self.state = event;
            assert!(order(self.state) >= order(before), "from {before:?} to {event:?}");
        }
        self.state = on!(&self.ends, host => host.state());
        assert!(!self.closed || self.state == SessionState::Closed);
    }

    /// What the host says.
    fn from_host(&mut self) -> bool {
        let (mut some, mut packet, now) = (false, [0; 512], self.now());
        if self.deaf {
            return false;
        }
        let messages = match &mut self.ends {
            Ends::Serial(host, line) => {
                while let length @ 1.. = host.poll_transmit(LaneId::Signal, &mut packet[..64], now) {
                    line.feed(LaneId::Signal, &packet[..length], now);
                    some = true;
                }
                take(&mut **line)
            }
            Ends::Stream(host, line) => {
                while let length @ 1.. = host.poll_transmit(&mut packet) {
                    line.feed(&mut &packet[..length], now).expect("what is sent is right");
                    some = true;
                }
                if host.is_finished() {
                    host.disconnect();
                    line.disconnect();
                }
                take(&mut **line)
            }
        };
        for (channel, message) in messages {
            self.read(channel, &message);
        }
        some
    }

    fn read(&mut self, channel: Channel, message: &[u8]) {
        if !self.greeted && !self.said.is_empty() {
            // What is said before it knows the device.
            return self.said.push((0, 0));
        }
        let said = self.peer.open(channel, message);
        let frame = said.frame();
        assert_eq!(self.said.is_empty(), matches!(frame, Frame::Hello(_)));
        assert_eq!(Channel::of_kind(frame.kind()), Some(channel), "{frame:?}");
        assert!(self.said.iter().all(|(sequence, _)| *sequence != said.sequence));
        if !self.tainted && self.greeted {
            assert!(said.time <= self.told, "a time of {}, and it was told {}", said.time, self.told);
        }
        if let Frame::Heartbeat(heartbeat) = frame {
            let at = self.beats.iter().position(|beat| *beat == heartbeat.challenge);
            assert!(at.is_some() || self.tainted, "nobody has asked for {heartbeat:?}");
            at.map(|at| self.beats.remove(at));
        }
        self.said.push((said.sequence, frame.kind()));
    }

    fn say(&mut self, channel: Channel, frame: &[u8]) {
        let (sequence, time) = (self.peer.next, (self.now / 10_000) as u32);
        self.say_as(channel, sequence, time, frame);
    }

    fn say_as(&mut self, channel: Channel, sequence: u32, time: u32, frame: &[u8]) {
        if frame.len() > 512 - AROUND {
            return;
        }
        let message = self.peer.message(channel, sequence, time, frame);
        let now = self.now();
        let sent = match &mut self.ends {
            Ends::Serial(_, line) => is_open(&**line) && send(&mut **line, channel, &message, now),
            Ends::Stream(_, line) => send(&mut **line, channel, &message, now),
        };
        if sent {
            self.peer.next = self.peer.next.max(sequence.saturating_add(1)).min(1 << 31);
            let last = &mut self.last[channel.index()];
            if last.is_none_or(|last| last < sequence) {
                *last = Some(sequence);
                (self.told, self.heard) = (self.told.max(time), self.now);
                if let (Ok(Frame::Heartbeat(beat)), Channel::Urgent, SessionState::Active) =
                    (Frame::read_from_agent(frame), channel, self.state)
                {
                    self.beats.push(beat.challenge);
                }
            }
        }
        self.turn();
    }

    fn ask(&mut self, which: u8, a: u32) {
        let now = self.now();
        match which % 10 {
            0 => self.request(&Halt),
            1 => self.request(&GetStatus),
            2 => self.request(&Step { count: a, trace: true }),
            3 => self.request(&Release { addr: a.into(), fingerprint: FINGERPRINT }),
            4..9 => self.request(&ReadMemory { addr: a.into(), length: 9 }),
            _ => on!(&mut self.ends, host => host.end(now)),
        }
        self.turn();
    }

    fn request<C: Command>(&mut self, command: &C) {
        let now = self.now();
        let asked = on!(&mut self.ends, host => host.request(command, now));
        let channel = command.frame().channel().expect("a command").index();
        let most = [4, usize::from(CREDIT)][channel];
        let waiting = self.waiting.iter().filter(|(of, _)| *of == channel).count();
        match asked {
            Ok(ticket) => {
                assert!(waiting < most, "more than is granted");
                assert!(self.waiting.insert((channel, ticket.sequence())));
            }
            Err(SendError::Credit) => assert_eq!((channel, waiting), (1, most)),
            Err(SendError::NotActive) => assert_ne!(self.state, SessionState::Active),
            Err(SendError::Full) => assert!(self.deaf || self.tainted || waiting == most || channel == 0),
            Err(other) => panic!("{other:?}"),
        }
    }
}

fn order(state: SessionState) -> u8 {
    match state {
        SessionState::Idle => 0,
        SessionState::Connecting => 1,
        SessionState::Active => 2,
        SessionState::Disconnecting => 3,
        SessionState::Closed => 4,
    }
}

/// Something that an agent would say, to one of the commands that wait, mostly, and on its channel.
fn sense(world: &World, which: u8, a: u8, b: u32) -> (Channel, Vec<u8>) {
    let waiting = world.waiting.iter().nth(usize::from(a % 4)).copied();
    let (channel, request) = waiting.filter(|_| a & 0x80 == 0).unwrap_or(((b & 1) as usize, b));
    answer(Channel::ALL[channel], request, which, a, b)
}

fn begin(flags: u8) -> World {
    let now = Instant::from_micros(1_000_000);
    let seal = Default::default();
    let ends = if flags & 8 == 0 {
        let mut host = Host::new(HostConfig::new(), Stream::<Small>::host(), seal);
        host.connect(b"token", HOST_NONCE, now).expect("a short token");
        let mut line = Box::new(Stream::agent());
        line.connect().expect("it is not busy");
        accept_all(&mut *line);
        Ends::Stream(Box::new(host), line)
    } else {
        let mut host = Host::new(HostConfig::new(), Link::<Small>::host(Lane::UART, None), seal);
        host.connect(b"token", 5, HOST_NONCE, now).expect("a short token");
        Ends::Serial(Box::new(host), Box::new(Link::agent(Lane::UART, None)))
    };
    let mut world = World {
        ends,
        peer: Speaker::new(Role::Agent, HOST_NONCE),
        now: 1_000_000,
        waiting: BTreeSet::new(),
        registers: RegisterSet::of::<CortexM>(),
        closed: false,
        active: false,
        state: SessionState::Idle,
        said: Vec::new(),
        greeted: false,
        beats: Vec::new(),
        told: 0,
        last: [None; 2],
        heard: 1_000_000,
        tainted: false,
        deaf: false,
    };
    world.turn();
    assert_eq!(world.said.len(), 1);
    world.peer.bind(true, [0; 16]);
    world
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((&flags, script)) = data.split_first() else { return };
    let mut world = begin(flags);
    if flags & 1 == 0 {
        let name = [flags; 32];
        let welcome = welcome(&name[..usize::from(flags >> 3)]);
        world.say_as(Channel::Urgent, 0, 0, &welcome);
        world.greeted = true;
        world.peer.bind(true, DEVICE_NONCE);
    }
    if flags & 3 == 0 {
        world.say(Channel::Urgent, &state());
        let (agree, kind) = *world.said.last().expect("Hello at least");
        assert_eq!(kind, 0x41);
        world.say(Channel::Urgent, &bytes(&Frame::Done(Done { request: agree })));
        assert!(world.active);
    }
    let mut script = Unstructured::new(script);
    let shows = std::env::var_os("SHOW").is_some();
    for _ in 0..150 {
        if script.is_empty() {
            break;
        }
        let Ok(act) = script.arbitrary() else { break };
        // What a finding did: SHOW=1 and the input.
        if shows {
            eprintln!("{act:x?}");
        }
        play(&mut world, act);
    }
    // Nobody speaks any more: it ends, and says so.
    for _ in 0..60 {
        world.now += 1_000_000;
        world.turn();
    }
    assert!(world.closed && world.waiting.is_empty(), "{:?}", world.state);
});

fn play(world: &mut World, act: Act<'_>) {
    match act {
        Act::Say { kind, channel, body } => {
            // Its own goodbye, and what it cannot be asked for, are not told from the real ones.
            let frame = [b"GDBP\x01", &[kind][..], body].concat();
            world.say(channel, &frame);
        }
        Act::Sense { which, a, b } => {
            let (channel, frame) = sense(world, which, a, b);
            world.say(channel, &frame);
        }
        Act::Odd { sequence, time, which, channel, b } => {
            let sequence = world.peer.next.saturating_add_signed(sequence.into());
            let time = ((world.now / 10_000) as u32).saturating_add_signed(time.into());
            let (_, frame) = sense(world, which, 1, b);
            world.say_as(channel, sequence, time, &frame);
        }
        Act::Tagged { channel, bytes } => {
            world.tainted = true;
            world.say(channel, bytes);
        }
        Act::Raw(bytes) => {
            world.tainted = true;
            world.raw(bytes);
            world.turn();
        }
        Act::Packet { kind, flags, connection, position, payload } => {
            world.tainted = true;
            let header = Header { flags, ..Header::new(PacketType::from(kind), connection, position) };
            let mut packet = Vec::new();
            let payload = &payload[..payload.len().min(491)];
            Packet::new(header, payload).encode(&mut packet).expect("a vector grows");
            world.raw(&packet);
            world.turn();
        }
        Act::Deaf(deaf) => {
            world.deaf = deaf;
            world.tainted |= deaf;
        }
        Act::Cut => {
            let now = world.now();
            world.tainted = true;
            match &mut world.ends {
                Ends::Serial(host, line) => {
                    host.disconnect(LaneId::Signal, now);
                    line.disconnect(LaneId::Signal, now);
                }
                Ends::Stream(host, line) => {
                    host.disconnect();
                    line.disconnect();
                }
            }
            world.turn();
        }
        Act::Wait(millis) => {
            world.now += u64::from(millis % 4_000) * 1_000;
            world.turn();
        }
        Act::Sleep => {
            let at = on!(&world.ends, host => host.deadline()).map_or(0, Instant::as_micros);
            world.now += at.saturating_sub(world.now).min(4_000_000);
            world.turn();
        }
        Act::Ask { which, a } => world.ask(which, a),
    }
}

//! A host whose agent is the fuzzer, with checksums and tags that are right: every command is answered once or
//! reported, and the end is told once.
#![no_main]

use std::collections::BTreeSet;

use feedrate::Encode;
use feedrate::rdp::frame::{
    Bye, ByeReason, Bytes, Capabilities, Cursor, Domains, Done, Error, ErrorCode, Frame, Heartbeat, List,
    Memory, ReadMemory, Reason, Registers, RunState, State, Status, Step, Stopped, Welcome,
};
use feedrate::rdp::packet::{Header, PacketType};
use feedrate_fuzz::rdp::{Act, FINGERPRINT, HOST_NONCE, LANE, Peer, Small, acts, header};
use feedrate_rdp::Role;
use feedrate_rdp::arch::{Arch, CortexM};
use feedrate_rdp::host::{Event, Host, HostConfig, command};
use feedrate_rdp::link::LaneId;
use feedrate_rdp::session::{SendError, SessionState};

const DEVICE_NONCE: [u8; 16] = *b"device's 1st one";

struct World {
    host: Box<Host<Small>>,
    peer: Peer,
    now: u32,
    waiting: BTreeSet<u32>,
    closed: bool,
    active: bool,
    state: SessionState,
    /// Frames that the host has sent.
    said: Vec<(u32, u8)>,
    greeted: bool,
}

impl World {
    fn feed(&mut self, bytes: &[u8]) {
        self.host.feed(LaneId::Signal, bytes, self.now);
        self.turn();
    }

    fn turn(&mut self) {
        for _ in 0..20 {
            let before = self.state;
            while let Some(event) = self.host.event(self.now) {
                assert!(!self.closed, "{event:?} after the end");
                feedrate_fuzz::show(event);
                match event {
                    Event::Active => {
                        assert!(!self.active);
                        self.active = true;
                    }
                    Event::Answer(answer) => {
                        assert!(
                            self.active && self.waiting.remove(&answer.request),
                            "{answer:?} answers nothing"
                        );
                    }
                    Event::Stopped(_) => assert!(self.active),
                    Event::Unknown { request } => assert!(self.waiting.remove(&request)),
                    Event::Closed(_) => {
                        assert!(self.waiting.is_empty(), "nothing is said of {:?}", self.waiting);
                        self.closed = true;
                    }
                    _ => assert!(!self.active),
                }
            }
            self.state = self.host.state();
            assert!(order(self.state) >= order(before));
            assert!(!self.closed || self.state == SessionState::Closed);
            let mut packet = [0; 1024];
            let mut back = Vec::new();
            while let length @ 1.. = self.host.poll(LaneId::Signal, &mut packet, self.now) {
                for message in self.peer.hear(&packet[..length], &mut back, |_, _, _| {}) {
                    self.read(message);
                }
            }
            if back.is_empty() {
                break;
            }
            self.host.feed(LaneId::Signal, &back, self.now);
        }
        let _ = self.host.deadline();
    }

    fn read(&mut self, mut message: Vec<u8>) {
        let nonces = if self.said.is_empty() { [[0; 16]; 2] } else { [HOST_NONCE, self.peer.device_nonce] };
        let hello = self.said.is_empty();
        if !hello && !self.greeted {
            // What is said before it knows the device.
            return self.said.push((0, 0));
        }
        let (sequence, frame) = self.peer.open(&mut message, nonces);
        let frame = Frame::read(frame).expect("what is sent is right");
        assert_eq!(hello, matches!(frame, Frame::Hello(_)));
        assert!(frame.kind() < 0x80);
        self.said.push((sequence, frame.kind()));
    }

    fn say(&mut self, frame: &Frame<'_>) {
        let mut bytes = Vec::new();
        if frame.encode(&mut bytes).is_ok() && bytes.len() < 580 {
            let packets = self.peer.say(self.now, &bytes);
            self.feed(&packets);
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

/// Something that an agent would say.
fn sense(world: &mut World, which: u8, a: u8, b: u32) {
    // Of one of those that wait, mostly.
    let waiting = world.waiting.iter().nth(usize::from(a % 4)).copied();
    let request = if a & 0x80 == 0 { waiting.unwrap_or(b) } else { b };
    let registers = [u64::from(b); 17];
    let values = CortexM::values(u64::from(b), &registers);
    let data = [a; 256];
    match which % 11 {
        0..3 => world.say(&Frame::Done(Done { request })),
        3 => world.say(&Frame::Status(Status {
            request,
            run: RunState::Running,
            breakpoints: 1,
            forces: 2,
            steps: b,
            policy: 3,
            enabled: true,
            uptime: b,
        })),
        4 => world.say(&Frame::Memory(Memory {
            request,
            addr: b.into(),
            data: Bytes::new(&data[..usize::from(a)]),
        })),
        5 => world.say(&Frame::Error(Error { request, code: ErrorCode(a.into()), detail: b })),
        6 => world.say(&Frame::Stopped(Stopped {
            request,
            reason: Reason::Step,
            more: a & 1 == 1,
            detail: b.into(),
            capture: b,
            values,
        })),
        7 => world.say(&Frame::Registers(Registers { request, capture: b, values })),
        8 => world.say(&Frame::Heartbeat(Heartbeat { run: Some(RunState::Stopped) })),
        9 => world.say(&Frame::Cursor(Cursor { request, cursor: Default::default() })),
        _ => world.say(&Frame::Bye(Bye { reason: ByeReason(a) })),
    }
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((&flags, script)) = data.split_first() else { return };
    let host = Host::new(HostConfig::new(LANE), Default::default());
    let mut world = World {
        host: Box::new(host),
        peer: Peer::new(Role::Agent),
        now: 0,
        waiting: BTreeSet::new(),
        closed: false,
        active: false,
        state: SessionState::Idle,
        said: Vec::new(),
        greeted: false,
    };
    world.host.connect(b"token", 5, HOST_NONCE, 0).unwrap();
    world.turn();
    world.peer.connection = 9;
    if flags & 1 == 0 {
        let accept = world.peer.packet(Header::new(PacketType::Accept, 9, 5), &[3, 1]);
        world.feed(&accept);
        assert_eq!(world.said.len(), 1);
    }
    if flags & 3 == 0 {
        let name = [flags; 32];
        let welcome = Frame::Welcome(Welcome {
            version: 3,
            host_nonce: HOST_NONCE,
            device_nonce: DEVICE_NONCE,
            fingerprint: FINGERPRINT,
            architecture: 1,
            registers: 17,
            axes: 3,
            capabilities: Capabilities(63),
            longest: 600,
            breakpoints: 8,
            memory: 256,
            forces: 4,
            rules: 4,
            heartbeat: 1000,
            loss: 3000,
            tolerance: 5000,
            authority: Domains::ALL,
            name: Bytes::new(&name[..usize::from(flags >> 3)]),
        });
        let mut bytes = Vec::new();
        welcome.encode(&mut bytes).unwrap();
        let record = world.peer.record(0, 0, 0, &bytes, [HOST_NONCE, [0; 16]]);
        (world.peer.sequence, world.peer.device_nonce, world.greeted) = (1, DEVICE_NONCE, true);
        let packets = world.peer.data(0, &record);
        world.feed(&packets);
    }
    if flags & 7 == 0 {
        let axes = [1, 2, 3];
        world.say(&Frame::State(State {
            run: RunState::Running,
            axes: List::new(&axes),
            plc: List::new(&[]),
            cursor: Default::default(),
        }));
        let (agree, kind) = *world.said.last().unwrap();
        assert_eq!(kind, 0x41);
        world.say(&Frame::Done(Done { request: agree }));
        assert!(world.active);
    }
    for act in acts(script) {
        match act {
            Act::Say { kind, body } => {
                let frame = Frame::Unknown { kind, body };
                world.say(&frame);
            }
            Act::Sense { which, a, b } => sense(&mut world, which, a, b),
            Act::Odd { sequence, time, epoch, which, channel } => {
                let sequence = world.peer.sequence.wrapping_add_signed(sequence.into());
                let time = world.now.wrapping_add_signed(time.into());
                let request = world.waiting.first().copied().unwrap_or(which.into());
                let mut bytes = Vec::new();
                Frame::Done(Done { request }).encode(&mut bytes).unwrap();
                let nonces = [HOST_NONCE, world.peer.device_nonce];
                let record = world.peer.record(sequence, time, epoch, &bytes, nonces);
                let packets = world.peer.data(usize::from(channel), &record);
                world.peer.sequence = world.peer.sequence.max(sequence.saturating_add(1)).min(1 << 31);
                world.feed(&packets);
            }
            Act::Stream { channel, bytes } => {
                let packets = world.peer.data(usize::from(channel), bytes);
                world.feed(&packets);
            }
            Act::Packet { kind, flags, mine, position, payload } => {
                let connection = if mine { world.peer.connection } else { position as u16 };
                let packet = world.peer.packet(header(kind, flags, connection, position), payload);
                world.feed(&packet);
            }
            Act::Shifted { by, bytes } => {
                let header = Header::new(PacketType::Data, world.peer.connection, (by as i32) as u32);
                let packet = world.peer.packet(header, bytes);
                world.feed(&packet);
            }
            Act::Nack(nack) => {
                let ack = world.peer.ack(nack);
                world.feed(&ack);
            }
            Act::Deaf(deaf) => world.peer.deaf = deaf,
            Act::Raw(bytes) => world.feed(bytes),
            Act::Wait(ms) => {
                world.now += u32::from(ms) % 4_000;
                world.turn();
            }
            Act::Own { which, a } => {
                let now = world.now;
                let asked = match which % 8 {
                    0 => world.host.request(&command::Halt, now).map(|ticket| ticket.sequence()),
                    1 => world.host.request(&command::GetStatus, now).map(|ticket| ticket.sequence()),
                    2 => {
                        let step = Step { count: a, trace: true };
                        world.host.request(&command::Step(step), now).map(|ticket| ticket.sequence())
                    }
                    3..7 => {
                        let read = ReadMemory { addr: a.into(), length: 9 };
                        world.host.request(&command::ReadMemory(read), now).map(|ticket| ticket.sequence())
                    }
                    _ => {
                        world.host.bye(now);
                        Err(SendError::NotActive)
                    }
                };
                if let Ok(sequence) = asked {
                    assert!(world.waiting.insert(sequence) && world.waiting.len() <= 8);
                }
                world.turn();
            }
        }
    }
    // Nobody speaks any more: it ends, and says so.
    for _ in 0..60 {
        world.now += 1_000;
        world.turn();
    }
    assert!(world.closed && world.waiting.is_empty(), "{:?}", world.host);
});

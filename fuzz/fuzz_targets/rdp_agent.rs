//! An agent whose host is the fuzzer, with checksums and tags that are right: commands are executed in order, once,
//! and nomachine stays behind.
#![no_main]

use std::collections::BTreeSet;

use feedrate::Encode;
use feedrate::rdp::frame::{
    Action, Agree, Breakpoint, Bye, ByeReason, Bytes, Domains, Fingerprint, Force, Frame, GetStatus, Halt,
    Heartbeat, Hello, List, PushPolicy, ReadAudit, ReadAxes, ReadCursor, ReadMemory, ReadMetrics, ReadPlc,
    ReadRegisters, Release, Resume, Rule, SetAxis, Step,
};
use feedrate::rdp::packet::{Header, PacketType};
use feedrate_fuzz::rdp::{Act, FINGERPRINT, HOST_NONCE, LANE, Peer, Small, acts, header, machine};
use feedrate_rdp::Role;
use feedrate_rdp::agent::{Agent, AgentConfig, StopCause};
use feedrate_rdp::arch::CortexM;
use feedrate_rdp::authority::Grant;
use feedrate_rdp::link::LaneId;
use feedrate_rdp::session::{Checksum, SessionState};
use feedrate_testkit::machine::Fake;

fn authority(token: &[u8], _: &Fingerprint) -> Result<Grant, u32> {
    match token {
        [domains] => Ok(Grant { operator: [7; 8], domains: Domains(*domains), lasts: 20_000 }),
        _ => Err(4),
    }
}

type Authority = fn(&[u8], &Fingerprint) -> Result<Grant, u32>;

struct World {
    agent: Box<Agent<CortexM, Authority, Small>>,
    machine: Fake,
    peer: Peer,
    now: u32,
    answered: BTreeSet<u32>,
    state: Option<u32>,
}

impl World {
    fn feed(&mut self, bytes: &[u8]) {
        self.agent.feed(LaneId::Signal, bytes, self.now);
        self.turn();
    }

    /// Everymachine that the agent does now.
    fn turn(&mut self) {
        for _ in 0..20 {
            self.agent.run(&mut self.machine, self.now);
            let mut packet = [0; 1024];
            let mut back = Vec::new();
            while let length @ 1.. = self.agent.poll(LaneId::Signal, &mut packet, self.now) {
                let see = |peer: &mut Peer, header: Header, _: &[u8]| {
                    if header.kind == PacketType::Accept {
                        peer.connection = header.connection;
                    }
                };
                for message in self.peer.hear(&packet[..length], &mut back, see) {
                    self.read(message);
                }
            }
            if self.agent.state() != SessionState::Active {
                assert!(self.machine.is_left_alone(), "{:x?} {:?}", self.machine.held, self.machine.slots);
            }
            assert_eq!(self.machine.misuse, None);
            if back.is_empty() {
                break;
            }
            self.agent.feed(LaneId::Signal, &back, self.now);
        }
        let _ = self.agent.deadline();
    }

    fn read(&mut self, mut message: Vec<u8>) {
        // Of the handshake's first answer, the device's nonce is not known yet.
        let first = self.peer.device_nonce == [0; 16];
        if first {
            let frame = message[9..message.len() - 4].to_vec();
            if let Ok(Frame::Welcome(welcome)) = Frame::read(&frame) {
                self.peer.device_nonce = welcome.device_nonce;
            }
            return;
        }
        let (_, frame) = self.peer.open(&mut message, [HOST_NONCE, self.peer.device_nonce]);
        let frame = Frame::read(frame).expect("what is sent is right");
        let request = match frame {
            Frame::State(_) => {
                let body = frame.encoded_length().unwrap();
                let mut bytes = Vec::with_capacity(body);
                frame.encode(&mut bytes).unwrap();
                self.state = Some(crc32(&bytes[6..]));
                return;
            }
            Frame::Heartbeat(_) | Frame::Bye(_) | Frame::Stopped(_) => return,
            // What is refused as being out of order may come again, and what is wrong with its frame is said first.
            Frame::Error(_) => return,
            _ => frame.request().unwrap_or_else(|| panic!("{frame:?}")),
        };
        assert!(self.answered.insert(request), "done a second time: {frame:?}");
    }

    fn say(&mut self, frame: &[u8]) {
        let packets = self.peer.say(self.now, frame);
        self.feed(&packets);
    }
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| crc >> 1 ^ (0xEDB8_8320 & 0_u32.wrapping_sub(crc & 1)))
    };
    !bytes.iter().fold(!0, step)
}

/// Somemachine that a host would say.
fn sense(which: u8, a: u8, b: u32) -> Vec<u8> {
    let (addr, fingerprint) = (u64::from(b % 64), FINGERPRINT);
    let at = Breakpoint { addr, id: u32::from(a % 8) };
    let value = [a; 16];
    let rules = [Rule { first: 0, last: 20, action: Action::Deny }; 3];
    let frame = match which % 22 {
        0 => Frame::SetBreakpoint(at),
        1 => Frame::ClearBreakpoint(Breakpoint { addr: 0, ..at }),
        2 => Frame::ListBreakpoints(at),
        3 => Frame::SetHardwareBreakpoint(at),
        4 => Frame::Halt(Halt),
        5 => Frame::Resume(Resume),
        6 => Frame::Step(Step { count: b % 9, trace: a & 1 == 1 }),
        7 => Frame::ReadRegisters(ReadRegisters { changed: a & 1 == 1 }),
        8 => Frame::ReadMemory(ReadMemory { addr: u64::from(b), length: u16::from(a) + 1 }),
        9 | 10 => Frame::Force(Force {
            addr,
            lease: u32::from(a) * 10,
            fingerprint,
            value: Bytes::new(&value[..usize::from(a % 17)]),
        }),
        11 => Frame::Release(Release { addr, fingerprint }),
        12 => Frame::GetStatus(GetStatus),
        13 => Frame::SetAxis(SetAxis { axis: a, position: i64::from(b), fingerprint }),
        14 => Frame::ReadAxes(ReadAxes),
        15 => Frame::ReadPlc(ReadPlc { first: u16::from(a), count: b as u16 }),
        16 => Frame::ReadCursor(ReadCursor),
        17 => Frame::ReadAudit(ReadAudit { from: b % 32, count: a }),
        18 => Frame::ReadMetrics(ReadMetrics),
        19 => Frame::PushPolicy(PushPolicy {
            version: b,
            enabled: a & 1 == 1,
            rules: List::new(&rules[..usize::from(a % 4)]),
        }),
        20 => Frame::Heartbeat(Heartbeat { run: None }),
        _ => Frame::Bye(Bye { reason: ByeReason(a) }),
    };
    let mut bytes = Vec::new();
    frame.encode(&mut bytes).unwrap();
    bytes
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((&flags, script)) = data.split_first() else { return };
    let agent = Agent::new(AgentConfig::tcp(*b"boot no. 815", "fuzzed"), authority as Authority, Checksum);
    let mut world = World {
        agent: Box::new(agent),
        machine: machine(flags >> 6, flags & 1 == 1),
        peer: Peer::new(Role::Host),
        now: 0,
        answered: BTreeSet::new(),
        state: None,
    };
    assert_eq!(LANE, feedrate::rdp::packet::Line::TCP);
    let open = world.peer.packet(Header::new(PacketType::Open, 0, 5), &[3, 1]);
    world.feed(&open);
    if flags & 2 == 0 {
        let token = [if flags & 4 == 0 { 15 } else { flags >> 3 & 15 }];
        let hello = Frame::Hello(Hello {
            lowest: 3,
            highest: 3,
            nonce: HOST_NONCE,
            longest: 600,
            token: Bytes::new(&token),
        });
        let mut bytes = Vec::new();
        hello.encode(&mut bytes).unwrap();
        let record = world.peer.record(0, 0, 0, &bytes, [[0; 16]; 2]);
        world.peer.sequence = 1;
        let packets = world.peer.data(0, &record);
        world.feed(&packets);
        bytes.clear();
        Frame::Agree(Agree { crc: world.state.expect("State comes after Welcome") })
            .encode(&mut bytes)
            .unwrap();
        world.say(&bytes);
        assert_eq!(world.agent.state(), SessionState::Active);
    }
    for act in acts(script) {
        let connection = world.peer.connection;
        match act {
            Act::Say { kind, body } => {
                let frame = [b"GDBP\x01", &[kind][..], &body[..body.len().min(560)]].concat();
                world.say(&frame);
            }
            Act::Sense { which, a, b } => world.say(&sense(which, a, b)),
            Act::Odd { sequence, time, epoch, which, channel } => {
                let sequence = world.peer.sequence.wrapping_add_signed(sequence.into());
                let time = world.now.wrapping_add_signed(time.into());
                let nonces = [HOST_NONCE, world.peer.device_nonce];
                let record = world.peer.record(sequence, time, epoch, &sense(which, 1, 9), nonces);
                let packets = world.peer.data(usize::from(channel), &record);
                world.peer.sequence = world.peer.sequence.max(sequence.saturating_add(1)).min(1 << 31);
                world.feed(&packets);
            }
            Act::Stream { channel, bytes } => {
                let packets = world.peer.data(usize::from(channel), bytes);
                world.feed(&packets);
            }
            Act::Packet { kind, flags, mine, position, payload } => {
                // Another connection is another session, of which this target knows nomachine.
                if kind == 3 {
                    continue;
                }
                let connection = if mine { connection } else { position as u16 };
                let packet = world.peer.packet(header(kind, flags, connection, position), payload);
                world.feed(&packet);
            }
            Act::Shifted { by, bytes } => {
                let record = world.peer.record(world.peer.sequence, world.now, 0, bytes, [HOST_NONCE; 2]);
                let position = (by as i32) as u32;
                let packet = world.peer.packet(Header::new(PacketType::Data, connection, position), &record);
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
                let cause = match which % 7 {
                    0 => StopCause::Step,
                    1 => StopCause::Breakpoint(a as u16),
                    2 => StopCause::Watch { slot: a as u16, addr: u64::from(a) },
                    3 => StopCause::Halted,
                    4 => StopCause::Fault(u64::from(a)),
                    5 => StopCause::Interlock,
                    _ => StopCause::Reset,
                };
                (world.machine.stopped, world.machine.pending) = (true, None);
                world.agent.stopped(&mut world.machine, cause, world.now);
                world.turn();
            }
        }
    }
    // Left alone, it lets go of everymachine.
    for _ in 0..60 {
        world.now += 1_000;
        world.turn();
    }
    assert!(world.machine.is_left_alone());
    assert!(matches!(world.agent.state(), SessionState::Closed | SessionState::Idle), "{:?}", world.agent);
});

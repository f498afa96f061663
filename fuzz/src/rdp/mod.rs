//! What the targets of RDPv3 share: a side that says whatever the fuzzer likes, with tags that are right; messages on
//! lines; what a host can ask for.

pub mod agent;
pub mod answers;
pub mod checks;
pub mod ends;

use feedrate::rdp::Channel;
use feedrate::rdp::frame::{
    Access, Action, Breakpoint, Bye, Bytes, Cause, Fingerprint, Force, Frame, GetStatus, Halt, Heartbeat,
    List, ListVariables, PushPolicy, ReadAudit, ReadAxes, ReadCursor, ReadMap, ReadMemory, ReadMetrics,
    ReadPlc, ReadRegisters, Release, ReleaseAudit, Renew, Resume, Rule, SetAxis, SetWatchpoint, Step,
    StepRange, WriteMemory, WriteRegister,
};
use feedrate::{Encode, Instant};
use feedrate_rdp::Role;
use feedrate_rdp::line::Line;
use feedrate_rdp::session::{Checksum, Context, Seal};
use feedrate_rdp::sizes::Sizes;

/// Little memory, so that its ends are reached.
pub enum Small {}

impl Sizes for Small {
    type Lane = [u8; 512];
    type Urgent = [u8; 520];
    type Ordinary = [u8; 1300];
    type Send = [u8; 700];
    type Message = [u8; 600];
}

/// The longest message on channel 1 of a [`Small`] line.
pub const LONGEST: usize = 600;
pub const FINGERPRINT: Fingerprint = *b"the fuzzed thing";
/// Bytes of a message beside its debug frame.
pub const AROUND: usize = 12;

/// One side of a session without any state machine: it says whatever it is told to.
#[derive(Debug)]
pub struct Speaker {
    role: Role,
    seal: Checksum,
    pub host_nonce: [u8; 16],
    pub device_nonce: [u8; 16],
    /// Sequence of the next message.
    pub next: u32,
    /// The greatest time that the other side has written.
    pub heard: u32,
    /// The last message of each channel of the other side.
    last: [Option<u32>; 2],
}

/// What the other side has said.
#[derive(Debug, Clone)]
pub struct Said {
    pub channel: Channel,
    pub sequence: u32,
    pub time: u32,
    pub frame: Vec<u8>,
}

impl Said {
    pub fn frame(&self) -> Frame<'_> {
        Frame::read(&self.frame).expect("what is sent is right")
    }
}

impl Speaker {
    pub fn new(role: Role, host_nonce: [u8; 16]) -> Self {
        let device_nonce = [0; 16];
        Self { role, seal: Checksum::new(), host_nonce, device_nonce, next: 0, heard: 0, last: [None; 2] }
    }

    /// What tags cover from now on.
    pub fn bind(&mut self, host: bool, device_nonce: [u8; 16]) {
        let host_nonce = if host { self.host_nonce } else { [0; 16] };
        self.device_nonce = device_nonce;
        self.seal.bind(&host_nonce, &device_nonce);
    }

    pub fn message(&mut self, channel: Channel, sequence: u32, time: u32, frame: &[u8]) -> Vec<u8> {
        let mut header = [0; 8];
        header[..4].copy_from_slice(&sequence.to_be_bytes());
        header[4..].copy_from_slice(&time.to_be_bytes());
        let (mut frame, mut tag) = (frame.to_vec(), [0; 4]);
        self.seal.seal(&Context { sender: self.role, channel, header }, &mut frame, &mut tag);
        [&header[..], &frame, &tag].concat()
    }

    /// The next one, with what was heard last.
    pub fn next(&mut self, channel: Channel, frame: &[u8]) -> Vec<u8> {
        self.next += 1;
        self.message(channel, self.next - 1, self.heard, frame)
    }

    /// A message of the other side: its tag must be right, as this side is bound or as one that is not, and it must
    /// not be a replay.
    pub fn open(&mut self, channel: Channel, message: &[u8]) -> Said {
        let sender = if self.role == Role::Host { Role::Agent } else { Role::Host };
        let (header, rest) = message.split_first_chunk::<8>().expect("a header");
        let (frame, tag) = rest.split_at(rest.len() - 4);
        let (context, mut frame) = (Context { sender, channel, header: *header }, frame.to_vec());
        let right =
            self.seal.open(&context, &mut frame, tag) || Checksum::new().open(&context, &mut frame, tag);
        assert!(right, "its own tag is wrong: {frame:02x?}");
        let [sequence, time] =
            [0, 4].map(|at| u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]));
        let last = &mut self.last[channel.index()];
        assert!(last.is_none_or(|last| last < sequence), "{sequence} after {last:?}");
        *last = Some(sequence);
        self.heard = self.heard.max(time);
        Said { channel, sequence, time, frame }
    }
}

/// Puts a message on a line.
pub fn send<L: Line>(line: &mut L, channel: Channel, message: &[u8], now: Instant) -> bool {
    line.send(channel, message, now)
}

/// Takes all messages that have arrived on a line.
pub fn take<L: Line>(line: &mut L) -> Vec<(Channel, Vec<u8>)> {
    let mut messages = Vec::new();
    for channel in Channel::ALL {
        while let Some(arrived) = line.message(channel) {
            messages.push((channel, arrived.message.to_vec()));
            line.drop_message(channel);
        }
    }
    messages
}

/// From now on messages on channel 1 may be as long as there is memory for.
pub fn accept_all<L: Line>(line: &mut L) {
    line.accept(usize::MAX);
}

/// Whether there is a connection.
pub fn is_open<L: Line>(line: &L) -> bool {
    line.connection().is_some()
}

pub fn bytes(frame: &Frame<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    frame.encode(&mut bytes).expect("a vector grows");
    bytes
}

/// Something that a host would say. Its addresses are few, so that things meet.
pub fn sense(which: u8, a: u8, b: u32, crc: u32) -> Vec<u8> {
    let (addr, fingerprint) = (0x1000 + u64::from(b % 48), FINGERPRINT);
    let at = Breakpoint { addr, id: u32::from(a % 8) };
    let value = [a; 16];
    let lease = u32::from(a) * 16;
    let (length, safe) = (usize::from(a % 17), if b & 0x100 == 0 { 0 } else { usize::from(a % 17) });
    let rules = [Rule { first: 0, last: u64::from(b % 99) + 0x1000, action: Action::Deny }; 3];
    let rules = List::new(&rules[..usize::from(a % 4)]);
    bytes(&match which % 32 {
        0 => Frame::SetBreakpoint(at),
        1 => Frame::ClearBreakpoint(Breakpoint { addr: 0, ..at }),
        2 => Frame::ListBreakpoints(at),
        3 => Frame::SetHardwareBreakpoint(at),
        4 => Frame::SetSoftwareBreakpoint(at),
        5 => Frame::SetWatchpoint(SetWatchpoint { addr, id: at.id, length: a.into(), access: Access::Write }),
        6 => Frame::Halt(Halt),
        7 => Frame::Resume(Resume),
        8 => Frame::Step(Step { count: b % 9, trace: a & 1 == 1 }),
        9 => Frame::StepRange(StepRange { first: addr, last: addr + u64::from(a), over: b & 0x100 != 0 }),
        10 => Frame::ReadRegisters(ReadRegisters { changed: a & 1 == 1 }),
        11 => Frame::ReadMemory(ReadMemory { addr, length: u16::from(a) + 1 }),
        12 | 13 => Frame::Force(Force {
            addr,
            lease,
            fingerprint,
            value: Bytes::new(&value[..length]),
            safe: Bytes::new(&value[..safe]),
        }),
        14 => Frame::Release(Release { addr, fingerprint }),
        15 => Frame::Renew(Renew { addr, lease, fingerprint }),
        16 => Frame::WriteMemory(WriteMemory { addr, fingerprint, data: Bytes::new(&value[..length]) }),
        17 => Frame::WriteRegister(WriteRegister { register: a, value: b.into(), fingerprint }),
        18 => Frame::GetStatus(GetStatus),
        19 => Frame::SetAxis(SetAxis { axis: a, position: i64::from(b), fingerprint }),
        20 => Frame::ReadAxes(ReadAxes),
        21 => Frame::ReadPlc(ReadPlc { first: u16::from(a), count: b as u16 }),
        22 => Frame::ReadCursor(ReadCursor),
        23 => Frame::ReadAudit(ReadAudit { from: b % 32, count: a }),
        24 => Frame::ReadMetrics(ReadMetrics),
        25 => Frame::PushPolicy(PushPolicy {
            version: b % 4,
            replaces: u32::from(a) % 4,
            enabled: a & 4 != 0,
            rules,
        }),
        26 => Frame::ListVariables(ListVariables { from: a.into() }),
        27 => Frame::ReadMap(ReadMap { from: a.into() }),
        28 | 29 => Frame::ReleaseAudit(ReleaseAudit { upto: b % 64, crc }),
        30 => Frame::Heartbeat(Heartbeat { run: None, challenge: b }),
        _ => Frame::Bye(Bye { reason: Cause(a) }),
    })
}

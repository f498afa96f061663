//! What an agent says, for a host that has the fuzzer for one.

use feedrate::rdp::Channel;
use feedrate::rdp::frame::{
    Audit, Axes, Bye, Bytes, Capabilities, Cause, Cursor, Domains, Done, Durability, Error, ErrorCode, Frame,
    Heartbeat, Lifecycle, List, Map, Memory, Metrics, Reason, Record, Registers, RunState, Standing, State,
    Status, StopEffect, Stopped, Variables, Welcome,
};
use feedrate_rdp::arch::{Arch, CortexM};

use super::{FINGERPRINT, bytes};

pub const HOST_NONCE: [u8; 16] = *b"the host's nonce";
pub const DEVICE_NONCE: [u8; 16] = *b"device's 1st one";
/// What Welcome grants.
pub const CREDIT: u8 = 3;
/// Its loss time, in milliseconds.
pub const LOSS: u16 = 3_000;

/// An answer to `request`, on its channel, or something that is none.
pub fn answer(channel: Channel, request: u32, which: u8, a: u8, b: u32) -> (Channel, Vec<u8>) {
    let registers = [u64::from(b); 17];
    let values = CortexM::values(u64::from(b), &registers);
    let data = [a; 256];
    let records = [Record { index: b, ..Record::EMPTY }; 2];
    let (channel, frame) = match which % 16 {
        0..4 => (channel, Frame::Done(Done { request })),
        4 => (
            channel,
            Frame::Status(Status {
                request,
                run: RunState::Running,
                breakpoints: 1,
                forces: 2,
                steps: b,
                policy: 3,
                enabled: true,
                modified: false,
                stuck: a,
                last: None,
                uptime: b,
            }),
        ),
        5 => {
            let data = Bytes::new(&data[..usize::from(a)]);
            (channel, Frame::Memory(Memory { request, addr: b.into(), data }))
        }
        6 => (channel, Frame::Error(Error { request, code: ErrorCode(a.into()), detail: b })),
        7 => (
            Channel::Urgent,
            Frame::Stopped(Stopped {
                request,
                reason: Reason::Step,
                more: a & 1 == 1,
                axes: Standing::Stand,
                detail: b.into(),
                capture: b,
                values,
            }),
        ),
        8 => (channel, Frame::Registers(Registers { request, capture: b, values })),
        9 | 10 => {
            (Channel::Urgent, Frame::Heartbeat(Heartbeat { run: Some(RunState::Stopped), challenge: b }))
        }
        11 => (channel, Frame::Cursor(Cursor { request, cursor: Default::default() })),
        12 => {
            let records = List::new(&records);
            (channel, Frame::Audit(Audit { request, oldest: 0, next: b, lost: 0, records }))
        }
        13 => (channel, Frame::Axes(Axes { request, positions: List::new(&[-1, 2]) })),
        14 => match a % 3 {
            0 => (channel, Frame::Map(Map { request, total: 0, regions: List::new(&[]) })),
            1 => (channel, Frame::Metrics(Metrics { request, metrics: List::new(&[]) })),
            _ => {
                let variables = List::new(&[]);
                (channel, Frame::Variables(Variables { request, generation: b, total: 0, variables }))
            }
        },
        _ => (Channel::Urgent, Frame::Bye(Bye { reason: Cause(a) })),
    };
    (channel, bytes(&frame))
}

/// What the agent says first.
pub fn welcome(name: &[u8]) -> Vec<u8> {
    bytes(&Frame::Welcome(Welcome {
        version: 3,
        host_nonce: HOST_NONCE,
        device_nonce: DEVICE_NONCE,
        fingerprint: FINGERPRINT,
        architecture: 1,
        registers: 17,
        axes: 3,
        capabilities: Capabilities(255),
        generation: 1,
        longest: 600,
        credit: CREDIT,
        breakpoints: 8,
        memory: 256,
        forces: 4,
        rules: 4,
        lease: 60_000,
        heartbeat: 1_000,
        loss: LOSS,
        tolerance: 5_000,
        stall: 500,
        halt: StopEffect::Program,
        trap: StopEffect::Program,
        lost: StopEffect::Nothing,
        authority: Domains::ALL,
        expires: 60,
        boot: 1,
        record: 1,
        durability: Durability::Memory,
        records_lost: 0,
        lifecycle: Lifecycle::Development,
        suite: 0,
        suites: List::new(&[0]),
        name: Bytes::new(name),
    }))
}

/// How the machine is.
pub fn state() -> Vec<u8> {
    bytes(&Frame::State(State {
        run: RunState::Running,
        axes: List::new(&[1, 2, 3]),
        plc: List::new(&[]),
        cursor: Default::default(),
        modified: false,
        stuck: 0,
        last: None,
        detail: 0,
        cause: Cause::None,
        ended: List::new(&[]),
    }))
}

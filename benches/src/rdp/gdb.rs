//! GDB's remote protocol in the `gdbstub` crate. Its packet layer is private: what can be driven is its state
//! machine, byte by byte, which answers at once. So a packet is measured with one of a kind that it does not know,
//! whose answer is `+$#00`; and a request with `m`. The other half, GDB's own, is in none of these.

use std::convert::Infallible;
use std::num::NonZeroUsize;

use gdbstub::arch::{Arch, RegId, Registers};
use gdbstub::conn::Connection;
use gdbstub::stub::GdbStub;
use gdbstub::stub::state_machine::{GdbStubStateMachine, GdbStubStateMachineInner, state};
use gdbstub::target::ext::base::BaseOps;
use gdbstub::target::ext::base::singlethread::SingleThreadBase;
use gdbstub::target::{Target, TargetResult};

use super::exchange::LENGTH;
use crate::Sum;

/// What the stub says.
#[derive(Default)]
struct Said(Vec<u8>);

impl Connection for Said {
    type Error = Infallible;

    fn write(&mut self, byte: u8) -> Result<(), Infallible> {
        self.0.push(byte);
        Ok(())
    }

    fn write_all(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

enum Plain {}

#[derive(Debug, Default, Clone, PartialEq)]
pub struct Nothing;

#[derive(Debug)]
pub enum NoRegister {}

impl RegId for NoRegister {
    fn from_raw_id(_: usize) -> Option<(Self, Option<NonZeroUsize>)> {
        None
    }
}

impl Registers for Nothing {
    type ProgramCounter = u32;

    fn pc(&self) -> u32 {
        0
    }

    fn gdb_serialize(&self, _: impl FnMut(Option<u8>)) {}

    fn gdb_deserialize(&mut self, _: &[u8]) -> Result<(), ()> {
        Ok(())
    }
}

impl Arch for Plain {
    type Usize = u32;
    type Registers = Nothing;
    type BreakpointKind = usize;
    type RegId = NoRegister;
}

/// The same memory as that of the exchange. It is a target of `gdbstub`, which nothing in the testkit is.
struct Machine {
    memory: [u8; 256],
}

impl Target for Machine {
    type Arch = Plain;
    type Error = Infallible;

    fn base_ops(&mut self) -> BaseOps<'_, Plain, Infallible> {
        BaseOps::SingleThread(self)
    }

    fn guard_rail_implicit_sw_breakpoints(&self) -> bool {
        true
    }
}

impl SingleThreadBase for Machine {
    fn read_registers(&mut self, _: &mut Nothing) -> TargetResult<(), Self> {
        Ok(())
    }

    fn write_registers(&mut self, _: &Nothing) -> TargetResult<(), Self> {
        Ok(())
    }

    fn read_addrs(&mut self, addr: u32, into: &mut [u8]) -> TargetResult<usize, Self> {
        let start = (addr & 0x7F) as usize;
        into.copy_from_slice(&self.memory[start..start + into.len()]);
        Ok(into.len())
    }

    fn write_addrs(&mut self, _: u32, _: &[u8]) -> TargetResult<(), Self> {
        Ok(())
    }
}

fn packet(payload: &[u8]) -> Vec<u8> {
    let sum = payload.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    let mut packet = vec![b'$'];
    packet.extend_from_slice(payload);
    packet.extend_from_slice(format!("#{sum:02x}").as_bytes());
    packet
}

/// `count` packets of a kind that the stub does not know.
pub fn unknown(payload: usize, count: usize) -> Vec<u8> {
    let payload: Vec<u8> = (0..payload).map(|i| b"_0123456789abcdef"[i % 17]).collect();
    packet(&payload).repeat(count)
}

/// What is asked of the stub: memory, as often as there are different places, and the `+` for the answer before.
pub fn questions() -> Vec<Vec<u8>> {
    let question = |i| [b"+".to_vec(), packet(format!("m{i:x},{LENGTH:x}").as_bytes())].concat();
    (0..64).map(question).collect()
}

type Idle<'a> = GdbStubStateMachineInner<'a, state::Idle<Machine>, Machine, Said>;

/// Answers the number of bytes that the stub said to all of them.
fn drive<'q>(questions: impl Iterator<Item = &'q [u8]>) -> Sum {
    let mut machine = Machine { memory: std::array::from_fn(|i| i as u8) };
    let mut memory = [0; 1100];
    let stub =
        GdbStub::builder(Said::default()).with_packet_buffer(&mut memory).build().expect("all it needs");
    let GdbStubStateMachine::Idle(mut idle) =
        stub.run_state_machine(&mut machine).expect("no error is possible")
    else {
        panic!("it is to wait")
    };
    let mut sum = Sum::default();
    for question in questions {
        idle = hear(idle, &mut machine, question);
        let said = &mut idle.borrow_conn().0;
        sum.bytes(said);
        said.clear();
    }
    sum
}

#[inline]
fn hear<'a>(mut idle: Idle<'a>, machine: &mut Machine, question: &[u8]) -> Idle<'a> {
    for byte in question {
        idle = match idle.incoming_data(machine, *byte).expect("no error is possible") {
            GdbStubStateMachine::Idle(idle) => idle,
            _ => panic!("it is to wait"),
        };
    }
    idle
}

#[inline(never)]
pub fn packets(stream: &[u8]) -> Sum {
    // In one piece: what is said is looked at in the end.
    drive(std::iter::once(stream))
}

#[inline(never)]
pub fn ask(questions: &[Vec<u8>], times: usize) -> Sum {
    drive(questions.iter().map(Vec::as_slice).cycle().take(times))
}

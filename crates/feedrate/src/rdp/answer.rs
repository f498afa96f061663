//! Bodies of what the agent sends (SPEC section 6.4).

use super::audit::Record;
use super::error::ErrorCode;
use super::frame::body;
use super::status::RunState;
use super::target::{Cursor, Fingerprint};
use super::values::Values;
use super::wire::{Bytes, Field, List, Reader, Writer, enumeration, fields};

fields! {
    /// The body of Done.
    Done {
        /// Sequence of the command.
        request: u32,
    }
}

fields! {
    /// The body of BreakpointSet.
    BreakpointSet {
        /// Sequence of the command.
        request: u32,
        /// The breakpoint.
        id: u32,
        /// Which of the target's slots it takes.
        slot: u16,
    }
}

enumeration! {
    /// What a breakpoint was set as.
    SetAs:
    /// As the target likes.
    Any = 0,
    /// In hardware.
    Hardware = 1,
    /// In software.
    Software = 2,
    /// A watchpoint.
    Watch = 3,
}

fields! {
    /// A breakpoint in a list.
    Listed {
        /// The breakpoint.
        id: u32,
        /// Its address.
        addr: u64,
        /// What it was set as.
        trap: SetAs,
        /// How often it was met.
        hits: u32,
    }
}

fields! {
    /// The body of Breakpoints.
    Breakpoints<'a> {
        /// Sequence of the command.
        request: u32,
        /// Whether there are more than found room here.
        more: bool,
        /// In rising order of id.
        breakpoints: List<'a, Listed, u8>,
    }
}

enumeration! {
    /// Why the program stands still.
    Reason:
    /// It was stepped.
    Step = 1,
    /// It met a breakpoint, whose id is the detail.
    Breakpoint = 2,
    /// It met a watchpoint: its id is the upper half of the detail, and the address the lower.
    Watch = 3,
    /// It was told to halt.
    Halted = 4,
    /// It did something that cannot be; the detail is the architecture's code.
    Fault = 5,
    /// An interlock stopped it.
    Interlock = 6,
    /// It has been reset.
    Reset = 7,
}

fields! {
    /// The body of Stopped.
    Stopped<'a> {
        /// Sequence of the Halt or Step that it comes from, or 0.
        request: u32,
        /// Why.
        reason: Reason,
        /// Whether further steps of the same request follow.
        more: bool,
        /// Depends on the reason.
        detail: u64,
        /// Number of the capture.
        capture: u32,
        /// The registers that have changed since they were last sent, and the program counter.
        values: Values<'a>,
    }
}

fields! {
    /// The body of Registers.
    Registers<'a> {
        /// Sequence of the command.
        request: u32,
        /// Number of the capture.
        capture: u32,
        /// The registers that were asked for.
        values: Values<'a>,
    }
}

fields! {
    /// The body of Memory.
    Memory<'a> {
        /// Sequence of the command.
        request: u32,
        /// First address.
        addr: u64,
        /// What is there. If shorter than asked for, the rest is not mapped, or too much for one answer.
        data: Bytes<'a, u16>,
    }
}

fields! {
    /// The body of Status.
    Status {
        /// Sequence of the command.
        request: u32,
        /// How the program is.
        run: RunState,
        /// Number of breakpoints.
        breakpoints: u16,
        /// Number of forced variables.
        forces: u16,
        /// Steps that are still to be done.
        steps: u32,
        /// Version of the policy, 0 if there is none.
        policy: u32,
        /// Whether the policy is in force.
        enabled: bool,
        /// Milliseconds since the agent's start.
        uptime: u32,
    }
}

fields! {
    /// The body of Axes.
    Axes<'a> {
        /// Sequence of the command.
        request: u32,
        /// Nanometres.
        positions: List<'a, i64, u8>,
    }
}

fields! {
    /// The body of Plc.
    Plc<'a> {
        /// Sequence of the command.
        request: u32,
        /// Index of the first register.
        first: u16,
        /// What is in them.
        registers: List<'a, u16, u16>,
    }
}

fields! {
    /// The body of Cursor.
    CursorAt {
        /// Sequence of the command.
        request: u32,
        /// Where the G-code program stands.
        cursor: Cursor,
    }
}

impl Field<'_> for Cursor {
    fn read(reader: &mut Reader<'_>) -> Self {
        Self { program: u32::read(reader), line: u32::read(reader), offset: u32::read(reader) }
    }

    fn write(&self, out: &mut Writer<'_>) {
        self.program.write(out);
        self.line.write(out);
        self.offset.write(out);
    }
}

fields! {
    /// The body of Audit.
    Audit<'a> {
        /// Sequence of the command.
        request: u32,
        /// Index of the oldest record that is still there.
        oldest: u32,
        /// Index of the record that will be written next.
        next: u32,
        /// The records.
        records: List<'a, Record, u8>,
    }
}

fields! {
    /// One of the agent's counters.
    Metric {
        /// Its number (SPEC section 8.8).
        metric: u16,
        /// How much.
        value: u32,
    }
}

fields! {
    /// The body of Metrics.
    Metrics<'a> {
        /// Sequence of the command.
        request: u32,
        /// The counters.
        metrics: List<'a, Metric, u8>,
    }
}

fields! {
    /// The body of Welcome.
    Welcome<'a> {
        /// Version of the protocol.
        version: u8,
        /// That of Hello.
        host_nonce: [u8; 16],
        /// Never used before.
        device_nonce: [u8; 16],
        /// Which device this is.
        fingerprint: Fingerprint,
        /// [`Arch::ID`](super::Arch::ID).
        architecture: u16,
        /// Number of registers.
        registers: u8,
        /// Number of axes.
        axes: u8,
        /// What the target can do: [`Capabilities`](super::Capabilities).
        capabilities: u32,
        /// The longest message that the agent accepts, in bytes.
        longest: u16,
        /// How many breakpoints there can be.
        breakpoints: u16,
        /// The most bytes that one ReadMemory answers.
        memory: u16,
        /// How many variables can be forced.
        forces: u8,
        /// How many rules a policy can have.
        rules: u8,
        /// How often each side is to be heard of, in milliseconds.
        heartbeat: u16,
        /// After how long a silence the peer counts as lost, in milliseconds.
        loss: u16,
        /// How far a message's time may be off, in milliseconds.
        tolerance: u16,
        /// What the token grants: [`Domains`](super::Domains).
        authority: u8,
        /// Name of the firmware: UTF-8, at most 32 bytes.
        name: Bytes<'a, u8>,
    }
}

fields! {
    /// The body of State.
    State<'a> {
        /// How the program is.
        run: RunState,
        /// Positions in nanometres.
        axes: List<'a, i64, u8>,
        /// The first registers of the PLC.
        plc: List<'a, u16, u8>,
        /// Where the G-code program stands.
        cursor: Cursor,
    }
}

fields! {
    /// The body of Error.
    Refused {
        /// Sequence of the command; 0 in the handshake.
        request: u32,
        /// Why it was not done.
        code: ErrorCode,
        /// Depends on the code.
        detail: u32,
    }
}

body! {
    Done = Done,
    BreakpointSet = BreakpointSet,
    Breakpoints<'_> = Breakpoints,
    Stopped<'_> = Stopped,
    Registers<'_> = Registers,
    Memory<'_> = Memory,
    Status = Status,
    Axes<'_> = Axes,
    Plc<'_> = Plc,
    CursorAt = Cursor,
    Audit<'_> = Audit,
    Metrics<'_> = Metrics,
    Welcome<'_> = Welcome,
    State<'_> = State,
    Refused = Error,
}

//! Bodies of what the host sends (SPEC sections 6.1 and 6.3).

use super::frame::{Problem, body};
use super::status::RunState;
use super::target::{Access, Fingerprint};
use super::wire::{Bytes, Field, List, Reader, Writer, enumeration, fields};

fields! {
    /// The breakpoint frame's body.
    Breakpoint {
        /// The instruction's address.
        addr: u64,
        /// Chosen by the host, unique in the session.
        id: u32,
    }
}

fields! {
    /// The body of SetWatchpoint.
    SetWatchpoint {
        /// Address of the data.
        addr: u64,
        /// Chosen by the host, unique in the session, among breakpoints too.
        id: u32,
        /// Bytes that are watched, at least 1.
        length: u32,
        /// Which accesses count.
        access: Access,
    }
}

impl Field<'_> for Access {
    fn read(reader: &mut Reader<'_>) -> Self {
        match u8::read(reader) {
            1 => Self::Read,
            2 => Self::Write,
            3 => Self::Any,
            _ => {
                reader.fail(Problem::Value);
                Self::Any
            }
        }
    }

    fn write(&self, out: &mut Writer<'_>) {
        out.byte(match self {
            Self::Read => 1,
            Self::Write => 2,
            Self::Any => 3,
        });
    }
}

fields! {
    /// The body of Step.
    Step {
        /// How many instructions, at least 1.
        count: u32,
        /// Whether every step is told of, and not the last one alone.
        trace: bool,
    }
}

fields! {
    /// The body of ReadRegisters.
    ReadRegisters {
        /// Whether those are left out that have not changed since they were last sent.
        changed: bool,
    }
}

fields! {
    /// The body of ReadMemory.
    ReadMemory {
        /// First address.
        addr: u64,
        /// Number of bytes, at least 1.
        length: u16,
    }
}

fields! {
    /// The body of Force.
    Force<'a> {
        /// Address of the variable.
        addr: u64,
        /// How long it is held, in milliseconds, at least 1.
        lease: u32,
        /// Which device this is meant for.
        fingerprint: Fingerprint,
        /// 1 to 16 bytes, in the target's byte order.
        value: Bytes<'a, u8>,
    }
}

fields! {
    /// The body of Release.
    Release {
        /// Address of the variable.
        addr: u64,
        /// Which device this is meant for.
        fingerprint: Fingerprint,
    }
}

fields! {
    /// The body of SetAxis.
    SetAxis {
        /// Index of the axis.
        axis: u8,
        /// Nanometres.
        position: i64,
        /// Which device this is meant for.
        fingerprint: Fingerprint,
    }
}

fields! {
    /// The body of ReadPlc.
    ReadPlc {
        /// Index of the first register.
        first: u16,
        /// Number of registers.
        count: u16,
    }
}

fields! {
    /// The body of ReadAudit.
    ReadAudit {
        /// Index of the first record that is wanted. The host has all before it.
        from: u32,
        /// The most records that are wanted, at least 1.
        count: u8,
    }
}

enumeration! {
    /// What a rule of a policy says of breakpoints at its addresses.
    Action:
    /// There must be none.
    Deny = 0,
    /// There may be.
    Allow = 1,
}

fields! {
    /// A rule of a policy.
    Rule {
        /// First address it is about.
        first: u64,
        /// Last address it is about.
        last: u64,
        /// What it says.
        action: Action,
    }
}

fields! {
    /// The body of PushPolicy.
    PushPolicy<'a> {
        /// Greater than that of the policy before.
        version: u32,
        /// Whether it is in force, or only laid down.
        enabled: bool,
        /// The first that contains an address decides.
        rules: List<'a, Rule, u8>,
    }
}

fields! {
    /// The body of Hello.
    Hello<'a> {
        /// Lowest version of the protocol that the host speaks.
        lowest: u8,
        /// Highest version of the protocol that the host speaks.
        highest: u8,
        /// Random.
        nonce: [u8; 16],
        /// The longest message that the host accepts, in bytes.
        longest: u16,
        /// Who the host acts for. At most 384 bytes.
        token: Bytes<'a, u16>,
    }
}

fields! {
    /// The body of Agree.
    Agree {
        /// CRC-32 of the body of State.
        crc: u32,
    }
}

fields! {
    /// The body of Heartbeat.
    Heartbeat {
        /// How the program is; `None` from a host.
        run: Option<RunState>,
    }
}

fields! {
    /// The body of Bye.
    Bye {
        /// Why the session ends.
        reason: u8,
    }
}

body! {
    Hello<'_> = Hello,
    Agree = Agree,
    Heartbeat = Heartbeat,
    Bye = Bye,
}

//! The commands, as they are typed.

use feedrate::rdp::frame::{Access, Action};
use feedrate_rdp::target::Trap;

use crate::names::{Place, Value};
use crate::words::Words;

pub(crate) const HELP: &str = "\
status                          how the agent is
state                           how the machine is: device, program, axes, PLC, G-code cursor
regs [changed]                  registers; or those that have changed since they were last shown
setreg REGISTER VALUE           by name, or by number
read ADDR [LENGTH]              memory; of a name LENGTH is known
write ADDR VALUE [--size N]     into the memory of a program that stands
watch ADDR [LENGTH] [--count N] [--every MS]
                                reads a variable again and again, and shows it when it changes
break set ADDR [ID] [--hardware|--software]
break clear ID                  (or just: break ADDR, clear ID)
break list
watchpoint ADDR LENGTH [ID] [--read|--write|--any]
                                stops when a variable is accessed; written, unless told otherwise
halt; resume; continue          continue: resume, and wait
step [COUNT] [--quiet]          executes instructions; without --quiet it shows each
step over                       executes one instruction, and what it calls
step range FIRST LAST [--over]  steps as long as the program is there; --over: also in what it calls from there
wait [MS]                       until the program stops
force ADDR VALUE --lease MS [--safe VALUE] [--size N]
                                holds a variable at a value; at the end it is given the safe one, if there is one
renew ADDR --lease MS           for so long from now on
release ADDR
setaxis AXIS POSITION           in nanometres, or 12.5mm
axes; plc FIRST COUNT; cursor   parts of state
variables                       those that have names
map                             which memory there is
audit [FROM] [--release]        the log of who did what; --release: what was shown may be overwritten
metrics                         what the agent counts
policy VERSION [--replaces VERSION] on|off [allow|deny FIRST LAST]...
                                which breakpoints are allowed; the first rule that fits decides
sleep MS; help; quit
Numbers are decimal, or hexadecimal behind 0x; bytes stand behind hex:. ADDR can be a name, or name+offset: of a
variable that the agent lists, or of a symbol in --elf. A VALUE is of the variable's type; 4 bytes, lowest first,
where there is none, unless --size says otherwise.
";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Command {
    Status,
    State,
    Registers { changed: bool },
    SetRegister { register: String, value: u64 },
    Read { place: Place, length: Option<usize> },
    Write { place: Place, value: Value },
    Watch { place: Place, length: Option<usize>, count: Option<u32>, every: u32 },
    SetBreakpoint { place: Place, id: Option<u32>, trap: Trap },
    ClearBreakpoint { id: u32 },
    ListBreakpoints,
    Halt,
    Resume,
    Continue,
    Step { count: u32, trace: bool },
    StepOver,
    StepRange { first: Place, last: Place, over: bool },
    Wait { within: Option<u32> },
    Force { place: Place, value: Value, safe: Option<Value>, lease: u32 },
    Renew { place: Place, lease: u32 },
    Release { place: Place },
    SetAxis { axis: u8, position: i64 },
    Axes,
    Plc { first: u16, count: u16 },
    Cursor,
    Variables,
    Map,
    Audit { from: u32, release: bool },
    Metrics,
    Policy { version: u32, replaces: Option<u32>, enabled: bool, rules: Vec<(Action, Place, Place)> },
    Sleep { milliseconds: u32 },
    Help,
    Quit,
}

impl Command {
    /// Reads commands that are separated by semicolons, commas or line ends.
    pub(crate) fn parse_all(text: &str) -> Result<Vec<Self>, String> {
        let single = text.split([';', ',', '\n']).map(str::trim).filter(|single| !single.is_empty());
        single.map(|single| Self::parse(single).map_err(|wrong| format!("{single:?}: {wrong}"))).collect()
    }

    fn parse(text: &str) -> Result<Self, String> {
        let mut words = Words { rest: text.split_whitespace().collect() };
        let command = match words.next("a command")? {
            "status" => Self::Status,
            "state" => Self::State,
            "regs" | "registers" => Self::Registers { changed: words.flag("changed") },
            "setreg" => {
                Self::SetRegister { register: words.next("REGISTER")?.into(), value: words.number("VALUE")? }
            }
            "read" => {
                let place = words.place()?;
                let length = match place {
                    Place::At(_) => Some(words.number("LENGTH")?),
                    Place::Named(..) => words.optional("LENGTH")?,
                };
                Self::Read { place, length }
            }
            "write" => {
                let size = words.option_number("--size")?;
                let place = words.place()?;
                Self::Write { value: words.value(&place, size)?, place }
            }
            "watch" => {
                let count = words.option_number("--count")?;
                let every = words.option_number("--every")?.unwrap_or(100);
                Self::Watch { place: words.place()?, length: words.optional("LENGTH")?, count, every }
            }
            "break" if words.flag("list") => Self::ListBreakpoints,
            "break" if words.flag("clear") => Self::ClearBreakpoint { id: words.number("ID")? },
            "break" => {
                words.flag("set");
                let trap = match (words.flag("--hardware"), words.flag("--software")) {
                    (true, false) => Trap::Hardware,
                    (false, true) => Trap::Software,
                    (false, false) => Trap::Any,
                    (true, true) => return Err("either --hardware or --software".into()),
                };
                Self::SetBreakpoint { place: words.place()?, id: words.optional("ID")?, trap }
            }
            "clear" => Self::ClearBreakpoint { id: words.number("ID")? },
            "watchpoint" => {
                let access = match (words.flag("--read"), words.flag("--write"), words.flag("--any")) {
                    (false, _, false) => Access::Write,
                    (true, false, false) => Access::Read,
                    _ => Access::Any,
                };
                let (place, length) = (words.place()?, words.number("LENGTH")?);
                let trap = Trap::Watch { length, access };
                Self::SetBreakpoint { place, id: words.optional("ID")?, trap }
            }
            "halt" => Self::Halt,
            "resume" => Self::Resume,
            "continue" => Self::Continue,
            "step" if words.flag("over") => Self::StepOver,
            "step" if words.flag("range") => {
                let over = words.flag("--over");
                Self::StepRange { first: words.place()?, last: words.place()?, over }
            }
            "step" => {
                let trace = !words.flag("--quiet");
                Self::Step { count: words.optional("COUNT")?.unwrap_or(1), trace }
            }
            "wait" => Self::Wait { within: words.optional("MS")? },
            "force" => {
                let lease = lease(&mut words)?;
                let size = words.option_number("--size")?;
                // In the order in which they are typed, but for the option in front of them.
                let safe = words.option("--safe")?;
                let place = words.place()?;
                let value = words.value(&place, size)?;
                let safe = safe.map(|text| Words { rest: vec![text] }.value(&place, size)).transpose()?;
                Self::Force { value, safe, place, lease }
            }
            "renew" => Self::Renew { lease: lease(&mut words)?, place: words.place()? },
            "release" => Self::Release { place: words.place()? },
            "setaxis" => Self::SetAxis { axis: words.number("AXIS")?, position: words.position()? },
            "axes" => Self::Axes,
            "plc" => Self::Plc {
                first: words.optional("FIRST")?.unwrap_or(0),
                count: words.optional("COUNT")?.unwrap_or(32),
            },
            "cursor" => Self::Cursor,
            "variables" => Self::Variables,
            "map" => Self::Map,
            "audit" => {
                let release = words.flag("--release");
                Self::Audit { from: words.optional("FROM")?.unwrap_or(0), release }
            }
            "metrics" => Self::Metrics,
            "policy" => {
                let replaces = words.option_number("--replaces")?;
                let version = words.number("VERSION")?;
                let enabled = words.choice("on or off", &[("on", true), ("off", false)])?;
                let mut rules = Vec::new();
                while !words.rest.is_empty() {
                    let actions = [("allow", Action::Allow), ("deny", Action::Deny)];
                    let action = words.choice("allow or deny", &actions)?;
                    rules.push((action, words.place()?, words.place()?));
                }
                Self::Policy { version, replaces, enabled, rules }
            }
            "sleep" => Self::Sleep { milliseconds: words.number("MS")? },
            "help" => Self::Help,
            "quit" | "exit" | "bye" => Self::Quit,
            _ => return Err("there is no such command; see help".into()),
        };
        match words.rest.first() {
            None => Ok(command),
            Some(word) => Err(format!("{word:?} is too much")),
        }
    }

    /// Where it is to do something.
    pub(crate) fn places(&self) -> Vec<&Place> {
        match self {
            Self::Read { place, .. }
            | Self::Write { place, .. }
            | Self::Watch { place, .. }
            | Self::SetBreakpoint { place, .. }
            | Self::Force { place, .. }
            | Self::Renew { place, .. }
            | Self::Release { place } => vec![place],
            Self::StepRange { first, last, .. } => vec![first, last],
            Self::Policy { rules, .. } => rules.iter().flat_map(|(_, first, last)| [first, last]).collect(),
            _ => Vec::new(),
        }
    }
}

fn lease(words: &mut Words<'_>) -> Result<u32, String> {
    let lease = words.option_number("--lease")?;
    lease.ok_or_else(|| "--lease MS is missing: a force ends by itself".into())
}

//! The commands, as they are typed.

use feedrate::rdp::frame::{Access, Action, Rule};
use feedrate_rdp::target::Trap;

use crate::symbols::Symbols;

pub(crate) const HELP: &str = "\
status                          how the agent is
state                           how the machine is: program, axes, PLC, G-code cursor
regs [changed]                  registers; or those that have changed since they were last shown
read ADDR LENGTH                memory
watch ADDR [LENGTH] [--count N] [--every MS]
                                reads a variable again and again, and shows it when it changes
break set ADDR [ID] [--hardware|--software]
break clear ID                  (or just: break ADDR, clear ID)
break list
watchpoint ADDR LENGTH [ID] [--read|--write|--any]
                                stops when a variable is accessed; written, unless told otherwise
halt; resume; continue           continue: resume, and wait
step [COUNT] [--quiet]          executes instructions; without --quiet it shows each
wait [MS]                       until the program stops
force ADDR VALUE --lease MS [--size N]
                                holds a variable at a value; 4 bytes, lowest first, unless told otherwise
release ADDR
setaxis AXIS POSITION           in nanometres, or 12.5mm
axes; plc FIRST COUNT; cursor   parts of state
audit [FROM]                    the log of who did what; what was shown may then be overwritten
metrics                         what the agent counts
policy VERSION on|off [allow|deny FIRST LAST]...
                                which breakpoints are allowed; the first rule that fits decides
sleep MS; help; quit
Numbers are decimal, or hexadecimal behind 0x. ADDR can be a name, or name+offset, with --symbols.
";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Command {
    Status,
    State,
    Registers { changed: bool },
    Read { addr: u64, length: usize },
    Watch { addr: u64, length: u16, count: Option<u32>, every: u32 },
    SetBreakpoint { addr: u64, id: Option<u32>, trap: Trap },
    ClearBreakpoint { id: u32 },
    ListBreakpoints,
    Halt,
    Resume,
    Continue,
    Step { count: u32, trace: bool },
    Wait { within: Option<u32> },
    Force { addr: u64, value: Vec<u8>, lease: u32 },
    Release { addr: u64 },
    SetAxis { axis: u8, position: i64 },
    Axes,
    Plc { first: u16, count: u16 },
    Cursor,
    Audit { from: u32 },
    Metrics,
    Policy { version: u32, enabled: bool, rules: Vec<Rule> },
    Sleep { milliseconds: u32 },
    Help,
    Quit,
}

impl Command {
    /// Reads commands that are separated by semicolons, commas or line ends.
    pub(crate) fn parse_all(text: &str, symbols: &Symbols) -> Result<Vec<Self>, String> {
        let single = text.split([';', ',', '\n']).map(str::trim).filter(|single| !single.is_empty());
        single
            .map(|single| Self::parse(single, symbols).map_err(|wrong| format!("{single:?}: {wrong}")))
            .collect()
    }

    fn parse(text: &str, symbols: &Symbols) -> Result<Self, String> {
        let mut words = Words { rest: text.split_whitespace().collect(), symbols };
        let command = match words.next("a command")? {
            "status" => Self::Status,
            "state" => Self::State,
            "regs" | "registers" => Self::Registers { changed: words.flag("changed") },
            "read" => Self::Read { addr: words.addr()?, length: words.number("LENGTH")? },
            "watch" => {
                let count = words.option("--count")?;
                let every = words.option("--every")?.unwrap_or(100);
                Self::Watch {
                    addr: words.addr()?,
                    length: words.optional("LENGTH")?.unwrap_or(4),
                    count,
                    every,
                }
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
                Self::SetBreakpoint { addr: words.addr()?, id: words.optional("ID")?, trap }
            }
            "clear" => Self::ClearBreakpoint { id: words.number("ID")? },
            "watchpoint" => {
                let access = match (words.flag("--read"), words.flag("--write"), words.flag("--any")) {
                    (false, _, false) => Access::Write,
                    (true, false, false) => Access::Read,
                    _ => Access::Any,
                };
                let (addr, length) = (words.addr()?, words.number("LENGTH")?);
                let trap = Trap::Watch { length, access };
                Self::SetBreakpoint { addr, id: words.optional("ID")?, trap }
            }
            "halt" => Self::Halt,
            "resume" => Self::Resume,
            "continue" => Self::Continue,
            "step" => {
                let trace = !words.flag("--quiet");
                Self::Step { count: words.optional("COUNT")?.unwrap_or(1), trace }
            }
            "wait" => Self::Wait { within: words.optional("MS")? },
            "force" => {
                let lease =
                    words.option("--lease")?.ok_or("--lease MS is missing: a force ends by itself")?;
                let size = words.option("--size")?.unwrap_or(4);
                Self::Force { addr: words.addr()?, value: words.value(size)?, lease }
            }
            "release" => Self::Release { addr: words.addr()? },
            "setaxis" => Self::SetAxis { axis: words.number("AXIS")?, position: words.position()? },
            "axes" => Self::Axes,
            "plc" => Self::Plc {
                first: words.optional("FIRST")?.unwrap_or(0),
                count: words.optional("COUNT")?.unwrap_or(32),
            },
            "cursor" => Self::Cursor,
            "audit" => Self::Audit { from: words.optional("FROM")?.unwrap_or(0) },
            "metrics" => Self::Metrics,
            "policy" => {
                let version = words.number("VERSION")?;
                let enabled = words.choice("on or off", &[("on", true), ("off", false)])?;
                let mut rules = Vec::new();
                while !words.rest.is_empty() {
                    let actions = [("allow", Action::Allow), ("deny", Action::Deny)];
                    let action = words.choice("allow or deny", &actions)?;
                    rules.push(Rule { first: words.addr()?, last: words.addr()?, action });
                }
                Self::Policy { version, enabled, rules }
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
}

/// The words of a command that have not been looked at.
struct Words<'a> {
    rest: Vec<&'a str>,
    symbols: &'a Symbols,
}

impl<'a> Words<'a> {
    fn next(&mut self, what: &str) -> Result<&'a str, String> {
        if self.rest.is_empty() { Err(format!("{what} is missing")) } else { Ok(self.rest.remove(0)) }
    }

    fn number<T: TryFrom<u64>>(&mut self, what: &str) -> Result<T, String> {
        let word = self.next(what)?;
        let number = number(word).and_then(|number| T::try_from(number).ok());
        number
            .ok_or_else(|| format!("{word:?} is no {what}: expected a number of {} bits", 8 * size_of::<T>()))
    }

    fn optional<T: TryFrom<u64>>(&mut self, what: &str) -> Result<Option<T>, String> {
        if self.rest.is_empty() { Ok(None) } else { self.number(what).map(Some) }
    }

    /// Whether a word is there. It is taken away.
    fn flag(&mut self, flag: &str) -> bool {
        let at = self.rest.iter().position(|word| *word == flag);
        at.is_some_and(|at| self.rest.remove(at) == flag)
    }

    /// The number behind a word. Both are taken away.
    fn option<T: TryFrom<u64>>(&mut self, option: &str) -> Result<Option<T>, String> {
        let Some(at) = self.rest.iter().position(|word| *word == option) else { return Ok(None) };
        let mut behind = Words { rest: self.rest.split_off(at), symbols: self.symbols };
        behind.rest.remove(0);
        let number = behind.number(option)?;
        self.rest.append(&mut behind.rest);
        Ok(Some(number))
    }

    fn addr(&mut self) -> Result<u64, String> {
        let word = self.next("ADDR")?;
        let (name, offset) = match word.split_once('+') {
            Some((name, offset)) => (name, number(offset)),
            None => (word, Some(0)),
        };
        let start = number(name).or_else(|| self.symbols.address(name));
        let addr = start.zip(offset).and_then(|(start, offset)| start.checked_add(offset));
        addr.ok_or_else(|| format!("{word:?} is no address, nor a name that --symbols knows"))
    }

    /// So many bytes, the lowest first; or bytes as they are, behind `hex:`.
    fn value(&mut self, size: usize) -> Result<Vec<u8>, String> {
        let word = self.next("VALUE")?;
        let wrong = || format!("{word:?} is no VALUE: expected a number of {size} bytes, or hex:BYTES");
        if let Some(text) = word.strip_prefix("hex:") {
            return bytes(text).ok_or_else(wrong);
        }
        let (negative, digits) = word.strip_prefix('-').map_or((false, word), |digits| (true, digits));
        let magnitude = i128::from(number(digits).ok_or_else(wrong)?);
        let value = if negative { -magnitude } else { magnitude };
        let bits = 8 * u32::try_from(size).unwrap_or(u32::MAX).min(8);
        let fits = size <= 8 && value >= -(1_i128 << bits >> 1) && value < 1_i128 << bits;
        if fits { Ok(value.to_le_bytes()[..size].to_vec()) } else { Err(wrong()) }
    }

    /// Nanometres, or millimetres with a decimal point.
    fn position(&mut self) -> Result<i64, String> {
        let word = self.next("POSITION")?;
        let position = match word.strip_suffix("mm") {
            None => word.parse().ok(),
            Some(millimetres) => {
                let (whole, part) = millimetres.split_once('.').unwrap_or((millimetres, ""));
                let digits = format!("{whole}{part:0<6}");
                if part.len() <= 6 { digits.parse().ok() } else { None }
            }
        };
        position.ok_or_else(|| {
            format!("{word:?} is no POSITION: expected nanometres, or millimetres as in 12.5mm")
        })
    }

    fn choice<T: Copy>(&mut self, what: &str, choices: &[(&str, T)]) -> Result<T, String> {
        let word = self.next(what)?;
        let found = choices.iter().find(|(name, _)| *name == word);
        found.map(|(_, choice)| *choice).ok_or_else(|| format!("{word:?} is not {what}"))
    }
}

/// A number, decimal or behind `0x`.
pub(crate) fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// Bytes, two hexadecimal digits each.
pub(crate) fn bytes(text: &str) -> Option<Vec<u8>> {
    let digits = text.chars().map(|digit| digit.to_digit(16)).collect::<Option<Vec<_>>>()?;
    let pairs = digits.chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return None;
    }
    pairs.map(|pair| u8::try_from(pair[0] << 4 | pair[1]).ok()).collect()
}

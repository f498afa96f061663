//! What each command does, and what is printed of it.

use std::io::{self, IsTerminal, Write};

use feedrate::rdp::frame::{
    self, Breakpoint, Bytes, Force, List, Listed, PushPolicy, ReadAudit, ReadMemory, ReadPlc, ReadRegisters,
    Release, RunState, SetAxis, SetWatchpoint, Step,
};
use feedrate_rdp::host::command;
use feedrate_rdp::target::Trap;

use crate::client::{Client, Stop};
use crate::command::{Command, HELP};
use crate::failure::Failure;
use crate::show;
use crate::symbols::Symbols;

pub(crate) struct Tool {
    client: Client,
    symbols: Symbols,
    /// Why the program stands, since it does; `None` while it runs, or stood from the beginning.
    stop: Option<Stop>,
    /// For the next breakpoint.
    id: u32,
}

/// What a refused command was.
trait Refusable<T> {
    fn of(self, what: &str) -> Result<T, Failure>;
}

impl<T> Refusable<T> for Result<T, frame::Error> {
    fn of(self, what: &str) -> Result<T, Failure> {
        self.map_err(|refused| Failure::Refused { what: what.into(), refused })
    }
}

impl Tool {
    pub(crate) const fn new(client: Client, symbols: Symbols) -> Self {
        Self { client, symbols, stop: None, id: 1 }
    }

    /// Reads commands and executes them. Those that fail do not end it, but are remembered in the exit code.
    pub(crate) fn converse(&mut self) -> Result<(), Failure> {
        let prompt = io::stdin().is_terminal();
        let mut result = Ok(());
        if prompt {
            let device = self.client.device()?;
            show::say(&format!(
                "{} ({}), {:?}",
                device.name(),
                show::hex(&device.fingerprint),
                self.client.state()?.run
            ));
        }
        let ask = || {
            if prompt {
                let mut out = io::stdout().lock();
                let _ = out.write_all(b"rdp> ").and_then(|()| out.flush());
            }
        };
        loop {
            ask();
            let Self { client, symbols, stop, .. } = self;
            let line = client.line(|stops| {
                // The program has come to a stand while nothing was typed.
                while let Some(news) = stops.pop_front() {
                    show::say(&show::stop(&news, symbols));
                    *stop = Some(news);
                    ask();
                }
            })?;
            let Some(line) = line else { return result };
            let commands = Command::parse_all(&line, &self.symbols).map_err(Failure::Usage);
            match commands.and_then(|commands| self.execute_all(&commands)) {
                Ok(false) => return result,
                Err(failure) if failure.leaves_session() => {
                    eprintln!("rdp: {failure}");
                    result = Err(Failure::Told(failure.exit_code()));
                }
                done => drop(done?),
            }
        }
    }

    /// Says goodbye, if there is still anybody.
    pub(crate) fn finish(mut self, done: Result<(), Failure>) -> Result<(), Failure> {
        let there = match &done {
            Ok(()) | Err(Failure::Interrupted) => true,
            Err(failure) => failure.leaves_session(),
        };
        if there {
            self.client.bye();
        }
        done
    }

    /// Executes commands up to the first that fails. Answers whether more are wanted after them.
    pub(crate) fn execute_all(&mut self, commands: &[Command]) -> Result<bool, Failure> {
        for command in commands {
            if *command == Command::Quit {
                return Ok(false);
            }
            self.execute(command)?;
        }
        Ok(true)
    }

    fn execute(&mut self, command: &Command) -> Result<(), Failure> {
        let Self { client, symbols, .. } = self;
        match *command {
            Command::Status => {
                let status = client.ask(&command::GetStatus, |status| status)?.of("status")?;
                show::say(&show::status(&status));
            }
            Command::State => return self.state(),
            Command::Registers { changed } => {
                let read = command::ReadRegisters(ReadRegisters { changed });
                let mask = client.ask(&read, |registers| registers.values.mask())?.of("regs")?;
                show::say(&show::registers(client.registers()?, mask, symbols));
            }
            Command::Read { addr, length } => {
                let bytes = self.read(addr, length)?;
                show::say(&show::dump(addr, &bytes));
                if bytes.len() < length {
                    show::say("the rest is not mapped");
                }
            }
            Command::Watch { addr, length, count, every } => return self.watch(addr, length, count, every),
            Command::SetBreakpoint { addr, id, trap } => return self.set(addr, id, trap),
            Command::ClearBreakpoint { id } => {
                client
                    .ask(&command::ClearBreakpoint(Breakpoint { addr: 0, id }), |_| ())?
                    .of("break clear")?;
            }
            Command::ListBreakpoints => {
                for listed in list(client)? {
                    show::say(&show::breakpoint(&listed, symbols));
                }
            }
            Command::Halt => {
                client.ask(&command::Halt, |_| ())?.of("halt")?;
                return self.await_stop(None);
            }
            Command::Resume => {
                client.forget_stops();
                client.ask(&command::Resume, |_| ())?.of("resume")?;
                self.stop = None;
            }
            Command::Continue => {
                self.execute(&Command::Resume)?;
                return self.await_stop(None);
            }
            Command::Step { count, trace } => {
                client.forget_stops();
                if !client.registers()?.are_known() {
                    // So that each step shows what it changed, and the first one no more than that.
                    let read = command::ReadRegisters(ReadRegisters { changed: false });
                    client.ask(&read, |_| ())?.of("step")?;
                }
                client.ask(&command::Step(Step { count, trace }), |_| ())?.of("step")?;
                return self.await_stop(None);
            }
            Command::Wait { within } => return self.wait(within),
            Command::Force { addr, ref value, lease } => {
                let fingerprint = client.device()?.fingerprint;
                let value = Bytes::new(value);
                let force = command::Force(Force { addr, lease, fingerprint, value });
                client.ask(&force, |_| ())?.of("force")?;
            }
            Command::Release { addr } => {
                let fingerprint = client.device()?.fingerprint;
                client.ask(&command::Release(Release { addr, fingerprint }), |_| ())?.of("release")?;
            }
            Command::SetAxis { axis, position } => {
                let fingerprint = client.device()?.fingerprint;
                let set = command::SetAxis(SetAxis { axis, position, fingerprint });
                client.ask(&set, |_| ())?.of("setaxis")?;
            }
            Command::Axes => {
                let axes =
                    client.ask(&command::ReadAxes, |axes| axes.positions.collect::<Vec<_>>())?.of("axes")?;
                show::say(&show::axes(&axes));
            }
            Command::Plc { first, count } => {
                let read = command::ReadPlc(ReadPlc { first, count });
                let (first, registers) =
                    client.ask(&read, |plc| (plc.first, plc.registers.collect::<Vec<_>>()))?.of("plc")?;
                show::say(&show::plc(first, &registers));
            }
            Command::Cursor => {
                let at = client.ask(&command::ReadCursor, |at| at)?.of("cursor")?;
                show::say(&show::cursor(&at.cursor));
            }
            Command::Audit { from } => return self.audit(from),
            Command::Metrics => {
                let metrics =
                    client.ask(&command::ReadMetrics, |metrics| metrics.metrics.collect::<Vec<_>>())?;
                show::say(&show::metrics(&metrics.of("metrics")?));
            }
            Command::Policy { version, enabled, ref rules } => {
                let policy = PushPolicy { version, enabled, rules: List::new(rules) };
                client.ask(&command::PushPolicy(policy), |_| ())?.of("policy")?;
            }
            Command::Sleep { milliseconds } => return client.wait(milliseconds),
            Command::Help => show::say(HELP),
            Command::Quit => {}
        }
        Ok(())
    }

    fn state(&mut self) -> Result<(), Failure> {
        let device = self.client.device()?;
        show::say(&format!("device   {} ({})", device.name(), show::hex(&device.fingerprint)));
        let status = self.client.ask(&command::GetStatus, |status| status)?.of("state")?;
        show::say(&format!("program  {}", show::run(status.run)));
        for command in [Command::Axes, Command::Plc { first: 0, count: 32 }, Command::Cursor] {
            self.execute(&command)?;
        }
        Ok(())
    }

    /// Reads memory in as many pieces as it takes.
    fn read(&mut self, addr: u64, length: usize) -> Result<Vec<u8>, Failure> {
        let most = usize::from(self.client.device()?.memory.max(1));
        let mut bytes = Vec::new();
        while bytes.len() < length {
            let piece = (length - bytes.len()).min(most);
            let Some(addr) = addr.checked_add(bytes.len() as u64) else { break };
            let read = command::ReadMemory(ReadMemory { addr, length: piece as u16 });
            match self.client.ask(&read, |memory| memory.data.as_slice().to_vec())? {
                Ok(data) => {
                    let short = data.len() < piece;
                    bytes.extend(data);
                    if short {
                        break;
                    }
                }
                // The end of what is mapped.
                Err(_) if !bytes.is_empty() => break,
                refused => drop(refused.of("read")?),
            }
        }
        Ok(bytes)
    }

    fn watch(&mut self, addr: u64, length: u16, count: Option<u32>, every: u32) -> Result<(), Failure> {
        let began = self.client.now();
        let mut shown = Vec::new();
        let mut readings = 0;
        loop {
            let bytes = self.read(addr, usize::from(length))?;
            if bytes != shown {
                let seconds = f64::from(self.client.now().wrapping_sub(began)) / 1000.0;
                show::say(&format!("{seconds:9.3} s  {}  {}", self.symbols.show(addr), show::value(&bytes)));
                shown = bytes;
            }
            readings += 1;
            if count.is_some_and(|count| readings >= count) {
                return Ok(());
            }
            self.client.wait(every)?;
        }
    }

    fn set(&mut self, addr: u64, id: Option<u32>, trap: Trap) -> Result<(), Failure> {
        let id = id.unwrap_or(self.id);
        let client = &mut self.client;
        let at = Breakpoint { addr, id };
        let set = match trap {
            Trap::Any => client.ask(&command::SetBreakpoint(at), |set| set)?,
            Trap::Hardware => client.ask(&command::SetHardwareBreakpoint(at), |set| set)?,
            Trap::Software => client.ask(&command::SetSoftwareBreakpoint(at), |set| set)?,
            Trap::Watch { length, access } => {
                client.ask(&command::SetWatchpoint(SetWatchpoint { addr, id, length, access }), |set| set)?
            }
        };
        let what = if matches!(trap, Trap::Watch { .. }) { "watchpoint" } else { "breakpoint" };
        let set = set.of(what)?;
        self.id = self.id.max(id.saturating_add(1));
        show::say(&format!("{what} {} at {}, slot {}", set.id, self.symbols.show(addr), set.slot));
        Ok(())
    }

    fn wait(&mut self, within: Option<u32>) -> Result<(), Failure> {
        if let Some(stop) = &self.stop {
            show::say(&show::stop(stop, &self.symbols));
            return Ok(());
        }
        let status = self.client.ask(&command::GetStatus, |status| status)?.of("wait")?;
        // It stands, and nobody will tell why: it has since before this session.
        if status.run == RunState::Stopped && self.client.stop(Some(0))?.is_none_or(|stop| self.show(stop)) {
            if self.stop.is_none() {
                show::say("it stands, since before this session");
            }
            return Ok(());
        }
        self.await_stop(within)
    }

    /// Shows a stop. Answers whether it is the last one.
    fn show(&mut self, stop: Stop) -> bool {
        show::say(&show::stop(&stop, &self.symbols));
        let last = !stop.more;
        if last {
            self.stop = Some(stop);
        }
        last
    }

    /// Waits until the program stands, and shows each stop on the way there.
    fn await_stop(&mut self, within: Option<u32>) -> Result<(), Failure> {
        loop {
            let Some(stop) = self.client.stop(within)? else {
                let within = within.unwrap_or_default();
                return Err(Failure::TimedOut(format!("the program has not stopped within {within} ms")));
            };
            if self.show(stop) {
                return Ok(());
            }
        }
    }

    fn audit(&mut self, mut from: u32) -> Result<(), Failure> {
        let session = self.client.device()?.session;
        show::say(show::AUDIT);
        loop {
            let read = command::ReadAudit(ReadAudit { from, count: u8::MAX });
            let (next, records) = self
                .client
                .ask(&read, |audit| (audit.next, audit.records.collect::<Vec<_>>()))?
                .of("audit")?;
            for record in &records {
                show::say(&show::record(record, session, &self.symbols));
            }
            match records.last() {
                // Asking from there on says that all before has been seen, and may be overwritten.
                Some(last) => from = last.index.saturating_add(1),
                None if from < next => from = next,
                None => return Ok(()),
            }
        }
    }
}

/// All breakpoints, however many answers it takes.
pub(crate) fn list(client: &mut Client) -> Result<Vec<Listed>, Failure> {
    listed(client)?.of("break list")
}

/// As [`list`], with what the agent says if it refuses.
pub(crate) fn listed(client: &mut Client) -> Result<Result<Vec<Listed>, frame::Error>, Failure> {
    let (mut all, mut id) = (Vec::new(), 0);
    loop {
        let list = command::ListBreakpoints(Breakpoint { addr: 0, id });
        let (more, page) =
            match client.ask(&list, |page| (page.more, page.breakpoints.collect::<Vec<_>>()))? {
                Ok(page) => page,
                Err(refused) => return Ok(Err(refused)),
            };
        let next = page.last().and_then(|last| last.id.checked_add(1));
        all.extend(page);
        match next {
            Some(next) if more => id = next,
            _ => return Ok(Ok(all)),
        }
    }
}

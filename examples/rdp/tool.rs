//! What the tool does for each command.

use std::io::{self, IsTerminal, Write};

use feedrate::rdp::frame::{
    self, Breakpoint, Capabilities, GetStatus, Halt, PushPolicy, ReadAxes, ReadCursor, ReadMetrics, ReadPlc,
    ReadRegisters, Resume, Rule, RunState, SetAxis, SetWatchpoint, Step, StepRange, WriteRegister,
};
use feedrate_rdp::host::command::{
    ClearBreakpoint, SetBreakpoint, SetHardwareBreakpoint, SetSoftwareBreakpoint,
};
use feedrate_rdp::target::Trap;

use crate::client::{Client, Stop};
use crate::command::{Command, HELP};
use crate::digits::number;
use crate::failure::{Failure, Refusable};
use crate::lists;
use crate::names::{Names, Place, Spot};
use crate::show;
use crate::symbols::Symbols;

pub(crate) struct Tool {
    pub(crate) client: Client,
    pub(crate) names: Names,
    /// Why the program stands, since it does; `None` while it runs, or stood from the beginning.
    stop: Option<Stop>,
    /// For the next breakpoint.
    id: u32,
}

impl Tool {
    pub(crate) fn new(client: Client, symbols: Symbols) -> Self {
        Self { client, names: Names { symbols, variables: None }, stop: None, id: 1 }
    }

    /// Reads commands and executes them. Those that fail do not end it, but are remembered in the exit code.
    pub(crate) fn converse(&mut self) -> Result<(), Failure> {
        let prompt = io::stdin().is_terminal();
        let mut result = Ok(());
        if prompt {
            let device = self.client.device()?;
            show::say(&format!("{}, {}", show::name(&device), show::run(self.client.state()?.run)));
        }
        let ask = || {
            if prompt {
                let mut out = io::stdout().lock();
                let _ = out.write_all(b"rdp> ").and_then(|()| out.flush());
            }
        };
        loop {
            ask();
            let Self { client, names, stop, .. } = self;
            let line = client.line(|stops| {
                // The program has come to a stand while nothing was typed.
                while let Some(news) = stops.pop_front() {
                    show::say(&show::stop(&news, names));
                    *stop = Some(news);
                    ask();
                }
            })?;
            let Some(line) = line else { return result };
            let commands = Command::parse_all(&line).map_err(Failure::Usage);
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
            self.client.end();
        }
        done
    }

    /// Executes commands up to the first that fails. Answers whether more are wanted after them.
    pub(crate) fn execute_all(&mut self, commands: &[Command]) -> Result<bool, Failure> {
        // A name that nobody knows, or a value that does not fit, is found before anything is done to the machine.
        for command in commands {
            for place in command.places() {
                self.spot(place)?;
            }
            self.check_values(command)?;
        }
        for command in commands {
            if *command == Command::Quit {
                return Ok(false);
            }
            self.execute(command)?;
        }
        Ok(true)
    }

    /// Where a place is. The agent is asked for its variables when the first name is met.
    pub(crate) fn spot(&mut self, place: &Place) -> Result<Spot, Failure> {
        let device = self.client.device()?;
        let lists = device.capabilities.contains(Capabilities::VARIABLES);
        if matches!(place, Place::Named(..)) && lists && self.names.variables.is_none() {
            self.ask_for_variables()?;
        }
        self.names.find(place).map_err(Failure::Usage)
    }

    pub(crate) fn ask_for_variables(&mut self) -> Result<(), Failure> {
        let (generation, variables) = lists::variables(&mut self.client)?.of("variables")?;
        let known = self.client.device()?.generation;
        // They must be used with the program alone that they belong to (SPEC section 8.11).
        if generation != known {
            let why =
                format!("the variables are of generation {generation}, the session's program of {known}");
            return Err(Failure::Nonsense(why));
        }
        self.names.variables = Some(variables);
        Ok(())
    }

    fn execute(&mut self, command: &Command) -> Result<(), Failure> {
        let Self { client, names, .. } = self;
        match *command {
            Command::Status => {
                let status = client.ask(&GetStatus, |status| status)?.of("status")?;
                show::say(&show::status(&status));
            }
            Command::State => return self.state(),
            Command::Registers { changed } => {
                let read = ReadRegisters { changed };
                let mask = client.ask(&read, |registers| registers.values.mask())?.of("regs")?;
                show::say(&show::registers(client.registers()?, mask, names));
            }
            Command::SetRegister { ref register, value } => return self.set_register(register, value),
            Command::Read { ref place, length } => return self.read(place, length),
            Command::Write { ref place, ref value } => return self.write(place, value),
            Command::Watch { ref place, length, count, every } => {
                return self.watch(place, length, count, every);
            }
            Command::SetBreakpoint { ref place, id, trap } => return self.set(place, id, trap),
            Command::ClearBreakpoint { id } => {
                client.ask(&ClearBreakpoint(Breakpoint { addr: 0, id }), |_| ())?.of("break clear")?;
            }
            Command::ListBreakpoints => {
                for listed in lists::breakpoints(client)?.of("break list")? {
                    show::say(&show::breakpoint(&listed, names));
                }
            }
            Command::Halt => {
                client.ask(&Halt, |_| ())?.of("halt")?;
                return self.await_halt();
            }
            Command::Resume => {
                client.forget_stops();
                client.ask(&Resume, |_| ())?.of("resume")?;
                self.stop = None;
            }
            Command::Continue => {
                self.execute(&Command::Resume)?;
                return self.await_stop(None);
            }
            Command::Step { count, trace } => {
                client.forget_stops();
                self.know_registers()?;
                self.client.ask(&Step { count, trace }, |_| ())?.of("step")?;
                return self.await_stop(None);
            }
            Command::StepOver => {
                client.forget_stops();
                self.know_registers()?;
                let pc = self.client.registers()?.pc().unwrap_or_default();
                return self.step_range(pc, pc, true);
            }
            Command::StepRange { ref first, ref last, over } => {
                client.forget_stops();
                let (first, last) = (self.spot(first)?.addr, self.spot(last)?.addr);
                return self.step_range(first, last, over);
            }
            Command::Wait { within } => return self.wait(within),
            Command::Force { ref place, ref value, ref safe, lease } => {
                return self.force(place, value, safe.as_ref(), lease);
            }
            Command::Renew { ref place, lease } => return self.renew(place, lease),
            Command::Release { ref place } => return self.release(place),
            Command::SetAxis { axis, position } => {
                let fingerprint = client.device()?.fingerprint;
                client.ask(&SetAxis { axis, position, fingerprint }, |_| ())?.of("setaxis")?;
            }
            Command::Axes => {
                let axes = client.ask(&ReadAxes, |axes| axes.positions.collect::<Vec<_>>())?.of("axes")?;
                show::say(&show::axes(&axes));
            }
            Command::Plc { first, count } => {
                let read = ReadPlc { first, count };
                let (first, registers) =
                    client.ask(&read, |plc| (plc.first, plc.registers.collect::<Vec<_>>()))?.of("plc")?;
                show::say(&show::plc(first, &registers));
            }
            Command::Cursor => {
                let at = client.ask(&ReadCursor, |at| at)?.of("cursor")?;
                show::say(&show::cursor(&at.cursor));
            }
            Command::Variables => {
                self.ask_for_variables()?;
                show::say(&show::variables(self.names.variables.as_deref().unwrap_or_default()));
            }
            Command::Map => show::say(&show::map(&lists::map(client)?.of("map")?)),
            Command::Audit { from, release } => return self.audit(from, release),
            Command::Metrics => {
                let metrics = client.ask(&ReadMetrics, |metrics| metrics.metrics.collect::<Vec<_>>())?;
                show::say(&show::metrics(&metrics.of("metrics")?));
            }
            Command::Policy { version, replaces, enabled, ref rules } => {
                return self.policy(version, replaces, enabled, rules);
            }
            Command::Sleep { milliseconds } => return client.wait(milliseconds),
            Command::Help => show::say(HELP),
            Command::Quit => {}
        }
        Ok(())
    }

    fn state(&mut self) -> Result<(), Failure> {
        let device = self.client.device()?;
        show::say(&show::device(&device));
        let state = self.client.state()?;
        show::say(&show::began(state, &self.names));
        let status = self.client.ask(&GetStatus, |status| status)?.of("state")?;
        show::say(&format!("program  {}", show::run(status.run)));
        if !device.capabilities.contains(Capabilities::MACHINE) {
            return Ok(());
        }
        for command in [Command::Axes, Command::Plc { first: 0, count: 32 }, Command::Cursor] {
            self.execute(&command)?;
        }
        Ok(())
    }

    fn set_register(&mut self, register: &str, value: u64) -> Result<(), Failure> {
        let known = self.client.registers()?.names();
        let index = known.iter().position(|name| *name == register);
        let index = index.map(|index| index as u64).or_else(|| number(register));
        let index = index.and_then(|index| u8::try_from(index).ok());
        let register =
            index.ok_or_else(|| Failure::Usage(format!("{register:?} is no register of this device")))?;
        let fingerprint = self.client.device()?.fingerprint;
        self.client.ask(&WriteRegister { register, value, fingerprint }, |_| ())?.of("setreg")
    }

    /// So that each step shows what it changed, and the first one no more than that.
    fn know_registers(&mut self) -> Result<(), Failure> {
        let all = self.client.registers()?.is_complete() && self.stop.is_some();
        if !all {
            self.client.ask(&ReadRegisters { changed: false }, |_| ())?.of("step")?;
        }
        Ok(())
    }

    fn step_range(&mut self, first: u64, last: u64, over: bool) -> Result<(), Failure> {
        self.client.ask(&StepRange { first, last, over }, |_| ())?.of("step")?;
        self.await_stop(None)
    }

    fn set(&mut self, place: &Place, id: Option<u32>, trap: Trap) -> Result<(), Failure> {
        let (addr, id) = (self.spot(place)?.addr, id.unwrap_or(self.id));
        let client = &mut self.client;
        let at = Breakpoint { addr, id };
        let set = match trap {
            Trap::Any => client.ask(&SetBreakpoint(at), |set| set)?,
            Trap::Hardware => client.ask(&SetHardwareBreakpoint(at), |set| set)?,
            Trap::Software => client.ask(&SetSoftwareBreakpoint(at), |set| set)?,
            Trap::Watch { length, access } => {
                client.ask(&SetWatchpoint { addr, id, length, access }, |set| set)?
            }
        };
        let what = if matches!(trap, Trap::Watch { .. }) { "watchpoint" } else { "breakpoint" };
        let set = set.of(what)?;
        self.id = self.id.max(id.saturating_add(1));
        show::say(&format!("{what} {} at {}, slot {}", set.id, self.names.show(addr), set.slot));
        Ok(())
    }

    fn wait(&mut self, within: Option<u32>) -> Result<(), Failure> {
        if let Some(stop) = &self.stop {
            show::say(&show::stop(stop, &self.names));
            return Ok(());
        }
        let status = self.client.ask(&GetStatus, |status| status)?.of("wait")?;
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
        show::say(&show::stop(&stop, &self.names));
        let last = !stop.more;
        if last {
            self.stop = Some(stop);
        }
        last
    }

    /// Waits until the program stands. If it stood already, nothing will tell (SPEC section 8.4).
    fn await_halt(&mut self) -> Result<(), Failure> {
        loop {
            if let Some(stop) = self.client.stop(Some(200))? {
                if self.show(stop) {
                    return Ok(());
                }
            } else if self.client.ask(&GetStatus, |status| status.run)?.of("halt")? == RunState::Stopped {
                return self.wait(None);
            }
        }
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

    fn policy(
        &mut self,
        version: u32,
        replaces: Option<u32>,
        enabled: bool,
        rules: &[(frame::Action, Place, Place)],
    ) -> Result<(), Failure> {
        let replaces = match replaces {
            Some(replaces) => replaces,
            None => self.client.ask(&GetStatus, |status| status.policy)?.of("policy")?,
        };
        let mut resolved = Vec::new();
        for (action, first, last) in rules {
            let (first, last) = (self.spot(first)?.addr, self.spot(last)?.addr);
            resolved.push(Rule { first, last, action: *action });
        }
        let rules = frame::List::new(&resolved);
        self.client.ask(&PushPolicy { version, replaces, enabled, rules }, |_| ())?.of("policy")
    }
}

//! A session with an agent, as a program that does one thing after the other wants it: [`ask`](Client::ask)
//! sends a command and waits for its answer, and the session goes on meanwhile.
//!
//! The loop is the one that every program around [`Host`] has:
//!
//! 1. what has arrived goes into the host: `feed`,
//! 2. the host tells what that means: `event`,
//! 3. what it has to say is sent: `poll`,
//! 4. wait until something arrives, but no longer than to the host's `deadline`.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use feedrate::rdp::frame::{self, ByeReason, Frame, Location, Reason, RunState, Stopped};
use feedrate::rdp::packet::Line;
use feedrate_examples::lane::{Clock, Happening, Port, random};
use feedrate_rdp::host::command::Command;
use feedrate_rdp::host::{Answer, Closed, Device, Event, Host, HostConfig};
use feedrate_rdp::link::LaneId;
use feedrate_rdp::session::SendError;

use crate::failure::Failure;
use crate::options::Options;
use crate::registers::Registers;

pub(crate) struct Client {
    host: Box<Host>,
    clock: Clock,
    happenings: Receiver<Happening>,
    signal: Port,
    bulk: Option<Port>,
    news: News,
    /// Lines of standard input that nobody has asked for yet.
    input: VecDeque<String>,
    end_of_input: bool,
    interrupted: bool,
    /// Why there is no signal lane any more.
    gone: Option<String>,
}

/// What the agent has told without being asked.
#[derive(Default)]
struct News {
    state: Option<MachineState>,
    registers: Option<Registers>,
    stops: VecDeque<Stop>,
    active: bool,
    unknown: usize,
    closed: Option<Closed>,
}

/// How the machine was when the session began.
#[derive(Debug, Clone)]
pub(crate) struct MachineState {
    pub(crate) run: RunState,
    pub(crate) axes: Vec<i64>,
    pub(crate) plc: Vec<u16>,
    pub(crate) cursor: Location,
}

/// The program has come to a stand.
#[derive(Debug, Clone)]
pub(crate) struct Stop {
    pub(crate) request: u32,
    pub(crate) reason: Reason,
    pub(crate) more: bool,
    pub(crate) detail: u64,
    /// Which registers it tells of, and all that are known by it.
    pub(crate) mask: u64,
    pub(crate) registers: Registers,
}

impl Client {
    /// Connects, and opens a session. `reads`: it will be asked for lines of standard input.
    pub(crate) fn connect(options: &Options, reads: bool) -> Result<Self, Failure> {
        let system = |error: io::Error| Failure::NoPeer(format!("cannot listen to the line: {error}"));
        let (to_client, happenings) = sync_channel(64);
        let signal = options.signal.connect().map_err(Failure::NoPeer)?;
        signal.listen(LaneId::Signal, to_client.clone()).map_err(system)?;
        let bulk =
            options.bulk.as_ref().map(|address| address.connect()).transpose().map_err(Failure::NoPeer)?;
        if let Some(bulk) = &bulk {
            bulk.listen(LaneId::Bulk, to_client.clone()).map_err(system)?;
        }
        let interrupts = to_client.clone();
        ctrlc::set_handler(move || drop(interrupts.send(Happening::Interrupt)))
            .map_err(|error| Failure::Usage(format!("cannot take Ctrl-C: {error}")))?;
        if reads {
            thread::spawn(move || read_input(&to_client));
        }

        // The suite would rather see the link or the heartbeat being lost.
        let patience = if options.json { 60_000 } else { 5000 };
        let config = HostConfig::new(options.signal.signal())
            .bulk(options.bulk.as_ref().map(|_| Line::SPI))
            .device(options.device)
            .patience(patience);
        let clock = Clock::start();
        let mut host: Box<Host> = Box::new(Host::new(config, Default::default()));
        let cookie = u32::from_be_bytes(random().map_err(Failure::Usage)?);
        let nonce = random().map_err(Failure::Usage)?;
        host.connect(options.token.as_bytes(), cookie, nonce, clock.now())
            .map_err(|error| Failure::Usage(format!("--token: {error}")))?;

        let mut client = Self {
            host,
            clock,
            happenings,
            signal,
            bulk,
            news: News::default(),
            input: VecDeque::new(),
            end_of_input: !reads,
            interrupted: false,
            gone: None,
        };
        client.events(|_| {});
        while !client.news.active {
            client.turn()?;
        }
        Ok(client)
    }

    /// What Welcome said. There is a session.
    pub(crate) fn device(&self) -> Result<Device, Failure> {
        self.host.device().copied().ok_or_else(|| Failure::Nonsense("there has been no Welcome".into()))
    }

    /// What State said. There is a session.
    pub(crate) fn state(&self) -> Result<&MachineState, Failure> {
        self.news.state.as_ref().ok_or_else(|| Failure::Nonsense("there has been no State".into()))
    }

    /// What is known of the registers, if the architecture is.
    pub(crate) fn registers(&self) -> Result<&Registers, Failure> {
        self.news.registers.as_ref().ok_or_else(|| {
            let number = self.host.device().map_or(0, |device| device.architecture);
            Failure::Nonsense(format!("architecture {number} is not known here"))
        })
    }

    /// Sends a command and waits for its answer; `read` takes from it what is wanted. The outer result is
    /// about the session, the inner one about the command.
    pub(crate) fn ask<C: Command, R>(
        &mut self,
        command: &C,
        mut read: impl FnMut(C::Answer<'_>) -> R,
    ) -> Result<Result<R, frame::Error>, Failure> {
        let ticket = loop {
            match self.host.request(command, self.clock.now()) {
                Ok(ticket) => break ticket,
                Err(SendError::Full | SendError::NotActive) => self.turn()?,
                Err(error) => return Err(Failure::Usage(format!("it cannot be sent: {error}"))),
            }
        };
        let mut answered = None;
        loop {
            self.events(|answer| {
                if answer.request == ticket.sequence() {
                    answered = Some(ticket.read(answer).map(|result| result.map(&mut read)));
                }
            });
            match answered.take() {
                Some(Some(result)) => return Ok(result),
                Some(None) => {
                    let kind = command.frame().name();
                    return Err(Failure::Nonsense(format!("{kind} was answered with something else")));
                }
                None => self.pause(None)?,
            }
        }
    }

    /// The next Stopped that nobody has seen, if it comes within so many milliseconds.
    pub(crate) fn stop(&mut self, within: Option<u32>) -> Result<Option<Stop>, Failure> {
        let began = self.clock.now();
        loop {
            if let Some(stop) = self.news.stops.pop_front() {
                return Ok(Some(stop));
            }
            let passed = self.clock.now().wrapping_sub(began);
            match within.map(|within| within.saturating_sub(passed)) {
                Some(0) => return Ok(None),
                left => self.turn_within(left)?,
            }
        }
    }

    /// Lets time go by.
    pub(crate) fn wait(&mut self, milliseconds: u32) -> Result<(), Failure> {
        let began = self.clock.now();
        loop {
            match milliseconds.saturating_sub(self.clock.now().wrapping_sub(began)) {
                0 => return Ok(()),
                left => self.turn_within(Some(left))?,
            }
        }
    }

    /// The next line of standard input, `None` at its end. In between, each Stopped that comes goes to
    /// `meanwhile`.
    pub(crate) fn line(
        &mut self,
        mut meanwhile: impl FnMut(&mut VecDeque<Stop>),
    ) -> Result<Option<String>, Failure> {
        loop {
            if let Some(line) = self.input.pop_front() {
                return Ok(Some(line));
            }
            if self.end_of_input {
                return Ok(None);
            }
            self.turn()?;
            meanwhile(&mut self.news.stops);
        }
    }

    /// Forgets every Stopped that nobody has asked for.
    pub(crate) fn forget_stops(&mut self) {
        self.news.stops.clear();
    }

    /// Milliseconds since the program's start.
    pub(crate) fn now(&self) -> u32 {
        self.clock.now()
    }

    /// Ends the session, and says how it ended.
    pub(crate) fn bye(&mut self) -> Closed {
        self.host.bye(self.clock.now());
        self.interrupted = false;
        loop {
            self.events(|_| {});
            if let Some(why) = self.news.closed {
                return why;
            }
            if self.gone.is_some() || self.pause(None).is_err() {
                return Closed::Bye(ByeReason::LinkLost);
            }
        }
    }

    /// Once round. Whatever was done before it has been [told](Self::events) already.
    fn turn(&mut self) -> Result<(), Failure> {
        self.turn_within(None)
    }

    fn turn_within(&mut self, milliseconds: Option<u32>) -> Result<(), Failure> {
        self.pause(milliseconds)?;
        self.events(|_| {});
        Ok(())
    }

    /// 2 and 3: what has happened, and what is to be said about it.
    fn events(&mut self, mut answered: impl FnMut(&Answer<'_>)) {
        let now = self.clock.now();
        while let Some(event) = self.host.event(now) {
            match event {
                Event::Answer(answer) => {
                    if let (Frame::Registers(registers), Some(known)) =
                        (answer.frame, &mut self.news.registers)
                    {
                        known.update(&registers.values);
                    }
                    answered(&answer);
                }
                Event::State(state) => {
                    self.news.state = Some(MachineState {
                        run: state.run,
                        axes: state.axes.collect(),
                        plc: state.plc.collect(),
                        cursor: state.cursor,
                    });
                }
                Event::Active => self.news.active = true,
                Event::Stopped(stopped) => self.news.stopped(&stopped),
                Event::Unknown { .. } => self.news.unknown += 1,
                Event::Closed(why) => self.news.closed = Some(why),
                _ => {}
            }
            if self.news.registers.is_none() && self.news.state.is_some() {
                self.news.registers =
                    self.host.device().and_then(|device| Registers::of(device.architecture));
            }
        }
        self.send();
    }

    fn send(&mut self) {
        let mut packet = [0; 1024];
        let lanes = [(LaneId::Signal, Some(&mut self.signal)), (LaneId::Bulk, self.bulk.as_mut())];
        for (lane, port) in lanes {
            let Some(port) = port else { continue };
            while let length @ 1.. = self.host.poll(lane, &mut packet, self.clock.now()) {
                if port.write_all(&packet[..length]).is_err() {
                    // Half a packet may have gone. The reading thread will tell why.
                    port.hang_up();
                    break;
                }
            }
        }
    }

    /// 4 and 1: waits, so many milliseconds at most, and takes what has come. Fails if there is nothing more
    /// to wait for.
    fn pause(&mut self, milliseconds: Option<u32>) -> Result<(), Failure> {
        let active = self.news.active;
        if let Some(why) = self.news.closed {
            return Err(Failure::Closed { why, unknown: self.news.unknown, active });
        }
        if let Some(why) = &self.gone {
            return Err(Failure::Gone { why: why.clone(), active });
        }
        if self.interrupted {
            return Err(Failure::Interrupted);
        }
        let host = self.clock.until(self.host.deadline());
        let most = milliseconds.map_or(host, |most| Duration::from_millis(u64::from(most)).min(host));
        match self.happenings.recv_timeout(most) {
            Ok(happening) => self.take(happening),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => self.gone = Some("nobody reads it".into()),
        }
        Ok(())
    }

    fn take(&mut self, happening: Happening) {
        match happening {
            Happening::Bytes(lane, bytes) => self.host.feed(lane, &bytes, self.clock.now()),
            Happening::Gone(LaneId::Signal, why) => self.gone = Some(why),
            // The signal lane takes over.
            Happening::Gone(LaneId::Bulk, _) => self.bulk = None,
            Happening::Input(line) => self.input.push_back(line),
            Happening::EndOfInput => self.end_of_input = true,
            Happening::Interrupt => self.interrupted = true,
            Happening::Connected(..) => {}
        }
    }
}

impl News {
    fn stopped(&mut self, stopped: &Stopped<'_>) {
        let Some(registers) = &mut self.registers else { return };
        registers.update(&stopped.values);
        self.stops.push_back(Stop {
            request: stopped.request,
            reason: stopped.reason,
            more: stopped.more,
            detail: stopped.detail,
            mask: stopped.values.mask(),
            registers: registers.clone(),
        });
    }
}

fn read_input(to: &SyncSender<Happening>) -> Option<()> {
    for line in io::stdin().lines() {
        let Ok(line) = line else { break };
        to.send(Happening::Input(line)).ok()?;
    }
    to.send(Happening::EndOfInput).ok()
}

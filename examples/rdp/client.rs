//! A session with an agent, for a program that does one thing after another: [`ask`](Client::ask) sends a command and
//! waits for its answer, and keeps the session alive meanwhile.
//!
//! The loop is the one that every program around [`Host`](feedrate_rdp::host::Host) has:
//!
//! 1. feed the host with what has arrived, as far as there is room: `feed`,
//! 2. handle the host's events: `poll_event`. This also answers the agent's Heartbeats, so that the agent knows whether
//!    this loop is alive,
//! 3. send what the host has to send: `poll_transmit`,
//! 4. wait until something happens, but no longer than until the host's `deadline`.

use std::collections::VecDeque;
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use feedrate::Instant;
use feedrate::rdp::frame::{self, Cause, Frame, Location, Reason, RunState, Standing, Stopped};
use feedrate_examples::lane::{Clock, Connection, Happening, random, read_input};
use feedrate_rdp::host::command::Command;
use feedrate_rdp::host::{Answer, Closed, Device, Event, HostConfig, RegisterSet};
use feedrate_rdp::link::LaneId;
use feedrate_rdp::session::SendError;

use crate::failure::Failure;
use crate::options::Options;
use crate::session::Session;

const LANES: [LaneId; 2] = [LaneId::Signal, LaneId::Bulk];

pub(crate) struct Client {
    session: Session,
    clock: Clock,
    happenings: Receiver<Happening>,
    /// The connection of each of [`LANES`]. The number of a connection is that of its lane.
    connections: [Option<Connection>; 2],
    news: News,
    /// Lines of standard input that have not been requested yet.
    input: VecDeque<String>,
    end_of_input: bool,
    interrupted: bool,
}

/// Unsolicited messages from the agent.
#[derive(Default)]
struct News {
    state: Option<MachineState>,
    registers: Option<RegisterSet>,
    stops: VecDeque<Stop>,
    active: bool,
    unknown: usize,
    closed: Option<Closed>,
}

/// The machine's state when the session began.
#[derive(Debug, Clone)]
pub(crate) struct MachineState {
    pub(crate) run: RunState,
    pub(crate) axes: Vec<i64>,
    pub(crate) plc: Vec<u16>,
    pub(crate) cursor: Location,
    pub(crate) modified: bool,
    pub(crate) stuck: u8,
    pub(crate) last: Option<Reason>,
    pub(crate) detail: u64,
    pub(crate) cause: Cause,
    pub(crate) ended: Vec<u64>,
}

/// The program has stopped.
#[derive(Debug, Clone)]
pub(crate) struct Stop {
    pub(crate) request: u32,
    pub(crate) reason: Reason,
    pub(crate) more: bool,
    pub(crate) axes: Standing,
    pub(crate) detail: u64,
    pub(crate) pc: u64,
    /// Which registers it tells of, and all that are known by it.
    pub(crate) mask: u64,
    pub(crate) registers: RegisterSet,
}

impl Client {
    /// Connects, and opens a session. `reads`: lines of standard input will be requested.
    pub(crate) fn connect(options: &Options, reads: bool) -> Result<Self, Failure> {
        let system = |error: io::Error| Failure::NoPeer(format!("cannot listen to the line: {error}"));
        let (to_client, happenings) = channel();
        let mut connections = [None, None];
        for ((number, address), connection) in
            (0..).zip([Some(&options.signal), options.bulk.as_ref()]).zip(&mut connections)
        {
            let port = address.map(|address| address.connect()).transpose().map_err(Failure::NoPeer)?;
            let made = port.map(|port| Connection::new(number, port, &to_client));
            *connection = made.transpose().map_err(system)?;
        }
        let interrupts = to_client.clone();
        ctrlc::set_handler(move || drop(interrupts.send(Happening::Interrupt)))
            .map_err(|error| Failure::Usage(format!("cannot take Ctrl-C: {error}")))?;
        if reads {
            read_input(to_client);
        }

        // The suite waits longer, because it tests the loss of the line or the agent.
        let patience = Duration::from_secs(if options.json { 60 } else { 5 });
        let config =
            HostConfig::new().device(options.device).generation(options.generation).patience(patience);
        let mut session = if options.signal.is_stream() {
            Session::stream(config)
        } else {
            Session::serial(config, options.bulk.is_some())
        };
        let clock = Clock::start();
        let cookie = u32::from_be_bytes(random().map_err(Failure::Usage)?);
        let nonce = random().map_err(Failure::Usage)?;
        session
            .connect(options.token.as_bytes(), cookie, nonce, clock.now())
            .map_err(|error| Failure::Usage(format!("--token: {error}")))?;

        let mut client = Self {
            session,
            clock,
            happenings,
            connections,
            news: News::default(),
            input: VecDeque::new(),
            end_of_input: !reads,
            interrupted: false,
        };
        client.events(|_| {});
        while !client.news.active {
            client.turn()?;
        }
        Ok(client)
    }

    /// The content of Welcome. There has to be a session.
    pub(crate) fn device(&self) -> Result<Device, Failure> {
        self.session.device().copied().ok_or_else(|| Failure::Nonsense("there has been no Welcome".into()))
    }

    /// The content of State. There has to be a session.
    pub(crate) fn state(&self) -> Result<&MachineState, Failure> {
        self.news.state.as_ref().ok_or_else(|| Failure::Nonsense("there has been no State".into()))
    }

    /// The known registers, if the architecture is known.
    pub(crate) fn registers(&self) -> Result<&RegisterSet, Failure> {
        self.news.registers.as_ref().ok_or_else(|| {
            let number = self.session.device().map_or(0, |device| device.architecture);
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
            match self.session.request(command, self.clock.now()) {
                Ok(ticket) => break ticket,
                Err(SendError::Full | SendError::Credit | SendError::NotActive) => self.turn()?,
                Err(error) => return Err(Failure::Usage(format!("it cannot be sent: {error}"))),
            }
        };
        let mut answered = None;
        loop {
            self.events(|answer| {
                if let Some(result) = ticket.read(answer) {
                    answered = Some(result.map(&mut read));
                }
            });
            match answered.take() {
                Some(result) => return Ok(result),
                None => self.pause(None)?,
            }
        }
    }

    /// The next Stopped that has not been taken, if it comes within this many milliseconds.
    pub(crate) fn stop(&mut self, within: Option<u32>) -> Result<Option<Stop>, Failure> {
        let until = within.map(|within| self.in_milliseconds(within));
        loop {
            if let Some(stop) = self.news.stops.pop_front() {
                return Ok(Some(stop));
            }
            if until.is_some_and(|until| self.clock.now() >= until) {
                return Ok(None);
            }
            self.turn_until(until)?;
        }
    }

    /// Waits for this long.
    pub(crate) fn wait(&mut self, milliseconds: u32) -> Result<(), Failure> {
        let until = self.in_milliseconds(milliseconds);
        while self.clock.now() < until {
            self.turn_until(Some(until))?;
        }
        Ok(())
    }

    fn in_milliseconds(&self, milliseconds: u32) -> Instant {
        self.clock.now() + Duration::from_millis(milliseconds.into())
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

    /// Discards every Stopped that has not been taken.
    pub(crate) fn forget_stops(&mut self) {
        self.news.stops.clear();
    }

    /// Time since the program's start.
    pub(crate) fn now(&self) -> Instant {
        self.clock.now()
    }

    /// Ends the session, and returns how it ended.
    pub(crate) fn end(&mut self) -> Closed {
        self.session.end(self.clock.now());
        self.interrupted = false;
        loop {
            self.events(|_| {});
            match self.news.closed {
                Some(why) => return why,
                None => self.await_happening(None),
            }
        }
    }

    /// Once round the loop. The [events](Self::events) of earlier actions have been handled already.
    fn turn(&mut self) -> Result<(), Failure> {
        self.turn_until(None)
    }

    fn turn_until(&mut self, until: Option<Instant>) -> Result<(), Failure> {
        self.pause(until)?;
        self.events(|_| {});
        Ok(())
    }

    /// Steps 1, 2 and 3: feed, events, transmit.
    fn events(&mut self, mut answered: impl FnMut(&Answer<'_>)) {
        loop {
            let left = self.feed();
            let now = self.clock.now();
            while let Some(event) = self.session.poll_event(now) {
                self.news.take(&event);
                if let Event::Answer(answer) = &event {
                    answered(answer);
                }
            }
            if self.news.registers.is_none() && self.news.state.is_some() {
                let architecture = self.session.device().map(|device| device.architecture);
                self.news.registers = architecture.and_then(RegisterSet::of_architecture);
            }
            // There may be room now for what is left.
            if left == 0 || left == self.feed() {
                break;
            }
        }
        self.send();
    }

    /// Gives the host what it has room for, and returns how much is left.
    fn feed(&mut self) -> usize {
        let now = self.clock.now();
        let mut unread = 0;
        for (lane, connection) in LANES.into_iter().zip(&mut self.connections) {
            let Some(connection) = connection else { continue };
            let mut input = connection.input();
            self.session.feed(lane, &mut input, now);
            let left = input.len();
            connection.taken(left);
            unread += left;
        }
        unread
    }

    fn send(&mut self) {
        let now = self.clock.now();
        let mut bytes = [0; 1024];
        for (lane, connection) in LANES.into_iter().zip(&mut self.connections) {
            let Some(connection) = connection.as_mut().filter(|connection| connection.is_free()) else {
                continue;
            };
            // One packet, or a piece of the stream, so that urgent frames do not have to wait for more than that.
            if let length @ 1.. = self.session.poll_transmit(lane, &mut bytes, now) {
                connection.write(bytes[..length].to_vec());
            }
        }
    }

    /// Step 4. Fails if there is nothing more to wait for.
    fn pause(&mut self, until: Option<Instant>) -> Result<(), Failure> {
        if let Some(why) = self.news.closed {
            return Err(Failure::Closed { why, unknown: self.news.unknown, active: self.news.active });
        }
        if self.interrupted {
            return Err(Failure::Interrupted);
        }
        self.await_happening(until);
        Ok(())
    }

    fn await_happening(&mut self, until: Option<Instant>) {
        let host = self.clock.until(self.session.deadline());
        let most = until.map_or(host, |until| self.clock.until(Some(until)).min(host));
        match self.happenings.recv_timeout(most) {
            Ok(happening) => self.take(happening),
            Err(RecvTimeoutError::Timeout) => {}
            // The last thread has ended, and said so before.
            Err(RecvTimeoutError::Disconnected) => std::thread::sleep(most),
        }
    }

    fn take(&mut self, happening: Happening) {
        match happening {
            Happening::Bytes(number, bytes) => {
                if let Some((connection, _)) = self.connection(number) {
                    connection.arrived(bytes);
                }
            }
            Happening::Written(number) => {
                if let Some((connection, _)) = self.connection(number) {
                    connection.written();
                }
            }
            // A session survives the loss of its bulk lane.
            Happening::Gone(number, _) => {
                if let Some((_, lane)) = self.connection(number) {
                    self.session.disconnect(lane, self.clock.now());
                    self.connections[usize::from(lane == LaneId::Bulk)] = None;
                }
            }
            Happening::Input(line) => self.input.push_back(line),
            Happening::EndOfInput => self.end_of_input = true,
            Happening::Interrupt => self.interrupted = true,
            Happening::Came(..) => {}
        }
    }

    fn connection(&mut self, number: u64) -> Option<(&mut Connection, LaneId)> {
        let mut places = self.connections.iter_mut().zip(LANES);
        places.find_map(|(place, lane)| {
            place.as_mut().filter(|connection| connection.number() == number).map(|found| (found, lane))
        })
    }
}

/// Sends what is pending, and gives the agent time to hang up.
impl Drop for Client {
    fn drop(&mut self) {
        let until = self.clock.now() + Duration::from_secs(1);
        let mut said = None;
        while self.clock.now() < until {
            self.events(|_| {});
            let there = self.connections.iter().flatten();
            if there.clone().all(Connection::is_free) {
                let said = *said.get_or_insert(self.clock.now());
                let gone = there.count() == 0;
                // Where TCP stands for a serial line, closing it with bytes unread would take back what was said.
                let read = self.session.is_stream() || self.clock.now() >= said + Duration::from_millis(100);
                if self.session.is_finished() && (gone || read) {
                    return;
                }
            }
            self.await_happening(Some(self.clock.now() + Duration::from_millis(20)));
        }
    }
}

impl News {
    fn take(&mut self, event: &Event<'_>) {
        match event {
            Event::Answer(answer) => {
                if let (Frame::Registers(registers), Some(known)) = (answer.frame, &mut self.registers) {
                    // Of another architecture than Welcome's there is nothing to be known.
                    let _ = known.registers(&registers);
                }
            }
            Event::State(state) => {
                self.state = Some(MachineState {
                    run: state.run,
                    axes: state.axes.collect(),
                    plc: state.plc.collect(),
                    cursor: state.cursor,
                    modified: state.modified,
                    stuck: state.stuck,
                    last: state.last,
                    detail: state.detail,
                    cause: state.cause,
                    ended: state.ended.collect(),
                });
            }
            Event::Active => self.active = true,
            Event::Stopped(stopped) => self.stopped(stopped),
            Event::Unknown { .. } => self.unknown += 1,
            Event::Closed(why) => self.closed = Some(*why),
            _ => {}
        }
    }

    fn stopped(&mut self, stopped: &Stopped<'_>) {
        let Some(registers) = &mut self.registers else { return };
        let Some(pc) = registers.stopped(stopped) else { return };
        self.stops.push_back(Stop {
            request: stopped.request,
            reason: stopped.reason,
            more: stopped.more,
            axes: stopped.axes,
            detail: stopped.detail,
            pc,
            mask: stopped.values.mask(),
            registers: registers.clone(),
        });
    }
}

//! A session with an agent, for a program that does one thing after another: [`ask`](Client::ask) sends a command and
//! waits for its answer.
//!
//! Everything that waits here awaits the [`Connection`], and nothing else does: so the agent's Heartbeats are answered
//! as long as this program does what its operator wants, and no longer.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use feedrate::rdp::frame::{self, Cause, Frame, Location, Reason, RunState, Standing, Stopped};
use feedrate_examples::input::read_input;
use feedrate_io::rdp::host::{Connection, Error};
use feedrate_rdp::host::command::Command;
use feedrate_rdp::host::{Closed, Device, Event, HostConfig, RegisterSet};
use feedrate_rdp::session::Checksum;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;
use tokio::sync::mpsc::Receiver;
use tokio::time::{Instant, timeout, timeout_at};

use crate::address::{Address, Port};
use crate::failure::Failure;
use crate::options::Options;

pub(crate) struct Client {
    runtime: Runtime,
    rdp: Connection<Port>,
    news: News,
    /// Lines of standard input, if they are wanted.
    input: Option<Receiver<String>>,
    interrupt: Arc<Notify>,
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
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Failure::Usage(format!("there is no runtime: {error}")))?;
        let port = |address: &Address| runtime.block_on(address.connect()).map_err(Failure::NoPeer);
        let (signal, bulk) = (port(&options.signal)?, options.bulk.as_ref().map(port).transpose()?);

        let interrupt = Arc::new(Notify::new());
        let interrupts = Arc::clone(&interrupt);
        ctrlc::set_handler(move || interrupts.notify_one())
            .map_err(|error| Failure::Usage(format!("cannot take Ctrl-C: {error}")))?;

        // The suite waits longer, because it tests the loss of the line or the agent.
        let patience = Duration::from_secs(if options.json { 60 } else { 5 });
        let config =
            HostConfig::new().device(options.device).generation(options.generation).patience(patience);
        let (seal, token) = (Checksum::new(), options.token.as_bytes());
        let rdp = if options.signal.is_stream() {
            Connection::stream(signal, config, seal, token)
        } else {
            Connection::serial(signal, bulk, config, seal, token)
        };
        let rdp = rdp.map_err(|error| Failure::Usage(format!("--token: {error}")))?;
        let input = reads.then(read_input);
        let mut client = Self { runtime, rdp, news: News::default(), input, interrupt };
        client.wait_for(async |rdp, news| rdp.active(|event| news.take(event)).await)?;
        let device = client.rdp.device();
        client.news.registers = device.and_then(|device| RegisterSet::of_architecture(device.architecture));
        Ok(client)
    }

    /// The content of Welcome. There has to be a session.
    pub(crate) fn device(&self) -> Result<Device, Failure> {
        self.rdp.device().copied().ok_or_else(|| Failure::Nonsense("there has been no Welcome".into()))
    }

    /// The content of State. There has to be a session.
    pub(crate) fn state(&self) -> Result<&MachineState, Failure> {
        self.news.state.as_ref().ok_or_else(|| Failure::Nonsense("there has been no State".into()))
    }

    /// The known registers, if the architecture is known.
    pub(crate) fn registers(&self) -> Result<&RegisterSet, Failure> {
        self.news.registers.as_ref().ok_or_else(|| {
            let number = self.rdp.device().map_or(0, |device| device.architecture);
            Failure::Nonsense(format!("architecture {number} is not known here"))
        })
    }

    /// Sends a command and waits for its answer; `read` takes from it what is wanted. The outer result is
    /// about the session, the inner one about the command.
    pub(crate) fn ask<C: Command, R>(
        &mut self,
        command: &C,
        read: impl FnMut(C::Answer<'_>) -> R,
    ) -> Result<Result<R, frame::Error>, Failure> {
        self.wait_for(async |rdp, news| rdp.ask(command, read, |event| news.take(event)).await)
    }

    /// The next Stopped that has not been taken, if it comes within this many milliseconds.
    pub(crate) fn stop(&mut self, within: Option<u32>) -> Result<Option<Stop>, Failure> {
        let until = within.map(in_milliseconds);
        loop {
            if let Some(stop) = self.news.stops.pop_front() {
                return Ok(Some(stop));
            }
            if !self.turn(until)? {
                return Ok(None);
            }
        }
    }

    /// Waits for this long.
    pub(crate) fn wait(&mut self, milliseconds: u32) -> Result<(), Failure> {
        let until = Some(in_milliseconds(milliseconds));
        while self.turn(until)? {}
        Ok(())
    }

    /// The next line of standard input, `None` at its end. In between, each Stopped that comes goes to
    /// `meanwhile`.
    pub(crate) fn line(
        &mut self,
        mut meanwhile: impl FnMut(&mut VecDeque<Stop>),
    ) -> Result<Option<String>, Failure> {
        let Some(mut input) = self.input.take() else { return Ok(None) };
        let line = self.wait_for(async |rdp, news| {
            loop {
                tokio::select! {
                    line = input.recv() => return Ok(line),
                    event = rdp.next() => event.iter().for_each(|event| news.take(event)),
                }
                if let Some(why) = news.closed {
                    return Err(Error::Closed(why));
                }
                meanwhile(&mut news.stops);
            }
        });
        self.input = Some(input);
        line
    }

    /// Discards every Stopped that has not been taken.
    pub(crate) fn forget_stops(&mut self) {
        self.news.stops.clear();
    }

    /// Ends the session, and returns how it ended.
    pub(crate) fn end(&mut self) -> Closed {
        self.runtime.block_on(self.rdp.close(|event| self.news.take(event)))
    }

    /// Takes the next event. `false`: there was none in time.
    fn turn(&mut self, until: Option<Instant>) -> Result<bool, Failure> {
        self.wait_for(async |rdp, news| {
            if let Some(why) = news.closed {
                return Err(Error::Closed(why));
            }
            let event = match until {
                Some(until) => timeout_at(until, rdp.next()).await,
                None => Ok(rdp.next().await),
            };
            event.iter().flatten().for_each(|event| news.take(event));
            Ok(event.is_ok())
        })
    }

    /// Waits for something, or for Ctrl-C.
    fn wait_for<R>(
        &mut self,
        what: impl AsyncFnOnce(&mut Connection<Port>, &mut News) -> Result<R, Error>,
    ) -> Result<R, Failure> {
        let Self { runtime, rdp, news, interrupt, .. } = self;
        let done = runtime.block_on(async {
            tokio::select! {
                biased;
                () = interrupt.notified() => None,
                done = what(rdp, news) => Some(done),
            }
        });
        match done.ok_or(Failure::Interrupted)? {
            Ok(done) => Ok(done),
            Err(Error::Send(error)) => Err(Failure::Usage(format!("it cannot be sent: {error}"))),
            Err(_) => {
                let why = self.rdp.closed().unwrap_or(Closed::HandshakeTimeout);
                Err(Failure::Closed { why, unknown: self.news.unknown, active: self.news.active })
            }
        }
    }
}

fn in_milliseconds(milliseconds: u32) -> Instant {
    Instant::now() + Duration::from_millis(milliseconds.into())
}

/// Says what is to be said, and gives the agent time to hang up.
impl Drop for Client {
    fn drop(&mut self) {
        let close = async { timeout(Duration::from_secs(1), self.rdp.close(|_| {})).await };
        let _ = self.runtime.block_on(close);
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

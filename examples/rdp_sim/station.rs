//! The agent, the machine beside it, and the lines between it and whoever debugs: what firmware would be.

use std::io::Write;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

use feedrate::Instant;
use feedrate_examples::lane::{Connection, Happening, Port, random};
use feedrate_rdp::agent::{AgentConfig, StopCause};
use feedrate_rdp::link::LaneId;

use crate::clock::Clock;
use crate::knobs::{Knob, journal};
use crate::machine::{Machine, Run};
use crate::operator::{Operator, Watcher, watcher};
use crate::options::Options;
use crate::place::Place;
use crate::world::World;

/// So many runs that find the clock where the last one left it mean that it is broken. There are 10 ms between two of
/// them at most, and [`Station::turn`] waits for a microsecond to go by.
const FROZEN: u32 = 200;

/// So many steps of a series are done at most before the lines are looked at again.
const STEPS: u32 = 100;

pub(crate) struct Station {
    operator: Operator,
    watcher: Watcher,
    machine: Machine,
    clock: Clock,
    /// The number of this boot.
    boots: u32,
    /// Who is connected to each [`Place`].
    ports: [Option<Connection>; 3],
    /// How many have been.
    connections: u64,
    to_loop: Sender<Happening>,
    /// Up to when the agent does not run, in the machine's own time.
    stalled_until: u64,
    serial: bool,
    bulk: bool,
    /// Machine and agent begin anew with each connection of the operator's.
    reference: bool,
    name: &'static str,
    log: bool,
}

impl Station {
    pub(crate) fn new(options: &Options, to_loop: Sender<Happening>) -> Result<Self, String> {
        let clock = Clock::start();
        let (serial, bulk) = (options.serial, options.bulk.is_some());
        Ok(Self {
            operator: operator(options.name, 1, serial, bulk)?,
            watcher: watcher(),
            machine: Machine::new(World::new(), clock.real()),
            clock,
            boots: 1,
            ports: [None, None, None],
            connections: 0,
            to_loop,
            stalled_until: 0,
            serial,
            bulk,
            reference: options.reference,
            name: options.name,
            log: options.log,
        })
    }

    /// The main loop.
    pub(crate) fn run(&mut self, happenings: &Receiver<Happening>) -> Result<(), String> {
        loop {
            self.turn();
            match happenings.recv_timeout(self.pause()) {
                Ok(happening) => self.take(happening)?,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err("nobody listens any more".into()),
            }
        }
    }

    /// How long there is nothing to do, if nothing happens.
    fn pause(&self) -> Duration {
        let watcher = match &self.operator {
            Operator::Stream(agent) => self.watcher.deadline(agent),
            Operator::Serial(agent) => self.watcher.deadline(agent),
        };
        let due = self.clock.until(self.operator.deadline()).min(self.clock.until(watcher));
        // A deadline that has passed may wait for a line.
        due.max(Duration::from_millis(1)).min(self.machine.tick())
    }

    fn is_stalled(&self) -> bool {
        self.clock.real() < self.stalled_until
    }

    /// What firmware does again and again.
    fn turn(&mut self) {
        self.machine.watch_agent(self.clock.real());
        self.feed();
        if self.is_stalled() {
            return;
        }
        let mut now = self.clock.now();
        for _ in 0..STEPS {
            self.tell_stops(now);
            self.operator.run(&mut self.machine, now);
            // What the agent has just begun, and what came of it.
            self.tell_stops(now);
            if self.operator.deadline() != Some(Instant::ZERO) {
                break;
            }
            now = self.clock.later(now);
        }
        self.operator.watch(&mut self.watcher, &mut self.machine, now);
        // The agent has made room.
        self.feed();
        for place in Place::ALL {
            self.send(place, now);
        }
    }

    /// Lets the machine go on up to now, and tells the agent wherever it comes to a stand.
    fn tell_stops(&mut self, now: Instant) {
        while let Some(cause) = self.machine.advance(self.clock.real()) {
            self.operator.stopped(&mut self.machine, cause, now);
        }
    }

    /// Gives the agent what has arrived, as far as there is room.
    fn feed(&mut self) {
        let now = self.clock.now();
        for place in Place::ALL {
            let Some(port) = self.ports[place as usize].as_mut().filter(|port| !port.input().is_empty())
            else {
                continue;
            };
            let mut input = port.input();
            let fed = match place {
                Place::Operator => self.operator.feed(LaneId::Signal, &mut input, now),
                Place::Bulk => self.operator.feed(LaneId::Bulk, &mut input, now),
                Place::Observer => self.watcher.feed(&mut input, now),
            };
            let left = input.len();
            port.taken(left);
            if let Err(error) = fed {
                self.hang_up(place, &error.to_string());
            }
        }
    }

    fn send(&mut self, place: Place, now: Instant) {
        let Some(port) = self.ports[place as usize].as_mut().filter(|port| port.is_free()) else { return };
        let mut bytes = Vec::new();
        loop {
            let mut packet = [0; 512];
            let length = match place {
                Place::Operator => self.operator.poll_transmit(LaneId::Signal, &mut packet, now),
                Place::Bulk => self.operator.poll_transmit(LaneId::Bulk, &mut packet, now),
                Place::Observer => self.watcher.poll_transmit(&mut packet),
            };
            if length == 0 {
                break;
            }
            bytes.extend_from_slice(&packet[..length]);
        }
        if !bytes.is_empty() {
            port.write(bytes);
        }
        let finished = match place {
            Place::Operator => self.operator.is_finished(),
            Place::Bulk => false,
            Place::Observer => self.watcher.is_finished(),
        };
        if finished {
            self.hang_up(place, "its session is over");
        }
    }

    fn take(&mut self, happening: Happening) -> Result<(), String> {
        match happening {
            Happening::Came(number, port) => {
                if let Some(place) = Place::ALL.get(number) {
                    self.connect(*place, port)?;
                }
            }
            Happening::Bytes(number, bytes) => {
                if let Some(port) = self.port(number) {
                    port.arrived(bytes);
                }
            }
            Happening::Written(number) => {
                if let Some(port) = self.port(number) {
                    port.written();
                }
            }
            Happening::Gone(number, why) => {
                if let Some(place) = self.place(number) {
                    // What it has asked for last is still done.
                    self.turn();
                    self.hang_up(place, &why);
                }
            }
            Happening::Input(line) => {
                self.turn();
                let answer = self.turn_knob(&line)?;
                self.turn();
                let mut out = std::io::stdout().lock();
                // Whoever does not want the answers any more still has a machine.
                let _ = writeln!(out, "{answer}").and_then(|()| out.flush());
            }
            Happening::EndOfInput | Happening::Interrupt => {}
        }
        Ok(())
    }

    fn connect(&mut self, place: Place, port: Port) -> Result<(), String> {
        // What has arrived before is acted on before.
        self.turn();
        let taken = match place {
            Place::Operator if self.serial => {
                // The end of the line that there was.
                self.hang_up(place, "another one takes its place");
                self.operator.connect(LaneId::Signal)
            }
            Place::Operator => self.operator.connect(LaneId::Signal),
            Place::Bulk => self.operator.connect(LaneId::Bulk),
            Place::Observer => self.watcher.connect(),
        };
        if let Err(busy) = taken {
            self.say(place, &format!("refused: {busy}"));
            return Ok(());
        }
        if self.reference && place == Place::Operator {
            self.turn();
            self.begin_anew()?;
            if !self.serial {
                // It is nobody's now.
                let _ = self.operator.connect(LaneId::Signal);
            }
        }
        self.connections += 1;
        // Whoever was there before is dropped.
        self.ports[place as usize] = Connection::new(self.connections, port, &self.to_loop).ok();
        self.say(place, "connected");
        Ok(())
    }

    /// Agent and machine after a reset. The observers' connection has ended.
    fn begin_anew(&mut self) -> Result<(), String> {
        self.boots = self.boots.wrapping_add(1);
        self.operator = operator(self.name, self.boots, self.serial, self.bulk)?;
        self.machine.reset(self.clock.real());
        self.watcher = watcher();
        self.ports[Place::Observer as usize] = None;
        Ok(())
    }

    /// There is no connection any more.
    fn hang_up(&mut self, place: Place, why: &str) {
        if self.ports[place as usize].take().is_none() {
            return;
        }
        let now = self.clock.now();
        match place {
            Place::Operator => self.operator.disconnect(LaneId::Signal, now),
            Place::Bulk => self.operator.disconnect(LaneId::Bulk, now),
            Place::Observer => self.watcher.disconnect(),
        }
        self.say(place, &format!("gone: {why}"));
    }

    fn place(&self, number: u64) -> Option<Place> {
        let is_there =
            |place: &Place| self.ports[*place as usize].as_ref().is_some_and(|port| port.number() == number);
        Place::ALL.into_iter().find(is_there)
    }

    fn port(&mut self, number: u64) -> Option<&mut Connection> {
        let place = self.place(number)?;
        self.ports[place as usize].as_mut()
    }

    /// Returns the answer.
    fn turn_knob(&mut self, line: &str) -> Result<String, String> {
        let knob = match line.parse() {
            Ok(knob) => knob,
            Err(wrong) => return Ok(wrong),
        };
        let world = &mut self.machine.world;
        match knob {
            Knob::Permit(bits) => world.permitted = bits,
            Knob::Generation(number) => world.generation = number,
            Knob::Interlock(on) => world.interlock = on,
            Knob::Moving(on) => world.moving = on,
            Knob::ReleaseFails(on) => world.release_fails = on,
            Knob::RecoveryFails(on) => world.recovery_fails = on,
            Knob::Stall(span) => {
                let span = u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
                self.stalled_until = self.clock.real().saturating_add(span);
            }
            Knob::Clock(step) => self.clock.jump(step),
            Knob::Freeze(on) => self.clock.freeze(on),
            Knob::Reset => {
                self.begin_anew()?;
                if !self.serial {
                    self.ports[Place::Operator as usize] = None;
                    self.say(Place::Operator, "gone: reset");
                }
            }
            Knob::Trap => {
                self.machine.run = Run::Stopped;
                let now = self.clock.now();
                self.operator.stopped(&mut self.machine, StopCause::Breakpoint(0), now);
            }
            Knob::Journal => return Ok(journal(&mut self.machine)),
        }
        Ok("ok".into())
    }

    fn say(&self, place: Place, what: &str) {
        if self.log {
            let seconds = self.clock.now().as_millis() as f64 / 1000.0;
            eprintln!("rdp_sim: {seconds:.3} s, {place:?}: {what}");
        }
    }
}

/// An agent after this boot.
fn operator(name: &'static str, boots: u32, serial: bool, bulk: bool) -> Result<Operator, String> {
    let config = AgentConfig::new(random()?, boots, name).observers(true).frozen(FROZEN);
    Ok(if serial { Operator::serial(config, bulk) } else { Operator::stream(config) })
}

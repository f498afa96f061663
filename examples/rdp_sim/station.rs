//! The agent, the machine beside it, and the lines between it and whoever debugs: what firmware would be.

use std::io::Write;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use feedrate::rdp::frame::{Domains, Fingerprint};
use feedrate::rdp::packet::{Framing, Line};
use feedrate_examples::lane::{Clock, Happening, Port, random};
use feedrate_rdp::Millis;
use feedrate_rdp::agent::{Agent, AgentConfig};
use feedrate_rdp::arch::CortexM;
use feedrate_rdp::authority::Grant;
use feedrate_rdp::link::{LaneId, Sizes};

use crate::machine::Machine;
use crate::options::Options;

/// As [`Board`](feedrate_rdp::link::Board), with room for the packets of TCP.
pub(crate) enum Room {}

impl Sizes for Room {
    type Lane = [u8; 1024];
    type Send = [u8; 1024];
    type Message = [u8; 512];
    type Queue = [u8; 4096];
}

type Authority = fn(&[u8], &Fingerprint) -> Result<Grant, u32>;

/// Who may do what. A real one would check a signature, the device and the date.
fn authority(token: &[u8], _: &Fingerprint) -> Result<Grant, u32> {
    const HOUR: u32 = 3_600_000;
    let (operator, domains, lasts) = match token {
        b"operator" => (*b"operator", Domains::ALL, HOUR),
        b"observer" => (*b"observer", Domains::OBSERVE, HOUR),
        b"brief" => (*b"brief\0\0\0", Domains::ALL, 500),
        _ => return Err(1),
    };
    Ok(Grant { operator, domains, lasts })
}

pub(crate) struct Station {
    agent: Agent<CortexM, Authority, Room>,
    machine: Machine,
    config: AgentConfig,
    clock: Clock,
    signal: Option<Port>,
    bulk: Option<Port>,
    /// Both begin anew with each connection.
    reference: bool,
    log: bool,
}

impl Station {
    pub(crate) fn new(options: &Options) -> Result<Self, String> {
        let clock = Clock::start();
        let config = AgentConfig::tcp(random()?, "reference")
            .signal(options.line)
            .bulk(options.bulk.as_ref().map(|_| Line::SPI));
        Ok(Self {
            agent: Agent::new(config, authority, Default::default()),
            machine: Machine::new(clock.now()),
            config,
            clock,
            signal: None,
            bulk: None,
            reference: options.reference,
            log: options.log,
        })
    }

    /// The main loop.
    pub(crate) fn run(&mut self, happenings: &Receiver<Happening>) -> Result<(), String> {
        loop {
            let now = self.clock.now();
            self.tell_stops(now);
            self.agent.run(&mut self.machine, now);
            // What the agent has just begun, and what came of it.
            self.tell_stops(now);
            self.send(LaneId::Signal, now);
            self.send(LaneId::Bulk, now);

            let pause = self.clock.until(self.agent.deadline()).min(self.machine.tick());
            match happenings.recv_timeout(pause) {
                Ok(happening) => self.take(happening)?,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err("nobody listens any more".into()),
            }
            // What else has arrived meanwhile is looked at together.
            while let Ok(happening) = happenings.recv_timeout(Duration::ZERO) {
                self.take(happening)?;
            }
        }
    }

    /// Lets the machine go on up to now, and tells the agent wherever it comes to a stand.
    fn tell_stops(&mut self, now: Millis) {
        while let Some(cause) = self.machine.advance(now) {
            self.agent.stopped(&mut self.machine, cause, now);
        }
    }

    fn take(&mut self, happening: Happening) -> Result<(), String> {
        match happening {
            Happening::Bytes(lane, bytes) => self.feed(lane, &bytes),
            Happening::Connected(lane, port) => self.connect(lane, port)?,
            Happening::Gone(lane, why) => {
                *self.port(lane) = None;
                self.say(lane, &format!("gone: {why}"));
            }
            Happening::Input(_) | Happening::EndOfInput | Happening::Interrupt => {}
        }
        Ok(())
    }

    fn connect(&mut self, lane: LaneId, port: Port) -> Result<(), String> {
        if self.reference && lane == LaneId::Signal {
            // Other nonces with it: they must never come again.
            self.config.boot = random()?;
            self.agent = Agent::new(self.config, authority, Default::default());
            self.machine = Machine::new(self.clock.now());
        } else {
            self.agent.reconnect(lane);
        }
        *self.port(lane) = Some(port);
        self.say(lane, "connected");
        Ok(())
    }

    fn feed(&mut self, lane: LaneId, bytes: &[u8]) {
        let errors = |agent: &Agent<CortexM, Authority, Room>| {
            let counts = agent.link().lane_counts(lane);
            counts.header_failures.saturating_add(counts.overlong)
        };
        let before = errors(&self.agent);
        self.agent.feed(lane, bytes, self.clock.now());
        let is_stream = lane == LaneId::Signal && self.config.signal.framing == Framing::Stream;
        if is_stream && errors(&self.agent) != before {
            // A stream that loses no bytes has no business being wrong (SPEC 2.2).
            self.say(lane, "what arrives is not RDPv3: hanging up");
            if let Some(port) = self.port(lane) {
                port.hang_up();
            }
        }
    }

    fn send(&mut self, lane: LaneId, now: Millis) {
        let mut packet = [0; 1024];
        while self.port(lane).is_some() {
            let length = self.agent.poll(lane, &mut packet, now);
            let Some(bytes) = packet.get(..length).filter(|bytes| !bytes.is_empty()) else { return };
            let Some(port) = self.port(lane) else { return };
            if port.write_all(bytes).is_err() {
                // Half a packet may have gone. The reading thread will tell that it is gone.
                port.hang_up();
                *self.port(lane) = None;
            }
        }
    }

    fn port(&mut self, lane: LaneId) -> &mut Option<Port> {
        match lane {
            LaneId::Signal => &mut self.signal,
            LaneId::Bulk => &mut self.bulk,
        }
    }

    fn say(&self, lane: LaneId, what: &str) {
        if self.log {
            eprintln!("rdp_sim: {:.3} s, {lane:?}: {what}", f64::from(self.clock.now()) / 1000.0);
        }
    }
}

//! An agent on a stream, the [fake machine](Fake) behind it, a [peer](Peer) before it, and a clock.
//!
//! ```
//! use feedrate::rdp::frame::{Frame, Halt};
//! use feedrate_testkit::rdp::rig::Rig;
//!
//! let mut rig = Rig::active();
//! rig.machine.stopped = false;
//! rig.done(&Frame::Halt(Halt));
//! assert!(rig.machine.stopped);
//! ```

use std::time::Duration;

use feedrate::Instant;
use feedrate::rdp::Channel;
use feedrate::rdp::frame::{
    Agree, Cause, Domains, ErrorCode, Frame, GetStatus, Reason, Record, State, Status, Welcome,
};
use feedrate_rdp::agent::{Agent, AgentConfig};
use feedrate_rdp::arch::CortexM;
use feedrate_rdp::authority::{Claim, Grant};
use feedrate_rdp::session::{Checksum, Seal, SessionState};
use feedrate_rdp::sizes::Board;
use feedrate_rdp::stream::Stream;
use feedrate_rdp::target::Audit;

use super::peer::{Peer, Said, bytes, crc_of_body, record};
use crate::machine::{Fake, Journal};

/// What checks tokens.
pub type Authority = fn(&Claim<'_>) -> Result<Grant, u32>;
/// An agent on a stream.
pub type OnStream<Z = Checksum> = Agent<CortexM, Authority, Stream<Board>, Z>;

/// A token that grants this for so many seconds.
pub fn token(domains: Domains, seconds: u32) -> Vec<u8> {
    [&[domains.0][..], &seconds.to_be_bytes()].concat()
}

/// Takes what [`token`] makes, and refuses everything else with the code 7.
pub fn authority(claim: &Claim<'_>) -> Result<Grant, u32> {
    let [domains, seconds @ ..] = *claim.token.first_chunk::<5>().ok_or(7_u32)?;
    let lasts = Duration::from_secs(u32::from_be_bytes(seconds).into());
    if claim.token.len() == 5 { Ok(Grant::new(*b"operator", Domains(domains), lasts)) } else { Err(7) }
}

/// The usual configuration.
pub const CONFIG: AgentConfig = AgentConfig::new(*b"boot no. 815", 815, "servo");

/// All of it.
#[derive(Debug)]
pub struct Rig<Z: Seal = Checksum> {
    /// The agent.
    pub agent: OnStream<Z>,
    /// The machine. Its time is in milliseconds.
    pub machine: Fake,
    /// The host.
    pub peer: Peer<Z>,
    /// The agent's clock.
    pub now: Instant,
    /// What the agent has said, but for what has been looked at.
    pub said: Vec<Said>,
    /// Whether the host answers Heartbeats.
    pub lives: bool,
    /// The seal that every peer begins with.
    seal: Z,
    /// Peers so far.
    peers: u8,
}

impl Rig {
    /// The usual configuration, and nobody connected.
    pub fn new() -> Self {
        Self::with(CONFIG)
    }

    /// Another configuration.
    pub fn with(config: AgentConfig) -> Self {
        Self::sealed(config, Checksum::new(), Checksum::new())
    }

    /// A session is active, whose host may do everything.
    pub fn active() -> Self {
        Self::active_with(CONFIG, &token(Domains::ALL, 3600))
    }

    /// A session of another configuration is active, with this token.
    pub fn active_with(config: AgentConfig, token: &[u8]) -> Self {
        let mut rig = Self::with(config);
        rig.connect();
        rig.handshake(token).expect("a session");
        rig
    }
}

impl Default for Rig {
    fn default() -> Self {
        Self::new()
    }
}

impl<Z: Seal + Clone> Rig<Z> {
    /// With this seal of both sides.
    pub fn sealed(config: AgentConfig, agents: Z, hosts: Z) -> Self {
        let agent = Agent::new(config, Stream::agent(), authority as Authority, agents);
        let machine = Fake { journal: Journal::kept(), ..Fake::new() };
        let peer = Peer::new(hosts.clone(), [0; 16]);
        let now = Instant::from_millis(1_000_000);
        let mut rig =
            Self { agent, machine, peer, now, said: Vec::new(), lives: true, seal: hosts, peers: 0 };
        rig.run();
        rig
    }

    /// Another connection, and another host at its other end. `false`: the agent is busy.
    pub fn connect(&mut self) -> bool {
        if self.agent.connect().is_err() {
            return false;
        }
        self.peers += 1;
        self.peer = Peer::new(self.seal.clone(), [self.peers; 16]);
        self.said.clear();
        true
    }

    /// Says Hello, agrees to State, and returns whether the session is active or what it was refused with.
    ///
    /// # Errors
    ///
    /// Code and detail of the Error.
    pub fn handshake(&mut self, token: &[u8]) -> Result<(), (ErrorCode, u32)> {
        let hello = self.peer.hello(token);
        self.put(Channel::Urgent, &hello);
        self.run();
        if let Some(Frame::Error(error)) = self.said.last().map(Said::frame) {
            return Err((error.code, error.detail));
        }
        self.agree();
        Ok(())
    }

    /// Agrees to the State that was sent.
    pub fn agree(&mut self) {
        let state = self.said.last().expect("State");
        assert!(matches!(state.frame(), Frame::State(_)), "{:?}", state.frame());
        let agree = Frame::Agree(Agree { crc: crc_of_body(&state.bytes) });
        let request = self.tell(&agree);
        let done = self.answer(request);
        assert!(matches!(done.frame(), Frame::Done(_)), "{:?}", done.frame());
    }

    /// The State that has been received in the handshake.
    pub fn state(&self) -> State<'_> {
        let state = |said: &Said| matches!(said.frame(), Frame::State(_));
        match self.said.iter().find(|said| state(said)).map(Said::frame) {
            Some(Frame::State(state)) => state,
            _ => panic!("no State in {:?}", self.said),
        }
    }

    /// The Welcome that has been received in the handshake.
    pub fn welcome(&self) -> Welcome<'_> {
        let welcome = |said: &Said| matches!(said.frame(), Frame::Welcome(_));
        match self.said.iter().find(|said| welcome(said)).map(Said::frame) {
            Some(Frame::Welcome(welcome)) => welcome,
            _ => panic!("no Welcome in {:?}", self.said),
        }
    }

    /// The answer to GetStatus.
    pub fn status(&mut self) -> Status {
        match self.ask(&Frame::GetStatus(GetStatus)).frame() {
            Frame::Status(status) => status,
            other => panic!("{other:?}"),
        }
    }

    /// The line ends, and another host begins a session on the next one.
    ///
    /// # Errors
    ///
    /// Code and detail of the Error.
    pub fn again(&mut self, token: &[u8]) -> Result<(), (ErrorCode, u32)> {
        self.agent.disconnect();
        self.run();
        assert!(self.connect(), "busy");
        self.handshake(token)
    }

    /// A message arrives, as it is. It is acted on at the next run.
    pub fn put(&mut self, channel: Channel, message: &[u8]) {
        self.put_bytes(&record(channel, message));
    }

    /// Bytes arrive.
    pub fn put_bytes(&mut self, mut input: &[u8]) {
        let _ = self.agent.feed(&mut input, self.now);
        assert!(input.is_empty(), "{} bytes too many", input.len());
    }

    /// A message arrives with this sequence and time.
    pub fn put_as(&mut self, channel: Channel, sequence: u32, time: u32, frame: &Frame<'_>) {
        let message = self.peer.message(channel, sequence, time, &bytes(frame));
        self.put(channel, &message);
    }

    /// The next message arrives, as it should be, and its sequence is returned. It is acted on at the next run.
    pub fn tell(&mut self, frame: &Frame<'_>) -> u32 {
        let channel = frame.channel().expect("a host's kind");
        let message = self.peer.next(channel, &bytes(frame));
        self.put(channel, &message);
        self.peer.next - 1
    }

    /// The agent runs once; what has stopped is told to it; and what it says is heard.
    pub fn run(&mut self) {
        self.now = self.now.saturating_add(Duration::from_millis(1));
        self.run_as_it_is();
    }

    /// The same, and no time has passed.
    pub fn run_as_it_is(&mut self) {
        self.run_unheard();
        self.listen();
    }

    /// The same, and nobody takes what it says.
    pub fn run_unheard(&mut self) {
        self.machine.pass_to(self.now.as_millis());
        while let Some(cause) = self.machine.stop_now() {
            self.agent.stopped(&mut self.machine, cause, self.now);
        }
        self.agent.run(&mut self.machine, self.now);
    }

    /// Hears what the agent says, and answers Heartbeats.
    pub fn listen(&mut self) {
        let mut out = [0; 256];
        while let length @ 1.. = self.agent.poll_transmit(&mut out) {
            for said in self.peer.read(&out[..length]) {
                if let (Frame::Heartbeat(heartbeat), true) = (said.frame(), self.lives) {
                    let echo = self.peer.echo(heartbeat.challenge);
                    self.put(Channel::Urgent, &echo);
                }
                self.said.push(said);
            }
        }
    }

    /// So many milliseconds pass, in which the agent runs every 10.
    pub fn pass(&mut self, milliseconds: u64) {
        let end = self.now.as_millis() + milliseconds;
        while self.now.as_millis() < end {
            self.now = self.now.saturating_add(Duration::from_millis(10));
            self.run_as_it_is();
        }
    }

    /// So many milliseconds pass without a run.
    pub fn stall(&mut self, milliseconds: u64) {
        self.now = self.now.saturating_add(Duration::from_millis(milliseconds));
        self.machine.pass_to(self.now.as_millis());
    }

    /// The answer to a command, once there is one.
    pub fn answer(&mut self, request: u32) -> Said {
        for _ in 0..1_000 {
            self.run();
            if let Some(at) = self.said.iter().position(|said| said.frame().request() == Some(request)) {
                return self.said.remove(at);
            }
        }
        panic!("no answer to {request}: {:?}", self.agent);
    }

    /// Asks, and returns the answer.
    pub fn ask(&mut self, frame: &Frame<'_>) -> Said {
        let request = self.tell(frame);
        self.answer(request)
    }

    /// Asks, and it is done; the program comes to a stand, if it has been told to.
    pub fn done(&mut self, frame: &Frame<'_>) -> Said {
        let answer = self.ask(frame);
        assert!(!matches!(answer.frame(), Frame::Error(_)), "{frame:?}: {:?}", answer.frame());
        self.run();
        answer
    }

    /// Asks, and returns what it is refused with.
    pub fn refused(&mut self, frame: &Frame<'_>) -> (ErrorCode, u32) {
        match self.ask(frame).frame() {
            Frame::Error(error) => (error.code, error.detail),
            other => panic!("{frame:?} is answered by {other:?}"),
        }
    }

    /// The verdict: 0, or what it is refused with.
    pub fn verdict(&mut self, frame: &Frame<'_>) -> ErrorCode {
        match self.ask(frame).frame() {
            Frame::Error(error) => error.code,
            _ => ErrorCode(0),
        }
    }

    /// Whether a session is active.
    pub fn is_active(&self) -> bool {
        self.agent.state() == SessionState::Active
    }

    /// The reason of the goodbye that was heard.
    pub fn bye(&self) -> Option<Cause> {
        self.said.iter().find_map(|said| match said.frame() {
            Frame::Bye(bye) => Some(bye.reason),
            _ => None,
        })
    }

    /// The stops that were heard: request, reason and `more`.
    pub fn stops(&self) -> Vec<(u32, Reason, bool)> {
        let stop = |said: &Said| match said.frame() {
            Frame::Stopped(stopped) => Some((stopped.request, stopped.reason, stopped.more)),
            _ => None,
        };
        self.said.iter().filter_map(stop).collect()
    }

    /// What is in the log.
    pub fn records(&self) -> Vec<Record> {
        let mut records = Vec::new();
        let mut from = 0;
        while let Some(record) = self.machine.log.first_from(from) {
            from = record.index + 1;
            records.push(record);
        }
        records
    }

    /// The last record.
    pub fn last_record(&self) -> Record {
        *self.records().last().expect("a record")
    }

    /// The agent has not done what it must not.
    pub fn check(&self) {
        assert_eq!(self.machine.misuse, None);
    }
}

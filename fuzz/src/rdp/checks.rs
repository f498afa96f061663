//! What an agent must never do, whatever it is told and whatever its clock and its machine do: seen from the
//! machine's journal and from what was sent to it (SPEC sections 5 and 8).

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use feedrate::rdp::Channel;
use feedrate::rdp::frame::{Cause, Class, Domains, Frame, Record};
use feedrate_rdp::agent::AgentConfig;
use feedrate_rdp::target::Act;
use feedrate_testkit::machine::{Deed, Fake};

/// Kinds (SPEC section 6.2).
const CLEAR: u8 = 0x02;
const HALT: u8 = 0x10;
const RELEASE: u8 = 0x1B;
const EVENTS: u8 = 0xE0;
/// Runs at one time that break the clock.
pub const FROZEN: u32 = 1_000;
/// Microseconds of the session clock's unit.
const UNIT: u64 = 10_000;

/// Column D of SPEC section 6.2.
fn domain(kind: u8) -> Domains {
    match kind {
        0x01 | 0x02 | 0x04..=0x06 | 0x10..=0x13 => Domains::CONTROL,
        0x1A..=0x1E | 0x29 => Domains::FORCE,
        0x32 => Domains::POLICY,
        0x35 => Domains::AUDIT,
        _ => Domains::OBSERVE,
    }
}

/// A session that is active.
#[derive(Debug)]
pub struct Session {
    /// Its number in the log.
    pub number: u32,
    pub granted: Domains,
    /// When the grant ends, and when the session clock began, on the agent's clock.
    pub until: u64,
    pub started: u64,
    pub generation: u32,
    /// The host has been heard as of then, at the latest; at first that is when it agreed.
    pub heard: u32,
    agreed: u32,
    /// What was said, by channel and sequence: its time and its frame.
    sent: BTreeMap<(usize, u32), (u32, Vec<u8>)>,
    /// The last sequence on each channel.
    pub last: [Option<u32>; 2],
    /// Sequences of commands that must be answered, in this order.
    pub owed: [VecDeque<u32>; 2],
    /// Challenges that have been heard, and when they were sent.
    pub beats: Vec<(u32, u32)>,
    /// A goodbye is on its way.
    ending: bool,
}

impl Session {
    pub fn new(number: u32, granted: Domains, until: u64, started: u64, generation: u32, heard: u32) -> Self {
        Self {
            number,
            granted,
            until,
            started,
            generation,
            heard,
            agreed: heard,
            sent: BTreeMap::new(),
            last: [None; 2],
            owed: Default::default(),
            beats: Vec::new(),
            ending: false,
        }
    }

    /// The host has said something, with a tag that is right.
    pub fn said(&mut self, channel: Channel, sequence: u32, time: u32, frame: &[u8]) {
        let index = channel.index();
        if self.last[index].is_some_and(|last| sequence <= last) {
            return;
        }
        self.last[index] = Some(sequence);
        self.sent.insert((index, sequence), (time, frame.to_vec()));
        match Frame::read_from_host(frame) {
            Ok(Frame::Heartbeat(heartbeat)) if channel == Channel::Urgent => {
                let known = self.beats.iter().filter(|(challenge, _)| *challenge == heartbeat.challenge);
                self.heard = known.map(|(_, time)| *time).fold(self.heard, u32::max);
            }
            Ok(Frame::Bye(_)) if channel == Channel::Urgent => self.ending = true,
            _ => self.owed[index].push_back(sequence),
        }
    }

    /// The agent has answered.
    pub fn answered(&mut self, channel: Channel, request: u32) {
        let first = self.owed[channel.index()].pop_front();
        assert_eq!(first, Some(request), "an answer that is not the next one on {channel:?}");
    }

    /// Whether all that was said must have been answered.
    pub fn is_owed(&self) -> bool {
        !self.ending && self.owed.iter().any(|owed| !owed.is_empty())
    }

    fn renews(&self, addr: u64) -> bool {
        self.owed[1].iter().any(|sequence| {
            let sent = self.sent.get(&(1, *sequence)).map(|(_, frame)| Frame::read_from_host(frame));
            matches!(sent, Some(Ok(Frame::Renew(renew))) if renew.addr == addr)
        })
    }

    /// The frame of a command that was sent.
    pub fn frame(&self, channel: Channel, sequence: u32) -> Option<Frame<'_>> {
        let (_, frame) = self.sent.get(&(channel.index(), sequence))?;
        Frame::read_from_host(frame).ok()
    }
}

/// Of a variable that is forced.
#[derive(Debug)]
struct Lease {
    until: u64,
    length: u64,
    safe: Vec<u8>,
}

/// What was there before a run.
#[derive(Debug)]
pub struct Before {
    held: Vec<u64>,
    traps: Vec<Option<u64>>,
    /// How long the agent has not run.
    gap: u64,
}

/// Where there are traps, slot by slot.
fn armed(machine: &Fake) -> impl Iterator<Item = Option<u64>> {
    machine.slots.iter().map(|slot| slot.as_ref().map(|(addr, _)| *addr))
}

/// All that is known of the agent.
#[derive(Debug)]
pub struct Checks {
    config: AgentConfig,
    pub session: Option<Session>,
    /// The last one that has ended.
    ended: Option<Session>,
    /// Runs that have found the clock where it was, and whether it has stepped back.
    same: u32,
    stepped: bool,
    /// The machine has failed for good, at some time.
    pub fatal: bool,
    /// The latest time that the agent has seen, and when it ran last.
    pub high: u64,
    ran: Option<u64>,
    /// What is forced.
    leases: BTreeMap<u64, Lease>,
    /// What was let go of by itself, and the agent does not know it yet.
    dropped: BTreeSet<u64>,
    /// Traps that have been set in this run of the agent, perhaps in the place of one that was cleared in it.
    set: BTreeSet<u64>,
    stuck: [BTreeSet<u64>; 2],
    /// The command that is being executed.
    open: Option<Record>,
    /// A record has found no room: that of a Halt or a Release may be missing.
    lost: bool,
    /// 0: nothing is being taken back; 1: the reaction was performed, forces may be; 2: traps are.
    phase: u8,
    safe: Option<(u64, Vec<u8>)>,
    /// It has not come through its reset.
    pub fresh: bool,
}

impl Checks {
    pub fn new(config: AgentConfig) -> Self {
        Self {
            config,
            session: None,
            ended: None,
            same: 0,
            stepped: false,
            fatal: false,
            high: 0,
            ran: None,
            leases: BTreeMap::new(),
            dropped: BTreeSet::new(),
            set: BTreeSet::new(),
            stuck: Default::default(),
            open: None,
            lost: false,
            phase: 0,
            safe: None,
            fresh: true,
        }
    }

    /// The agent is shown its clock, otherwise than by a run.
    pub fn see(&mut self, clock: u64) {
        if self.ran.is_some() || self.high > 0 {
            self.high = self.high.max(clock);
        } else {
            self.high = clock;
        }
    }

    /// The agent is about to run. The clock is broken if it says so.
    pub fn before(&mut self, machine: &Fake, clock: u64) -> (Before, bool) {
        let stepped = self.high.saturating_sub(clock) > 100_000;
        self.stepped |= stepped;
        self.same += u32::from(self.ran.is_some_and(|ran| clock <= ran));
        self.high = if stepped { clock } else { self.high.max(clock) };
        let gap = self.high.saturating_sub(self.ran.unwrap_or(self.high));
        self.ran = Some(self.high);
        self.set.clear();
        (self.snapshot(machine, gap), stepped)
    }

    fn snapshot(&self, machine: &Fake, gap: u64) -> Before {
        let traps = armed(machine).collect();
        Before { held: machine.held.keys().copied().collect(), traps, gap }
    }

    fn clock(&self) -> Option<u32> {
        let session = self.session.as_ref()?;
        u32::try_from(self.high.saturating_sub(session.started) / UNIT).ok()
    }

    /// What it has done, in this order.
    pub fn judge(&mut self, machine: &Fake, deeds: &[Deed]) {
        for deed in deeds {
            self.deed(machine, deed);
        }
        self.phase = 0;
    }

    fn deed(&mut self, machine: &Fake, deed: &Deed) {
        let safe = self.safe.take();
        match deed {
            Deed::Recovered(true) => {
                self.fresh = false;
                self.stuck = Default::default();
            }
            Deed::Recorded(record) if record.kind < EVENTS => self.command(machine, record),
            Deed::Concluded(..) => self.open = None,
            Deed::Lost => self.lost = true,
            Deed::Reacted(Some(_), _) => self.phase = 1,
            Deed::Safe(addr, value) => self.safe = Some((*addr, value.clone())),
            Deed::LetGo(addr, done) => self.let_go(machine, *addr, *done, safe),
            Deed::Disarmed(addr, done) => self.disarmed(machine, *addr, *done),
            Deed::Dropped(addr) => {
                self.dropped.insert(*addr);
            }
            Deed::Forced(addr, value) => {
                allowed(machine, *addr, value.len(), false);
                let asked = self.asked(machine);
                let Some(Frame::Force(force)) = asked else { panic!("{deed:?} for {asked:?}") };
                assert_eq!((force.addr, force.value.as_slice()), (*addr, &value[..]));
                let until = self.high + u64::from(force.lease) * 1_000;
                let (length, safe) = (value.len() as u64, force.safe.as_slice().to_vec());
                for (other, lease) in self.leases.iter().filter(|(other, _)| *other != addr) {
                    let apart = other + lease.length <= *addr || addr + length <= *other;
                    assert!(apart, "{addr:#x} and {other:#x} share a byte");
                }
                self.leases.insert(*addr, Lease { until, length, safe });
                self.dropped.remove(addr);
            }
            Deed::Wrote(addr, data) => {
                allowed(machine, *addr, data.len(), false);
                let asked = self.asked(machine);
                let Some(Frame::WriteMemory(write)) = asked else { panic!("{deed:?} for {asked:?}") };
                assert_eq!((write.addr, write.data.as_slice()), (*addr, &data[..]));
            }
            Deed::WroteRegister(register, value) => {
                let asked = self.asked(machine);
                let Some(Frame::WriteRegister(write)) = asked else { panic!("{deed:?} for {asked:?}") };
                assert_eq!((write.register, write.value), (*register, *value));
            }
            Deed::AxisSet(axis, position) => {
                let asked = self.asked(machine);
                let Some(Frame::SetAxis(set)) = asked else { panic!("{deed:?} for {asked:?}") };
                assert_eq!((set.axis, set.position), (*axis, *position));
            }
            Deed::Armed(addr) => {
                self.set.insert(*addr);
                allowed(machine, *addr, 1, false);
                match self.asked(machine) {
                    Some(
                        Frame::SetBreakpoint(at)
                        | Frame::SetHardwareBreakpoint(at)
                        | Frame::SetSoftwareBreakpoint(at),
                    ) => assert_eq!(at.addr, *addr),
                    Some(Frame::SetWatchpoint(watch)) => assert_eq!(watch.addr, *addr),
                    None if !machine.has.audit => {}
                    other => panic!("{deed:?} for {other:?}"),
                }
            }
            Deed::Read(addr, length) => allowed(machine, *addr, *length, true),
            _ => {}
        }
    }

    /// A command is about to have its effect: somebody who may has said so, not long ago.
    fn command(&mut self, machine: &Fake, record: &Record) {
        self.open = Some(*record);
        let clock = self.clock();
        let session = self.session.as_ref().unwrap_or_else(|| panic!("{record:?} without a session"));
        assert_eq!(record.session, session.number, "of another session: {record:?}");
        let urgent = matches!(record.kind, HALT | RELEASE);
        let channel = if urgent { Channel::Urgent } else { Channel::Ordinary };
        let sent = session.sent.get(&(channel.index(), record.sequence));
        let (time, frame) = sent.unwrap_or_else(|| panic!("nobody has said {record:?}"));
        assert_eq!((record.kind, record.time), (frame[5], *time));
        let domain = domain(record.kind);
        assert!(session.granted.contains(domain), "{record:?} was not granted");
        if urgent {
            return;
        }
        assert!(machine.permitted.contains(domain), "{record:?} is not permitted");
        assert!(self.high < session.until, "{record:?} after the grant's end");
        assert!(machine.generation.get() == session.generation, "{record:?} in another program");
        let stuck = self.stuck.iter().any(|stuck| !stuck.is_empty());
        assert!(!stuck || record.kind == CLEAR, "{record:?} while something is stuck: {:?}", self.stuck);
        let age = clock.expect("a session").checked_sub(record.time);
        let tolerance = u32::from(self.config.tolerance) / 10;
        assert!(age.is_some_and(|age| age <= tolerance), "{record:?} is {age:?} old");
    }

    /// What was asked for by the command that is being executed.
    fn asked(&self, machine: &Fake) -> Option<Frame<'_>> {
        match self.open {
            None => {
                assert!(!machine.has.audit, "no record");
                None
            }
            Some(record) => self.session.as_ref()?.frame(Channel::Ordinary, record.sequence),
        }
    }

    fn let_go(&mut self, machine: &Fake, addr: u64, done: bool, safe: Option<(u64, Vec<u8>)>) {
        let [stuck, _] = &mut self.stuck;
        let commanded =
            self.open.is_some_and(|record| record.kind == RELEASE) || std::mem::take(&mut self.lost);
        if !commanded && !stuck.contains(&addr) && machine.has.interlock {
            assert_eq!(self.phase, 1, "{addr:#x} is let go of without a stop reaction, or after traps");
        }
        if !done {
            stuck.insert(addr);
            return;
        }
        stuck.remove(&addr);
        self.dropped.remove(&addr);
        if let Some(lease) = self.leases.remove(&addr) {
            let wanted = Some((addr, lease.safe)).filter(|(_, wanted)| !wanted.is_empty());
            assert_eq!(safe, wanted, "the safe value of {addr:#x}");
        }
    }

    fn disarmed(&mut self, machine: &Fake, addr: u64, done: bool) {
        let [_, stuck] = &mut self.stuck;
        let commanded = self.open.is_some_and(|record| record.kind == CLEAR) || !machine.has.audit;
        if !commanded && !stuck.contains(&addr) {
            assert!(self.phase > 0 || !machine.has.interlock, "a trap at {addr:#x} without a stop reaction");
            self.phase = 2;
        }
        if done {
            stuck.remove(&addr);
        } else {
            stuck.insert(addr);
        }
    }

    /// The agent has run, and the machine is as it has to be.
    pub fn after(&mut self, machine: &Fake, before: &Before, active: bool, broken: bool) {
        assert_eq!(machine.misuse, None);
        if !active {
            self.ended = self.session.take().or(self.ended.take());
        }
        let held = || machine.held.keys().copied();
        let traps = machine.slots.iter().flatten().count();
        let [stuck_forces, stuck_traps] = &self.stuck;
        // What was held before, and is held still.
        let kept = || held().filter(|addr| before.held.contains(addr) && !stuck_forces.contains(addr));
        let kept_traps = before.traps.iter().zip(armed(machine)).filter(|(was, is)| **was == *is);
        let armed = kept_traps
            .filter_map(|(_, is)| is)
            .any(|addr| !stuck_traps.contains(&addr) && !self.set.contains(&addr));
        let may_clear = machine.fails.clear.is_none();
        if self.fresh {
            assert!(!active, "a session before the machine has come through its reset");
            return;
        }
        if !active || broken {
            assert!(!active, "its clock is broken");
            assert!(
                kept().next().is_none() && held().all(|addr| stuck_forces.contains(&addr)),
                "forces stay"
            );
            assert!(traps == 0 || !may_clear, "traps stay: {:?}", machine.slots);
        }
        if before.gap >= u64::from(self.config.stall) * 1_000 {
            assert!(self.dropped.iter().all(|addr| stuck_forces.contains(addr)), "a stall is not noticed");
        }
        for addr in held().filter(|addr| !stuck_forces.contains(addr)) {
            let renewed = self.session.as_ref().is_some_and(|session| session.renews(addr));
            let until = self.leases.get(&addr).map(|lease| lease.until);
            assert!(renewed || until.is_some_and(|until| self.high < until), "{addr:#x} outlives its lease");
        }
        let permitted = machine.permitted;
        let refuses = |act| machine.has.interlock && !(machine.permits)(machine, act);
        let hold = permitted.contains(Domains::FORCE) && !kept().any(|addr| refuses(Act::Hold(addr)));
        assert!(hold || kept().next().is_none(), "forces that are not permitted");
        let keep = permitted.contains(Domains::CONTROL) && !refuses(Act::KeepArmed(0));
        assert!(keep || !armed || !may_clear, "traps that are not permitted");
        let Some(session) = &self.session else { return };
        assert_eq!(session.generation, machine.generation.get(), "a session of another program");
        if self.high >= session.until {
            assert!(kept().next().is_none() && (!armed || !may_clear), "after the grant's end");
        }
        let silent = self.clock().unwrap_or(u32::MAX).saturating_sub(session.heard);
        let loss = u32::from(self.config.loss).div_ceil(10);
        assert!(silent < loss, "a host that was not heard for {silent} has a session");
    }

    /// The agent has said goodbye: it has had that reason.
    pub fn bye(&self, machine: &Fake, reason: Cause) {
        let Some(session) = &self.ended else { return };
        let clock = self.high.saturating_sub(session.started) / UNIT;
        let silent = clock.saturating_sub(session.heard.into()) * 10 >= u64::from(self.config.loss);
        let had = match reason {
            // It repeats the reason of who has said goodbye first.
            _ if session.ending => true,
            Cause::PeerLost => silent,
            Cause::TargetFailed => self.fatal,
            Cause::ProgramChanged => machine.generation.get() != session.generation,
            Cause::SessionExpired => self.high >= session.until + 60_000_000,
            Cause::ClockBroken => self.stepped || self.same >= FROZEN,
            _ => false,
        };
        assert!(had, "{reason:?} without that reason: {session:?}");
    }

    /// A lease is longer now.
    pub fn renewed(&mut self, addr: u64, lease: u32) {
        if let Some(held) = self.leases.get_mut(&addr) {
            held.until = self.high + u64::from(lease) * 1_000;
        }
    }

    /// Whether the host has been challenged as often as it should be.
    pub fn challenges(&self) -> bool {
        let (Some(session), Some(clock)) = (&self.session, self.clock()) else { return true };
        let last = session.beats.last().map_or(session.agreed, |(_, time)| *time);
        clock.saturating_sub(last) <= u32::from(self.config.heartbeat) / 10
    }

    /// By when it has to run, if nothing arrives: whatever it says must not be later.
    pub fn due(&self, machine: &Fake) -> Option<u64> {
        let session = self.session.as_ref()?;
        let loss = u64::from(self.config.loss).div_ceil(10);
        let lost = session.started + (u64::from(session.heard) + loss) * UNIT;
        let leases = self.leases.iter().filter(|(addr, _)| {
            machine.held.contains_key(addr) && !self.stuck[0].contains(addr) && !session.renews(**addr)
        });
        let stall = self.ran.filter(|_| !machine.held.is_empty());
        let stall = stall.map(|ran| ran + u64::from(self.config.stall) * 1_000);
        leases.map(|(_, lease)| lease.until).chain([lost]).chain(stall).min()
    }
}

/// SPEC section 8.6: nothing of what is protected, and nothing where there is nothing. What is `read` may end in
/// another region.
fn allowed(machine: &Fake, addr: u64, length: usize, read: bool) {
    let last = addr + (length as u64).saturating_sub(1);
    for region in machine.map.iter().filter(|region| region.class == Class::Protected) {
        assert!(last < region.first || region.last < addr, "{addr:#x} to {last:#x} is protected");
    }
    let within = |region: &&feedrate::rdp::frame::Region| region.first <= addr && last <= region.last;
    assert!(machine.map.iter().any(|region| within(&region)), "nothing is at {addr:#x} to {last:#x}, {read}");
}

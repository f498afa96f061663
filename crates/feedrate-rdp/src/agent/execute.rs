//! The commands (SPEC sections 6.3 and 8.3 to 8.6).

use feedrate::rdp::frame::{
    Audit, Axes, BreakpointSet, Breakpoints, Bytes, Cursor, Domains, Done, ErrorCode, Fingerprint, Force,
    Frame, List, Listed, Memory, Metrics, Plc, PushPolicy, ReadAudit, ReadMemory, ReadPlc, Record, Registers,
    SetAs, SetAxis, Status, Step,
};

use super::axes::{AXES, read_axes};
use super::body::{Body, MEMORY};
use super::commands::Command;
use super::fail::Fail;
use super::metrics::metrics;
use crate::arch::{Arch, all};
use crate::endpoint::Reply;
use crate::session::seal::Seal;
use crate::target::{self, Target, Trap};

/// The most breakpoints, records and registers in one answer.
const LISTED: usize = 8;
const RECORDS: usize = 8;
const REGISTERS: usize = 64;
/// The longest value that can be forced.
const VALUE: usize = 16;

/// Whether a command may be done without a record of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Without {
    /// If the target has no log, but not if it is full.
    Log,
    /// In no case.
    Nothing,
    /// In any case: it makes the machine safer.
    Room,
}

impl<A: Arch, U> Body<A, U> {
    /// Counts and lengths, whatever the state of the session.
    pub(super) fn limits(&self, frame: &Frame<'_>) -> Result<(), Fail> {
        let (value, limit) = match frame {
            Frame::SetWatchpoint(watch) => (watch.length, u32::MAX),
            Frame::Step(step) => (step.count, u32::MAX),
            Frame::ReadMemory(read) => (u32::from(read.length), u32::try_from(MEMORY).unwrap_or(u32::MAX)),
            Frame::ReadAudit(read) => (u32::from(read.count), u32::MAX),
            Frame::Force(force) => {
                if !(1..=VALUE).contains(&force.value.as_slice().len()) {
                    return Err(Fail(ErrorCode::Malformed, u32::from(frame.kind())));
                }
                (force.lease, u32::MAX)
            }
            Frame::PushPolicy(policy) => {
                let rules = u32::try_from(policy.rules.len()).unwrap_or(u32::MAX);
                // None at all is a policy too.
                (rules.max(1), u32::from(self.policies.slots()))
            }
            _ => return Ok(()),
        };
        if (1..=limit).contains(&value) {
            return Ok(());
        }
        Err(Fail(ErrorCode::Limit, if limit == u32::MAX { 0 } else { limit }))
    }

    pub(super) fn execute<T: Target<Arch = A>, Z: Seal>(
        &mut self,
        target: &mut T,
        command: Command,
        frame: &Frame<'_>,
        reply: &mut Reply<'_, Z>,
    ) -> Result<(), Fail> {
        let request = command.sequence;
        match *frame {
            Frame::SetBreakpoint(at) => self.set(target, command, at.addr, at.id, Trap::Any, reply)?,
            Frame::SetHardwareBreakpoint(at) => {
                self.set(target, command, at.addr, at.id, Trap::Hardware, reply)?
            }
            Frame::SetSoftwareBreakpoint(at) => {
                self.set(target, command, at.addr, at.id, Trap::Software, reply)?
            }
            Frame::SetWatchpoint(watch) => {
                let trap = Trap::Watch { length: watch.length, access: watch.access };
                self.set(target, command, watch.addr, watch.id, trap, reply)?;
            }
            Frame::ClearBreakpoint(at) => self.clear(target, command, at.addr, at.id, reply)?,
            Frame::ListBreakpoints(at) => self.list(target, request, at.id, reply)?,
            Frame::Halt(_) => self.halt(target, command, reply)?,
            Frame::Resume(_) => self.resume(target, command, reply)?,
            Frame::Step(step) => self.step(target, command, step, reply)?,
            Frame::ReadRegisters(read) => self.read_registers(target, request, read.changed, reply)?,
            Frame::ReadMemory(read) => self.read_memory(target, request, read, reply)?,
            Frame::Force(force) => self.force(target, command, &force, reply)?,
            Frame::Release(release) => {
                self.release(target, command, release.addr, &release.fingerprint, reply)?
            }
            Frame::GetStatus(_) => self.status(target, command, reply),
            Frame::SetAxis(set) => self.set_axis(target, command, set, reply)?,
            Frame::ReadAxes(_) => send_axes(target, request, reply)?,
            Frame::ReadPlc(read) => read_plc(target, request, read, reply)?,
            Frame::ReadCursor(_) => {
                let cursor = target.machine().ok_or(ErrorCode::Unsupported)?.cursor();
                reply.send(&Cursor { request, cursor });
            }
            Frame::ReadAudit(read) => {
                // Whoever may only look must not let records be overwritten.
                let releases = self.grant.is_some_and(|(grant, _)| grant.domains.contains(Domains::CONTROL));
                read_audit(target, request, read, releases, reply)?;
            }
            Frame::ReadMetrics(_) => self.send_metrics(command, reply),
            Frame::PushPolicy(policy) => self.push_policy(target, command, &policy, reply)?,
            _ => return Err(ErrorCode::Unexpected.into()),
        }
        Ok(())
    }

    /// Writes the record, has the effect, and writes what came of it.
    fn recorded<T: Target<Arch = A>, Z: Seal, R>(
        &self,
        target: &mut T,
        command: Command,
        what: (u64, u64),
        without: Without,
        reply: &mut Reply<'_, Z>,
        effect: impl FnOnce(&mut T) -> Result<R, Fail>,
    ) -> Result<R, Fail> {
        let index = self.record(target.audit(), reply.session().number(), command, what, without)?;
        let result = effect(target);
        let verdict = result.as_ref().err().map_or(0, |Fail(code, _)| code.0);
        conclude(target.audit(), index, verdict);
        result
    }

    #[inline(never)]
    fn record(
        &self,
        audit: Option<&mut dyn target::Audit>,
        session: u32,
        command: Command,
        (addr, value): (u64, u64),
        without: Without,
    ) -> Result<Option<u32>, Fail> {
        let record = Record {
            index: 0,
            session,
            sequence: command.sequence,
            time: command.time,
            uptime: self.uptime(command.now),
            operator: self.grant.map_or([0; 8], |(grant, _)| grant.operator),
            kind: command.kind,
            verdict: Record::PENDING,
            addr,
            value,
        };
        match (audit.map(|audit| audit.append(record)), without) {
            (Some(Ok(index)), _) => Ok(Some(index)),
            (Some(Err(_)), Without::Room) | (None, Without::Room | Without::Log) => Ok(None),
            (Some(Err(_)), _) => Err(ErrorCode::AuditFull.into()),
            (None, Without::Nothing) => Err(ErrorCode::Unsupported.into()),
        }
    }

    #[inline(never)]
    fn done<Z: Seal>(command: Command, reply: &mut Reply<'_, Z>) {
        reply.send(&Done { request: command.sequence });
    }

    fn not_stepping(&self) -> Result<(), Fail> {
        if self.stops.is_stepping() { Err(ErrorCode::Busy.into()) } else { Ok(()) }
    }

    fn set<T: Target<Arch = A>, Z: Seal>(
        &mut self,
        target: &mut T,
        command: Command,
        addr: u64,
        id: u32,
        trap: Trap,
        reply: &mut Reply<'_, Z>,
    ) -> Result<(), Fail> {
        let slots = target.breakpoints().ok_or(ErrorCode::Unsupported)?.slots().min(self.breakpoints.slots());
        self.not_stepping()?;
        if self.breakpoints.find(id).is_some() {
            return Err(ErrorCode::DuplicateId.into());
        }
        self.policies.check(addr)?;
        if self.breakpoints.len() >= slots {
            return Err(Fail(ErrorCode::NoSlot, u32::from(slots)));
        }
        let effect = |target: &mut T| {
            let breakpoints = target.breakpoints().ok_or(ErrorCode::Unsupported)?;
            Ok(breakpoints.set(addr, trap)?)
        };
        let slot = self.recorded(target, command, (addr, u64::from(id)), Without::Log, reply, effect)?;
        let trap = match trap {
            Trap::Any => SetAs::Any,
            Trap::Hardware => SetAs::Hardware,
            Trap::Software => SetAs::Software,
            Trap::Watch { .. } => SetAs::Watch,
        };
        self.breakpoints.insert(Listed { id, addr, trap, hits: 0 }, slot);
        reply.send(&BreakpointSet { request: command.sequence, id, slot });
        Ok(())
    }

    fn clear<T: Target<Arch = A>, Z: Seal>(
        &mut self,
        target: &mut T,
        command: Command,
        addr: u64,
        id: u32,
        reply: &mut Reply<'_, Z>,
    ) -> Result<(), Fail> {
        target.breakpoints().ok_or(ErrorCode::Unsupported)?;
        self.not_stepping()?;
        let found = self.breakpoints.find(id).filter(|(listed, _)| addr == 0 || listed.addr == addr);
        let (_, slot) = found.ok_or(ErrorCode::UnknownId)?;
        let effect = |target: &mut T| Ok(target.breakpoints().ok_or(ErrorCode::Unsupported)?.clear(slot)?);
        self.recorded(target, command, (addr, u64::from(id)), Without::Log, reply, effect)?;
        self.breakpoints.remove(id);
        Self::done(command, reply);
        Ok(())
    }

    #[inline(never)]
    fn list<T: Target<Arch = A>, Z: Seal>(
        &self,
        target: &mut T,
        request: u32,
        from: u32,
        reply: &mut Reply<'_, Z>,
    ) -> Result<(), Fail> {
        target.breakpoints().ok_or(ErrorCode::Unsupported)?;
        let mut listed = [Listed { id: 0, addr: 0, trap: SetAs::Any, hits: 0 }; LISTED];
        let mut next = Some(from);
        let mut count = 0_usize;
        for place in &mut listed {
            let Some(found) = next.and_then(|from| self.breakpoints.first(from)) else { break };
            *place = found;
            next = found.id.checked_add(1);
            count = count.saturating_add(1);
        }
        let more = next.is_some_and(|from| self.breakpoints.first(from).is_some());
        let breakpoints = List::new(listed.get(..count).unwrap_or(&listed));
        reply.send(&Breakpoints { request, more, breakpoints });
        Ok(())
    }

    fn halt<T: Target<Arch = A>, Z: Seal>(
        &mut self,
        target: &mut T,
        command: Command,
        reply: &mut Reply<'_, Z>,
    ) -> Result<(), Fail> {
        target.stepping().ok_or(ErrorCode::Unsupported)?;
        let stepping = self.stops.is_stepping();
        if target.is_stopped() && !stepping {
            return Err(ErrorCode::WrongState.into());
        }
        let effect = |target: &mut T| {
            let stopped = target.is_stopped();
            let control = target.stepping().ok_or(ErrorCode::Unsupported)?;
            if stopped { Ok(()) } else { Ok(control.halt()?) }
        };
        self.recorded(target, command, (0, 0), Without::Room, reply, effect)?;
        self.stops.halt(command.sequence);
        Self::done(command, reply);
        Ok(())
    }

    /// Whether the program stands, and nothing is about to move it.
    fn may_go_on<T: Target<Arch = A>>(&self, target: &mut T) -> Result<(), Fail> {
        target.stepping().ok_or(ErrorCode::Unsupported)?;
        self.not_stepping()?;
        if target.is_stopped() { Ok(()) } else { Err(ErrorCode::WrongState.into()) }
    }

    fn resume<T: Target<Arch = A>, Z: Seal>(
        &self,
        target: &mut T,
        command: Command,
        reply: &mut Reply<'_, Z>,
    ) -> Result<(), Fail> {
        self.may_go_on(target)?;
        let effect = |target: &mut T| Ok(target.stepping().ok_or(ErrorCode::Unsupported)?.resume()?);
        self.recorded(target, command, (0, 0), Without::Log, reply, effect)?;
        Self::done(command, reply);
        Ok(())
    }

    fn step<T: Target<Arch = A>, Z: Seal>(
        &mut self,
        target: &mut T,
        command: Command,
        step: Step,
        reply: &mut Reply<'_, Z>,
    ) -> Result<(), Fail> {
        self.may_go_on(target)?;
        let effect = |target: &mut T| Ok(target.stepping().ok_or(ErrorCode::Unsupported)?.step()?);
        self.recorded(target, command, (0, u64::from(step.count)), Without::Log, reply, effect)?;
        self.stops.step(command.sequence, step);
        Self::done(command, reply);
        Ok(())
    }

    fn read_registers<T: Target<Arch = A>, Z: Seal>(
        &mut self,
        target: &mut T,
        request: u32,
        changed: bool,
        reply: &mut Reply<'_, Z>,
    ) -> Result<(), Fail> {
        self.captures.capture(target)?;
        let mask = if changed { self.captures.news() } else { all::<A>() };
        let values = self.captures.values(mask);
        reply.send(&Registers { request, capture: self.captures.number(), values });
        self.captures.told(mask);
        Ok(())
    }

    #[inline(never)]
    fn read_memory<T: Target<Arch = A>, Z: Seal>(
        &self,
        target: &mut T,
        request: u32,
        read: ReadMemory,
        reply: &mut Reply<'_, Z>,
    ) -> Result<(), Fail> {
        let memory = target.memory().ok_or(ErrorCode::Unsupported)?;
        let mut bytes = [0; MEMORY];
        let into = bytes.get_mut(..usize::from(read.length)).unwrap_or_default();
        let count = memory.read(read.addr, into)?;
        let data = Bytes::new(into.get(..count).unwrap_or_default());
        reply.send(&Memory { request, addr: read.addr, data });
        Ok(())
    }

    fn is_this(target: &impl Target, fingerprint: &Fingerprint) -> Result<(), Fail> {
        if target.fingerprint() == *fingerprint { Ok(()) } else { Err(ErrorCode::WrongDevice.into()) }
    }

    fn force<T: Target<Arch = A>, Z: Seal>(
        &mut self,
        target: &mut T,
        command: Command,
        force: &Force<'_>,
        reply: &mut Reply<'_, Z>,
    ) -> Result<(), Fail> {
        if target.forcing().is_none() || target.audit().is_none() {
            return Err(ErrorCode::Unsupported.into());
        }
        Self::is_this(target, &force.fingerprint)?;
        self.not_stepping()?;
        if !self.forces.has_room(force.addr) {
            return Err(Fail(ErrorCode::NoSlot, u32::from(self.forces.slots())));
        }
        target.forcing().ok_or(ErrorCode::Unsupported)?.interlock()?;
        let value = force.value.as_slice();
        let effect =
            |target: &mut T| Ok(target.forcing().ok_or(ErrorCode::Unsupported)?.force(force.addr, value)?);
        let shown =
            value.iter().copied().chain([0; 8]).take(8).fold(0, |shown, byte| (shown << 8) | u64::from(byte));
        self.recorded(target, command, (force.addr, shown), Without::Nothing, reply, effect)?;
        self.forces.hold(force.addr, force.lease, command.now);
        Self::done(command, reply);
        Ok(())
    }

    fn release<T: Target<Arch = A>, Z: Seal>(
        &mut self,
        target: &mut T,
        command: Command,
        addr: u64,
        fingerprint: &Fingerprint,
        reply: &mut Reply<'_, Z>,
    ) -> Result<(), Fail> {
        target.forcing().ok_or(ErrorCode::Unsupported)?;
        Self::is_this(target, fingerprint)?;
        let held = self.forces.holds(addr);
        let effect = |target: &mut T| {
            let forcing = target.forcing().ok_or(ErrorCode::Unsupported)?;
            if held { Ok(forcing.release(addr)?) } else { Ok(()) }
        };
        self.recorded(target, command, (addr, 0), Without::Room, reply, effect)?;
        self.forces.forget(addr);
        Self::done(command, reply);
        Ok(())
    }

    fn set_axis<T: Target<Arch = A>, Z: Seal>(
        &self,
        target: &mut T,
        command: Command,
        set: SetAxis,
        reply: &mut Reply<'_, Z>,
    ) -> Result<(), Fail> {
        if target.machine().is_none() || target.audit().is_none() {
            return Err(ErrorCode::Unsupported.into());
        }
        Self::is_this(target, &set.fingerprint)?;
        self.not_stepping()?;
        if let Some(forcing) = target.forcing() {
            forcing.interlock()?;
        }
        let effect = |target: &mut T| {
            Ok(target.machine().ok_or(ErrorCode::Unsupported)?.set_axis(set.axis, set.position)?)
        };
        let position = u64::from_be_bytes(set.position.to_be_bytes());
        self.recorded(target, command, (u64::from(set.axis), position), Without::Nothing, reply, effect)?;
        Self::done(command, reply);
        Ok(())
    }

    fn push_policy<T: Target<Arch = A>, Z: Seal>(
        &mut self,
        target: &mut T,
        command: Command,
        policy: &PushPolicy<'_>,
        reply: &mut Reply<'_, Z>,
    ) -> Result<(), Fail> {
        if target.audit().is_none() {
            return Err(ErrorCode::Unsupported.into());
        }
        self.not_stepping()?;
        self.policies.is_newer(policy.version)?;
        let version = u64::from(policy.version);
        self.recorded(target, command, (version, 0), Without::Nothing, reply, |_| Ok(()))?;
        self.policies.put(policy);
        Self::done(command, reply);
        Ok(())
    }

    #[inline(never)]
    fn send_metrics<Z: Seal>(&self, command: Command, reply: &mut Reply<'_, Z>) {
        let metrics = metrics(&self.counts, &self.facts, self.uptime(command.now));
        reply.send(&Metrics { request: command.sequence, metrics: List::new(&metrics) });
    }

    fn status<T: Target<Arch = A>, Z: Seal>(&self, target: &T, command: Command, reply: &mut Reply<'_, Z>) {
        let (policy, enabled) = self.policies.present();
        reply.send(&Status {
            request: command.sequence,
            run: self.run_state(target),
            breakpoints: self.breakpoints.len(),
            forces: self.forces.len(),
            steps: self.stops.left(),
            policy,
            enabled,
            uptime: self.uptime(command.now),
        });
    }
}

#[inline(never)]
fn conclude(audit: Option<&mut dyn target::Audit>, index: Option<u32>, verdict: u16) {
    if let (Some(index), Some(audit)) = (index, audit) {
        audit.conclude(index, verdict);
    }
}

#[inline(never)]
fn send_axes<T: Target, Z: Seal>(target: &mut T, request: u32, reply: &mut Reply<'_, Z>) -> Result<(), Fail> {
    let machine = target.machine().ok_or(ErrorCode::Unsupported)?;
    let mut axes = [0; AXES];
    let count = read_axes(machine, &mut axes);
    let positions = List::new(axes.get(..count).unwrap_or(&axes));
    reply.send(&Axes { request, positions });
    Ok(())
}

#[inline(never)]
fn read_plc<T: Target, Z: Seal>(
    target: &mut T,
    request: u32,
    read: ReadPlc,
    reply: &mut Reply<'_, Z>,
) -> Result<(), Fail> {
    let machine = target.machine().ok_or(ErrorCode::Unsupported)?;
    let mut registers = [0; REGISTERS];
    let wanted = usize::from(read.count).min(REGISTERS);
    let into = registers.get_mut(..wanted).unwrap_or_default();
    let count = machine.plc(read.first, into);
    if count == 0 && wanted > 0 {
        return Err(ErrorCode::Unmapped.into());
    }
    let registers = List::new(into.get(..count).unwrap_or_default());
    reply.send(&Plc { request, first: read.first, registers });
    Ok(())
}

#[inline(never)]
fn read_audit<T: Target, Z: Seal>(
    target: &mut T,
    request: u32,
    read: ReadAudit,
    releases: bool,
    reply: &mut Reply<'_, Z>,
) -> Result<(), Fail> {
    let audit = target.audit().ok_or(ErrorCode::Unsupported)?;
    if releases {
        audit.release(read.from);
    }
    let (oldest, next) = audit.bounds();
    let mut records = [Record::EMPTY; RECORDS];
    let mut count = 0_usize;
    let wanted = (read.from.max(oldest)..next).take(usize::from(read.count));
    for (place, record) in records.iter_mut().zip(wanted.map_while(|index| audit.get(index))) {
        *place = record;
        count = count.saturating_add(1);
    }
    let records = List::new(records.get(..count).unwrap_or(&records));
    reply.send(&Audit { request, oldest, next, records });
    Ok(())
}

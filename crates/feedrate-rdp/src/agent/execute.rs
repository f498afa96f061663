//! The commands that only read (SPEC section 6.3), and where the others are done.

use feedrate::rdp::frame::{
    Audit, Axes, Breakpoints, Bytes, Class, Cursor, Domains, Done, ErrorCode, Frame, List, Listed, Map,
    Memory, Plc, ReadAudit, ReadMemory, ReadPlc, Record, Region, Registers, Renew, SetAs, Status, Type,
    Variable, Variables,
};

use super::axes::read_axes;
use super::commands::Command;
use super::device::{Device, MEMORY};
use super::fail::Fail;
use super::map;
use super::visit::Visit;
use crate::arch::{Arch, all};
use crate::endpoint::Reply;
use crate::limits::AXES;
use crate::session::seal::Seal;
use crate::target::Target;
use crate::time::{later, ms};

/// The maximum number of breakpoints, records, registers, regions and variables in one answer: what fits into a
/// message of 512 bytes.
const LISTED: usize = 8;
const RECORDS: usize = 7;
const REGISTERS: usize = 64;
const REGIONS: usize = 24;
const VARIABLES: usize = 16;
/// Bytes of variables in one answer.
const ROOM: usize = 448;

impl<A: Arch> Device<A> {
    pub(super) fn execute<T: Target<Arch = A>, Z: Seal>(
        &mut self,
        visit: &mut Visit<A>,
        target: &mut T,
        command: &Command,
        frame: &Frame<'_>,
        reply: &mut Reply<'_, Z>,
    ) -> Result<(), Fail> {
        let request = command.request();
        match *frame {
            Frame::ListBreakpoints(at) if target.breakpoints().is_some() => self.list(request, at.id, reply),
            Frame::ReadRegisters(read) => self.read_registers(visit, target, request, read.changed, reply)?,
            Frame::ReadMemory(read) => read_memory(visit, target, request, read, reply)?,
            Frame::GetStatus(_) => self.status(target, request, reply),
            Frame::ReadAxes(_) => send_axes(target, request, reply)?,
            Frame::ReadPlc(read) => read_plc(target, request, read, reply)?,
            Frame::ReadCursor(_) => {
                let cursor = target.machine().ok_or(ErrorCode::Unsupported)?.cursor();
                reply.send(&Cursor { request, cursor });
            }
            Frame::ReadAudit(read) => read_audit(target, request, read, reply)?,
            Frame::ReadMetrics(_) => visit.metrics_due = Some(request),
            Frame::ListVariables(list) => list_variables(target, request, list.from, reply)?,
            Frame::ReadMap(read) => read_map(target, request, read.from, reply),
            Frame::Renew(renew) => {
                self.renew(command, renew)?;
                reply.send(&Done { request });
            }
            _ => self.change(target, command, frame, reply)?,
        }
        Ok(())
    }

    fn renew(&mut self, command: &Command, renew: Renew) -> Result<(), Fail> {
        let held = self.forces.find(renew.addr).filter(|held| held.stuck.is_none());
        let held = held.ok_or(ErrorCode::UnknownId)?;
        held.until = later(command.now, ms(renew.lease));
        held.renewals = held.renewals.saturating_add(1);
        Ok(())
    }

    #[inline(never)]
    pub(super) fn list<Z: Seal>(&self, request: u32, from: u32, reply: &mut Reply<'_, Z>) {
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
    }

    fn read_registers<T: Target<Arch = A>, Z: Seal>(
        &mut self,
        visit: &mut Visit<A>,
        target: &mut T,
        request: u32,
        changed: bool,
        reply: &mut Reply<'_, Z>,
    ) -> Result<(), Fail> {
        self.captures.capture(target)?;
        let mask = if changed { visit.known.news(&self.captures) } else { all::<A>() };
        let values = self.captures.values(mask);
        reply.send(&Registers { request, capture: self.captures.number(), values });
        visit.known.told(&self.captures, mask);
        Ok(())
    }

    fn status<T: Target<Arch = A>, Z: Seal>(&self, target: &T, request: u32, reply: &mut Reply<'_, Z>) {
        let (policy, enabled) = self.policy.present();
        let count = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
        reply.send(&Status {
            request,
            run: self.run_state(target),
            breakpoints: count(self.breakpoints.len()),
            forces: count(self.forces.len()),
            steps: self.stops.left(),
            policy,
            enabled,
            modified: self.is_modified(target),
            stuck: self.stuck(),
            last: self.last_stop.map(|(reason, _)| reason),
            uptime: self.clock.seconds(),
        });
    }
}

#[inline(never)]
fn read_memory<A: Arch, T: Target<Arch = A>, Z: Seal>(
    visit: &Visit<A>,
    target: &mut T,
    request: u32,
    read: ReadMemory,
    reply: &mut Reply<'_, Z>,
) -> Result<(), Fail> {
    let (region, last) = map::region(target.map(), read.addr, u64::from(read.length))?;
    if region.class == Class::SideEffects && !visit.allowed(target.permitted()).contains(Domains::CONTROL) {
        return Err(ErrorCode::Protected.into());
    }
    let whole = last.saturating_sub(read.addr).saturating_add(1);
    let mut bytes = [0; MEMORY];
    let into = bytes.get_mut(..usize::try_from(whole).unwrap_or(MEMORY)).unwrap_or_default();
    let count = target.memory().ok_or(ErrorCode::Unsupported)?.read(read.addr, into)?;
    let data = Bytes::new(into.get(..count).unwrap_or_default());
    reply.send(&Memory { request, addr: read.addr, data });
    Ok(())
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
    reply: &mut Reply<'_, Z>,
) -> Result<(), Fail> {
    let audit = target.audit().ok_or(ErrorCode::Unsupported)?;
    let (oldest, next) = audit.bounds();
    let mut records = [Record::EMPTY; RECORDS];
    let (mut count, mut from) = (0_usize, Some(read.from));
    for place in records.iter_mut().take(usize::from(read.count)) {
        let Some(record) = from.and_then(|from| audit.first_from(from)) else { break };
        *place = record;
        from = record.index.checked_add(1);
        count = count.saturating_add(1);
    }
    let records = List::new(records.get(..count).unwrap_or(&records));
    reply.send(&Audit { request, oldest, next, lost: audit.lost(), records });
    Ok(())
}

#[inline(never)]
fn list_variables<T: Target, Z: Seal>(
    target: &mut T,
    request: u32,
    from: u16,
    reply: &mut Reply<'_, Z>,
) -> Result<(), Fail> {
    let generation = target.generation();
    let variables = target.variables().ok_or(ErrorCode::Unsupported)?;
    let total = variables.count();
    let nameless = Variable { addr: 0, kind: Type::Bytes, length: 0, flags: 0, name: Bytes::new(&[]) };
    let mut listed = [nameless; VARIABLES];
    let (mut count, mut room) = (0_usize, ROOM);
    for (place, number) in listed.iter_mut().zip(from..total) {
        let Some(variable) = variables.variable(number) else { break };
        let Some(left) = room.checked_sub(variable.size()) else { break };
        (*place, room) = (variable, left);
        count = count.saturating_add(1);
    }
    let variables = List::new(listed.get(..count).unwrap_or(&listed));
    reply.send(&Variables { request, generation, total, variables });
    Ok(())
}

#[inline(never)]
fn read_map<T: Target, Z: Seal>(target: &T, request: u32, from: u16, reply: &mut Reply<'_, Z>) {
    let map: &[Region] = target.map();
    let behind = map.get(usize::from(from)..).unwrap_or_default();
    let regions = List::new(behind.get(..REGIONS).unwrap_or(behind));
    reply.send(&Map { request, total: u16::try_from(map.len()).unwrap_or(u16::MAX), regions });
}

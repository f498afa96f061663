//! What `rdp_host` and `rdp_host_link` share: every event is looked at, and every command is sent.

use feedrate::Instant;
use feedrate::rdp::frame::Frame;
use feedrate_rdp::host::command::{
    ClearBreakpoint, Command, ListBreakpoints, SetBreakpoint, SetHardwareBreakpoint, SetSoftwareBreakpoint,
};
use feedrate_rdp::host::{Device, Event, Host, RegisterSet};
use feedrate_rdp::line::Line;

use crate::Sum;

/// The next event.
#[inline(never)]
pub fn event<L: Line>(host: &mut Host<L>, registers: &mut RegisterSet, now: Instant, sum: &mut Sum) {
    match host.poll_event(now) {
        None => {}
        Some(Event::State(state)) => state.axes.for_each(|axis| sum.add(axis as u32)),
        Some(Event::Active) => sum.add(1),
        Some(Event::Answer(answer)) => {
            sum.add(answer.request);
            look(&answer.frame, registers, sum);
        }
        Some(Event::Stopped(stopped)) => sum.add(registers.stopped(&stopped).is_some().into()),
        Some(Event::Unknown { request }) => sum.add(request),
        Some(Event::Closed(closed)) => sum.add(closed.cause().map_or(0, |cause| cause.0.into())),
        Some(_) => sum.add(2),
    }
}

/// The command that `frame` is, if it is one: its sequence.
#[inline(never)]
pub fn request<L: Line>(host: &mut Host<L>, frame: &Frame<'_>, now: Instant) -> u32 {
    macro_rules! ask {
        ($($Body:ident,)* ; $($Breakpoint:ident,)*) => {
            match *frame {
                $(Frame::$Body(body) => ask(host, &body, now),)*
                $(Frame::$Breakpoint(at) => ask(host, &$Breakpoint(at), now),)*
                _ => 0,
            }
        };
    }
    ask!(
        SetWatchpoint, Halt, Resume, Step, StepRange, ReadRegisters, ReadMemory, Force, Release, Renew, WriteMemory,
        WriteRegister, GetStatus, SetAxis, ReadAxes, ReadPlc, ReadCursor, ReadAudit, ReadMetrics, PushPolicy,
        ListVariables, ReadMap, ReleaseAudit,
        ;
        SetBreakpoint, SetHardwareBreakpoint, SetSoftwareBreakpoint, ClearBreakpoint, ListBreakpoints,
    )
}

fn ask<L: Line, C: Command>(host: &mut Host<L>, command: &C, now: Instant) -> u32 {
    host.request(command, now).map_or(u32::MAX, |ticket| ticket.sequence())
}

/// What Welcome said.
pub fn device(device: &Device, sum: &mut Sum) {
    sum.slice(&device.fingerprint);
    sum.slice(device.name().as_bytes());
    sum.add(device.generation);
    sum.add(device.lease);
    sum.add(device.boot);
}

fn look(frame: &Frame<'_>, registers: &mut RegisterSet, sum: &mut Sum) {
    match frame {
        Frame::Memory(memory) => sum.slice(memory.data.as_slice()),
        Frame::Registers(read) => sum.add(registers.registers(read).into()),
        Frame::Status(status) => sum.add(status.uptime),
        Frame::Axes(axes) => axes.positions.for_each(|axis| sum.add(axis as u32)),
        Frame::Plc(plc) => plc.registers.for_each(|register| sum.add(register.into())),
        Frame::Breakpoints(listed) => listed.breakpoints.for_each(|listed| sum.add(listed.hits)),
        Frame::Audit(audit) => audit.records.for_each(|record| sum.add(record.index)),
        Frame::Metrics(metrics) => metrics.metrics.for_each(|metric| sum.add(metric.value)),
        Frame::Variables(variables) => variables.variables.for_each(|variable| sum.slice(variable.name.as_slice())),
        Frame::Map(map) => map.regions.for_each(|region| sum.add(region.first as u32)),
        Frame::Error(refused) => sum.add(refused.detail),
        _ => sum.add(3),
    }
}

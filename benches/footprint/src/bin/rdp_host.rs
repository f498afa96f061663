//! RDPv3's host, for a controller that debugs another one: every event, and every command.
#![no_std]
#![no_main]

use feedrate::rdp::frame::{Frame, Values};
use feedrate_footprint::{Sum, bytes, bytes_mut};
use feedrate_rdp::arch::{Arch, CortexM};
use feedrate_rdp::host::command::{
    ClearBreakpoint, Force, GetStatus, Halt, ListBreakpoints, PushPolicy, ReadAudit, ReadAxes, ReadCursor,
    ReadMemory, ReadMetrics, ReadPlc, ReadRegisters, Release, Resume, SetAxis, SetBreakpoint,
    SetHardwareBreakpoint, SetSoftwareBreakpoint, SetWatchpoint, Step, Ticket,
};
use feedrate_rdp::host::{Event, Host};
use feedrate_rdp::link::{Board, LaneId};
use feedrate_rdp::session::SendError;

type Small = Host<Board>;

/// # Safety
///
/// See [`bytes`] and [`bytes_mut`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn entry(
    command: u8,
    host: &mut Small,
    frame: &Frame<'_>,
    input: *mut u8,
    length: usize,
    now: u32,
) -> u32 {
    let lane = if command & 0x40 == 0 { LaneId::Signal } else { LaneId::Bulk };
    let mut sum = Sum::default();
    match command & 0x3F {
        // SAFETY: the caller's word.
        0 => host.feed(lane, unsafe { bytes(input, length) }, now),
        // SAFETY: the caller's word.
        1 => sum.add(host.poll(lane, unsafe { bytes_mut(input, length) }, now) as u32),
        2 => {
            // SAFETY: the caller's word.
            let token = unsafe { bytes(input, length) };
            sum.add(host.connect(token, now, [command; 16], now).is_ok().into());
        }
        3 => match host.event(now) {
            None => {}
            Some(Event::State(state)) => state.axes.for_each(|axis| sum.add(axis as u32)),
            Some(Event::Active) => sum.add(1),
            Some(Event::Answer(answer)) => {
                sum.add(answer.request);
                look(&answer.frame, &mut sum);
            }
            Some(Event::Stopped(stopped)) => values(&stopped.values, &mut sum),
            Some(Event::Unknown { request }) => sum.add(request),
            Some(Event::Closed(closed)) => sum.add(closed.reason().map_or(0, |reason| reason.0.into())),
            Some(_) => sum.add(2),
        },
        4 => host.bye(now),
        5 => sum.add(host.deadline().unwrap_or_default()),
        6 => {
            if let Some(device) = host.device() {
                sum.slice(&device.fingerprint);
                sum.slice(device.name().as_bytes());
            }
        }
        _ => sum.add(request(host, frame, now)),
    }
    sum.0
}

fn request(host: &mut Small, frame: &Frame<'_>, now: u32) -> u32 {
    macro_rules! ask {
        ($($Body:ident,)* ; $($Bare:ident,)*) => {
            match *frame {
                $(Frame::$Body(body) => sequence(host.request(&$Body(body), now)),)*
                $(Frame::$Bare(_) => sequence(host.request(&$Bare, now)),)*
                _ => 0,
            }
        };
    }
    ask!(
        SetBreakpoint, SetHardwareBreakpoint, SetSoftwareBreakpoint, SetWatchpoint, ClearBreakpoint,
        ListBreakpoints, Step, ReadRegisters, ReadMemory, Force, Release, SetAxis, ReadPlc, ReadAudit, PushPolicy,
        ;
        Halt, Resume, GetStatus, ReadAxes, ReadCursor, ReadMetrics,
    )
}

fn sequence<C: feedrate_rdp::host::command::Command>(ticket: Result<Ticket<C>, SendError>) -> u32 {
    ticket.map_or(u32::MAX, |ticket| ticket.sequence())
}

fn values(values: &Values<'_>, sum: &mut Sum) {
    let mut registers = [0; 17];
    sum.add(CortexM::unpack(values, &mut registers).into());
    registers.iter().for_each(|register| sum.add(*register as u32));
}

fn look(frame: &Frame<'_>, sum: &mut Sum) {
    match frame {
        Frame::Memory(memory) => sum.slice(memory.data.as_slice()),
        Frame::Registers(registers) => values(&registers.values, sum),
        Frame::Status(status) => sum.add(status.uptime),
        Frame::Axes(axes) => axes.positions.for_each(|axis| sum.add(axis as u32)),
        Frame::Plc(plc) => plc.registers.for_each(|register| sum.add(register.into())),
        Frame::Breakpoints(listed) => listed.breakpoints.for_each(|listed| sum.add(listed.hits)),
        Frame::Audit(audit) => audit.records.for_each(|record| sum.add(record.index)),
        Frame::Metrics(metrics) => metrics.metrics.for_each(|metric| sum.add(metric.value)),
        Frame::Error(refused) => sum.add(refused.detail),
        _ => sum.add(3),
    }
}

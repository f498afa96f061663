//! How a session begins (SPEC section 5.4).

use feedrate::rdp::crc;
use feedrate::rdp::frame::{
    self, Agree, Bytes, Capabilities, Domains, Done, Durability, ErrorCode, Hello, Lifecycle, List, Record,
    State, StopEffect, Welcome,
};
use feedrate::{Instant, SliceOutput};

use super::axes::read_axes;
use super::clock::Clock;
use super::device::{Device, MEMORY};
use super::fail::Fail;
use super::forces::MOST;
use super::metrics::Count;
use super::policy;
use super::visit::{Granted, Visit};
use crate::arch::Arch;
use crate::authority::{self, Authorize, Claim};
use crate::endpoint::Reply;
use crate::limits::{AXES, FIRST_LIMIT, NAME, PLC, TOKEN, VERSION};
use crate::session::seal::{CHECKSUM, Seal};
use crate::session::{Opened, SessionEvent};
use crate::target::Target;

/// Which of these the target can do. Others are not asked for.
pub(super) fn capabilities<T: Target>(target: &mut T, of: Capabilities) -> Capabilities {
    let mut all = Capabilities(0);
    // One by one, and not in a loop: for most targets the answers are known at compile time.
    let mut add = |capability: Capabilities, there: fn(&mut T) -> bool| {
        if of.contains(capability) && there(target) {
            all.0 |= capability.0;
        }
    };
    add(Capabilities::BREAKPOINTS, |target| target.breakpoints().is_some());
    add(Capabilities::STEPPING, |target| target.stepping().is_some());
    add(Capabilities::MEMORY, |target| target.memory().is_some());
    add(Capabilities::FORCING, |target| target.forcing().is_some());
    add(Capabilities::MACHINE, |target| target.machine().is_some());
    add(Capabilities::AUDIT, |target| target.audit().is_some());
    add(Capabilities::VARIABLES, |target| target.variables().is_some());
    add(Capabilities::WRITING, |target| target.writing().is_some());
    all
}

impl<A: Arch> Visit<A> {
    pub(super) fn hello<T: Target<Arch = A>, Z: Seal>(
        &mut self,
        device: &mut Device<A>,
        authority: &mut impl Authorize,
        target: &mut T,
        hello: &Hello<'_>,
        reply: &mut Reply<'_, Z>,
        now: Instant,
    ) -> Result<(), Fail> {
        if usize::from(hello.longest) < FIRST_LIMIT {
            return Err(Fail::new(ErrorCode::Malformed, u32::from(Hello::KIND)));
        }
        let token = hello.token.as_slice();
        if token.len() > TOKEN {
            return Err(Fail::new(ErrorCode::Limit, u32::try_from(TOKEN).unwrap_or(u32::MAX)));
        }
        if !(hello.lowest..=hello.highest).contains(&VERSION) {
            return Err(Fail::new(ErrorCode::NoVersion, u32::from(VERSION)));
        }
        let suite = if reply.session().is_sealed() { Z::SUITE } else { CHECKSUM };
        let config = device.config;
        let least = config.suite.max(Z::SUITE).max(u16::from(config.lifecycle != Lifecycle::Development));
        if suite < least {
            return Err(Fail::new(ErrorCode::NoSeal, u32::from(least)));
        }
        let fingerprint = target.fingerprint();
        let claim = Claim { suite, peer: reply.session().seal().peer(), ..Claim::new(token, &fingerprint) };
        let grant = authority.authorize(&claim).map_err(|code| Fail::new(ErrorCode::BadToken, code))?;
        let control = grant.domains.contains(Domains::CONTROL);
        if !self.observer && !control && !config.observers {
            return Err(Fail::new(ErrorCode::Denied, u32::from(Domains::CONTROL.0)));
        }
        if !self.observer && control && device.stuck() > 0 {
            return Err(ErrorCode::Stuck.into());
        }
        let lasts = grant.lasts.min(authority::LONGEST);
        let until = now.saturating_add(lasts);
        self.grant = Some(Granted { operator: grant.operator, domains: grant.domains, until, expired: None });
        device.counts.count(Count::SESSIONS);
        let device_nonce = device.device_nonce();
        let [.., a, b, c, d] = device_nonce;
        self.number = u32::from_be_bytes([a, b, c, d]);
        (self.suite, self.generation) = (suite, target.generation());
        let (halt, trap, lost) = target
            .interlock()
            .map_or((StopEffect::Program, StopEffect::Program, StopEffect::Nothing), |interlock| {
                (interlock.halt_effect(), interlock.trap_effect(), interlock.loss_effect())
            });
        let (record, durability, records_lost) = target
            .audit()
            .map_or((0, Durability::None, 0), |audit| (Record::VERSION, audit.durability(), audit.lost()));
        let name = config.name.as_bytes();
        let slots = target.breakpoints().map_or(0, |breakpoints| breakpoints.slots());
        reply.send(&Welcome {
            version: VERSION,
            host_nonce: hello.nonce,
            device_nonce,
            fingerprint,
            architecture: A::ID,
            registers: u8::try_from(A::NAMES.len()).unwrap_or(u8::MAX),
            axes: target.machine().map_or(0, |machine| machine.axes().min(16)),
            capabilities: capabilities(target, Capabilities(u32::MAX)),
            generation: self.generation,
            longest: u16::try_from(self.longest).unwrap_or(u16::MAX),
            credit: self.credit,
            breakpoints: slots.min(device.breakpoints.slots()),
            memory: u16::try_from(MEMORY).unwrap_or_default(),
            forces: u8::try_from(MOST).unwrap_or_default(),
            rules: u8::try_from(policy::MOST).unwrap_or_default(),
            lease: config.lease,
            heartbeat: config.interval(),
            loss: config.loss,
            tolerance: config.tolerance,
            stall: config.stall,
            halt,
            trap,
            lost,
            authority: self.granted(),
            expires: u32::try_from(lasts.as_secs()).unwrap_or(u32::MAX),
            boot: config.boots,
            record,
            durability,
            records_lost,
            lifecycle: config.lifecycle,
            suite,
            suites: List::new(&[Z::SUITE]),
            name: Bytes::new(name.get(..NAME).unwrap_or(name)),
        });
        reply.session().set_device_nonce(device_nonce);
        self.started = Some(now);
        self.state_due = true;
        Ok(())
    }

    pub(super) fn agree<Z: Seal>(
        &mut self,
        clock: &mut Clock,
        opened: &Opened<'_>,
        agree: Agree,
        reply: &mut Reply<'_, Z>,
        now: Instant,
    ) -> Result<(), Fail> {
        if self.agreed != Some(agree.crc) {
            return Err(ErrorCode::StateMismatch.into());
        }
        reply.session().advance(SessionEvent::HandshakeDone);
        self.heartbeats.begin(opened.time, now);
        clock.forgive();
        reply.send(&Done { request: opened.sequence });
        Ok(())
    }
}

impl<A: Arch> Device<A> {
    /// Reports the state of the machine: passes State to `send`, and returns what the host will agree to, if it could
    /// be sent.
    pub(super) fn tell_state<T: Target<Arch = A>>(
        &self,
        target: &mut T,
        send: impl FnOnce(&State<'_>) -> bool,
    ) -> Option<u32> {
        let run = self.run_state(target);
        let (mut axes, mut plc) = ([0; AXES], [0; PLC]);
        let (mut axes_read, mut plc_read, mut cursor) = (0, 0, Default::default());
        if let Some(machine) = target.machine() {
            axes_read = read_axes(machine, &mut axes);
            plc_read = machine.plc(0, &mut plc);
            cursor = machine.cursor();
        }
        let end = &self.last_end;
        let state = State {
            run,
            axes: List::new(axes.get(..axes_read).unwrap_or(&axes)),
            plc: List::new(plc.get(..plc_read).unwrap_or(&plc)),
            cursor,
            modified: self.is_modified(target),
            stuck: self.stuck(),
            last: self.last_stop.map(|(reason, _)| reason),
            detail: self.last_stop.map_or(0, |(_, detail)| detail),
            cause: end.cause,
            ended: List::new(end.ended.get(..end.count).unwrap_or_default()),
        };
        // What the host will agree to: the body as it is on the wire.
        let mut bytes = [0; 384];
        let mut out = SliceOutput::new(&mut bytes);
        let encoded = frame::write(&state, &mut out).is_ok() && send(&state);
        let body = out.as_bytes().get(frame::HEADER..).unwrap_or_default();
        encoded.then(|| crc::crc_32(&[body]))
    }
}

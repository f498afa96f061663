//! How a session begins (SPEC section 5.3).

use feedrate::SliceOutput;
use feedrate::rdp::crc;
use feedrate::rdp::frame::{self, Agree, Bytes, Capabilities, Done, ErrorCode, Hello, List, State, Welcome};

use super::Agent;
use super::axes::{AXES, read_axes};
use super::body::{Body, MEMORY};
use super::fail::Fail;
use crate::arch::Arch;
use crate::authority::Authorize;
use crate::endpoint::Reply;
use crate::limits::{FIRST_LIMIT, LONGEST, NAME, TOKEN, VERSION};
use crate::link::buffer::Sizes;
use crate::session::SessionEvent;
use crate::session::seal::Seal;
use crate::target::Target;
use crate::time::Millis;

/// The most PLC registers that State tells of.
const PLC: usize = 32;

/// What the target can do.
fn capabilities<T: Target>(target: &mut T) -> Capabilities {
    let there = [
        (target.breakpoints().is_some(), Capabilities::BREAKPOINTS),
        (target.stepping().is_some(), Capabilities::STEPPING),
        (target.memory().is_some(), Capabilities::MEMORY),
        (target.forcing().is_some(), Capabilities::FORCING),
        (target.machine().is_some(), Capabilities::MACHINE),
        (target.audit().is_some(), Capabilities::AUDIT),
    ];
    let bits = there.iter().filter(|(there, _)| *there).fold(0, |bits, (_, bit)| bits | bit.0);
    Capabilities(bits)
}

impl<A: Arch, U: Authorize> Body<A, U> {
    pub(super) fn hello<T: Target<Arch = A>, Z: Seal>(
        &mut self,
        target: &mut T,
        hello: &Hello<'_>,
        reply: &mut Reply<'_, Z>,
        now: Millis,
    ) -> Result<(), Fail> {
        if usize::from(hello.longest) < FIRST_LIMIT {
            return Err(Fail(ErrorCode::Malformed, u32::from(Hello::KIND)));
        }
        if hello.token.as_slice().len() > TOKEN {
            return Err(Fail(ErrorCode::Limit, u32::try_from(TOKEN).unwrap_or(u32::MAX)));
        }
        if !(hello.lowest..=hello.highest).contains(&VERSION) {
            return Err(Fail(ErrorCode::NoVersion, u32::from(VERSION)));
        }
        let fingerprint = target.fingerprint();
        let grant = self
            .authority
            .authorize(hello.token.as_slice(), &fingerprint)
            .map_err(|code| Fail(ErrorCode::BadToken, code))?;
        self.grant = Some((grant, now.wrapping_add(grant.lasts.min(i32::MAX.unsigned_abs()))));
        self.counts.sessions = self.counts.sessions.saturating_add(1);
        let device_nonce = self.device_nonce();
        let name = self.config.name.as_bytes();
        reply.send(&Welcome {
            version: VERSION,
            host_nonce: hello.nonce,
            device_nonce,
            fingerprint,
            architecture: A::ID,
            registers: u8::try_from(A::NAMES.len()).unwrap_or(u8::MAX),
            axes: target.machine().map_or(0, |machine| machine.axes().min(16)),
            capabilities: capabilities(target),
            longest: u16::try_from(self.message_limit.min(LONGEST)).unwrap_or(u16::MAX),
            breakpoints: target
                .breakpoints()
                .map_or(0, |breakpoints| breakpoints.slots())
                .min(self.breakpoints.slots()),
            memory: u16::try_from(MEMORY).unwrap_or_default(),
            forces: self.forces.slots(),
            rules: self.policies.slots(),
            heartbeat: self.config.heartbeat,
            loss: self.config.loss,
            tolerance: self.config.tolerance,
            authority: grant.domains,
            name: Bytes::new(name.get(..NAME).unwrap_or(name)),
        });
        reply.session().start_clock(device_nonce, u32::from(self.config.tolerance), now);
        self.state_due = true;
        Ok(())
    }

    /// The boot's number, and the session's in it.
    fn device_nonce(&self) -> [u8; 16] {
        let mut nonce = [0; 16];
        let bytes = self.config.boot.into_iter().chain(self.counts.sessions.to_be_bytes());
        nonce.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
        nonce
    }

    pub(super) fn agree<Z: Seal>(
        &mut self,
        sequence: u32,
        agree: Agree,
        reply: &mut Reply<'_, Z>,
    ) -> Result<(), Fail> {
        if self.agreed != Some(agree.crc) {
            return Err(Fail(ErrorCode::StateMismatch, 0));
        }
        reply.session().advance(SessionEvent::HandshakeDone);
        reply.send(&Done { request: sequence });
        Ok(())
    }
}

impl<A: Arch, U: Authorize, S: Sizes, Z: Seal> Agent<A, U, S, Z> {
    pub(super) fn send_state<T: Target<Arch = A>>(&mut self, target: &mut T, now: Millis) {
        let run = self.body.run_state(target);
        let (mut axes, mut plc) = ([0; AXES], [0; PLC]);
        let (mut axes_read, mut plc_read, mut cursor) = (0, 0, Default::default());
        if let Some(machine) = target.machine() {
            axes_read = read_axes(machine, &mut axes);
            plc_read = machine.plc(0, &mut plc);
            cursor = machine.cursor();
        }
        let state = State {
            run,
            axes: List::new(axes.get(..axes_read).unwrap_or(&axes)),
            plc: List::new(plc.get(..plc_read).unwrap_or(&plc)),
            cursor,
        };
        // What the host will agree to: the body as it is on the wire.
        let mut bytes = [0; 256];
        let mut out = SliceOutput::new(&mut bytes);
        let encoded =
            frame::write(&state, &mut out).is_ok() && self.endpoint.send(&state, false, now).is_ok();
        let body = out.as_bytes().get(frame::HEADER..).unwrap_or_default();
        self.body.agreed = encoded.then(|| crc::crc_32(&[body]));
    }
}

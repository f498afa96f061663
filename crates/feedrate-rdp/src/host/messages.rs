//! What the agent sends, and what the host itself does about it.

use feedrate::Instant;
use feedrate::rdp::frame::{self, Agree, Bye, Cause, Frame, FrameError, Heartbeat};
use feedrate::rdp::{Channel, crc};

use super::event::Closed;
use super::{Host, Step, handshake};
use crate::count::count;
use crate::limits::{AXES, NAME, PLC, VALUE};
use crate::line::Line;
use crate::session::seal::{CHECKSUM, Seal};
use crate::session::{SessionEvent, SessionState};

/// Room for whatever the host answers by itself.
const SHORT: usize = 64;

impl<L: Line, Z: Seal> Host<L, Z> {
    /// Processes the next message: urgent ones come first.
    pub(super) fn message(&mut self, now: Instant) -> Step {
        match self.message_of(Channel::Urgent, now) {
            Step::Nothing => self.message_of(Channel::Ordinary, now),
            step => step,
        }
    }

    fn message_of(&mut self, channel: Channel, now: Instant) -> Step {
        let state = self.state();
        let urgent = channel == Channel::Urgent;
        // What came before the line ended is processed, whether it can be answered or not.
        let answers = urgent && self.endpoint.line.connection().is_some();
        if matches!(state, SessionState::Idle | SessionState::Closed)
            || answers && !self.endpoint.has_room(channel, SHORT)
        {
            return Step::Nothing;
        }
        let (line, session) = (&mut self.endpoint.line, &mut self.endpoint.session);
        if line.take_crc_failure() {
            session.seal().crc_failed();
        }
        let Some(arrived) = line.message(channel) else { return Step::Nothing };
        // An agent that could not read the Hello does not know what its answer's tag is to cover (SPEC section 5.5).
        let early = Z::SUITE == CHECKSUM && state == SessionState::Connecting && self.device.is_none();
        let (opened, bound) = match session.open(arrived.message, channel) {
            Err(_) if early => (session.open_unbound(arrived.message, channel), false),
            opened => (opened, true),
        };
        let Ok(opened) = opened else { return self.lose_integrity(channel, now) };
        if opened.replayed {
            return self.pass_over(channel);
        }
        self.heard = Some(now);
        let frame = match Frame::read_from_agent(opened.frame) {
            Ok(frame) => frame,
            // With a correct tag it is another protocol.
            Err(FrameError::Magic) => return self.lose_integrity(channel, now),
            Err(_) => return self.pass_over(channel),
        };
        if !is_within_limits(&frame) {
            return self.pass_over(channel);
        }
        if !bound && !matches!(frame, Frame::Error(_)) {
            return self.lose_integrity(channel, now);
        }
        let heard = session.heard();
        match (state, frame) {
            (SessionState::Connecting, Frame::Welcome(welcome))
                if urgent && session.is_sealed() && self.device.is_none() =>
            {
                let first = opened.sequence == 0 && opened.time == 0;
                match handshake::check(&welcome, first, Z::SUITE, &self.nonce, &self.config) {
                    Ok(device) => {
                        self.device = Some(device);
                        session.set_device_nonce(welcome.device_nonce);
                        self.drop_message(channel)
                    }
                    Err(why) => self.close_over(channel, why),
                }
            }
            (SessionState::Connecting, Frame::State(_))
                if urgent && self.device.is_some() && self.agreed_by.is_none() =>
            {
                let crc = crc::crc_32(&[opened.frame.get(frame::HEADER..).unwrap_or_default()]);
                self.agreed_by = self.endpoint.send(&Agree { crc }, channel, heard, now).ok();
                Step::Hand(channel)
            }
            (SessionState::Connecting, Frame::Done(done))
                if urgent && Some(done.request) == self.agreed_by =>
            {
                session.advance(SessionEvent::HandshakeDone);
                Step::Hand(channel)
            }
            (SessionState::Connecting, Frame::SealRecord(record))
                if urgent && !session.is_sealed() && record.suite == Z::SUITE =>
            {
                let taken = session.seal().take_record(record.record.as_slice());
                // The agent's seal may need time to compute: the time-out counts from the last record.
                self.since = now;
                match taken {
                    Ok(()) => self.drop_message(channel),
                    Err(code) => self.close_over(channel, Closed::Seal(code)),
                }
            }
            (SessionState::Connecting, Frame::Error(refused)) if urgent => {
                self.close_over(channel, Closed::Refused(refused))
            }
            (SessionState::Active, Frame::Heartbeat(Heartbeat { challenge, .. })) if urgent => {
                self.drop_message(channel);
                let _ = self.endpoint.send(&Heartbeat { run: None, challenge }, channel, heard, now);
                Step::Again
            }
            (SessionState::Active, Frame::Bye(Bye { reason })) if urgent => {
                self.drop_message(channel);
                self.say_goodbye(reason, now);
                self.answered = true;
                Step::Again
            }
            (SessionState::Disconnecting, Frame::Bye(_)) if urgent => {
                self.close_over(channel, Closed::Ended(Cause::Asked))
            }
            (SessionState::Active, Frame::Stopped(_)) if urgent => Step::Hand(channel),
            (SessionState::Active, ref frame) => {
                let request = frame.request();
                if request.is_some_and(|request| self.waiting.answered(channel, request)) {
                    return Step::Hand(channel);
                }
                self.pass_over(channel)
            }
            _ => self.pass_over(channel),
        }
    }

    fn lose_integrity(&mut self, channel: Channel, now: Instant) -> Step {
        self.drop_message(channel);
        match self.state() {
            SessionState::Active => self.say_goodbye(Cause::IntegrityLost, now),
            SessionState::Disconnecting => {}
            _ => self.close(Closed::NotOfSession),
        }
        Step::Again
    }

    fn close_over(&mut self, channel: Channel, why: Closed) -> Step {
        self.drop_message(channel);
        self.close(why);
        Step::Again
    }

    fn pass_over(&mut self, channel: Channel) -> Step {
        count(&mut self.ignored);
        self.drop_message(channel)
    }

    fn drop_message(&mut self, channel: Channel) -> Step {
        self.endpoint.line.drop_message(channel);
        Step::Again
    }
}

/// Whether no count or length is above its maximum in SPEC section 9: else the body is malformed.
fn is_within_limits(frame: &Frame<'_>) -> bool {
    match frame {
        Frame::Welcome(welcome) => welcome.name.as_slice().len() <= NAME,
        Frame::State(state) => state.axes.len() <= AXES && state.plc.len() <= PLC,
        Frame::Axes(axes) => axes.positions.len() <= AXES,
        Frame::Variables(list) => list.variables.into_iter().all(|variable| {
            (1..=NAME).contains(&variable.name.as_slice().len())
                && (1..=VALUE).contains(&usize::from(variable.length))
        }),
        _ => true,
    }
}

//! What each side does when it is its turn, held against what may be.

use feedrate_rdp::host::{Closed, Event};
use feedrate_rdp::link::{Channel, Sizes};
use feedrate_rdp::session::{SendError, SessionState};

use super::Sim;
use crate::machine::Held;
use crate::rdp::ask::Ask;
use crate::rdp::check::{Checked, Outcome, Sent, UNAWARE, ensure};

impl<H: Sizes, A: Sizes> Sim<H, A> {
    pub(super) fn run_agent(&mut self) -> Checked {
        let now = self.clock();
        self.look()?;
        while let Some(cause) = self.machine.stop_now() {
            let active = self.agent.state() == SessionState::Active;
            self.say(|| format!("machine: stops, {cause:?}"));
            self.agent.stopped(&mut self.machine, cause, now);
            // One of many steps, of which nobody wants to know, goes on at once.
            if active && self.machine.stopped && self.machine.pending.is_none() {
                let captures = self.machine.journal.captures.last();
                self.last_stop = captures.map(|captures| captures.len() as u32);
            }
        }
        let before = self.machine.journal.executed.len();
        self.agent.run(&mut self.machine, now);
        self.say(|| {
            let link = self.agent.link();
            let rooms = [Channel::Signal, Channel::Bulk]
                .map(|channel| (link.room(channel), link.is_channel_idle(channel)));
            format!("agent: has run, channels {rooms:?}, queued {:?}", link.queued())
        });
        for executed in &self.machine.journal.executed[before..] {
            self.say(|| format!("machine: {:?}, {} effects", executed.record, executed.effects));
        }
        (self.agent_due, self.agent_at) =
            (self.machine.pending.is_some_and(|(at, _)| at <= self.now), self.now + self.plan.agent_pace);
        self.look()?;
        if self.agent_state != SessionState::Active {
            self.last_stop = None;
            ensure!(
                self.machine.is_left_alone(),
                "the agent is {:?}, and in the machine stays {:?} {:?}",
                self.agent_state,
                self.machine.held,
                self.machine.slots
            );
        }
        if let Some(misuse) = &self.machine.misuse {
            return Err(misuse.clone());
        }
        for (addr, Held { value, since }) in &self.machine.held {
            let value = value.as_slice().try_into().map_or(0, u64::from_be_bytes);
            let lease = self.leases.get(&value).copied();
            let Some(lease) = lease else {
                return Err(format!("{addr:#x} is held at {value:#x}, which nobody sent"));
            };
            ensure!(self.now < since + u64::from(lease), "{addr:#x} is held for longer than {lease} ms");
        }
        Ok(())
    }

    pub(super) fn run_host(&mut self) -> Checked {
        let now = self.clock();
        self.host_at = self.now + self.plan.host_pace;
        self.host_due = false;
        let Self { host, machine, sessions, told, tally, .. } = self;
        let session = sessions.last_mut().expect("there is one from the start on");
        loop {
            let ignored = host.ignored();
            let Some(event) = host.event(now) else {
                session.ignored |= host.ignored() > ignored;
                break;
            };
            if self.trace {
                eprintln!("{:>7} host: {event:?}", self.now);
            }
            ensure!(!session.closed, "{event:?} after the end");
            let mut checked = Ok(());
            match event {
                Event::State(_) => {
                    ensure!(session.active_at.is_none() && !session.state_seen, "State for the second time");
                    session.state_seen = true;
                }
                Event::Active => {
                    ensure!(session.active_at.is_none() && session.state_seen, "Active for the second time");
                    session.active_at = Some(self.now);
                }
                Event::Answer(answer) => checked = session.answered(answer.request, &answer.frame, machine),
                Event::Stopped(stopped) => {
                    *told = Some(stopped.capture);
                    checked = session.stopped(&stopped, machine);
                }
                Event::Unknown { request } => match session.sent.get_mut(&request) {
                    Some(sent) if sent.outcome == Outcome::Waiting => sent.outcome = Outcome::Unknown,
                    other => return Err(format!("{request} is unknown, but {other:?}")),
                },
                Event::Closed(why) => {
                    ensure!(session.waiting() == 0, "closed, and nothing is said of {:?}", session.sent);
                    session.closed = true;
                    let why = match why {
                        Closed::Refused(refused) => format!("Refused({})", refused.code.name()),
                        why => format!("{why:?}"),
                    };
                    tally.add("closed", why, 1);
                }
                other => return Err(format!("{other:?}")),
            }
            if let (None, Some(device)) = (session.key, host.device()) {
                session.key = Some((device.name().parse().expect("a number"), device.session));
            }
            session.ignored |= host.ignored() > ignored || host.state() == SessionState::Disconnecting;
            match checked {
                // What was passed over may have told of registers.
                Err(error) if error.contains(UNAWARE) && session.ignored => {
                    tally.add(
                        "all",
                        "registers that the host does not know of, after a message that it has passed over",
                        1,
                    );
                }
                checked => checked?,
            }
        }
        if let (None, Some(device)) = (session.key, host.device()) {
            session.key = Some((device.name().parse().expect("a number"), device.session));
        }
        self.look()?;
        if self.host_state == SessionState::Closed
            && self.session().closed
            && self.reconnect_at.is_none()
            && !self.still
        {
            self.reconnect_at = Some(self.now + self.random.pick(&[0, 1, 50, 400, 2_000]));
        }
        self.ask()
    }

    pub(super) fn ask(&mut self) -> Checked {
        while !self.still && self.host_state == SessionState::Active && self.now >= self.ask_at {
            let ask = Ask::random(&mut self.random, self.unique, self.plan.fatal);
            let now = self.clock();
            match ask.send(&mut *self.host, now) {
                Ok(sequence) => {
                    self.unique += 1;
                    if let Ask::Force { lease, value, .. } = ask {
                        self.leases.insert(value, lease);
                    }
                    self.say(|| format!("host: asks {sequence} {ask:?}"));
                    self.tally.add("commands", "sent", 1);
                    let before =
                        self.session().sent.insert(sequence, Sent { ask, outcome: Outcome::Waiting });
                    ensure!(before.is_none(), "two commands are {sequence}");
                    ensure!(self.session().active_at.is_some(), "sent before Active");
                }
                Err(SendError::Full) => {}
                Err(error) => return Err(format!("{ask:?}: {error}")),
            }
            let often = if self.random.chance(3_000) { 0 } else { self.plan.eagerness };
            self.ask_at = self.now + self.random.below(2 * often + 1) + u64::from(self.host_full());
        }
        Ok(())
    }

    pub(super) fn host_full(&mut self) -> bool {
        self.session().waiting() >= 8 || !self.host.link().is_idle()
    }
}

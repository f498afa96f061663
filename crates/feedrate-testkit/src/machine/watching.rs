//! How the fake machine looks at the agent (it remembers in [`Watch`](super::watch::Watch)).

use feedrate::rdp::frame::Record;
use feedrate_rdp::target::Act;

use super::Fake;

/// What an agent holds forced at most.
pub(super) const HELD: usize = 8;
/// Kinds (SPEC section 6.2).
const HALT: u8 = 0x10;
const RELEASE: u8 = 0x1B;
const FORCE: u8 = 0x1A;
const STEPS: [u8; 2] = [0x12, 0x13];
/// From here on records are of events.
const EVENTS: u8 = 0xE0;

impl Fake {
    pub(super) fn note_asked(&mut self, act: Act, granted: bool) {
        self.watch.granted = granted.then_some(act);
    }

    /// A command has an effect: it was permitted, and has its record.
    pub(super) fn note_effect(&mut self, act: Option<Act>, what: &str) {
        if let (Some(act), true) = (act, self.has.interlock) {
            let granted = self.watch.granted.take();
            self.must(granted == Some(act), || format!("{what}: asked was {granted:?}"));
        }
        let step = act == Some(Act::Step);
        let open = self.watch.open.map(|(_, kind)| kind);
        let lost = what == "halt" && std::mem::take(&mut self.watch.lost);
        let recorded = !self.has.audit || open.is_some() || lost || (step && self.watch.stepping);
        self.must(recorded, || format!("{what}: no record"));
        self.watch.stepping = step && (self.watch.stepping || open.is_none_or(|kind| STEPS.contains(&kind)));
    }

    /// Whatever arrives, the commands of a channel are executed in order, and each once, and nothing after what has
    /// overtaken it (SPEC section 5.6).
    pub(super) fn note_record(&mut self, record: &Record) {
        if record.kind >= EVENTS {
            return;
        }
        let of = (record.session, record.sequence);
        let channel = usize::from(!matches!(record.kind, HALT | RELEASE));
        let later =
            |before: Option<(u32, u32)>| before.is_none_or(|(session, n)| session != of.0 || n < of.1);
        let last = self.watch.last[channel].replace(of);
        self.must(later(last), || format!("{record:?} after {last:?}"));
        let (halted, released) = (self.watch.halted, self.watch.released);
        self.must(record.kind == RELEASE || later(halted), || format!("{record:?} after Halt {halted:?}"));
        let force = record.kind == FORCE;
        self.must(!force || later(released), || format!("{record:?} after Release {released:?}"));
        match record.kind {
            HALT => self.watch.halted = Some(of),
            RELEASE => self.watch.released = Some(of),
            _ => {}
        }
        self.watch.open = Some((record.index, record.kind));
    }

    pub(super) fn note_lost(&mut self) {
        self.watch.lost = true;
    }

    pub(super) fn note_concluded(&mut self, index: u32) {
        let open = self.watch.open.take();
        let same = open.is_some_and(|(open, _)| open == index);
        self.must(same, || format!("concluded is {index}, and open was {open:?}"));
    }
}

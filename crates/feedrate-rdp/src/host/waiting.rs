//! Commands that wait for their answers.

use feedrate::Instant;
use feedrate::rdp::Channel;

/// On channel 0, whatever the credit; and at most on channel 1, if the agent grants that many.
const URGENT: usize = 4;
const ORDINARY: usize = 8;

/// A command that has been sent.
#[derive(Debug, Clone, Copy)]
struct Sent {
    sequence: u32,
    at: Instant,
}

type Place = Option<Sent>;

/// Commands that wait for their answers: Halt and Release always find a place.
pub(super) struct Waiting {
    urgent: [Place; URGENT],
    ordinary: [Place; ORDINARY],
}

impl Waiting {
    pub(super) const NONE: Self = Self { urgent: [None; URGENT], ordinary: [None; ORDINARY] };

    fn of(&mut self, channel: Channel) -> &mut [Place] {
        match channel {
            Channel::Urgent => &mut self.urgent,
            Channel::Ordinary => &mut self.ordinary,
        }
    }

    /// Whether there is a place for one more: on channel 1, among those that the agent grants.
    pub(super) fn has_place(&mut self, channel: Channel, credit: u8) -> bool {
        let places = self.of(channel);
        let waiting = places.iter().flatten().count();
        let most = match channel {
            Channel::Urgent => places.len(),
            Channel::Ordinary => places.len().min(credit.max(1).into()),
        };
        waiting < most
    }

    /// A command has been sent; there was a place.
    pub(super) fn sent(&mut self, channel: Channel, sequence: u32, at: Instant) {
        if let Some(place) = self.of(channel).iter_mut().find(|place| place.is_none()) {
            *place = Some(Sent { sequence, at });
        }
    }

    /// A command has been answered, on its channel. `false`: no such command waits there.
    pub(super) fn answered(&mut self, channel: Channel, sequence: u32) -> bool {
        let mut places = self.of(channel).iter_mut();
        let place = places.find(|place| place.is_some_and(|sent| sent.sequence == sequence));
        place.and_then(Option::take).is_some()
    }

    /// When the command that has waited longest was sent.
    pub(super) fn oldest(&self) -> Option<Instant> {
        self.urgent.iter().chain(&self.ordinary).flatten().map(|sent| sent.at).min()
    }

    /// The command that was sent first no longer waits.
    pub(super) fn give_up(&mut self) -> Option<u32> {
        let places = self.urgent.iter_mut().chain(&mut self.ordinary).filter(|place| place.is_some());
        let first = places.min_by_key(|place| place.map_or(u32::MAX, |sent| sent.sequence));
        first.and_then(Option::take).map(|sent| sent.sequence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_commands_take_no_place_from_urgent_ones() {
        let mut waiting = Waiting::NONE;
        for (credit, most) in [(0, 1), (3, 3), (255, ORDINARY)] {
            waiting = Waiting::NONE;
            for sequence in 0..most {
                assert!(waiting.has_place(Channel::Ordinary, credit));
                waiting.sent(Channel::Ordinary, sequence.try_into().unwrap(), Instant::ZERO);
            }
            assert!(!waiting.has_place(Channel::Ordinary, credit));
        }
        for sequence in 20..24 {
            assert!(waiting.has_place(Channel::Urgent, 1));
            waiting.sent(Channel::Urgent, sequence, Instant::from_millis(1));
        }
        assert!(!waiting.has_place(Channel::Urgent, 1));
        // An answer comes on the command's channel.
        assert!(!waiting.answered(Channel::Ordinary, 21));
        assert!(waiting.answered(Channel::Urgent, 21) && !waiting.answered(Channel::Urgent, 21));
        assert_eq!(waiting.oldest(), Some(Instant::ZERO));
        let given_up: std::vec::Vec<u32> = core::iter::from_fn(|| waiting.give_up()).collect();
        assert_eq!(given_up, [0, 1, 2, 3, 4, 5, 6, 7, 20, 22, 23]);
        assert_eq!(waiting.oldest(), None);
    }
}

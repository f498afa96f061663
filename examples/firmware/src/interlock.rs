//! Decides about every act that can start or stop motion (SPEC section 8.3). Everything that it looks at is measured by
//! the drives or switched at the panel: neither the program nor a debugger can write it.

use feedrate::rdp::frame::{Cause, StopEffect};
use feedrate_rdp::target::{Act, Interlock, Refusal};

use crate::panel::{DOOR, HOLD};
use crate::target::Cnc;
use crate::{drives, panel};

impl Interlock for Cnc {
    fn permit(&mut self, act: Act) -> Result<(), Refusal> {
        let inputs = panel::inputs();
        let closed = inputs & DOOR == 0;
        let permitted = match act {
            // The drives' watchdog stops the axes when the program does.
            Act::Arm(_) | Act::KeepArmed(_) | Act::Halt => true,
            // A force may be kept while something moves, as long as the door is closed.
            Act::Hold(_) => closed,
            // The axes may have been moving when the program was stopped. Wait until they have stopped.
            Act::Resume | Act::Step => closed && drives::axes_stand(),
            Act::Force(_) | Act::Write(_) | Act::WriteRegister(_) | Act::Axis(_) => {
                closed && inputs & HOLD != 0 && drives::all_stands()
            }
            _ => false,
        };
        if permitted { Ok(()) } else { Err(Refusal::Interlock) }
    }

    /// The program stops, and then the drives do, by themselves.
    fn halt_effect(&self) -> StopEffect {
        StopEffect::FeedHold
    }

    fn trap_effect(&self) -> StopEffect {
        StopEffect::FeedHold
    }

    fn loss_effect(&self) -> StopEffect {
        StopEffect::FeedHold
    }

    /// Holds the feed until somebody releases it at the panel.
    fn react(&mut self, _: Cause) -> Result<(), Refusal> {
        panel::hold_feed();
        Ok(())
    }

    fn fail_safe(&mut self, _: Cause) {
        drives::switch_off();
    }
}

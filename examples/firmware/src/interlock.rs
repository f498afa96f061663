//! What is asked before every act that can start or stop motion (SPEC section 8.3). All that it looks at is measured
//! by the drives or switched at the panel: nothing of it can be written by the program, or by a debugger.

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
            // The variables have the values that they shall have while something moves, but nobody reaches into it.
            Act::Hold(_) => closed,
            // The program was stopped while the axes moved, perhaps. They stand by now, or soon.
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

    /// The feed is held, until somebody releases it at the panel.
    fn react(&mut self, _: Cause) -> Result<(), Refusal> {
        panel::hold_feed();
        Ok(())
    }

    fn fail_safe(&mut self, _: Cause) {
        drives::switch_off();
    }
}

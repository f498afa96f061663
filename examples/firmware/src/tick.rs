//! What happens every millisecond, whether the agent runs or not.

use cortex_m::peripheral::SCB;
use cortex_m_rt::exception;

use crate::{board, drives, forces, panel};

#[exception]
fn SysTick() {
    board::pend_uarts();
    panel::tick();
    drives::tick();
    forces::tick();
    // The agent's turn.
    SCB::set_pendsv();
}

#![no_std]
#![no_main]
//! An RDPv3 agent on a Cortex-M3 without an operating system, and a small control loop that it debugs. See
//! `README.md`.

mod authority;
mod axis;
mod board;
mod boots;
mod context;
mod debug;
mod drives;
mod forces;
mod interlock;
mod memory;
mod panel;
mod patch;
mod program;
mod ring;
mod state;
mod target;
mod tick;
mod variables;

use core::cell::UnsafeCell;
use core::panic::PanicInfo;

use cortex_m::{asm, interrupt};
use cortex_m_rt::entry;
use feedrate::Instant;
use feedrate::rdp::packet::Lane;
use feedrate_rdp::agent::{self, AgentConfig, StopCause};
use feedrate_rdp::arch::CortexM;
use feedrate_rdp::link::{LaneId, Link};
use feedrate_rdp::session::Checksum;
use feedrate_rdp::sizes::Board;

use crate::authority::Tokens;
use crate::board::{Clock, Port, SPI, UART};
use crate::context::{Context, Frame, Rest};
use crate::target::Cnc;

#[entry]
fn main() -> ! {
    if let Some(core) = cortex_m::Peripherals::take() {
        interrupt::disable();
        board::init(core);
    }
    // SAFETY: interrupts are off, so that nobody else uses it yet.
    unsafe { &mut *STATION.0.get() }.start(boots::count());
    // SAFETY: the stack is the machine's, whose program begins here.
    unsafe { context::enter_thread(memory::stack_end(), axis::control_loop) }
}

type Agent = agent::Agent<CortexM, Tokens, Link<Board>, Checksum>;

/// The agent, and what it debugs.
struct Station {
    agent: Agent,
    clock: Clock,
    /// The number of this boot, and whether the agent has been given the seed of its nonces.
    boots: u32,
    seeded: bool,
    cnc: Cnc,
}

struct Global(UnsafeCell<Station>);

// SAFETY: only the exceptions below use it, which do not interrupt each other.
unsafe impl Sync for Global {}

/// The agent runs every millisecond. If its clock has not advanced for this many runs, it is broken.
const FROZEN: u32 = 2000;

const CONFIG: AgentConfig = AgentConfig::new([0; 12], 0, "feedrate firmware")
    .stall(forces::STALL)
    .frozen(FROZEN)
    // The operator's line is the only one.
    .observers(true);

static STATION: Global = Global(UnsafeCell::new(Station {
    agent: Agent::new(CONFIG, Link::agent(Lane::UART, Some(Lane::SPI)), Tokens, Checksum::new()),
    clock: Clock::new(),
    boots: 0,
    seeded: false,
    cnc: Cnc::new(),
}));

/// Every millisecond, and whenever a byte has come or gone.
// SAFETY, here and below: only `context.rs` uses the name, with these arguments.
#[unsafe(no_mangle)]
extern "C" fn on_pend(frame: &mut Frame, rest: &mut Rest) {
    // SAFETY: this exception and the faults have the same priority, the lowest. One of them is active: this one,
    // once.
    let station = unsafe { &mut *STATION.0.get() };
    station.interrupted(frame, rest, None);
}

/// The program has hit a trap or caused a fault.
#[unsafe(no_mangle)]
extern "C" fn on_fault(frame: &mut Frame, rest: &mut Rest) {
    // SAFETY: as above. A fault in one of these exceptions, or in what interrupts them, is a hard fault.
    let station = unsafe { &mut *STATION.0.get() };
    station.interrupted(frame, rest, Some(board::take_fault_status()));
}

impl Station {
    /// To be called once, before there is an exception.
    fn start(&mut self, boots: u32) {
        self.boots = boots;
        self.cnc.identify(boots);
        self.agent.set_boot(board::boot_number(boots), boots);
        // The next host is told why the program last stopped.
        self.agent.stopped(&mut self.cnc, StopCause::Reset, self.clock.now());
    }

    /// Does everything that is due, and returns when the program may go on.
    fn interrupted(&mut self, frame: &mut Frame, rest: &mut Rest, fault: Option<u32>) {
        self.cnc.debugger.context = Context::load(frame, rest);
        if let Some(status) = fault {
            self.cnc.debugger.fault(status);
        }
        loop {
            // Once per round, even if the agent begins a next step that is only a jump and so has been executed
            // already. This way a program that jumps to itself can be halted.
            if !panel::is_stalled() {
                if let Some(stop) = self.cnc.debugger.take_stop() {
                    self.agent.stopped(&mut self.cnc, stop, self.clock.now());
                }
                self.serve();
            }
            if self.cnc.debugger.has_stop() && !panel::is_stalled() {
                continue;
            }
            if !self.cnc.debugger.is_stopped() {
                break;
            }
            // Sleep until a byte has come or gone, or a millisecond has passed, unless something has come since the
            // last check.
            interrupt::free(|_| {
                if !UART.has_input() && !SPI.has_input() {
                    asm::wfi();
                }
            });
        }
        self.cnc.debugger.context.store(frame, rest);
    }

    fn serve(&mut self) {
        let Station { agent, clock, boots, seeded, cnc } = self;
        if !*seeded && UART.has_input() {
            agent.set_boot(board::boot_number(*boots), *boots);
            *seeded = true;
        }
        let now = clock.now();
        receive(agent, LaneId::Signal, &UART, now);
        receive(agent, LaneId::Bulk, &SPI, now);
        agent.run(cnc, now);
        send::<{ Lane::UART.mtu() }, 256>(agent, LaneId::Signal, &UART, now);
        send::<{ Lane::SPI.mtu() }, 1024>(agent, LaneId::Bulk, &SPI, now);
    }
}

/// Takes what has come, but no more than the ring's size, so that a line that is never silent does not block everything
/// else.
fn receive<const N: usize>(agent: &mut Agent, lane: LaneId, port: &Port<N>, now: Instant) {
    for _ in 0..N / PORTION {
        let mut bytes = [0; PORTION];
        let count = bytes.iter_mut().map_while(|place| port.read().map(|byte| *place = byte)).count();
        let Some(received @ [_, ..]) = bytes.get(..count) else { break };
        agent.feed(lane, received, now);
    }
}

const PORTION: usize = 32;

/// Sends what is pending, as long as there is room for a packet.
fn send<const MTU: usize, const N: usize>(agent: &mut Agent, lane: LaneId, port: &Port<N>, now: Instant) {
    while port.room() >= MTU {
        let mut packet = [0; MTU];
        let length = agent.poll_transmit(lane, &mut packet, now);
        let Some(packet @ [_, ..]) = packet.get(..length) else { break };
        port.write(packet);
    }
}

/// If a panic can be reached, the firmware refers to a symbol that does not exist, and does not link.
#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    unsafe extern "C" {
        fn a_panic_is_reachable() -> !;
    }
    // SAFETY: never run. Nothing defines the symbol.
    unsafe { a_panic_is_reachable() }
}

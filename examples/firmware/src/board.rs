//! The board: three UARTs and a clock. Replace this file for another board.
//!
//! An LM3S6965, as QEMU's `lm3s6965evb` has it. Registers are those of the PrimeCell UART (PL011) and of the ARMv7-M
//! architecture; the pins' multiplexers, which the emulator does not need, are left as they are.

use core::ptr;
use core::sync::atomic::Ordering;

use cortex_m::interrupt::InterruptNumber;
use cortex_m::peripheral::scb::{Exception, SystemHandler};
use cortex_m::peripheral::syst::SystClkSource;
use cortex_m::peripheral::{NVIC, SCB};
use feedrate::Instant;

use crate::ring::Ring;
use crate::state::MACHINE;

/// The processor's clock after reset.
const CLOCK_HZ: u32 = 12_500_000;
const BAUD: u32 = 115_200;

/// The signalling lane.
pub static UART: Port<256> = Port::new(0x4000_C000, Irq::Uart0, &UART_RINGS);
/// The bulk lane. On the real board this is a SPI slave.
pub static SPI: Port<1024> = Port::new(0x4000_D000, Irq::Uart1, &SPI_RINGS);
/// The operator's panel: keys, one byte each. On the real board these are inputs.
pub static PANEL: Port<8> = Port::new(0x4000_E000, Irq::Uart2, &PANEL_RINGS);

static UART_RINGS: Rings<256> = Rings { received: Ring::new(), to_send: Ring::new() };
static SPI_RINGS: Rings<1024> = Rings { received: Ring::new(), to_send: Ring::new() };
static PANEL_RINGS: Rings<8> = Rings { received: Ring::new(), to_send: Ring::new() };

/// Cycles of a counter that nothing stops. It wraps.
///
/// It is the watchdog's, which counts down once per cycle. SysTick interrupts can be lost, above all in an emulator on
/// a busy computer.
pub fn cycles() -> u32 {
    !Register(WATCHDOG_VALUE).read()
}

/// Cycles in a millisecond.
pub const CYCLES_A_MS: u32 = CLOCK_HZ / 1000;

/// The agent's clock, which does not wrap. It has to be read at least every five minutes.
pub struct Clock {
    micros: u64,
    /// The counter at the beginning. `None` before the clock runs.
    began: Option<u32>,
}

impl Clock {
    pub const fn new() -> Self {
        Clock { micros: 0, began: None }
    }

    pub fn now(&mut self) -> Instant {
        // 25 cycles are 2 us.
        const { assert!(CLOCK_HZ * 2 == 25_000_000) };
        let now = cycles();
        let began = self.began.unwrap_or(now);
        let passed = now.wrapping_sub(began) / 25;
        self.began = Some(began.wrapping_add(passed * 25));
        self.micros = self.micros.saturating_add(u64::from(passed) * 2);
        Instant::from_micros(self.micros)
    }
}

/// LM3S6965 data sheet, section 11.
const WATCHDOG_LOAD: usize = 0x4000_0000;
const WATCHDOG_VALUE: usize = 0x4000_0004;
const WATCHDOG_CONTROL: usize = 0x4000_0008;

/// Turns everything on. Interrupts come as soon as the processor allows them.
pub fn init(mut core: cortex_m::Peripherals) {
    // The clocks of the watchdog, which is used as a counter here and resets nothing, and of the three UARTs.
    Register(0x400F_E100).write(1 << 3);
    Register(0x400F_E104).write(0b111);
    Register(WATCHDOG_LOAD).write(u32::MAX);
    Register(WATCHDOG_CONTROL).write(1);
    UART.init();
    SPI.init();
    PANEL.init();

    // What the debugger does, all at the lowest priority: none of it interrupts another part of it. Above
    // that, what only moves bytes and counts milliseconds, which goes on while the machine is stopped.
    core.SCB.enable(Exception::UsageFault);
    core.SCB.enable(Exception::BusFault);
    core.SCB.enable(Exception::MemoryManagement);
    for handler in [
        SystemHandler::UsageFault,
        SystemHandler::BusFault,
        SystemHandler::MemoryManagement,
        SystemHandler::PendSV,
    ] {
        // SAFETY: no critical section is made with priorities.
        unsafe { core.SCB.set_priority(handler, 0xE0) };
    }
    // SAFETY: as above.
    unsafe { core.SCB.set_priority(SystemHandler::SysTick, 0x20) };
    for irq in [Irq::Uart0, Irq::Uart1, Irq::Uart2] {
        // SAFETY: as above, and no critical section is made by masking these.
        unsafe {
            core.NVIC.set_priority(irq, 0x20);
            NVIC::unmask(irq);
        }
    }

    core.SYST.set_reload(CLOCK_HZ / 1000 - 1);
    core.SYST.clear_current();
    core.SYST.set_clock_source(SystClkSource::Core);
    core.SYST.enable_counter();
    core.SYST.enable_interrupt();
}

/// Identifies this board: the part's number, and the MAC address that the manufacturer has put into the flash.
pub fn identity() -> [u8; 8] {
    let [_, _, part, version] = Register(0x400F_E004).read().to_le_bytes();
    let [a, b, c, _] = Register(0x400F_E1E0).read().to_le_bytes();
    let [d, e, f, _] = Register(0x400F_E1E4).read().to_le_bytes();
    [version, part, a, b, c, d, e, f]
}

/// A value that should never repeat: the cycle in which this is called, the loop's progress, and the number of the
/// boot. Called at the start, and again when a host's first byte comes. **A real board needs better**: random numbers,
/// or a counter in non-volatile memory.
pub fn boot_number(boots: u32) -> [u8; 12] {
    let [a, b, c, d] = cycles().to_be_bytes();
    let [e, f, g, h] = MACHINE.cycle.load(Ordering::Relaxed).to_be_bytes();
    let [i, j, k, l] = boots.to_be_bytes();
    [c, d, a, b, e, f, g, h, i, j, k, l]
}

/// Reads the reason of the last fault (CFSR), and clears it.
pub fn take_fault_status() -> u32 {
    let status = Register(0xE000_ED28);
    let value = status.read();
    status.write(value);
    value
}

/// Triggers the UARTs' interrupts. The emulator's UART does not interrupt again before its FIFO has been emptied, which
/// does not happen while a ring is full.
pub fn pend_uarts() {
    for irq in [Irq::Uart0, Irq::Uart1, Irq::Uart2] {
        NVIC::pend(irq);
    }
}

/// A UART.
pub struct Port<const N: usize> {
    base: usize,
    irq: Irq,
    rings: &'static Rings<N>,
}

/// The bytes received, and those to be sent.
struct Rings<const N: usize> {
    received: Ring<N>,
    to_send: Ring<N>,
}

// PL011, sections 3.3.1 to 3.3.13.
const DR: usize = 0x00;
const FR: usize = 0x18;
const FR_RXFE: u32 = 1 << 4;
const FR_TXFF: u32 = 1 << 5;
const IBRD: usize = 0x24;
const FBRD: usize = 0x28;
const LCRH: usize = 0x2C;
const LCRH_FEN_8N1: u32 = 0x70;
const CR: usize = 0x30;
const CR_RXE_TXE_UARTEN: u32 = 0x301;
const IMSC: usize = 0x38;
const ICR: usize = 0x44;
/// Receive timeout, transmit, receive.
const INTERRUPTS: u32 = 1 << 6 | 1 << 5 | 1 << 4;
const INTERRUPTS_TX: u32 = 1 << 5;

impl<const N: usize> Port<N> {
    const fn new(base: usize, irq: Irq, rings: &'static Rings<N>) -> Self {
        Port { base, irq, rings }
    }

    fn init(&self) {
        // In 64ths.
        const DIVISOR: u32 = (CLOCK_HZ * 4 + BAUD / 2) / BAUD;
        self.register(CR).write(0);
        self.register(IBRD).write(DIVISOR / 64);
        self.register(FBRD).write(DIVISOR % 64);
        // Off and on: what was in the FIFO before a reset is gone, in the emulator too.
        self.register(LCRH).write(0);
        self.register(LCRH).write(LCRH_FEN_8N1);
        self.register(CR).write(CR_RXE_TXE_UARTEN);
        self.register(IMSC).write(INTERRUPTS);
    }

    /// The next byte that came.
    pub fn read(&self) -> Option<u8> {
        let byte = self.rings.received.pop()?;
        // There is room: take more, if the ring was full.
        self.register(IMSC).write(INTERRUPTS);
        Some(byte)
    }

    /// Whether [`read`](Self::read) has something to give.
    pub fn has_input(&self) -> bool {
        self.rings.received.len() != 0
    }

    /// How many bytes [`write`](Self::write) will take now.
    pub fn room(&self) -> usize {
        self.rings.to_send.room()
    }

    /// Sends these bytes when the line is free. Bytes for which there is no room are lost.
    pub fn write(&self, bytes: &[u8]) {
        for &byte in bytes {
            self.rings.to_send.push(byte);
        }
        // Only the interrupt takes them from the ring, so no lock is needed.
        NVIC::pend(self.irq);
    }

    fn interrupt(&self) {
        self.register(ICR).write(INTERRUPTS);
        while self.register(FR).read() & FR_RXFE == 0 {
            if self.rings.received.room() == 0 {
                // What is in the FIFO stays there until `read` has made room.
                self.register(IMSC).write(INTERRUPTS_TX);
                break;
            }
            self.rings.received.push(self.register(DR).read() as u8);
        }
        while self.register(FR).read() & FR_TXFF == 0 {
            let Some(byte) = self.rings.to_send.pop() else { break };
            self.register(DR).write(byte.into());
        }
        // Handle them at once, not in the next millisecond.
        SCB::set_pendsv();
    }

    fn register(&self, offset: usize) -> Register {
        Register(self.base + offset)
    }
}

struct Register(usize);

impl Register {
    fn read(&self) -> u32 {
        // SAFETY: every address in this file is that of a register, which is always there and may be read.
        unsafe { ptr::with_exposed_provenance::<u32>(self.0).read_volatile() }
    }

    fn write(&self, value: u32) {
        // SAFETY: as above. None of them makes the processor write to memory.
        unsafe { ptr::with_exposed_provenance_mut::<u32>(self.0).write_volatile(value) };
    }
}

/// LM3S6965 data sheet, table 2-9.
#[derive(Clone, Copy)]
enum Irq {
    Uart0 = 5,
    Uart1 = 6,
    Uart2 = 33,
}

// SAFETY: these are the interrupts' numbers, and a number stands for one interrupt.
unsafe impl InterruptNumber for Irq {
    fn number(self) -> u16 {
        self as u16
    }
}

extern "C" fn uart0() {
    UART.interrupt();
}

extern "C" fn uart1() {
    SPI.interrupt();
}

extern "C" fn uart2() {
    PANEL.interrupt();
}

unsafe extern "C" {
    fn DefaultHandler();
}

/// The interrupts' part of the vector table.
// SAFETY: cortex-m-rt places the symbol with this name and section after the exceptions.
#[unsafe(no_mangle)]
#[unsafe(link_section = ".vector_table.interrupts")]
static __INTERRUPTS: [unsafe extern "C" fn(); 34] = {
    let mut table: [unsafe extern "C" fn(); 34] = [DefaultHandler; 34];
    table[Irq::Uart0 as usize] = uart0;
    table[Irq::Uart1 as usize] = uart1;
    table[Irq::Uart2 as usize] = uart2;
    table
};

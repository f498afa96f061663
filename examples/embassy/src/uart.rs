//! The UART: a PL011, as QEMU's `lm3s6965evb` has it. On your board this is the HAL's `BufferedUart`, whose halves
//! have the same traits.
//!
//! An interrupt moves bytes between the UART and two pipes.

use core::convert::Infallible;
use core::ptr;

use cortex_m::interrupt::InterruptNumber;
use cortex_m::peripheral::NVIC;
use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;
use embassy_sync::pipe::Pipe;
use embedded_io_async::{ErrorType, Read, Write};

type Bytes = Pipe<CriticalSectionRawMutex, 64>;

static RECEIVED: Bytes = Pipe::new();
static TO_SEND: Bytes = Pipe::new();

/// The receiving half.
pub struct Rx(());

/// The sending half.
pub struct Tx(());

impl ErrorType for Rx {
    type Error = Infallible;
}

impl ErrorType for Tx {
    type Error = Infallible;
}

impl Read for Rx {
    async fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Infallible> {
        let count = RECEIVED.read(buffer).await;
        // There is room again for what the interrupt left in the UART.
        NVIC::pend(Uart0);
        Ok(count)
    }
}

impl Write for Tx {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        let count = TO_SEND.write(bytes).await;
        NVIC::pend(Uart0);
        Ok(count)
    }

    /// Does not wait: the interrupt sends what is in the pipe.
    async fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

// PL011, sections 3.3.1 to 3.3.13.
const DR: usize = 0x4000_C000;
const FR: usize = DR + 0x18;
const FR_RXFE: u32 = 1 << 4;
const FR_TXFF: u32 = 1 << 5;
const IBRD: usize = DR + 0x24;
const FBRD: usize = DR + 0x28;
const LCRH: usize = DR + 0x2C;
const LCRH_FEN_8N1: u32 = 0x70;
const CR: usize = DR + 0x30;
const CR_RXE_TXE_UARTEN: u32 = 0x301;
const IMSC: usize = DR + 0x38;
const ICR: usize = DR + 0x44;
/// Receive timeout, transmit, receive.
const INTERRUPTS: u32 = 1 << 6 | 1 << 5 | 1 << 4;
const INTERRUPTS_TX: u32 = 1 << 5;

/// Turns the UART on: 115 200 baud, at the 12.5 MHz that the processor has after its reset.
pub fn init() -> (Rx, Tx) {
    // Its clock.
    write(0x400F_E104, 1);
    write(CR, 0);
    write(IBRD, 6);
    write(FBRD, 50);
    write(LCRH, LCRH_FEN_8N1);
    write(CR, CR_RXE_TXE_UARTEN);
    write(IMSC, INTERRUPTS);
    // SAFETY: no critical section is made by masking this interrupt.
    unsafe { NVIC::unmask(Uart0) };
    (Rx(()), Tx(()))
}

extern "C" fn uart0() {
    write(ICR, INTERRUPTS);
    while !RECEIVED.is_full() && read(FR) & FR_RXFE == 0 {
        // The pipe has room for it.
        let _ = RECEIVED.try_write(&[read(DR) as u8]);
    }
    while read(FR) & FR_TXFF == 0 {
        let mut byte = [0];
        if TO_SEND.try_read(&mut byte).is_err() {
            break;
        }
        let [byte] = byte;
        write(DR, byte.into());
    }
    // While the pipe is full, what comes stays in the UART.
    write(IMSC, if RECEIVED.is_full() { INTERRUPTS_TX } else { INTERRUPTS });
}

fn read(register: usize) -> u32 {
    // SAFETY: every address in this file is that of a register, which is always there and may be read.
    unsafe { ptr::with_exposed_provenance::<u32>(register).read_volatile() }
}

fn write(register: usize, value: u32) {
    // SAFETY: as above. None of them makes the processor write to memory.
    unsafe { ptr::with_exposed_provenance_mut::<u32>(register).write_volatile(value) };
}

/// LM3S6965 data sheet, table 2-9.
#[derive(Clone, Copy)]
struct Uart0;

// SAFETY: this is the interrupt's number.
unsafe impl InterruptNumber for Uart0 {
    fn number(self) -> u16 {
        5
    }
}

unsafe extern "C" {
    fn DefaultHandler();
}

/// The interrupts' part of the vector table.
// SAFETY: cortex-m-rt places the symbol with this name and section after the exceptions.
#[unsafe(no_mangle)]
#[unsafe(link_section = ".vector_table.interrupts")]
static __INTERRUPTS: [unsafe extern "C" fn(); 6] =
    [DefaultHandler, DefaultHandler, DefaultHandler, DefaultHandler, DefaultHandler, uart0];

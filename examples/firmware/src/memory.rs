//! The memory that a debugger sees: the flash, the machine's code and variables, and its stack. Not the
//! agent's own, which holds what the session keeps to itself.

use core::ops::Range;
use core::ptr;
use core::sync::atomic::{Ordering, compiler_fence};

use cortex_m::asm;

// From memory.x, and from cortex-m-rt's link.x.
unsafe extern "C" {
    static __sidata: u8;
    static __sdata: u8;
    static __edata: u8;
    static __machine_start: u8;
    static __machine_code_end: u8;
    static __machine_end: u8;
    static __machine_stack_start: u8;
    static mut __machine_stack_end: u32;
}

/// Without the first word, at what Rust takes for no address at all.
const FLASH: Range<u32> = 4..256 * 1024;

/// The machine's code. It can be patched.
pub fn code() -> Range<u32> {
    (&raw const __machine_start).expose_provenance() as u32
        ..(&raw const __machine_code_end).expose_provenance() as u32
}

fn ranges() -> [Range<u32>; 3] {
    let machine = code().start..(&raw const __machine_end).expose_provenance() as u32;
    let stack =
        (&raw const __machine_stack_start).expose_provenance() as u32..stack_end().expose_provenance() as u32;
    [FLASH, machine, stack]
}

/// Where the machine's stack begins, growing down.
pub fn stack_end() -> *mut u32 {
    &raw mut __machine_stack_end
}

/// Whether there is anything at `addr`.
pub fn is_mapped(addr: u32) -> bool {
    ranges().iter().any(|range| range.contains(&addr))
}

pub fn is_flash(addr: u32) -> bool {
    FLASH.contains(&addr)
}

/// Reads what lies there, and answers how much of it there is.
pub fn read(addr: u32, into: &mut [u8]) -> usize {
    let Some(range) = ranges().into_iter().find(|range| range.contains(&addr)) else { return 0 };
    let mut count = 0;
    for (at, byte) in (addr..range.end).zip(into) {
        // SAFETY: it is memory of the part that does not change, or that only the interrupted program uses.
        *byte = unsafe { ptr::with_exposed_provenance::<u8>(at as usize).read_volatile() };
        count += 1;
    }
    count
}

/// Which program this is: FNV-1a of the flash, constants and what the machine's memory begins with included.
pub fn image_hash() -> [u8; 8] {
    let end = (&raw const __sidata).addr() + (&raw const __edata).addr() - (&raw const __sdata).addr();
    let mut hash = 0xCBF2_9CE4_8422_2325_u64;
    let mut addr = FLASH.start;
    let mut bytes = [0; 16];
    while (addr as usize) < end {
        let count = read(addr, &mut bytes);
        for &byte in bytes.iter().take(count) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3);
        }
        addr += 16;
    }
    hash.to_be_bytes()
}

/// Puts a halfword into the machine's code. What lies outside of it stays as it is.
pub fn patch(addr: u32, halfword: u16) {
    if addr & 1 != 0 || !code().contains(&addr) {
        return;
    }
    // SAFETY: an even address in the section's code, which ends at a multiple of four. It is no Rust
    // object, and the program that runs there is interrupted.
    unsafe { ptr::with_exposed_provenance_mut::<u16>(addr as usize).write_volatile(halfword) };
}

/// The processor may have fetched instructions that were patched since.
pub fn patched() {
    compiler_fence(Ordering::SeqCst);
    asm::dsb();
    asm::isb();
}

//! The memory, and the parts that a debugger can reach: the machine's code, variables and stack. It cannot reach the
//! flash, which contains the agent and its secrets, the agent's variables, or the code and table of forces.

use core::ops::Range;
use core::ptr;
use core::sync::atomic::{Ordering, compiler_fence};

use cortex_m::asm;
use feedrate::rdp::frame::{Class, Region};

// From memory.x, and from cortex-m-rt's link.x.
unsafe extern "C" {
    static __sidata: u8;
    static __sdata: u8;
    static __edata: u8;
    static __machine_start: u8;
    static __machine_forces: u8;
    static __machine_code_end: u8;
    static __machine_end: u8;
    static __machine_stack_start: u8;
    static mut __machine_stack_end: u32;
}

/// Without the first word, whose address is null to Rust.
const FLASH: Range<u32> = 4..256 * 1024;
const RAM: Range<u32> = 0x2000_0000..0x2001_0000;
/// Where the chip's devices are, and the processor's own.
const DEVICES: Range<u32> = 0x4000_0000..0xE010_0000;

fn address(of: *const u8) -> u32 {
    of.expose_provenance() as u32
}

/// The machine's code, with what applies forces. It can be patched.
pub fn code() -> Range<u32> {
    address(&raw const __machine_start)..address(&raw const __machine_code_end)
}

/// The code that applies forces. Debuggers cannot set traps there.
pub fn forces() -> Range<u32> {
    address(&raw const __machine_forces)..code().end
}

/// The machine's variables.
pub fn data() -> Range<u32> {
    code().end..address(&raw const __machine_end)
}

/// The machine's stack.
fn stack() -> Range<u32> {
    address(&raw const __machine_stack_start)..stack_end().expose_provenance() as u32
}

/// Where the machine's stack begins, growing down.
pub fn stack_end() -> *mut u32 {
    &raw mut __machine_stack_end
}

pub const REGIONS: usize = 9;

/// What the agent enforces (SPEC section 8.6).
pub fn map() -> [Region; REGIONS] {
    let (code, forces, data, stack) = (code(), forces(), data(), stack());
    let region = |range: Range<u32>, class| Region {
        first: range.start.into(),
        last: range.end.saturating_sub(1).into(),
        class,
    };
    [
        region(0..FLASH.end, Class::Protected),
        region(RAM.start..code.start, Class::Protected),
        region(code.start..forces.start, Class::Plain),
        region(forces, Class::Protected),
        region(data.clone(), Class::Plain),
        region(data.end..stack.start, Class::Protected),
        region(stack.clone(), Class::Plain),
        region(stack.end..RAM.end, Class::Protected),
        region(DEVICES, Class::Protected),
    ]
}

/// Reads the program's memory, and returns how much of it there is.
pub fn read(addr: u32, into: &mut [u8]) -> usize {
    let whole = code().start..data().end;
    let Some(range) = [whole, stack()].into_iter().find(|range| range.contains(&addr)) else { return 0 };
    read_range(addr..range.end, into)
}

fn read_range(range: Range<u32>, into: &mut [u8]) -> usize {
    let mut count = 0;
    for (at, byte) in range.zip(into) {
        // SAFETY: it is memory of the part that does not change, or that only the interrupted program uses.
        *byte = unsafe { ptr::with_exposed_provenance::<u8>(at as usize).read_volatile() };
        count += 1;
    }
    count
}

/// Writes the program's variables or stack. `false` if it is neither; then nothing is written.
pub fn write(addr: u32, bytes: &[u8]) -> bool {
    let end = addr.saturating_add(bytes.len() as u32);
    if ![data(), stack()].iter().any(|range| range.start <= addr && end <= range.end) {
        return false;
    }
    for (at, byte) in (addr..end).zip(bytes) {
        // SAFETY: it is memory that only the interrupted program uses, and that is an atomic variable or its stack,
        // in which every value is one of its type's.
        unsafe { ptr::with_exposed_provenance_mut::<u8>(at as usize).write_volatile(*byte) };
    }
    true
}

/// Identifies the program: FNV-1a of the flash, including constants and the initial content of the machine's memory.
pub fn image_hash() -> [u8; 8] {
    let end = (&raw const __sidata).addr() + (&raw const __edata).addr() - (&raw const __sdata).addr();
    let mut hash = 0xCBF2_9CE4_8422_2325_u64;
    let mut addr = FLASH.start;
    let mut bytes = [0; 16];
    while (addr as usize) < end {
        let count = read_range(addr..FLASH.end, &mut bytes);
        for &byte in bytes.iter().take(count) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3);
        }
        addr += 16;
    }
    hash.to_be_bytes()
}

/// Puts a halfword into the machine's code. Addresses outside of it are ignored.
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

//! What the binaries share: the panic handler that cannot be linked, and ways to look at every field.
//!
//! Each binary's `entry` takes its decoder and its input through pointers, so that the compiler knows
//! nothing about either: no state, limit or byte can be folded into the code.
#![no_std]

pub mod host;
pub mod machine;

use core::cell::UnsafeCell;
use core::panic::PanicInfo;

/// A binary in which a panic can be reached refers to a symbol that does not exist, and does not link.
#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    unsafe extern "C" {
        fn a_panic_is_reachable() -> !;
    }
    // SAFETY: never run. Nothing defines the symbol.
    unsafe { a_panic_is_reachable() }
}

/// The bytes at `input`.
///
/// # Safety
///
/// There have to be `length` of them.
pub unsafe fn bytes<'a>(input: *const u8, length: usize) -> &'a [u8] {
    // SAFETY: the caller's word.
    unsafe { core::slice::from_raw_parts(input, length) }
}

/// As [`bytes`], to be written.
///
/// # Safety
///
/// There have to be `length` of them, and nobody else may use them.
pub unsafe fn bytes_mut<'a>(output: *mut u8, length: usize) -> &'a mut [u8] {
    // SAFETY: the caller's word.
    unsafe { core::slice::from_raw_parts_mut(output, length) }
}

/// Something that depends on every field, so that reading none of them can be left out.
#[derive(Default, Clone, Copy)]
pub struct Sum(pub u32);

impl Sum {
    #[inline]
    pub fn add(&mut self, value: u32) {
        self.0 = self.0.wrapping_add(value);
    }

    /// The length, and the first byte.
    #[inline]
    pub fn slice(&mut self, bytes: &[u8]) {
        self.0 = slice(self.0, bytes);
    }
}

/// By value, so that a sum stays in its register.
#[inline(never)]
fn slice(sum: u32, bytes: &[u8]) -> u32 {
    sum.wrapping_add(bytes.len() as u32).wrapping_add(bytes.first().copied().unwrap_or_default().into())
}

/// In a `static`, as an agent is in a controller's firmware.
pub struct Alone<T>(UnsafeCell<T>);

// SAFETY: there is one core, no interrupt, and nothing is ever run.
unsafe impl<T> Sync for Alone<T> {}

impl<T> Alone<T> {
    pub const fn new(value: T) -> Self {
        Self(UnsafeCell::new(value))
    }

    /// # Safety
    ///
    /// Nobody else may have it.
    #[allow(clippy::mut_from_ref)]
    pub unsafe fn get(&self) -> &mut T {
        // SAFETY: the caller's word.
        unsafe { &mut *self.0.get() }
    }
}

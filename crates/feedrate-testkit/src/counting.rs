//! An allocator that counts what is asked of it, by the thread that asks.
//!
//! ```
//! use feedrate_testkit::counting::{Counting, Taken, taken};
//!
//! #[global_allocator]
//! static ALLOCATOR: Counting = Counting;
//!
//! let (used, held) = taken(|| vec![1_u8; 1_000]);
//! assert_eq!(used, Taken { allocations: 1, bytes: 1_000, peak: 1_000, kept: 1_000 });
//! assert_eq!(taken(|| drop(held)).0, Taken { kept: -1_000, ..Taken::NOTHING });
//! ```

#![allow(unsafe_code, reason = "the trait of allocators is")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;

/// The system's allocator, counted.
#[derive(Debug)]
pub struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
    static BYTES: Cell<usize> = const { Cell::new(0) };
    static LIVE: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

fn count(taken: usize, given_back: usize) {
    if taken > 0 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        BYTES.set(BYTES.get() + taken);
    }
    LIVE.set(LIVE.get() + taken as isize - given_back as isize);
    PEAK.set(PEAK.get().max(LIVE.get()));
}

// SAFETY: every call is passed on to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: the caller's promises are the system's requirements.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        count(0, layout.size());
        // SAFETY: as above.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size, layout.size());
        // SAFETY: as above.
        unsafe { System.realloc(memory, layout, size) }
    }
}

/// What a piece of work took from the heap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// How often.
    pub allocations: usize,
    /// How many bytes, all of them together.
    pub bytes: usize,
    /// The most bytes at one time.
    pub peak: isize,
    /// Bytes that it has not given back.
    pub kept: isize,
}

impl Taken {
    /// Nothing.
    pub const NOTHING: Self = Self { allocations: 0, bytes: 0, peak: 0, kept: 0 };
}

/// Works, and counts.
///
/// # Panics
///
/// If [`Counting`] is not the program's allocator: then all work would seem to take nothing.
pub fn taken<T>(work: impl FnOnce() -> T) -> (Taken, T) {
    let before = ALLOCATIONS.get();
    drop(black_box(Box::new(0_u8)));
    assert_eq!(ALLOCATIONS.get(), before + 1, "Counting is not the #[global_allocator]");
    let (allocations, bytes, live) = (ALLOCATIONS.get(), BYTES.get(), LIVE.get());
    PEAK.set(live);
    let result = work();
    let taken = Taken {
        allocations: ALLOCATIONS.get() - allocations,
        bytes: BYTES.get() - bytes,
        peak: PEAK.get() - live,
        kept: LIVE.get() - live,
    };
    (taken, result)
}

/// Bytes that this thread has taken, and not given back.
pub fn live() -> isize {
    LIVE.get()
}

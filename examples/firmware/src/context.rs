//! The registers of the program that an exception has interrupted.

use core::arch::global_asm;

use feedrate_insn::thumb;

/// The registers that the processor pushes when it takes an exception (ARMv7-M, B1.5.6): r0 to r3, r12, lr, pc, xPSR.
pub type Frame = [u32; 8];
/// The registers that it does not push: r4 to r11.
pub type Rest = [u32; 8];

// The entry of an exception that needs all registers: `name` is the symbol in the vector table, `handler` is called
// with the frame and the rest. The program continues with their values after the call.
global_asm!(
    "
    .macro keeping_registers name, handler
    .section .text.\\name, \"ax\", %progbits
    .global \\name
    .type \\name, %function
    .thumb_func
\\name:
    tst     lr, #4              @ which stack is the frame on?
    ite     eq
    mrseq   r0, msp
    mrsne   r0, psp
    push    {{r4-r11}}
    mov     r1, sp
    push    {{r3, lr}}          @ two, to keep the stack at a multiple of eight
    bl      \\handler
    pop     {{r3, lr}}
    pop     {{r4-r11}}
    bx      lr
    .size \\name, . - \\name
    .endm

    keeping_registers PendSV, on_pend
    keeping_registers UsageFault, on_fault
    keeping_registers BusFault, on_fault
    keeping_registers MemoryManagement, on_fault
    .text
"
);

// Leaves the stack of the exceptions (MSP) to them, and goes on in `program` with another one (PSP).
global_asm!(
    "
    .section .text.enter_thread, \"ax\", %progbits
    .global enter_thread
    .type enter_thread, %function
    .thumb_func
enter_thread:                   @ (stack, program)
    msr     psp, r0
    movs    r2, #2              @ CONTROL.SPSEL
    msr     control, r2
    isb
    cpsie   i
    bx      r1
    .size enter_thread, . - enter_thread
    .text
"
);

unsafe extern "C" {
    /// # Safety
    ///
    /// `stack` is the end of a stack that nobody else uses.
    pub unsafe fn enter_thread(stack: *mut u32, program: extern "C" fn() -> !) -> !;
}

/// r0 to r12, sp, lr, pc, xPSR.
#[derive(Clone, Copy)]
pub struct Context {
    pub general: [u32; 13],
    /// Read-only: the frame lies below it.
    pub sp: u32,
    pub lr: u32,
    pub pc: u32,
    pub xpsr: u32,
}

/// xPSR: the processor had to skip a word to align the frame.
const ALIGNED: u32 = 1 << 9;

impl Context {
    pub const ZERO: Self = Context { general: [0; 13], sp: 0, lr: 0, pc: 0, xpsr: 0 };

    pub fn load(frame: &Frame, rest: &Rest) -> Self {
        let &[r0, r1, r2, r3, r12, lr, pc, xpsr] = frame;
        let &[r4, r5, r6, r7, r8, r9, r10, r11] = rest;
        let mut sp = frame.as_ptr().addr() as u32 + size_of::<Frame>() as u32;
        if xpsr & ALIGNED != 0 {
            sp += 4;
        }
        Context {
            general: [r0, r1, r2, r3, r4, r5, r6, r7, r8, r9, r10, r11, r12],
            sp,
            lr,
            pc,
            xpsr: xpsr & !ALIGNED,
        }
    }

    /// Stores the registers that the program continues with.
    pub fn store(&self, frame: &mut Frame, rest: &mut Rest) {
        let [r0, r1, r2, r3, r4, r5, r6, r7, r8, r9, r10, r11, r12] = self.general;
        let aligned = frame[7] & ALIGNED;
        *frame = [r0, r1, r2, r3, r12, self.lr, self.pc, self.xpsr & !ALIGNED | aligned];
        *rest = [r4, r5, r6, r7, r8, r9, r10, r11];
    }

    /// In wire order.
    pub fn all(&self) -> [u32; 17] {
        let [r0, r1, r2, r3, r4, r5, r6, r7, r8, r9, r10, r11, r12] = self.general;
        [r0, r1, r2, r3, r4, r5, r6, r7, r8, r9, r10, r11, r12, self.sp, self.lr, self.pc, self.xpsr]
    }

    /// In the form that the stepper needs.
    pub fn registers(&self) -> thumb::Registers {
        let &Context { general: low, sp, lr, pc, xpsr } = self;
        thumb::Registers { low, sp, lr, pc, xpsr }
    }
}

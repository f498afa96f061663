use core::fmt;

/// Where a processor is in an IT block: ITSTATE, eight bits that the program status register holds in two
/// places.
///
/// ARMv7-M Architecture Reference Manual, A7.3.3 "ITSTATE"; for its places in xPSR, B1.4.2.
///
/// ```
/// use feedrate_insn::thumb::ItState;
///
/// const Z: u32 = 1 << 30;
/// // After "ite eq", whose lower byte is 0x0c.
/// let first = ItState::from_bits(0x0c);
/// assert!(first.passes(Z) && !first.passes(0));
/// let second = first.advance();
/// assert!(second.passes(0) && !second.passes(Z));
/// assert!(!second.advance().is_active());
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct ItState(u8);

impl ItState {
    /// Bits 15 to 10 and 26 to 25 of xPSR.
    const MASK: u32 = 0x0600_fc00;

    /// Outside of an IT block.
    pub const NONE: Self = Self(0);

    /// From the architecture's eight bits, which are the lower byte of an `IT` instruction.
    ///
    /// ```
    /// use feedrate_insn::thumb::ItState;
    ///
    /// assert_eq!(ItState::from_bits(0x08).condition(), Some(0)); // it eq
    /// ```
    #[must_use]
    pub const fn from_bits(bits: u8) -> Self {
        // Without a mark of its end there is no block.
        if bits & 15 == 0 { Self::NONE } else { Self(bits) }
    }

    /// From a program status register. The state of an interrupted `LDM` or `STM` lies in the same bits; it
    /// is not an IT block, and gives [`NONE`](Self::NONE).
    ///
    /// ```
    /// use feedrate_insn::thumb::ItState;
    ///
    /// assert_eq!(ItState::of(0x0100_0000), ItState::NONE);
    /// assert_eq!(ItState::of(0x0100_0800), ItState::from_bits(0x08)); // it eq
    /// ```
    #[must_use]
    pub fn of(xpsr: u32) -> Self {
        let bits = ((xpsr >> 8) & 0xfc) | ((xpsr >> 25) & 3);
        Self::from_bits(u8::try_from(bits).unwrap_or(0))
    }

    /// Returns this program status register with this state in it.
    ///
    /// ```
    /// use feedrate_insn::thumb::ItState;
    ///
    /// let xpsr = ItState::from_bits(0x0f).put(0x6100_0003);
    /// assert_eq!(xpsr, 0x6700_0c03);
    /// assert_eq!(ItState::NONE.put(xpsr), 0x6100_0003);
    /// ```
    #[must_use]
    pub fn put(self, xpsr: u32) -> u32 {
        let bits = u32::from(self.0);
        (xpsr & !Self::MASK) | ((bits & 0xfc) << 8) | ((bits & 3) << 25)
    }

    /// Whether the next instruction is in an IT block.
    ///
    /// ```
    /// assert!(!feedrate_insn::thumb::ItState::NONE.is_active());
    /// ```
    #[must_use]
    pub const fn is_active(self) -> bool {
        self.0 != 0
    }

    /// Whether the next instruction is the last of an IT block.
    ///
    /// ```
    /// assert!(feedrate_insn::thumb::ItState::from_bits(0x08).is_last());
    /// ```
    #[must_use]
    pub const fn is_last(self) -> bool {
        self.0 & 15 == 8
    }

    /// The condition of the next instruction, 0 (EQ) to 14 (AL), if it is in an IT block.
    ///
    /// ```
    /// use feedrate_insn::thumb::ItState;
    ///
    /// assert_eq!(ItState::from_bits(0x18).condition(), Some(1)); // it ne
    /// assert_eq!(ItState::NONE.condition(), None);
    /// ```
    #[must_use]
    pub const fn condition(self) -> Option<u8> {
        if self.is_active() { Some(self.0 >> 4) } else { None }
    }

    /// Whether the next instruction is executed, with these flags (bits 31 to 28 of an xPSR).
    ///
    /// ```
    /// use feedrate_insn::thumb::ItState;
    ///
    /// assert!(ItState::NONE.passes(0));
    /// assert!(!ItState::from_bits(0x08).passes(0)); // it eq, and Z is clear
    /// ```
    #[must_use]
    pub const fn passes(self, xpsr: u32) -> bool {
        match self.condition() {
            Some(condition) => passes(condition, xpsr),
            None => true,
        }
    }

    /// The state that follows an instruction, executed or skipped.
    ///
    /// ```
    /// use feedrate_insn::thumb::ItState;
    ///
    /// assert_eq!(ItState::from_bits(0x0c).advance(), ItState::from_bits(0x18)); // ite eq: the second is ne
    /// assert_eq!(ItState::from_bits(0x18).advance(), ItState::NONE);
    /// ```
    #[must_use]
    pub const fn advance(self) -> Self {
        if self.0 & 7 == 0 { Self::NONE } else { Self((self.0 & 0xe0) | ((self.0 << 1) & 0x1f)) }
    }

    /// Returns this program status register with a state that executes whatever the flags: the next
    /// instruction, and also the one after it if that is in the block now.
    pub(super) fn always(self, xpsr: u32) -> u32 {
        match self.is_active() {
            // As it is: an interrupted LDM goes on where it was.
            false => xpsr,
            // "it al", "itt al"
            true if self.is_last() => Self(0xe8).put(xpsr),
            true => Self(0xe4).put(xpsr),
        }
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for ItState {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "ItState({=u8:#010b})", self.0);
    }
}

impl fmt::Debug for ItState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ItState({:#010b})", self.0)
    }
}

/// Whether this condition holds: ARMv7-M Architecture Reference Manual, A7.3 "Conditional execution".
pub(super) const fn passes(condition: u8, xpsr: u32) -> bool {
    let (n, z) = (xpsr & 1 << 31 != 0, xpsr & 1 << 30 != 0);
    let (c, v) = (xpsr & 1 << 29 != 0, xpsr & 1 << 28 != 0);
    let holds = match (condition >> 1) & 7 {
        0 => z,
        1 => c,
        2 => n,
        3 => v,
        4 => c && !z,
        5 => n == v,
        6 => n == v && !z,
        // Always, and 15 is not its opposite.
        _ => return true,
    };
    holds != (condition & 1 == 1)
}

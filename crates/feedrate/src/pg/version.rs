//! Protocol versions.

use core::fmt;

/// A protocol version: major in the upper, minor in the lower 16 bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Version(pub u32);

impl Version {
    /// Every server since 7.4.
    pub const V3_0: Self = Self(0x0003_0000);
    /// Reserved and never used, because some poolers took it for 3.0.
    pub const V3_1: Self = Self(0x0003_0001);
    /// Since 18: cancel keys of varying length.
    pub const V3_2: Self = Self(0x0003_0002);
    /// 3.9999, which no server will ever speak: clients request it to detect servers that cannot negotiate.
    pub const GREASE: Self = Self(0x0003_270f);

    /// The major version.
    pub const fn major(self) -> u16 {
        let [a, b, _, _] = self.0.to_be_bytes();
        u16::from_be_bytes([a, b])
    }

    /// The minor version.
    pub const fn minor(self) -> u16 {
        let [_, _, a, b] = self.0.to_be_bytes();
        u16::from_be_bytes([a, b])
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major(), self.minor())
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Version({self})")
    }
}

#[cfg(feature = "arbitrary")]
impl<'a> arbitrary::Arbitrary<'a> for Version {
    fn arbitrary(u: &mut arbitrary::Unstructured<'a>) -> arbitrary::Result<Self> {
        Ok(Self(Self::V3_0.0 | u32::from(u.arbitrary::<u16>()?)))
    }
}

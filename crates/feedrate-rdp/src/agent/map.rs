//! What may be done with which memory (SPEC section 8.6).

use feedrate::rdp::frame::{Class, ErrorCode, Region};

use super::fail::Fail;

/// The region that `length` bytes from `addr` on begin in, and their last address within it.
///
/// Where a protected region overlaps another one, the overlap is protected.
pub(super) fn region(map: &[Region], addr: u64, length: u64) -> Result<(&Region, u64), Fail> {
    let mut last = addr.checked_add(length.saturating_sub(1)).ok_or(ErrorCode::Unmapped)?;
    for protected in map.iter().filter(|region| region.class == Class::Protected) {
        if protected.contains(addr) {
            return Err(ErrorCode::Protected.into());
        }
        if let Some(before) = protected.first.checked_sub(1).filter(|before| *before >= addr) {
            last = last.min(before);
        }
    }
    let region = map.iter().find(|region| region.contains(addr)).ok_or(ErrorCode::Unmapped)?;
    Ok((region, last.min(region.last)))
}

/// What must lie in one region, and touch no protected one.
pub(super) fn within(map: &[Region], addr: u64, length: u64) -> Result<(), Fail> {
    let end = addr.checked_add(length.saturating_sub(1)).ok_or(ErrorCode::Unmapped)?;
    let protected =
        |region: &Region| region.class == Class::Protected && region.first <= end && region.last >= addr;
    if map.iter().any(protected) {
        return Err(ErrorCode::Protected.into());
    }
    let (_, last) = region(map, addr, length)?;
    if last == end { Ok(()) } else { Err(ErrorCode::Unmapped.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAP: [Region; 4] = [
        Region { first: 0x100, last: 0x1FF, class: Class::Plain },
        Region { first: 0x180, last: 0x18F, class: Class::Protected },
        Region { first: 0x200, last: 0x2FF, class: Class::SideEffects },
        Region { first: u64::MAX - 7, last: u64::MAX, class: Class::Plain },
    ];

    #[test]
    fn what_touches_a_protected_byte_is_refused_and_what_leaves_a_region_is_cut_or_refused() {
        let code = |addr, length| region(&MAP, addr, length).map(|(_, last)| last).map_err(Fail::code);
        assert_eq!(code(0x100, 4), Ok(0x103));
        assert_eq!(code(0x17F, 1), Ok(0x17F));
        for (addr, length) in [(0x180, 1), (0x18F, 1), (0x188, 0x100)] {
            assert_eq!(code(addr, length), Err(ErrorCode::Protected), "{addr:#x}");
        }
        // What is read is cut before it; everything else must not touch it.
        for (addr, length) in [(0x17F, 2), (0x100, 0x100)] {
            assert_eq!(code(addr, length), Ok(0x17F), "{addr:#x}");
            assert_eq!(within(&MAP, addr, length).map_err(Fail::code), Err(ErrorCode::Protected));
        }
        assert_eq!(code(0x1FE, 8), Ok(0x1FF));
        assert_eq!(code(0xFF, 4), Err(ErrorCode::Unmapped));
        assert_eq!(code(0x300, 1), Err(ErrorCode::Unmapped));
        assert_eq!(code(u64::MAX, 1), Ok(u64::MAX));
        assert_eq!(code(u64::MAX, 2), Err(ErrorCode::Unmapped));
        assert!(within(&MAP, 0x1F8, 8).is_ok() && within(&MAP, 0x1F9, 8).is_err());
        assert!(region(&[], 0, 1).is_err());
    }
}

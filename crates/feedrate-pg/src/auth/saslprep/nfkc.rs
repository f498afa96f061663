//! Normalization form KC, without memory: what a starter's marks have to be sorted by is looked for again instead.

use super::table::{class, composition, decomposition};

/// Gives the normalized characters, one by one.
pub(super) fn normalize(text: impl Iterator<Item = char> + Clone, mut give: impl FnMut(char)) {
    let mut rest = text.flat_map(decomposed);
    let mut starter = None;
    loop {
        let marks = Marks { after: rest.clone() };
        let mut composed = starter;
        let mut alone = 0_usize;
        marks.compose(&mut composed, |_| alone = alone.saturating_add(1));
        let next = rest.find(|&c| class(c) == 0);
        if let (0, Some(first), Some(second)) = (alone, composed, next) {
            if let Some(both) = hangul(first, second).or_else(|| composition(first, second)) {
                starter = Some(both);
                continue;
            }
        }
        composed.into_iter().for_each(&mut give);
        marks.compose(&mut starter, &mut give);
        if next.is_none() {
            return;
        }
        starter = next;
    }
}

/// The marks that follow a starter.
struct Marks<I> {
    /// They, and what follows them.
    after: I,
}

impl<I: Iterator<Item = char> + Clone> Marks<I> {
    /// Composes with `starter` what can be, and gives the marks that are left, in order.
    fn compose(&self, starter: &mut Option<char>, mut give: impl FnMut(char)) {
        let mut sorted = 0;
        while let Some(lowest) = self.all().map(class).filter(|&class| class > sorted).min() {
            sorted = lowest;
            // One of the same class before it is in the way.
            let mut blocked = false;
            for mark in self.all().filter(|&mark| class(mark) == lowest) {
                match starter.and_then(|first| composition(first, mark)) {
                    Some(both) if !blocked => *starter = Some(both),
                    _ => {
                        blocked = true;
                        give(mark);
                    }
                }
            }
        }
    }

    fn all(&self) -> impl Iterator<Item = char> {
        self.after.clone().take_while(|&mark| class(mark) != 0)
    }
}

const SYLLABLES: u32 = 0xac00;
const LEADS: u32 = 0x1100;
const VOWELS: u32 = 0x1161;
/// One before the first: a syllable may have no tail.
const TAILS: u32 = 0x11a7;

/// The character in full.
fn decomposed(c: char) -> impl Iterator<Item = char> + Clone {
    let parts = hangul_parts(c);
    let listed = decomposition(c);
    let itself = (parts.is_none() && listed.is_none()).then_some(c);
    parts.into_iter().flatten().flatten().chain(listed.into_iter().flatten()).chain(itself)
}

/// Lead, vowel and tail of a syllable.
fn hangul_parts(c: char) -> Option<[Option<char>; 3]> {
    let nth = u32::from(c).checked_sub(SYLLABLES).filter(|nth| *nth < 11_172)?;
    let at = |base: u32, nth: u32| char::from_u32(base.saturating_add(nth));
    let tail = match nth % 28 {
        0 => None,
        tail => at(TAILS, tail),
    };
    Some([at(LEADS, nth / 588), at(VOWELS, nth / 28 % 21), tail])
}

/// The syllable of a lead and a vowel, or of a syllable without a tail and a tail.
fn hangul(first: char, second: char) -> Option<char> {
    let within = |c: char, base: u32, count: u32| u32::from(c).checked_sub(base).filter(|nth| *nth < count);
    if let (Some(lead), Some(vowel)) = (within(first, LEADS, 19), within(second, VOWELS, 21)) {
        let nth = lead.saturating_mul(21).saturating_add(vowel).saturating_mul(28);
        return char::from_u32(SYLLABLES.saturating_add(nth));
    }
    let syllable = within(first, SYLLABLES, 11_172).filter(|nth| nth % 28 == 0)?;
    let tail = within(second, TAILS, 28).filter(|tail| *tail > 0)?;
    char::from_u32(SYLLABLES.saturating_add(syllable).saturating_add(tail))
}

//! A random order without memory for it.

/// The n-th of `length` elements in the random order that the seed makes.
///
/// It is the "inside-out" form of the Fisher-Yates shuffle, followed backwards for one element: when element `i` came,
/// it changed places with a random one of those before, or with itself.
pub(super) fn nth(seed: u64, length: usize, n: usize) -> usize {
    let mut at = n;
    for i in (1..length).rev() {
        let other = below(seed, i);
        if at == i {
            at = other;
        } else if at == other {
            at = i;
        }
    }
    at
}

/// A number from 0 to `i`.
fn below(seed: u64, i: usize) -> usize {
    let wide = u64::try_from(i).unwrap_or(u64::MAX);
    let range = wide.saturating_add(1);
    mix(seed.wrapping_add(mix(wide))).checked_rem(range).and_then(|n| usize::try_from(n).ok()).unwrap_or(0)
}

/// SplitMix64's step and finish.
pub(super) const fn mix(n: u64) -> u64 {
    let n = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::vec::Vec;

    use super::nth;

    #[test]
    fn every_order_of_four_comes_about_as_often() {
        let mut orders = BTreeMap::<Vec<usize>, u32>::new();
        for seed in 0..24_000 {
            let order: Vec<_> = (0..4).map(|n| nth(seed, 4, n)).collect();
            *orders.entry(order).or_default() += 1;
        }
        assert_eq!(orders.len(), 24);
        assert!(orders.values().all(|count| (800..1200).contains(count)), "{orders:?}");
        for order in orders.keys() {
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, [0, 1, 2, 3]);
        }
    }
}

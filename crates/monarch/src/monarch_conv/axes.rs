//! How many points a transform has, and as which product.

/// The cost of passing a number from one factor to the next, there and back, in multiplications. It was measured on a
/// CPU, where three factors begin to win at a few thousand points.
const HANDOVER: usize = 400;
/// Matrix products work on tiles of this many numbers, whether they are full or not.
const TILE: usize = 8;

/// Axes of at least `seq` points that cost the least: two factors for short rows, three for long ones.
///
/// The first factor reads real numbers, the others complex ones, which cost twice as much; so the first axis is the
/// longest. No divisor of `seq` is needed: `n` is a little longer if that is cheaper, even for a prime `seq`.
pub(super) fn axes(seq: usize) -> Vec<usize> {
    let two = up_to_root(seq, 2).map(|b| vec![seq.div_ceil(b), b]);
    let three = up_to_root(seq, 3)
        .flat_map(|b| up_to_root(seq, 3).map(move |c| [b, c]))
        .map(|[b, c]| vec![seq.div_ceil(b * c), b, c]);
    two.chain(three).min_by_key(|axes| cost(axes)).unwrap_or_else(|| vec![seq, 1])
}

/// 1 to a little above the root of `seq`.
fn up_to_root(seq: usize, order: u32) -> impl Iterator<Item = usize> + Clone {
    (1..).take_while(move |a: &usize| (a - 1).pow(order) < seq)
}

/// Number of multiplications, there and back.
fn cost(axes: &[usize]) -> usize {
    let n: usize = axes.iter().product();
    let tiled = |axis: &usize| axis.next_multiple_of(TILE);
    n * (4 * tiled(&axes[0]) + 8 * axes[1..].iter().map(tiled).sum::<usize>() + HANDOVER * axes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_length_is_covered_by_two_factors_or_three() {
        for seq in (1..200).chain([784, 1000, 1021, 4096, 16_384, 65_537]) {
            let axes = axes(seq);
            let n: usize = axes.iter().product();
            assert!(n >= seq && n <= 2 * seq, "{seq}: {axes:?}");
            assert!((2..=3).contains(&axes.len()), "{seq}: {axes:?}");
        }
    }
}

//! Neighbours on a regular lattice whose nodes are numbered x fastest.

/// The nodes next to a node along the axes, on a lattice of `side` nodes a side.
pub(super) fn neighbours(node: usize, side: usize) -> impl Iterator<Item = usize> {
    let place = [node % side, node / side % side, node / (side * side)];
    [1, side, side * side].into_iter().enumerate().flat_map(move |(axis, stride)| {
        let before = (place[axis] > 0).then(|| node - stride);
        let after = (place[axis] + 1 < side).then(|| node + stride);
        before.into_iter().chain(after)
    })
}

#[cfg(test)]
mod tests {
    use super::neighbours;

    #[test]
    fn corners_have_three_and_the_middle_six() {
        assert_eq!(neighbours(0, 3).collect::<Vec<_>>(), [1, 3, 9]);
        assert_eq!(neighbours(13, 3).collect::<Vec<_>>(), [12, 14, 10, 16, 4, 22]);
        assert_eq!(neighbours(26, 3).collect::<Vec<_>>(), [25, 23, 17]);
    }
}

//! The axes of a layer's result, as far as the next layer depends on them.

/// The meaning of an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Axis {
    /// A single entry.
    One,
    /// The steps of a sequence.
    Steps,
    Batch,
    /// The directions of a bidirectional layer.
    Directions,
    Features,
    /// Steps and samples, in the order of the graph's input.
    Unknown,
}

use Axis::{Batch, Directions, Features, One, Steps, Unknown};

/// The largest number of axes that the reader follows.
pub(super) const RANK: usize = 8;

/// The axes of a tensor, outermost first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    /// The axes. Only the first `rank` of them are used.
    axes: [Axis; RANK],
    rank: u8,
    /// True if these are the tensor's own axes. Otherwise some of them are joined, or axes of one
    /// entry lie between them. The order of the numbers is the same in both cases.
    exact: bool,
    /// True if only some of a sequence's steps are left.
    cut: bool,
}

/// The reason why an operator is refused.
pub(super) type Refusal = &'static str;

const UNKNOWN: Refusal = "on axes that are not known";
const FEATURES: Refusal = "on the axis of features or of directions";

impl Layout {
    pub(super) fn new(axes: &[Axis]) -> Self {
        let mut all = [One; RANK];
        all[..axes.len()].copy_from_slice(axes);
        Layout { axes: all, rank: axes.len() as u8, exact: true, cut: false }
    }

    /// Returns the layout of a product with the graph's input, whose axes before the features are
    /// not known.
    pub(super) fn unknown() -> Self {
        Layout { exact: false, ..Layout::new(&[Unknown, Features]) }
    }

    /// Returns the layout of the last step alone.
    pub(super) fn cut_to_last(self) -> Self {
        Layout { cut: true, ..self }
    }

    fn axes(&self) -> &[Axis] {
        &self.axes[..usize::from(self.rank)]
    }

    /// Returns the layout with other axes, or `None` if there are more than [`RANK`].
    fn with(self, axes: impl IntoIterator<Item = Axis>) -> Option<Self> {
        let (mut all, mut rank) = ([One; RANK], 0);
        for axis in axes {
            *all.get_mut(rank)? = axis;
            rank += 1;
        }
        Some(Layout { axes: all, rank: rank as u8, ..self })
    }

    pub(super) fn has_features_last(&self) -> bool {
        self.axes().last() == Some(&Features)
    }

    /// Returns whether adding a tensor of `rank` axes keeps the number of axes.
    pub(super) fn is_at_least(&self, rank: usize) -> bool {
        !self.exact || rank <= usize::from(self.rank)
    }

    /// Returns whether a recurrent layer whose first axes are `order` runs over all steps.
    pub(super) fn is_sequence(&self, order: [Axis; 2]) -> bool {
        let [leading @ .., Features] = self.axes() else { return false };
        if self.cut {
            return false;
        }
        if self.exact {
            let fits = |(axis, wanted): (&Axis, Axis)| [One, wanted].contains(axis);
            return leading.len() == 2 && leading.iter().zip(order).all(fits);
        }
        let mut wanted = order.into_iter();
        leading.iter().all(|&axis| matches!(axis, One | Unknown) || wanted.any(|other| other == axis))
    }

    /// Returns the place of an axis, counted from the end if it is negative.
    fn place(&self, axis: i64) -> Option<usize> {
        let rank = i64::from(self.rank);
        let place = if axis < 0 { axis.checked_add(rank)? } else { axis };
        (0..rank).contains(&place).then_some(place as usize)
    }

    /// Returns the places of `axes`, or an error if one is the axis of features or of directions.
    fn places(&self, axes: &[i64]) -> Result<[bool; RANK], Refusal> {
        let mut places = [false; RANK];
        if !self.exact {
            return Err(UNKNOWN);
        }
        for &axis in axes {
            let place = self.place(axis).ok_or(UNKNOWN)?;
            if matches!(self.axes[place], Features | Directions) {
                return Err(FEATURES);
            }
            places[place] = true;
        }
        Ok(places)
    }

    fn without(self, places: [bool; RANK]) -> Result<Self, Refusal> {
        let kept = self.axes().iter().zip(places).filter(|(_, without)| !without);
        self.with(kept.map(|(&axis, _)| axis)).ok_or(UNKNOWN)
    }

    /// Permutes the axes, or reverses them without a `permutation`.
    pub(super) fn transpose(self, permutation: Option<&[i64]>) -> Result<Self, Refusal> {
        if !self.exact {
            // Unknown axes may be transposed among themselves.
            let split = permutation.and_then(|order| order.split_last());
            let keeps_last = split.is_some_and(|(&last, before)| last == before.len() as i64);
            let keeps_all = permutation.is_some_and(|order| order.iter().copied().eq(0..order.len() as i64));
            let unknown = self.axes() == [Unknown, Features];
            return if keeps_all || keeps_last && unknown { Ok(self) } else { Err(UNKNOWN) };
        }
        let Some(order) = permutation else {
            return self.with(self.axes().iter().rev().copied()).ok_or(UNKNOWN);
        };
        let (mut axes, mut seen) = ([One; RANK], [false; RANK]);
        if order.len() != usize::from(self.rank) {
            return Err(UNKNOWN);
        }
        for (axis, &from) in axes.iter_mut().zip(order) {
            let from = self.place(from).filter(|&from| !seen[from]).ok_or(UNKNOWN)?;
            seen[from] = true;
            *axis = self.axes[from];
        }
        Ok(Layout { axes, ..self })
    }

    /// Removes `axes`, which have a single entry, or all such axes.
    pub(super) fn squeeze(self, axes: Option<&[i64]>) -> Result<Self, Refusal> {
        match axes {
            Some(axes) => self.without(self.places(axes)?),
            None => self.with(self.axes().iter().copied().filter(|&axis| axis != One)).ok_or(UNKNOWN),
        }
    }

    /// Inserts axes of a single entry. Their indices are those in the result.
    pub(super) fn unsqueeze(self, axes: &[i64]) -> Result<Self, Refusal> {
        let rank = axes.len() + usize::from(self.rank);
        if !self.exact {
            return Ok(self);
        }
        let mut places = [false; RANK];
        for &axis in axes {
            let place = if axis < 0 { axis.saturating_add(rank as i64) } else { axis };
            let place = usize::try_from(place).ok().filter(|&place| place < rank);
            *place.and_then(|place| places.get_mut(place)).ok_or(UNKNOWN)? = true;
        }
        let mut own = self.axes().iter().copied();
        let all =
            (0..rank.min(RANK)).map(|place| if places[place] { One } else { own.next().unwrap_or(One) });
        if rank > RANK {
            return Err(UNKNOWN);
        }
        self.with(all).ok_or(UNKNOWN)
    }

    /// Joins and splits the axes before those of all `features`. `sizes` are the sizes of the
    /// result, if known. If the last one is unknown, the next layer checks that it receives all
    /// features of the previous layer.
    pub(super) fn reshape(self, sizes: Option<&[i64]>, features: usize) -> Result<Self, Refusal> {
        if sizes.is_some_and(|sizes| sizes.last().is_none_or(|&last| last > 0 && last != features as i64)) {
            return Err("on features that it splits or joins");
        }
        let mut joined = self.with(self.axes().iter().copied().filter(|&axis| axis != One)).ok_or(UNKNOWN)?;
        let leading = match joined.axes() {
            [leading @ .., Directions, Features] | [leading @ .., Features] => leading,
            _ => return Err("on features that are not last"),
        };
        if leading.contains(&Directions) || leading.contains(&Features) {
            return Err(FEATURES);
        }
        let count = leading.len();
        if let Some([sizes @ .., _]) = sizes
            && sizes.iter().filter(|&&size| size != 1).count() == count
            && !leading.contains(&Unknown)
            // A 0 copies the size of the tensor's own axis.
            && (self.exact || !sizes.contains(&0))
        {
            let mut own = leading.iter().copied();
            let all = sizes.iter().map(|&size| if size == 1 { One } else { own.next().unwrap_or(One) });
            let all = all.chain([Features]);
            return joined.with(all).map(|layout| Layout { exact: true, ..layout }).ok_or(UNKNOWN);
        }
        joined.axes[count] = Features;
        // Layouts with the same axes are equal.
        joined.axes[count + 1..].fill(One);
        Ok(Layout { rank: count as u8 + 1, exact: false, ..joined })
    }

    /// Keeps some entries of `axes`. If `single`, keeps one entry and removes the axes.
    pub(super) fn cut(self, axes: &[i64], single: bool) -> Result<Self, Refusal> {
        let places = self.places(axes)?;
        let steps = self.axes().iter().zip(places).any(|(&axis, cut)| cut && axis == Steps);
        let layout = Layout { cut: self.cut || steps, ..self };
        if single { layout.without(places) } else { Ok(layout) }
    }
}

/// Returns the first axes of the input of a recurrent node, given its attribute `layout`.
pub(super) fn order(batch_first: bool) -> [Axis; 2] {
    if batch_first { [Batch, Steps] } else { [Steps, Batch] }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(axes: &[Axis]) -> Result<Layout, Refusal> {
        Ok(Layout::new(axes))
    }

    #[test]
    fn transpose_permutes_axes() {
        let layout = Layout::new(&[Steps, One, Batch, Features]);
        assert_eq!(layout.transpose(Some(&[2, 0, 1, 3])), exact(&[Batch, Steps, One, Features]));
        assert_eq!(layout.transpose(None), exact(&[Features, Batch, One, Steps]));
        for wrong in [&[0, 1, 2][..], &[0, 1, 2, 2], &[0, 1, 2, 4], &[i64::MIN, 1, 2, 3]] {
            assert_eq!(layout.transpose(Some(wrong)), Err(UNKNOWN), "{wrong:?}");
        }
        let unknown = Layout::unknown();
        assert_eq!(unknown.transpose(Some(&[1, 0, 2])), Ok(unknown));
        assert_eq!(unknown.transpose(Some(&[0, 2, 1])), Err(UNKNOWN));
        assert_eq!(unknown.transpose(None), Err(UNKNOWN));
    }

    #[test]
    fn axes_of_one_entry_are_removed_and_inserted() {
        let layout = Layout::new(&[Steps, One, Batch, Features]);
        let three = exact(&[Steps, Batch, Features]);
        assert_eq!(layout.squeeze(Some(&[1])), three);
        assert_eq!(layout.squeeze(Some(&[-3])), three);
        assert_eq!(layout.squeeze(None), three);
        assert_eq!(layout.squeeze(Some(&[-1])), Err(FEATURES));
        assert_eq!(layout.squeeze(Some(&[4])), Err(UNKNOWN));
        assert_eq!(three.unwrap().unsqueeze(&[1]), Ok(layout));
        assert_eq!(three.unwrap().unsqueeze(&[-1]), exact(&[Steps, Batch, Features, One]));
        assert_eq!(three.unwrap().unsqueeze(&[0; 9]), Err(UNKNOWN));
    }

    #[test]
    fn reshape_joins_and_splits_axes() {
        let both = Layout::new(&[Steps, Directions, Batch, Features]);
        assert_eq!(both.reshape(Some(&[0, 0, -1]), 8), Err(FEATURES));
        let swapped = both.transpose(Some(&[0, 2, 1, 3])).unwrap();
        assert_eq!(swapped.reshape(Some(&[0, 0, -1]), 8), exact(&[Steps, Batch, Features]));
        for split in [&[5, 4, 4][..], &[5, 16], &[]] {
            assert!(swapped.reshape(Some(split), 8).is_err(), "{split:?}");
        }
        let rows = swapped.reshape(Some(&[-1, 8]), 8).unwrap();
        assert_eq!(rows.reshape(Some(&[0, 0, -1]), 8), Ok(rows));
        assert!(!rows.exact && rows.is_sequence(order(false)) && !rows.is_sequence(order(true)));
        assert_eq!(rows.reshape(Some(&[5, 2, 1, 8]), 8), exact(&[Steps, Batch, One, Features]));
        assert!(both.transpose(None).unwrap().reshape(None, 8).is_err());
    }

    #[test]
    fn a_sequence_has_all_steps_in_order() {
        let layout = Layout::new(&[Steps, Batch, Features]);
        assert!(layout.is_sequence(order(false)) && !layout.is_sequence(order(true)));
        assert!(!layout.transpose(Some(&[1, 0, 2])).unwrap().is_sequence(order(false)));
        assert!(!layout.cut_to_last().is_sequence(order(false)));
        let last = layout.cut(&[0], true).unwrap();
        assert_eq!(last.unsqueeze(&[0]).map(|last| last.is_sequence(order(false))), Ok(false));
        let sample = layout.cut(&[1], true).unwrap();
        assert_eq!(sample.unsqueeze(&[1]).map(|one| one.is_sequence(order(false))), Ok(true));
        assert_eq!(layout.cut(&[2], false), Err(FEATURES));
        assert!(Layout::unknown().is_sequence(order(false)));
    }
}

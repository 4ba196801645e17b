//! A few things without an allocation; more of them in a vector.

/// Up to `N` things in place.
pub(crate) struct Few<T, const N: usize> {
    inline: [T; N],
    len: usize,
    many: Vec<T>,
}

impl<T: Default, const N: usize> Default for Few<T, N> {
    fn default() -> Self {
        Self { inline: std::array::from_fn(|_| T::default()), len: 0, many: Vec::new() }
    }
}

impl<T: Default, const N: usize> FromIterator<T> for Few<T, N> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        let mut few = Self::default();
        for item in items {
            if few.many.is_empty() && few.len < N {
                few.inline[few.len] = item;
            } else {
                if few.many.is_empty() {
                    few.many.extend(few.inline.iter_mut().map(std::mem::take));
                }
                few.many.push(item);
            }
            few.len += 1;
        }
        few
    }
}

impl<T, const N: usize> std::ops::Deref for Few<T, N> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        if self.many.is_empty() { &self.inline[..self.len] } else { &self.many }
    }
}

impl<T, const N: usize> std::ops::DerefMut for Few<T, N> {
    fn deref_mut(&mut self) -> &mut [T] {
        if self.many.is_empty() { &mut self.inline[..self.len] } else { &mut self.many }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_and_many_are_in_order() {
        for count in 0..9 {
            let mut few: Few<usize, 4> = (0..count).collect();
            assert_eq!(*few, (0..count).collect::<Vec<_>>());
            few.iter_mut().for_each(|item| *item += 1);
            assert_eq!(*few, (1..=count).collect::<Vec<_>>());
        }
    }
}

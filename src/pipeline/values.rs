//! The values of a plan while it is carried out, by their numbers.

use crate::stage::{Value, ValueId};

/// Values that are there. Numbers of a plan are dense, so that a list finds them.
#[derive(Default)]
pub(super) struct Values(Vec<Option<Value>>);

impl Values {
    pub(super) fn get(&self, id: ValueId) -> Option<&Value> {
        self.0.get(id.0)?.as_ref()
    }

    pub(super) fn insert(&mut self, id: ValueId, value: Value) {
        if self.0.len() <= id.0 {
            self.0.resize_with(id.0 + 1, || None);
        }
        self.0[id.0] = Some(value);
    }

    pub(super) fn take(&mut self, id: ValueId) -> Option<Value> {
        self.0.get_mut(id.0)?.take()
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

impl Extend<(ValueId, Value)> for Values {
    fn extend<I: IntoIterator<Item = (ValueId, Value)>>(&mut self, values: I) {
        values.into_iter().for_each(|(id, value)| self.insert(id, value));
    }
}

impl FromIterator<(ValueId, Value)> for Values {
    fn from_iter<I: IntoIterator<Item = (ValueId, Value)>>(values: I) -> Self {
        let mut all = Self::default();
        all.extend(values);
        all
    }
}

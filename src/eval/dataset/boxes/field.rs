//! A value of a JSON object that may be anything, but takes little memory.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The most numbers that are kept of a list.
const MOST: usize = 4;

/// A number, a text, or what it is instead. Objects and all but the first numbers of lists are passed over.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Field {
    /// The key is not there, or `null`.
    #[default]
    Missing,
    Whole(i64),
    Number(f64),
    Flag(bool),
    Text(String),
    /// The first numbers, as long as there were only numbers, and how many values there are.
    List(Vec<f64>, usize),
    Object,
}

impl Field {
    /// The number that it is.
    pub(super) fn number(&self) -> Option<f64> {
        match *self {
            Self::Whole(value) => Some(value as f64),
            Self::Number(value) => Some(value),
            _ => None,
        }
    }

    /// What identifies a thing: a whole number or a text.
    pub(super) fn key(&self) -> Option<Key> {
        match self {
            Self::Whole(value) => Some(Key::Whole(*value)),
            // Tools of languages with one kind of number write 3 as 3.0.
            Self::Number(value) if value.fract() == 0.0 && value.abs() < 9e15 => {
                Some(Key::Whole(*value as i64))
            }
            Self::Text(text) => Some(Key::Text(text.clone())),
            _ => None,
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("nothing"),
            Self::Whole(value) => write!(f, "`{value}`"),
            Self::Number(value) => write!(f, "`{value}`"),
            Self::Flag(value) => write!(f, "`{value}`"),
            Self::Text(text) => write!(f, "`\"{}\"`", super::build::quoted(text)),
            Self::List(numbers, count) if numbers.len() == *count => write!(f, "`{numbers:?}`"),
            Self::List(_, count) => write!(f, "a list of {count}"),
            Self::Object => f.write_str("an object"),
        }
    }
}

/// What identifies a picture or a category.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Key {
    Whole(i64),
    Text(String),
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Field;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Field, E> {
        Ok(Field::Missing)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Field, E> {
        Ok(Field::Flag(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Field, E> {
        Ok(Field::Whole(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Field, E> {
        Ok(i64::try_from(value).map_or(Field::Number(value as f64), Field::Whole))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Field, E> {
        Ok(Field::Number(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Field, E> {
        Ok(Field::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Field, A::Error> {
        let (mut numbers, mut count) = (Vec::new(), 0);
        while numbers.len() == count && count < MOST {
            let Some(field) = list.next_element::<Field>()? else { return Ok(Field::List(numbers, count)) };
            numbers.extend(field.number());
            count += 1;
        }
        while list.next_element::<IgnoredAny>()?.is_some() {
            count += 1;
        }
        Ok(Field::List(numbers, count))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Field, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Field::Object)
    }
}

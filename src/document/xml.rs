//! What texts in XML are refused for before a parser sees them.

use crate::{Error, Result};

/// The most attributes of an element in the files that are read.
const MOST: usize = 64;

/// Refuses elements with many attributes, whose names the parser compares with each other. A `<` never
/// stands inside a value, so what follows each of them up to the next is looked at.
///
/// # Errors
/// [`Limit`](crate::ErrorKind::Limit).
pub(crate) fn check_attributes(text: &str) -> Result<()> {
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        if let Some(comment) = rest.strip_prefix("!--") {
            rest = comment.find("-->").map_or("", |end| &comment[end + 3..]);
        } else if rest.split('<').next().is_some_and(|tag| tag.matches('=').count() > MOST) {
            return Err(Error::limit(format!("expected at most {MOST} attributes in an element, got more")));
        }
    }
    Ok(())
}

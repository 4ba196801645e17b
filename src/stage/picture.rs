//! Pictures that parameters name.

use std::sync::Arc;

use super::ParameterError;
#[cfg(not(feature = "files"))]
use crate::Error;
use crate::Result;
use crate::document::{Resource, Resources};
use crate::image::Image;

/// The picture that a parameter names: as the host gave it, or decoded from a file, a built-in or given
/// bytes.
pub(super) fn load(
    resources: &Resources,
    resource: &Resource,
    key: &'static str,
) -> Result<Arc<Image>, ParameterError> {
    let blame = ParameterError::resource(key);
    if let Some(image) = resources.picture(resource) {
        return Ok(image);
    }
    let bytes = resources.load(resource).map_err(&blame)?;
    decode(&bytes.bytes, &bytes.name).map(Arc::new).map_err(blame)
}

#[cfg(feature = "files")]
fn decode(bytes: &[u8], name: &str) -> Result<Image> {
    use crate::image::codec::{Limits, read_bytes};
    Ok(read_bytes(bytes, name, &Limits::default())?.image)
}

#[cfg(not(feature = "files"))]
fn decode(_bytes: &[u8], name: &str) -> Result<Image> {
    Err(Error::unsupported(format!("`{name}`: this build of lyncean decodes no pictures")).with_hint(
        "switch the feature `files` on, or give the decoded picture with `Resources::give_picture`",
    ))
}

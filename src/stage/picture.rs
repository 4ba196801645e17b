//! Pictures that parameters name.

use std::sync::Arc;

use super::ParameterError;
#[cfg(not(feature = "files"))]
use crate::Error;
use crate::Result;
use crate::document::{Resource, Resources};
use crate::image::{Image, Plane};

/// The picture that a parameter names: as the host gave it, or decoded from a file, a built-in or given
/// bytes.
pub(super) fn load(
    resources: &Resources,
    resource: &Resource,
    key: &'static str,
) -> Result<Arc<Image>, ParameterError> {
    load_with_alpha(resources, resource, key).map(|(image, _)| image)
}

/// The same with its alpha, 0 to 255, if it has one.
pub(super) fn load_with_alpha(
    resources: &Resources,
    resource: &Resource,
    key: &'static str,
) -> Result<(Arc<Image>, Option<Plane<u8>>), ParameterError> {
    let blame = ParameterError::resource(key);
    if let Some(image) = resources.picture(resource) {
        return Ok((image, None));
    }
    let bytes = resources.load(resource).map_err(&blame)?;
    decode(&bytes.bytes, &bytes.name).map_err(blame)
}

#[cfg(feature = "files")]
fn decode(bytes: &[u8], name: &str) -> Result<(Arc<Image>, Option<Plane<u8>>)> {
    use crate::image::codec::{Limits, read_bytes};
    let picture = read_bytes(bytes, name, &Limits::default())?;
    Ok((Arc::new(picture.image), picture.alpha))
}

#[cfg(not(feature = "files"))]
fn decode(_bytes: &[u8], name: &str) -> Result<(Arc<Image>, Option<Plane<u8>>)> {
    Err(Error::unsupported(format!("`{name}`: this build of lyncean decodes no pictures")).with_hint(
        "switch the feature `files` on, or give the decoded picture with `Resources::give_picture`",
    ))
}

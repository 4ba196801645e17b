//! Files that parameters name: templates, cascades, models.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::suggest::did_you_mean;
use crate::image::Image;
use crate::{Error, Result};

/// The name of a resource: a path relative to the file that names it, `builtin:NAME`, or a name
/// under which the host gave bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Resource(pub String);

impl std::fmt::Display for Resource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The bytes of a resource.
///
/// ```
/// use lyncean::document::{Resource, ResourceBytes, Resources};
///
/// let mut resources = Resources::default();
/// resources.give("model", vec![1, 2, 3]);
/// let found: ResourceBytes = resources.load(&Resource("model".into()))?;
/// assert_eq!((&*found.bytes, found.fingerprint().len()), ([1, 2, 3].as_slice(), 64));
/// # Ok::<(), lyncean::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ResourceBytes {
    /// What it was called.
    pub name: String,
    /// Its content.
    pub bytes: Cow<'static, [u8]>,
}

impl ResourceBytes {
    /// The BLAKE3 hash of the content, in hexadecimal.
    pub fn fingerprint(&self) -> String {
        blake3::hash(&self.bytes).to_hex().to_string()
    }
}

/// Where resources are looked up. Built-ins come from the tables it is made with.
///
/// ```
/// use lyncean::document::{Resource, Resources};
///
/// let mut resources = Resources::new(None).with_builtin(lyncean::builtin::RESOURCES);
/// resources.give("model", b"bytes".to_vec());
/// assert_eq!(&*resources.load(&Resource("model".into()))?.bytes, b"bytes");
/// assert!(resources.load(&Resource("builtin:lenet5".into())).is_ok());
/// assert!(resources.load(&Resource("elsewhere".into())).is_err());
/// # Ok::<(), lyncean::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Resources {
    folder: Option<PathBuf>,
    given: HashMap<String, Arc<[u8]>>,
    pictures: HashMap<String, Arc<Image>>,
    builtin: Vec<&'static [(&'static str, &'static [u8])]>,
    used: Arc<Mutex<BTreeMap<String, String>>>,
}

/// No resource may be larger, in bytes: 2 GiB.
const LIMIT: u64 = 1 << 31;

impl Resources {
    /// Paths relative to `folder`; without one only built-ins and given bytes are found.
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self { folder, ..Self::default() }
    }

    /// Adds a table of built-ins, found as `builtin:NAME`.
    #[must_use]
    pub fn with_builtin(mut self, table: &'static [(&'static str, &'static [u8])]) -> Self {
        self.builtin.push(table);
        self
    }

    /// Gives bytes under a name, which then needs no file.
    pub fn give(&mut self, name: impl Into<String>, bytes: impl Into<Arc<[u8]>>) {
        self.given.insert(name.into(), bytes.into());
    }

    /// Gives a decoded picture under a name, for parameters that name a picture. It comes before bytes of
    /// the same name, and needs no decoder.
    pub fn give_picture(&mut self, name: impl Into<String>, image: impl Into<Arc<Image>>) {
        self.pictures.insert(name.into(), image.into());
    }

    /// The decoded picture that was given under a name.
    pub(crate) fn picture(&self, resource: &Resource) -> Option<Arc<Image>> {
        let image = self.pictures.get(&resource.0)?;
        if let Ok(mut used) = self.used.lock() {
            let mut hasher = blake3::Hasher::new();
            let head = format!("{} {} {}\n", image.ty(), image.width(), image.height());
            hasher.update(head.as_bytes());
            for plane in 0..image.ty().planes() {
                hasher.update(image.plane_bytes(plane));
            }
            used.insert(resource.0.clone(), hasher.finalize().to_hex().to_string());
        }
        Some(Arc::clone(image))
    }

    /// Names and [fingerprints](ResourceBytes::fingerprint) of all that was loaded so far, from here
    /// and from clones.
    pub fn used(&self) -> BTreeMap<String, String> {
        self.used.lock().map(|used| used.clone()).unwrap_or_default()
    }

    /// The same places, with a list of its own of what was loaded.
    pub(crate) fn apart(&self) -> Self {
        Self { used: Arc::default(), ..self.clone() }
    }

    /// Adds what was loaded from elsewhere.
    pub(crate) fn note(&self, loaded: &BTreeMap<String, String>) {
        if let Ok(mut used) = self.used.lock() {
            used.extend(loaded.clone());
        }
    }

    /// The bytes of a resource.
    ///
    /// # Errors
    /// [`Pipeline`](crate::ErrorKind::Pipeline) for an unknown built-in,
    /// [`Io`](crate::ErrorKind::Io) when a file cannot be read, [`Limit`](crate::ErrorKind::Limit) when it is over 2 GiB.
    pub fn load(&self, resource: &Resource) -> Result<ResourceBytes> {
        let found = self.find(resource)?;
        if let Ok(mut used) = self.used.lock() {
            used.insert(found.name.clone(), found.fingerprint());
        }
        Ok(found)
    }

    fn find(&self, resource: &Resource) -> Result<ResourceBytes> {
        let name = resource.0.clone();
        if let Some(bytes) = self.given.get(&name) {
            return Ok(ResourceBytes { name, bytes: Cow::Owned(bytes.to_vec()) });
        }
        if let Some(wanted) = name.strip_prefix("builtin:") {
            let mut all = self.builtin.iter().flat_map(|table| table.iter());
            if let Some((_, bytes)) = all.find(|(known, _)| *known == wanted) {
                return Ok(ResourceBytes { name, bytes: Cow::Borrowed(bytes) });
            }
            let known = self.builtin.iter().flat_map(|table| table.iter().map(|(name, _)| *name));
            let error = Error::pipeline(format!("there is no built-in `{wanted}`"));
            return Err(match did_you_mean(wanted, known) {
                Some(hint) => error.with_hint(hint),
                None => error,
            });
        }
        let Some(folder) = &self.folder else {
            return Err(Error::pipeline(format!("`{name}` cannot be found: this pipeline has no folder"))
                .with_hint("give its bytes, or use `builtin:NAME`"));
        };
        let path = folder.join(&name);
        let bytes = super::read(&path, LIMIT)?;
        Ok(ResourceBytes { name, bytes: Cow::Owned(bytes) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoded_pictures_have_fingerprints_of_their_own() {
        let mut resources = Resources::new(None);
        let wanted = Resource("background".into());
        assert!(resources.picture(&wanted).is_none());
        resources.give_picture("background", Image::new(crate::image::ImageType::Gray8, 2, 3));
        assert_eq!(resources.picture(&wanted).unwrap().height(), 3);
        let first = resources.used();
        resources.give_picture("background", Image::new(crate::image::ImageType::Gray8, 3, 2));
        resources.picture(&wanted).unwrap();
        assert_ne!(resources.used()["background"], first["background"]);
    }

    #[test]
    #[cfg(not(feature = "files"))]
    fn files_want_their_feature() {
        let resources = Resources::new(Some("folder".into()));
        let error = resources.load(&Resource("x.png".into())).unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::Unsupported);
        assert_eq!(error.hint(), Some("switch the feature `files` on, or give the bytes"));
    }

    #[test]
    fn builtins_given_bytes_and_files() {
        let mut resources = Resources::new(None).with_builtin(&[("faces", b"abc")]);
        assert_eq!(&*resources.load(&Resource("builtin:faces".into())).unwrap().bytes, b"abc");
        let error = resources.load(&Resource("builtin:face".into())).unwrap_err();
        assert_eq!(error.hint(), Some("did you mean `faces`?"));
        assert!(resources.load(&Resource("x.png".into())).is_err());
        resources.give("x.png", b"xyz".to_vec());
        assert_eq!(&*resources.load(&Resource("x.png".into())).unwrap().bytes, b"xyz");
    }

    #[test]
    #[cfg(feature = "files")]
    fn files_are_found_from_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.bin"), b"1").unwrap();
        let resources = Resources::new(Some(folder.path().to_path_buf()));
        assert_eq!(&*resources.load(&Resource("a.bin".into())).unwrap().bytes, b"1");
        assert_eq!(resources.load(&Resource("b.bin".into())).unwrap_err().kind(), crate::ErrorKind::Io);
    }
}

//! Results of stages in files, so that a changed stage recomputes only what follows it.
//!
//! A value's key is the BLAKE3 hash of everything it follows from: the version of this crate, the
//! instruction set and architecture, the stage's kind and parameters, the content of the resources it
//! uses, and the keys of what it reads, down to the fingerprint of the picture. An entry carries the hash of its own
//! bytes; one that is damaged is as good as none. Entries are written beside their place and moved
//! there, so any number of processes may share a folder, and files may be deleted at any time.

use std::borrow::Cow;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use crate::image::{Affine, Image, ImageType};
use crate::stage::{Class, ImageValue, Object, Value};
use crate::{Error, Result};

/// The first bytes of an entry; the number changes with the form.
const MAGIC: &[u8] = b"lyncean stage 1\n";

/// What identifies a value.
pub(super) type Key = blake3::Hash;

/// A folder of results of stages; see [`Pipeline::run_cached`](super::Pipeline::run_cached).
///
/// ```
/// use std::sync::Arc;
/// use lyncean::image::{Image, Plane};
/// use lyncean::ops::row::Shape;
/// use lyncean::pipeline::{Cache, Pipeline, RunOptions};
///
/// let folder = tempfile::tempdir().unwrap();
/// let cache = Cache::open(folder.path())?;
/// let pipeline = Pipeline::from_toml("version = 1\n[[stage]]\nuse = \"median\"\nsize = 5")?;
/// let image = Arc::new(Image::Gray8(Plane::from_fn(40, 30, |x, y| (x * y) as u8)));
/// let shape = Shape::of(&image);
/// for _ in 0..2 {
///     // The picture is read only where something has to be computed.
///     let mut read = || Ok((Arc::clone(&image), None));
///     pipeline.run_cached(shape, "fingerprint", &mut read, &cache, &RunOptions::default())?;
/// }
/// assert_eq!((cache.stored(), cache.loaded()), (1, 1));
/// # Ok::<(), lyncean::Error>(())
/// ```
#[derive(Debug)]
pub struct Cache {
    folder: PathBuf,
    loaded: AtomicU64,
    stored: AtomicU64,
    problem: Mutex<Option<Error>>,
}

impl Cache {
    /// The cache in a folder, which is made if it is not there.
    ///
    /// # Errors
    /// [`Io`](crate::ErrorKind::Io).
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self> {
        let folder = folder.into();
        std::fs::create_dir_all(&folder).map_err(|error| Error::io(folder.display(), error))?;
        Ok(Self { folder, loaded: AtomicU64::new(0), stored: AtomicU64::new(0), problem: Mutex::new(None) })
    }

    /// How many values were taken from it.
    pub fn loaded(&self) -> u64 {
        self.loaded.load(Ordering::Relaxed)
    }

    /// How many values were put into it.
    pub fn stored(&self) -> u64 {
        self.stored.load(Ordering::Relaxed)
    }

    /// The first reason why a value could not be put into it, if there was one: a full disk, say. Results
    /// do not suffer from it.
    pub fn problem(&self) -> Option<Error> {
        self.problem.lock().ok().and_then(|mut problem| problem.take())
    }

    fn path(&self, key: &Key) -> PathBuf {
        let name = key.to_hex();
        // Folders of a million files are slow.
        self.folder.join(&name[..2]).join(&name[2..])
    }

    /// The value of a key, if it is there and whole.
    pub(super) fn load(&self, key: &Key) -> Option<Value> {
        let file = std::fs::read(self.path(key)).ok()?;
        let (hash, body) = file.strip_prefix(MAGIC)?.split_first_chunk::<32>()?;
        if blake3::hash(body) != *hash {
            return None;
        }
        let mut reader = Reader(body);
        let value = reader.value()?;
        if !reader.0.is_empty() {
            return None;
        }
        self.loaded.fetch_add(1, Ordering::Relaxed);
        Some(value)
    }

    /// Puts a value under its key.
    pub(super) fn store(&self, key: &Key, value: &Value) {
        match self.write(&self.path(key), value) {
            Ok(()) => {
                self.stored.fetch_add(1, Ordering::Relaxed);
            }
            Err(error) => {
                if let Ok(mut problem) = self.problem.lock() {
                    problem.get_or_insert_with(|| Error::io(self.folder.display(), error));
                }
            }
        }
    }

    fn write(&self, path: &Path, value: &Value) -> std::io::Result<()> {
        let mut writer = Writer(Vec::new());
        writer.value(value);
        let folder = path.parent().unwrap_or(&self.folder);
        std::fs::create_dir_all(folder)?;
        let mut file = tempfile::Builder::new().prefix(".lyncean-").suffix(".part").tempfile_in(folder)?;
        file.write_all(MAGIC)?;
        file.write_all(blake3::hash(&writer.0).as_bytes())?;
        file.write_all(&writer.0)?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    }
}

/// Values as bytes, every number with all its bits.
struct Writer(Vec<u8>);

impl Writer {
    fn number(&mut self, number: usize) {
        self.0.extend((number as u64).to_le_bytes());
    }

    fn float(&mut self, float: f64) {
        self.0.extend(float.to_bits().to_le_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len());
        self.0.extend(bytes);
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Image(ImageValue { image, map }) => {
                self.0.push(0);
                self.bytes(format!("{:?}", image.ty()).as_bytes());
                self.number(image.width());
                self.number(image.height());
                map.rows.as_flattened().iter().for_each(|&v| self.float(v));
                for plane in 0..image.ty().planes() {
                    self.bytes(image.plane_bytes(plane));
                }
            }
            Value::Objects(objects) => {
                self.0.push(1);
                self.number(objects.len());
                objects.iter().for_each(|object| self.object(object));
            }
            Value::Classes(classes) => {
                self.0.push(2);
                self.number(classes.len());
                for class in &**classes {
                    self.bytes(class.label.as_bytes());
                    self.float(class.probability);
                }
            }
            Value::Measures(measures) => {
                self.0.push(3);
                self.number(measures.len());
                for (name, value) in &**measures {
                    self.bytes(name.as_bytes());
                    self.float(*value);
                }
            }
            Value::Vector(vector) => {
                self.0.push(4);
                self.bytes(bytemuck::cast_slice(vector));
            }
            Value::Tensor(tensor) => {
                self.0.push(5);
                self.number(tensor.0.len());
                tensor.0.iter().for_each(|&size| self.number(size));
                self.bytes(bytemuck::cast_slice(&tensor.1));
            }
        }
    }

    fn object(&mut self, object: &Object) {
        object.bbox.iter().for_each(|&v| self.float(v));
        self.number(usize::from(object.score.is_some()));
        self.float(object.score.unwrap_or_default());
        self.number(usize::from(object.label.is_some()));
        self.bytes(object.label.as_deref().unwrap_or_default().as_bytes());
        self.number(object.measures.len());
        for (name, value) in &object.measures {
            self.bytes(name.as_bytes());
            self.float(*value);
        }
        self.number(object.outline.len());
        object.outline.as_flattened().iter().for_each(|&v| self.float(v));
    }
}

/// The way back; `None` where the bytes do not go on as they should.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn eight(&mut self) -> Option<[u8; 8]> {
        let (eight, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*eight)
    }

    fn number(&mut self) -> Option<usize> {
        usize::try_from(u64::from_le_bytes(self.eight()?)).ok()
    }

    fn float(&mut self) -> Option<f64> {
        Some(f64::from_bits(u64::from_le_bytes(self.eight()?)))
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = self.number()?;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    fn text(&mut self) -> Option<String> {
        String::from_utf8(self.bytes()?.to_vec()).ok()
    }

    fn floats(&mut self) -> Option<Vec<f32>> {
        let (values, rest) = self.bytes()?.as_chunks::<4>();
        rest.is_empty().then(|| values.iter().map(|v| f32::from_ne_bytes(*v)).collect())
    }

    /// A list whose length stands first; each item takes at least a byte.
    fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let length = self.number().filter(|&length| length <= self.0.len())?;
        (0..length).map(|_| item(self)).collect()
    }

    fn value(&mut self) -> Option<Value> {
        let (&tag, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(match tag {
            0 => Value::Image(self.image()?),
            1 => Value::Objects(Arc::new(self.list(Self::object)?)),
            2 => {
                let class = |r: &mut Self| Some(Class { label: r.text()?, probability: r.float()? });
                Value::Classes(Arc::new(self.list(class)?))
            }
            3 => Value::Measures(Arc::new(self.list(|r| Some((r.text()?, r.float()?)))?)),
            4 => Value::Vector(Arc::new(self.floats()?)),
            5 => Value::Tensor(Arc::new((self.list(Self::number)?, self.floats()?))),
            _ => return None,
        })
    }

    fn image(&mut self) -> Option<ImageValue> {
        let name = self.text()?;
        let ty = ImageType::ALL.into_iter().find(|ty| format!("{ty:?}") == name)?;
        let (width, height) = (self.number()?, self.number()?);
        let mut map = Affine::IDENTITY;
        for value in map.rows.as_flattened_mut() {
            *value = self.float()?;
        }
        // Never more memory than the entry has bytes.
        width.checked_mul(height)?.checked_mul(ty.pixel_size()).filter(|&bytes| bytes <= self.0.len())?;
        let mut image = Image::new(ty, width, height);
        for plane in image.planes_bytes_mut() {
            let bytes = self.bytes().filter(|bytes| bytes.len() == plane.len())?;
            plane.copy_from_slice(bytes);
        }
        Some(ImageValue { image: Arc::new(image), map })
    }

    fn object(&mut self) -> Option<Object> {
        let mut bbox = [0.0; 4];
        for value in &mut bbox {
            *value = self.float()?;
        }
        let (has_score, score) = (self.number()? != 0, self.float()?);
        let (has_label, label) = (self.number()? != 0, self.text()?);
        Some(Object {
            bbox,
            score: has_score.then_some(score),
            label: has_label.then_some(label),
            measures: self.list(|r| Some((Cow::Owned(r.text()?), r.float()?)))?,
            outline: self.list(|r| Some([r.float()?, r.float()?]))?,
        })
    }
}

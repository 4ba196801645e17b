//! Labelled pictures: folders with one folder for each class, and the IDX files of MNIST.
//!
//! A directory is understood as one of
//!
//! - IDX: `train-images-idx3-ubyte` with `train-labels-idx1-ubyte`, and `t10k-...` for the test
//!   split, each also with the ending `.gz`;
//! - class folders with splits: `train/cat/1.png`, `test/dog/7.png`;
//! - tables: `train.csv` and `test.csv` with the columns `path` and `label`, paths relative to the table;
//! - class folders: `cat/1.png`, `dog/7.png`, which have no splits.
//!
//! [`Texts`] are labelled sentences, [`Boxes`] pictures with boxes around objects, [`MaskedPictures`] pictures with a class
//! for each pixel.

mod boxes;
mod csv;
mod folder;
mod idx;
mod mask;
mod text;
mod windows;

use std::path::{Path, PathBuf};

pub use boxes::{BoxOptions, BoxedPicture, Boxes, LabelledBox};
pub use mask::MaskedPictures;
pub use text::{TextOptions, Texts};
pub use windows::{BACKGROUND, CutWindow, Mining, WindowOptions, Windows};

use crate::image::codec::{self, Decode};
use crate::image::{Image, Plane};
use crate::nn::train::Examples;
use crate::{Error, Result};

/// Which part of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    /// What nets are trained on.
    Train,
    /// What they are judged by.
    Test,
}

impl Split {
    /// The name of its folder, as in `data/train`.
    pub fn folder(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Test => "test",
        }
    }
}

/// Labelled pictures.
///
/// ```
/// use std::path::Path;
/// use lyncean::eval::dataset::{Dataset, Split};
///
/// let data = Dataset::open(Path::new("fixtures/digits"), Split::Test)?;
/// assert_eq!((data.classes().len(), data.image(0)?.width()), (10, 28));
/// assert_eq!(data.classes()[data.label(0)], "0");
/// # Ok::<(), lyncean::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Dataset {
    classes: Vec<String>,
    labels: Vec<usize>,
    pictures: Pictures,
}

#[derive(Clone, Debug)]
enum Pictures {
    /// All in memory: `width * height` bytes each.
    Idx { width: usize, height: usize, pixels: Vec<u8> },
    /// Read one by one; the paths are relative to the root.
    Files { root: PathBuf, paths: Vec<PathBuf> },
}

impl Dataset {
    /// A split of the data in a directory. Class folders without splits are all for training.
    ///
    /// # Errors
    /// [`Io`](crate::ErrorKind::Io) when there is nothing to read,
    /// [`Input`](crate::ErrorKind::Input) when it is broken or has no such split.
    pub fn open(directory: &Path, split: Split) -> Result<Self> {
        Self::find(directory, split)?.ok_or_else(|| {
            let name = split.folder();
            Error::input(format!("`{}` has no {name} split", directory.display())).with_hint(format!(
                "expected `{}-images-idx3-ubyte`, or `{name}/CLASS/...` with pictures",
                idx::prefix(split)
            ))
        })
    }

    /// The split of a directory that is for judging: the test split, or all of what has no splits.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_for_test(directory: &Path) -> Result<Self> {
        match Self::find(directory, Split::Test)? {
            Some(found) => Ok(found),
            None if directory.join("train").is_dir()
                || directory.join("train.csv").is_file()
                || idx::find(directory, Split::Train).is_some() =>
            {
                Self::open(directory, Split::Test)
            }
            None => Self::open(directory, Split::Train),
        }
    }

    /// The pictures and labels of two IDX files, plain or gzip.
    ///
    /// # Errors
    /// [`Input`](crate::ErrorKind::Input) when a file is not what it should be.
    pub fn open_idx(images: &Path, labels: &Path) -> Result<Self> {
        let ([count, height, width], pixels) = idx::read::<3>(images)?;
        let ([label_count], labels) = idx::read::<1>(labels)?;
        if count != label_count {
            return Err(Error::input(format!(
                "expected {count} labels for {count} pictures, got {label_count}"
            ))
            .within(images.display().to_string()));
        }
        let classes = labels.iter().max().map_or(0, |&largest| usize::from(largest) + 1);
        Ok(Self {
            classes: (0..classes).map(|class| class.to_string()).collect(),
            labels: labels.iter().map(|&label| usize::from(label)).collect(),
            pictures: Pictures::Idx { width, height, pixels },
        })
    }

    /// The pictures of a table: CSV with the columns `path`, relative to the table, and `label`. Classes are
    /// `classes`, as those of training, or the labels of the table by name.
    ///
    /// # Errors
    /// [`Io`](crate::ErrorKind::Io), and [`Input`](crate::ErrorKind::Input) with the line that is not understood.
    ///
    /// ```
    /// use lyncean::eval::dataset::Dataset;
    ///
    /// let folder = tempfile::tempdir().unwrap();
    /// let table = folder.path().join("train.csv");
    /// std::fs::write(&table, "path,label\npictures/1.png,cat\n\"pictures/2,3.png\",dog\n").unwrap();
    /// let data = Dataset::open_csv(&table, None)?;
    /// assert_eq!((data.classes(), data.label(1)), (&["cat".to_owned(), "dog".to_owned()][..], 1));
    /// assert_eq!(data.name(1), "pictures/2,3.png");
    /// # Ok::<(), lyncean::Error>(())
    /// ```
    pub fn open_csv(path: &Path, classes: Option<&[String]>) -> Result<Self> {
        let table = csv::Csv::read(path)?;
        let (at, label) = (table.column("path", path)?, table.column("label", path)?);
        let mut known: Vec<String> = match classes {
            Some(classes) => classes.to_vec(),
            None => table.rows().map(|(_, row)| row[label].trim().to_owned()).collect(),
        };
        if classes.is_none() {
            known.sort();
            known.dedup();
        }
        let (mut labels, mut paths) = (Vec::new(), Vec::new());
        for (line, row) in table.rows() {
            let name = row[label].trim();
            let class = known.iter().position(|class| class == name).ok_or_else(|| {
                let known = known.join("`, `");
                Error::input(format!("expected a label of training, `{known}`, got `{name}`"))
                    .within(csv::place(path, line))
            })?;
            labels.push(class);
            paths.push(PathBuf::from(&row[at]));
        }
        if paths.is_empty() {
            return Err(Error::input("expected pictures, got none").within(path.display().to_string()));
        }
        let root = path.parent().unwrap_or_else(|| Path::new("")).to_owned();
        Ok(Self { classes: known, labels, pictures: Pictures::Files { root, paths } })
    }

    /// A split, or nothing where the directory has none of that name.
    fn find(directory: &Path, split: Split) -> Result<Option<Self>> {
        if let Some((images, labels)) = idx::find(directory, split) {
            return Self::open_idx(&images, &labels).map(Some);
        }
        let table = directory.join(split.folder()).with_extension("csv");
        if table.is_file() {
            // The test counts its classes as training does.
            let training = directory.join(Split::Train.folder()).with_extension("csv");
            let classes = if split == Split::Test && training.is_file() {
                Some(Self::open_csv(&training, None)?.classes)
            } else {
                None
            };
            return Self::open_csv(&table, classes.as_deref()).map(Some);
        }
        let own = directory.join(split.folder());
        if own.is_dir() {
            return folder::read(&own).map(Some);
        }
        let is_unsplit = !directory.join(Split::Train.folder()).is_dir()
            && !directory.join(Split::Test.folder()).is_dir()
            && ["train.csv", "test.csv"].iter().all(|name| !directory.join(name).is_file())
            && idx::find(directory, Split::Train).or_else(|| idx::find(directory, Split::Test)).is_none();
        if split == Split::Train && is_unsplit { folder::read(directory).map(Some) } else { Ok(None) }
    }

    /// How many pictures there are.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The names of the classes; labels are indices of these.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// The label of a picture.
    ///
    /// # Panics
    /// When there is no such picture.
    pub fn label(&self, index: usize) -> usize {
        self.labels[index]
    }

    /// What a picture is called in records: its path, or its number in an IDX file.
    ///
    /// # Panics
    /// When there is no such picture.
    pub fn name(&self, index: usize) -> String {
        match &self.pictures {
            Pictures::Idx { .. } => format!("{index:05}"),
            Pictures::Files { paths, .. } => {
                let parts = paths[index].components().map(|part| part.as_os_str().to_string_lossy());
                parts.collect::<Vec<_>>().join("/")
            }
        }
    }

    /// A picture.
    ///
    /// # Errors
    /// When its file cannot be read.
    ///
    /// # Panics
    /// When there is no such picture.
    pub fn image(&self, index: usize) -> Result<Image> {
        self.image_for(index, Decode::Stored)
    }

    /// A picture, or of a file what a [pipeline](crate::pipeline::Pipeline::decode) wants of it.
    ///
    /// # Errors
    /// As [`image`](Self::image).
    ///
    /// # Panics
    /// As [`image`](Self::image).
    pub fn image_for(&self, index: usize, decode: Decode) -> Result<Image> {
        match &self.pictures {
            Pictures::Idx { width, height, pixels } => {
                let pixels = &pixels[index * width * height..][..width * height];
                Ok(Image::Gray8(Plane::from_vec(*width, *height, pixels.to_vec())?))
            }
            Pictures::Files { root, paths } => {
                let options = codec::ReadOptions { decode, ..codec::ReadOptions::default() };
                Ok(codec::read_file(root.join(&paths[index]), &options)?.image)
            }
        }
    }
}

impl Examples for Dataset {
    fn len(&self) -> usize {
        self.len()
    }

    fn classes(&self) -> &[String] {
        &self.classes
    }

    fn label(&self, index: usize) -> usize {
        self.labels[index]
    }

    fn read(&self, index: usize, shape: [usize; 3], values: &mut [f32]) -> Result<()> {
        if let Pictures::Idx { width, height, pixels } = &self.pictures
            && shape == [1, *height, *width]
        {
            let pixels = &pixels[index * width * height..][..width * height];
            values.iter_mut().zip(pixels).for_each(|(value, &pixel)| *value = f32::from(pixel) / 255.0);
            return Ok(());
        }
        crate::nn::input::fill(&self.image(index)?, shape, values)
            .map_err(|error| error.within(self.name(index)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write_idx(directory: &Path, prefix: &str, labels: &[u8]) {
        let mut images = vec![0, 0, 8, 3, 0, 0, 0, labels.len() as u8, 0, 0, 0, 2, 0, 0, 0, 3];
        images.extend((0..labels.len() * 6).map(|i| (i * 10) as u8));
        std::fs::write(directory.join(format!("{prefix}-images-idx3-ubyte")), images).unwrap();
        let mut bytes = vec![0, 0, 8, 1, 0, 0, 0, labels.len() as u8];
        bytes.extend(labels);
        std::fs::write(directory.join(format!("{prefix}-labels-idx1-ubyte")), bytes).unwrap();
    }

    fn write_png(path: &Path, value: u8) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let image = Image::Gray8(Plane::filled(3, 2, value));
        codec::write(path, &image, codec::Format::Png, &codec::WriteOptions::default()).unwrap();
    }

    #[test]
    fn idx_files_are_found_by_name() {
        let directory = tempfile::tempdir().unwrap();
        write_idx(directory.path(), "train", &[3, 0, 1]);
        let data = Dataset::open(directory.path(), Split::Train).unwrap();
        assert_eq!((data.len(), data.classes().len(), data.label(0)), (3, 4, 3));
        assert_eq!(data.image(1).unwrap().as_gray8().unwrap().row(1), [90, 100, 110]);
        let mut values = [0.0; 6];
        data.read(2, [1, 2, 3], &mut values).unwrap();
        assert_eq!(values[5], 170.0 / 255.0);
        assert!(data.read(2, [1, 3, 2], &mut values).is_err());
        // The training split is never taken for the test split.
        for open in [|path: &Path| Dataset::open(path, Split::Test), Dataset::open_for_test] {
            let error = open(directory.path()).unwrap_err();
            assert!(error.message().ends_with("has no test split"), "{error}");
        }
        write_idx(directory.path(), "t10k", &[1]);
        assert_eq!(Dataset::open_for_test(directory.path()).unwrap().len(), 1);
    }

    #[test]
    fn class_folders_are_sorted_and_split() {
        let directory = tempfile::tempdir().unwrap();
        for (name, value) in [("b/2.png", 7), ("b/10.png", 8), ("a/x.png", 9)] {
            write_png(&directory.path().join(name), value);
        }
        std::fs::write(directory.path().join("a/notes.txt"), "no picture").unwrap();
        let data = Dataset::open(directory.path(), Split::Train).unwrap();
        assert_eq!(data.classes(), ["a", "b"]);
        let names: Vec<_> = (0..data.len()).map(|i| (data.name(i), data.label(i))).collect();
        assert_eq!(names, [("a/x.png".into(), 0), ("b/10.png".into(), 1), ("b/2.png".into(), 1)]);
        assert_eq!(data.image(0).unwrap().as_gray8().unwrap().get(0, 0), 9);
        assert_eq!(Dataset::open_for_test(directory.path()).unwrap().len(), 3);
        assert!(Dataset::open(directory.path(), Split::Test).is_err());

        let outer = tempfile::tempdir().unwrap();
        std::fs::rename(directory.path(), outer.path().join("test")).unwrap();
        assert_eq!(Dataset::open_for_test(outer.path()).unwrap().len(), 3);
        assert!(Dataset::open(outer.path(), Split::Train).is_err());
    }

    #[test]
    fn tables_name_pictures_and_share_their_classes() {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(directory.path().join(name), text).unwrap();
        write_png(&directory.path().join("p/1.png"), 7);
        write("train.csv", "label,path\ncat,p/1.png\nbee,p/1.png\n");
        write("test.csv", "path,label\np/1.png,cat\n");
        let test = Dataset::open(directory.path(), Split::Test).unwrap();
        assert_eq!((test.classes().join(" "), test.label(0)), ("bee cat".into(), 1));
        assert_eq!(test.image(0).unwrap().as_gray8().unwrap().get(0, 0), 7);
        assert_eq!(Dataset::open(directory.path(), Split::Train).unwrap().len(), 2);
        write("test.csv", "path,label\np/1.png,cat\np/1.png,dog\n");
        let error = Dataset::open(directory.path(), Split::Test).unwrap_err().to_string();
        assert!(
            error.ends_with("test.csv:3: expected a label of training, `bee`, `cat`, got `dog`"),
            "{error}"
        );
    }

    #[test]
    fn nothing_to_read_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        assert!(Dataset::open(directory.path(), Split::Train).is_err());
        assert!(Dataset::open(&directory.path().join("none"), Split::Train).is_err());
    }
}

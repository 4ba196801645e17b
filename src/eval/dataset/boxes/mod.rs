//! Pictures with boxes around objects, in the formats that tools for labelling write.
//!
//! Whatever the format, boxes are in pixels from the top left corner of the upright picture, the right and lower
//! edge outside, so that a box of width 1 covers one column.

mod build;
mod coco;
mod field;
mod find;
mod info;
mod names;
mod table;
mod voc;
mod yolo;

use std::path::{Path, PathBuf};

use super::Split;
use crate::{Error, Result};
use build::Builder;
use find::Source;

/// The most bytes of a file with boxes: 1 GiB.
const MOST: u64 = 1 << 30;

/// How files with boxes are read.
#[derive(Clone, Debug, Default)]
pub struct BoxOptions {
    /// The folder that the names of pictures are relative to; where none is given, the pictures are looked for in
    /// the usual places of the format.
    pub pictures: Option<PathBuf>,
    /// The labels that count, all if there are none. Boxes with other labels are left out.
    pub labels: Vec<String>,
    /// Whether boxes without a pixel in their picture are passed over, and not an error.
    pub skip_empty: bool,
}

/// A box around an object.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LabelledBox {
    /// What it is: an index of [`Boxes::labels`].
    pub label: usize,
    /// Left edge in pixels.
    pub x: f64,
    /// Upper edge in pixels.
    pub y: f64,
    /// Width in pixels, above 0.
    pub width: f64,
    /// Height in pixels, above 0.
    pub height: f64,
    /// Whether it is around a group of objects: COCO's `iscrowd`.
    pub is_crowd: bool,
    /// Whether it is hard to recognise: VOC's `difficult`.
    pub is_difficult: bool,
}

impl LabelledBox {
    /// `[x, y, width, height]`.
    pub fn bounds(&self) -> [f64; 4] {
        [self.x, self.y, self.width, self.height]
    }

    /// Whether it is neither an example of its label nor of the background: a crowd, or difficult.
    pub fn is_ignored(&self) -> bool {
        self.is_crowd || self.is_difficult
    }
}

/// A picture and the boxes in it.
#[derive(Clone, Debug, PartialEq)]
pub struct BoxedPicture {
    /// Its file.
    pub path: PathBuf,
    /// Its name in the data.
    pub name: String,
    /// Width in pixels, upright.
    pub width: usize,
    /// Height in pixels, upright.
    pub height: usize,
    /// The boxes, in the order of the data.
    pub boxes: Vec<LabelledBox>,
}

/// Pictures with boxes around objects.
///
/// What is read, by what lies in a folder or which file is given:
///
/// - COCO (Lin and others, 2014): a `.json` with `images`, `annotations` and `categories`;
/// - Pascal VOC (Everingham and others, 2010): a folder of `.xml`, or one with `Annotations` and `JPEGImages`;
/// - YOLO (Redmon and others, 2016): `.txt` beside the pictures, or in `labels` where the pictures are in `images`;
///   names of the classes in `data.yaml`, `classes.txt` or `obj.names`;
/// - a table: CSV with `path` and `x`, `y`, `width`, `height`, or `xmin`, `ymin`, `xmax`, `ymax`, and `label`;
/// - OpenCV's `info.dat`: `path n x y width height ...` in each line.
///
/// The part of a box that is outside its picture is cut off. A box that has nothing inside, or no width or height,
/// is an error that names it. The size of a picture is what the data says, or else what its file says.
///
/// ```
/// use lyncean::eval::dataset::{BoxOptions, BoxedPicture, Boxes, LabelledBox, Split};
/// use lyncean::image::builtin;
///
/// let folder = tempfile::tempdir().unwrap();
/// std::fs::write(folder.path().join("coins.png"), builtin::picture("coins").unwrap()).unwrap();
/// let table = folder.path().join("boxes.csv");
/// std::fs::write(&table, "path,x,y,width,height,label\ncoins.png,370,290,40,40,coin\n").unwrap();
/// let boxes = Boxes::open(&table, Split::Train, &BoxOptions::default())?;
/// let picture: &BoxedPicture = &boxes.pictures()[0];
/// let first: &LabelledBox = &picture.boxes[0];
/// // The picture has 384 x 303 pixels.
/// assert_eq!((boxes.labels()[first.label].as_str(), first.bounds()), ("coin", [370.0, 290.0, 14.0, 13.0]));
/// # Ok::<(), lyncean::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Boxes {
    labels: Vec<String>,
    pictures: Vec<BoxedPicture>,
    skipped: usize,
}

impl Boxes {
    /// The boxes of a split: those of `train` or `test` (also `val` and `valid`) where a folder has such parts, as
    /// folders, as lists of VOC's `ImageSets`, as keys of `data.yaml` or in the names of COCO's files. Without parts
    /// all is for training.
    ///
    /// # Errors
    /// [`Io`](crate::ErrorKind::Io), and [`Input`](crate::ErrorKind::Input) when there are no boxes or no such
    /// split, or with the place that is not understood: the file and the line, or the path within JSON.
    pub fn open(path: &Path, split: Split, options: &BoxOptions) -> Result<Self> {
        Self::find(path, split, options)?.ok_or_else(|| {
            let (path, name) = (path.display(), split.folder());
            Error::input(format!("`{path}` has no pictures with boxes for the {name} split"))
                .with_hint("COCO, Pascal VOC, YOLO, CSV and `info.dat` are read")
        })
    }

    /// The boxes to judge by: the test split, or all of what has no splits.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_for_test(path: &Path, options: &BoxOptions) -> Result<Self> {
        match find::source(path, Split::Test)? {
            Some(source) => Self::read(&source, options),
            None => Self::open(path, Split::Train, options),
        }
    }

    /// As [`open`](Self::open), or nothing where there are no boxes for this split.
    ///
    /// # Errors
    /// When what is there is broken.
    pub fn find(path: &Path, split: Split, options: &BoxOptions) -> Result<Option<Self>> {
        find::source(path, split)?.map(|source| Self::read(&source, options)).transpose()
    }

    /// Whether a file or folder is one of pictures with boxes, by its name and first lines.
    pub fn is_boxes(path: &Path) -> bool {
        [Split::Train, Split::Test].into_iter().any(|split| matches!(find::source(path, split), Ok(Some(_))))
    }

    fn read(source: &Source, options: &BoxOptions) -> Result<Self> {
        let mut builder = Builder::new(options);
        match source {
            Source::Coco(path) => coco::read(path, &mut builder)?,
            Source::Voc(folder) => voc::read(folder, &mut builder)?,
            Source::Yolo(places) => yolo::read(places, &mut builder)?,
            Source::Table(path) => table::read(path, &mut builder)?,
            Source::Info(path) => info::read(path, &mut builder)?,
        }
        builder.finish(source.path())
    }

    /// The labels of the boxes, sorted; those of crowds and difficult objects too.
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// The pictures, in the order of the data; those without boxes too.
    pub fn pictures(&self) -> &[BoxedPicture] {
        &self.pictures
    }

    /// How many boxes were passed over because they have no pixel.
    pub fn skipped(&self) -> usize {
        self.skipped
    }
}

#[cfg(test)]
mod tests;

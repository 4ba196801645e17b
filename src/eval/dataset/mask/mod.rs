//! Pictures with a mask each, whose values say what lies in each pixel.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{Split, csv, folder};
use crate::image::codec::{self, Format, Limits, ReadOptions};
use crate::image::{BorderMode, Image, Plane};
use crate::nn::loss::IGNORED;
use crate::nn::train::{Cut, Examples};
use crate::ops::Context;
use crate::ops::resize::{Interpolation, Resize, resize};
use crate::parallel::prelude::*;
use crate::{Error, Result};

/// The value of a mask that counts for nothing where there are more than two values (Pascal VOC).
const VOID: u8 = 255;
/// What no class is.
const UNKNOWN: usize = usize::MAX - 1;

/// Pictures with masks: of each pixel the number of its class.
///
/// A directory has `images/NAME.*` with `masks/NAME.*`, under `train` and `test` where there is a split, or the tables
/// `train.csv` and `test.csv` with the columns `path` and `mask`. Masks are gray, or PNG with a palette, whose numbers
/// count. Masks of 0 and one other value, such as 255, have two classes; with more values 255 is
/// [ignored](IGNORED). Names of classes are the lines of `classes.txt`, or else their numbers.
///
/// ```
/// use lyncean::eval::dataset::{MaskedPictures, Split};
/// use lyncean::image::codec::{Format, WriteOptions, write};
/// use lyncean::image::{Image, Plane};
/// use lyncean::nn::loss::IGNORED;
/// use lyncean::nn::train::{Cut, Examples};
///
/// let folder = tempfile::tempdir().unwrap();
/// for (part, value) in [("images", 90), ("masks", 255)] {
///     std::fs::create_dir(folder.path().join(part)).unwrap();
///     let image = Image::Gray8(Plane::from_fn(6, 4, |x, _| if x < 2 { 0 } else { value }));
///     write(folder.path().join(part).join("a.png"), &image, Format::Png, &WriteOptions::default())?;
/// }
/// let data = MaskedPictures::find(folder.path(), Split::Train)?.unwrap();
/// assert_eq!((data.len(), data.classes()), (1, &["0".to_owned(), "1".to_owned()][..]));
/// assert_eq!(data.mask(0)?[18..], [0, 0, 1, 1, 1, 1]);
///
/// // Cut into 4x4 pixels: the second part is moved inwards, and what the first has is ignored.
/// let (mut values, mut labels) = ([0.0; 16], [0; 16]);
/// assert_eq!(data.windows(0, [4, 4]), 2);
/// data.read_masked(0, Cut::Window(1), [1, 4, 4], &mut values, &mut labels)?;
/// assert_eq!(labels[..4], [IGNORED, IGNORED, 1, 1]);
/// # Ok::<(), lyncean::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct MaskedPictures {
    classes: Vec<String>,
    /// The class of each value of a mask.
    numbers: Vec<usize>,
    root: PathBuf,
    pairs: Vec<Pair>,
}

/// Paths relative to the root, and the size of the mask.
#[derive(Clone, Debug)]
struct Pair {
    picture: PathBuf,
    mask: PathBuf,
    width: usize,
    height: usize,
}

impl MaskedPictures {
    /// A split of a directory, or nothing where there are no masks. The test counts its classes as training does.
    ///
    /// # Errors
    /// [`Io`](crate::ErrorKind::Io), and [`Input`](crate::ErrorKind::Input) for pictures without masks, masks that
    /// cannot be read or have another size, and numbers above those of the classes.
    pub fn find(directory: &Path, split: Split) -> Result<Option<Self>> {
        let known = match split {
            Split::Train => None,
            Split::Test => Self::find(directory, Split::Train)?,
        };
        let table = directory.join(split.folder()).with_extension("csv");
        if Self::is_table(&table) {
            return Self::open_csv(&table, known.as_ref()).map(Some);
        }
        let own = directory.join(split.folder());
        let is_whole = split == Split::Train && !own.is_dir();
        let root = if is_whole { directory.to_owned() } else { own };
        if !has_masks(&root) {
            return Ok(None);
        }
        // Beside the split, or within.
        Self::new(&root, pairs_of(&root)?, names_beside(&root), known.as_ref()).map(Some)
    }

    /// What a path has to judge a net by that was trained on `known`: a table, the test split of a folder, or all of one
    /// that has no splits; nothing where there are no masks.
    ///
    /// # Errors
    /// As [`find`](Self::find).
    pub fn open_for_test(path: &Path, known: &Self) -> Result<Option<Self>> {
        if Self::is_table(path) {
            return Self::open_csv(path, Some(known)).map(Some);
        }
        for root in [path.join("test"), path.to_owned()] {
            let table = root.with_extension("csv");
            if root != path && Self::is_table(&table) {
                return Self::open_csv(&table, Some(known)).map(Some);
            }
            if has_masks(&root) {
                return Self::new(&root, pairs_of(&root)?, None, Some(known)).map(Some);
            }
        }
        Ok(None)
    }

    /// Whether a file is CSV with a column `mask`.
    pub fn is_table(path: &Path) -> bool {
        let is_csv = path.extension().is_some_and(|end| end.eq_ignore_ascii_case("csv"));
        is_csv && csv::Csv::read(path).is_ok_and(|table| table.has("mask"))
    }

    /// The pictures of a table with the columns `path` and `mask`, relative to the table. Classes are those of `known`,
    /// as those of training, or else of the masks.
    ///
    /// # Errors
    /// As [`find`](Self::find).
    pub fn open_csv(path: &Path, known: Option<&Self>) -> Result<Self> {
        let table = csv::Csv::read(path)?;
        let (picture, mask) = (table.column("path", path)?, table.column("mask", path)?);
        let root = path.parent().unwrap_or_else(|| Path::new("")).to_owned();
        let mut pairs = Vec::new();
        for (line, row) in table.rows() {
            let mask = PathBuf::from(row[mask].trim());
            if mask.as_os_str().is_empty() || !root.join(&mask).is_file() {
                let message = format!("picture `{}` has no mask `{}`", row[picture], mask.display());
                return Err(Error::input(message).within(csv::place(path, line)));
            }
            pairs.push((PathBuf::from(&row[picture]), mask));
        }
        let names = names_beside(&root);
        Self::new(&root, pairs, names, known)
    }

    fn new(
        root: &Path,
        found: Vec<(PathBuf, PathBuf)>,
        names: Option<PathBuf>,
        known: Option<&Self>,
    ) -> Result<Self> {
        if found.is_empty() {
            return Err(
                Error::input("expected pictures with masks, got none").within(root.display().to_string())
            );
        }
        let scan = |(picture, mask): (PathBuf, PathBuf)| -> Result<(Pair, [bool; 256])> {
            let numbers = read_mask(root, &mask)?;
            let [width, height] = [numbers.width(), numbers.height()];
            let source = codec::probe(root.join(&picture))?;
            if [source.width, source.height] != [width, height] {
                return Err(Error::input(format!(
                    "mask `{}` is of {width}x{height}, but picture `{}` of {}x{}",
                    mask.display(),
                    picture.display(),
                    source.width,
                    source.height
                )));
            }
            let mut seen = [false; 256];
            numbers.as_slice().iter().for_each(|&number| seen[usize::from(number)] = true);
            Ok((Pair { picture, mask, width, height }, seen))
        };
        let scanned = found.into_par_iter().map(scan).collect::<Result<Vec<_>>>()?;
        let (classes, numbers) = match known {
            Some(known) => (known.classes.clone(), known.numbers.clone()),
            None => {
                let names = names.map(|path| read_names(&path)).transpose()?;
                let has = |value: usize| scanned.iter().any(|(_, seen)| seen[value]);
                numbering(&(0..256).filter(|&value| has(value)).collect::<Vec<_>>(), names)
            }
        };
        for (pair, seen) in &scanned {
            if let Some(value) = (0..256).find(|&value| seen[value] && numbers[value] == UNKNOWN) {
                let count = classes.len();
                return Err(Error::input(format!(
                    "mask `{}` has class {value}, but there are {count} classes, from 0",
                    pair.mask.display()
                )));
            }
        }
        let pairs = scanned.into_iter().map(|(pair, _)| pair).collect();
        Ok(Self { classes, numbers, root: root.to_owned(), pairs })
    }

    /// How many pictures there are.
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// The names of the classes.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// A picture.
    ///
    /// # Errors
    /// When its file cannot be read.
    ///
    /// # Panics
    /// When there is no such picture.
    pub fn image(&self, index: usize) -> Result<Image> {
        let path = self.root.join(&self.pairs[index].picture);
        Ok(codec::read_file(path, &ReadOptions::default())?.image)
    }

    /// The class of each pixel of a picture, row by row, or [`IGNORED`].
    ///
    /// # Errors
    /// When the mask cannot be read.
    ///
    /// # Panics
    /// When there is no such picture.
    pub fn mask(&self, index: usize) -> Result<Vec<usize>> {
        let numbers = read_mask(&self.root, &self.pairs[index].mask)?;
        Ok(numbers.as_slice().iter().map(|&number| self.numbers[usize::from(number)]).collect())
    }

    /// The corner of a window, and of the part that no earlier window has.
    fn window(&self, index: usize, at: usize, [height, width]: [usize; 2]) -> [[usize; 2]; 2] {
        let pair = &self.pairs[index];
        let across = pair.width.div_ceil(width).max(1);
        let fresh = [at / across * height, at % across * width];
        let most = [pair.height.saturating_sub(height), pair.width.saturating_sub(width)];
        [[fresh[0].min(most[0]), fresh[1].min(most[1])], fresh]
    }
}

impl Examples for MaskedPictures {
    fn len(&self) -> usize {
        self.len()
    }

    fn classes(&self) -> &[String] {
        &self.classes
    }

    /// 0: there are none.
    fn label(&self, _index: usize) -> usize {
        0
    }

    fn read(&self, index: usize, shape: [usize; 3], values: &mut [f32]) -> Result<()> {
        let name = || self.pairs[index].picture.display().to_string();
        crate::nn::input::fill(&self.image(index)?, shape, values).map_err(|error| error.within(name()))
    }

    fn has_masks(&self) -> bool {
        true
    }

    fn windows(&self, index: usize, [height, width]: [usize; 2]) -> usize {
        let pair = &self.pairs[index];
        pair.height.div_ceil(height.max(1)).max(1) * pair.width.div_ceil(width.max(1)).max(1)
    }

    fn read_masked(
        &self,
        index: usize,
        cut: Cut,
        shape: [usize; 3],
        values: &mut [f32],
        labels: &mut [usize],
    ) -> Result<()> {
        let pair = &self.pairs[index];
        let [channels, height, width] = shape;
        let (image, mask) = (self.image(index)?, self.mask(index)?);
        if [image.width(), image.height()] != [pair.width, pair.height] || pair.width * pair.height == 0 {
            let message = "the picture has no pixels, or was changed since it was first read";
            return Err(Error::input(message).within(pair.picture.display().to_string()));
        }
        let named = |error: Error| error.within(pair.picture.display().to_string());
        let (corner, fresh) = match cut {
            Cut::Resized => {
                let params = Resize { width, height, interpolation: Interpolation::Bilinear };
                let small = resize(&image, &params, &Context::default()).map_err(named)?;
                crate::nn::input::fill(&small, shape, values).map_err(named)?;
                for (at, label) in labels.iter_mut().enumerate() {
                    let middle = |place: usize, to: usize, from: usize| (2 * place + 1) * from / (2 * to);
                    let (y, x) =
                        (middle(at / width, height, pair.height), middle(at % width, width, pair.width));
                    *label = mask[y * pair.width + x];
                }
                return Ok(());
            }
            Cut::Random(rng) => {
                let room = |len: usize, of: usize| len.saturating_sub(of) + 1;
                let corner = [rng.below(0, room(pair.height, height)), rng.below(1, room(pair.width, width))];
                (corner, corner)
            }
            Cut::Window(at) => self.window(index, at, [height, width]).into(),
        };
        let mut whole = vec![0.0; channels * pair.height * pair.width];
        crate::nn::input::fill(&image, [channels, pair.height, pair.width], &mut whole).map_err(named)?;
        let inside = |place: usize, len: usize| BorderMode::Reflect.map(place as isize, len).unwrap_or(0);
        for at in 0..height * width {
            let (y, x) = (corner[0] + at / width, corner[1] + at % width);
            let from = inside(y, pair.height) * pair.width + inside(x, pair.width);
            let is_known = y < pair.height && x < pair.width && y >= fresh[0] && x >= fresh[1];
            labels[at] = if is_known { mask[from] } else { IGNORED };
            for channel in 0..channels {
                values[channel * height * width + at] = whole[channel * pair.height * pair.width + from];
            }
        }
        Ok(())
    }
}

fn has_masks(root: &Path) -> bool {
    root.join("images").is_dir() && root.join("masks").is_dir()
}

/// The pictures of `images` with those of `masks` that have their names, whatever the endings.
fn pairs_of(root: &Path) -> Result<Vec<(PathBuf, PathBuf)>> {
    let pictures = |part: &str| -> Result<Vec<PathBuf>> {
        let mut files = folder::entries(&root.join(part))?;
        files.retain(|path| path.is_file() && Format::from_name(path).is_some());
        files.sort();
        Ok(files.iter().map(|path| path.strip_prefix(root).unwrap_or(path).to_owned()).collect())
    };
    let mut masks: BTreeMap<_, PathBuf> = BTreeMap::new();
    for mask in pictures("masks")? {
        masks.insert(mask.file_stem().unwrap_or_default().to_owned(), mask);
    }
    let paired = |picture: PathBuf| {
        let mask = masks.get(picture.file_stem().unwrap_or_default()).cloned().ok_or_else(|| {
            let name = Path::new("masks").join(picture.file_stem().unwrap_or_default());
            Error::input(format!("picture `{}` has no mask", picture.display()))
                .within(root.display().to_string())
                .with_hint(format!("expected `{}.png` or another ending", name.display()))
        })?;
        Ok((picture, mask))
    };
    pictures("images")?.into_iter().map(paired).collect()
}

/// `classes.txt` in a folder, or in the one around it.
fn names_beside(root: &Path) -> Option<PathBuf> {
    let places = [Some(root), root.parent()].into_iter().flatten();
    places.map(|folder| folder.join("classes.txt")).find(|path| path.is_file())
}

fn read_names(path: &Path) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(path).map_err(|error| Error::io(path.display(), error))?;
    let names: Vec<String> =
        text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect();
    if (2..=255).contains(&names.len()) {
        return Ok(names);
    }
    let message = format!("expected from 2 to 255 names of classes, one a line, got {}", names.len());
    Err(Error::input(message).within(path.display().to_string()))
}

/// The names of the classes, and the class of each value, for the values that occur.
fn numbering(values: &[usize], names: Option<Vec<String>>) -> (Vec<String>, Vec<usize>) {
    let void = usize::from(VOID);
    // Foreground and background alone need not both occur.
    let is_binary =
        matches!(values, [0, _] | [0 | 255]) && names.as_ref().is_none_or(|names| names.len() == 2);
    let greatest = values.iter().copied().filter(|&value| value != void).max().unwrap_or(0);
    let count = names.as_ref().map_or(if is_binary { 2 } else { greatest + 1 }, Vec::len);
    let mut numbers = vec![UNKNOWN; 256];
    numbers.iter_mut().take(count).enumerate().for_each(|(value, class)| *class = value);
    if is_binary {
        let foreground = values.last().copied().filter(|&value| value > 0).unwrap_or(void);
        numbers[foreground] = 1;
        if foreground != void && foreground != 1 {
            numbers[1] = UNKNOWN;
        }
    } else {
        numbers[void] = IGNORED;
    }
    (names.unwrap_or_else(|| (0..count).map(|class| class.to_string()).collect()), numbers)
}

fn read_mask(root: &Path, path: &Path) -> Result<Plane<u8>> {
    codec::read_numbers(root.join(path), &Limits::default())
}

#[cfg(test)]
mod tests;

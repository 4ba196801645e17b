//! Windows of pictures with boxes, as nets that tell objects from background learn them.

mod background;
mod cut;
mod mine;

pub use mine::Mining;

use serde_json::{Map, Value as Json};

use super::{Boxes, LabelledBox};
use crate::nn::Rng;
use crate::nn::train::Examples;
use crate::ops::Context;
use crate::parallel::prelude::*;
use crate::{Error, Result};

/// The name of the class of windows without an object.
pub const BACKGROUND: &str = "background";
/// Pictures that are worked on before their windows join the others.
const CHUNK: usize = 64;

/// Which windows are cut out of pictures.
#[derive(Clone, Debug, PartialEq)]
pub struct WindowOptions {
    /// What is added on each side of a box, as a share of its width and height, from 0 to 10.
    pub margin: f64,
    /// Whether boxes are stretched to the shape of the net's input. Otherwise their shorter side grows to it, as a
    /// detector that slides the net sees the object.
    pub stretch: bool,
    /// Windows of background for each object of a picture, and in pictures without objects.
    pub negatives: usize,
    /// Every window of background overlaps each box by less than this, intersection over union, above 0 and at most
    /// 1; and it contains at most half of each.
    pub negative_overlap: f64,
    /// Where all randomness comes from.
    pub seed: u64,
    /// The most bytes of all windows.
    pub max_bytes: u64,
}

impl Default for WindowOptions {
    fn default() -> Self {
        Self { margin: 0.0, stretch: false, negatives: 3, negative_overlap: 0.3, seed: 0, max_bytes: 4 << 30 }
    }
}

impl WindowOptions {
    /// The options that say which windows there are; the seed is one of training, too.
    fn recipe(&self) -> Map<String, Json> {
        let Self { margin, stretch, negatives, negative_overlap, .. } = *self;
        let options: [(&str, Json); 4] = [
            ("margin", margin.into()),
            ("stretch", stretch.into()),
            ("negatives", negatives.into()),
            ("negative-overlap", negative_overlap.into()),
        ];
        options.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    fn check(&self) -> Result<()> {
        let (margin, overlap) = (self.margin, self.negative_overlap);
        if !(0.0..=10.0).contains(&margin) {
            return Err(Error::pipeline(format!("expected a margin from 0 to 10, got {margin}")));
        }
        if !(overlap > 0.0 && overlap <= 1.0) {
            let message = format!("expected a negative overlap above 0 and at most 1, got {overlap}");
            return Err(Error::pipeline(message));
        }
        Ok(())
    }
}

/// A window that was cut out of a picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CutWindow {
    /// The picture, an index of [`Boxes::pictures`].
    pub picture: usize,
    /// The class, an index of [`Examples::classes`]; 0 is background.
    pub label: usize,
    /// `[x, y, width, height]` in pixels of the picture. What lies outside of it repeats its edge.
    pub bounds: [f64; 4],
}

/// Windows with objects and windows of background, brought to the size of a net.
///
/// All are cut out once, when each picture is decoded once, and kept as bytes: `channels * height * width` for each,
/// 576 for a window of 24 x 24 in gray. Beyond that there is one decoded picture for each thread. Windows that shrink
/// are averaged over areas, others interpolated. Crowds and difficult objects are no examples, and no window of
/// background lies on them.
///
/// Windows of background have sizes from that of the net to the largest that fits, uniform in the logarithm, and lie
/// anywhere. The same boxes and options give the same windows for any number of threads.
///
/// ```
/// use lyncean::eval::dataset::{BACKGROUND, BoxOptions, Boxes, CutWindow, Mining, Split, WindowOptions, Windows};
/// use lyncean::image::builtin;
/// use lyncean::nn::train::Examples;
/// use lyncean::nn::{Net, arch};
/// use lyncean::ops::Context;
///
/// let folder = tempfile::tempdir().unwrap();
/// std::fs::write(folder.path().join("coins.png"), builtin::picture("coins").unwrap()).unwrap();
/// std::fs::write(folder.path().join("info.dat"), "coins.png 2 37 38 42 42 104 42 37 37\n").unwrap();
/// let boxes = Boxes::open(folder.path(), Split::Train, &BoxOptions::default())?;
/// let options = WindowOptions { margin: 0.1, ..WindowOptions::default() };
/// let cx = Context::default();
/// let mut windows = Windows::cut(&boxes, [1, 19, 19], None, &options, &cx)?;
/// assert_eq!((windows.classes(), windows.counts()), ([BACKGROUND, "object"].map(String::from).as_slice(), vec![6, 2]));
/// let first: &CutWindow = &windows.windows()[0];
/// assert_eq!((first.label, first.bounds[2].round()), (1, 50.0));
///
/// // A net that has not learned anything takes background for coins.
/// let net = arch::parse(&arch::builtin("face").unwrap())?.with_classes(windows.classes())?;
/// let mining = Mining { count: 4, ..Mining::default() };
/// let found = windows.mine(&boxes, Net::build(net, 1)?, &mining, &options, &cx)?;
/// assert_eq!(windows.counts(), [6 + found, 2]);
/// # Ok::<(), lyncean::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Windows {
    classes: Vec<String>,
    shape: [usize; 3],
    list: Vec<CutWindow>,
    /// Channel after channel, row after row, of one window after the other.
    pixels: Vec<u8>,
    missed: usize,
    /// What they were cut and found by, in the words of the command line.
    recipe: Map<String, Json>,
}

impl Windows {
    /// Cuts the windows out, for a net that takes `shape`: channels, height, width. Classes are those of training
    /// where they are given, or else background and the labels.
    ///
    /// # Errors
    /// [`Pipeline`](crate::ErrorKind::Pipeline) for options out of range, [`Shape`](crate::ErrorKind::Shape) for a net
    /// with neither one nor three channels, [`Limit`](crate::ErrorKind::Limit) for more bytes than allowed,
    /// [`Input`](crate::ErrorKind::Input) when there are no objects, or a label is unknown in training, or a picture
    /// has another size than its data says, [`Cancelled`](crate::ErrorKind::Cancelled), and pictures that cannot be
    /// read.
    pub fn cut(
        boxes: &Boxes,
        shape: [usize; 3],
        classes: Option<&[String]>,
        options: &WindowOptions,
        cx: &Context,
    ) -> Result<Self> {
        options.check()?;
        if ![1, 3].contains(&shape[0]) || shape[1] == 0 || shape[2] == 0 {
            return Err(Error::shape(format!(
                "pictures have one or three channels, the net wants {shape:?}"
            )));
        }
        let classes = match classes {
            Some(classes) => classes.to_vec(),
            None => classes_of(boxes)?,
        };
        let numbers = numbers(boxes, &classes)?;
        let recipe = options.recipe();
        let mut windows = Self { classes, shape, list: Vec::new(), pixels: Vec::new(), missed: 0, recipe };
        let planned = boxes.pictures().iter().map(|picture| {
            let count = objects(&picture.boxes).count() as u64;
            count.saturating_add(count.max(1).saturating_mul(options.negatives as u64))
        });
        windows.check_room(planned.fold(0, u64::saturating_add), options)?;
        let rng = Rng::new(options.seed).stream("background");
        windows.add(boxes, options, cx, |number, image| {
            let picture = &boxes.pictures()[number];
            let mut found: Vec<CutWindow> = objects(&picture.boxes)
                .map(|object| CutWindow {
                    picture: number,
                    label: numbers[object.label].unwrap_or_default(),
                    bounds: cut::around(object, shape, options),
                })
                .collect();
            let wanted = found.len().max(1).saturating_mul(options.negatives);
            let size = [image.width(), image.height()];
            let rng = rng.substream(number as u64);
            let drawn = background::draw(rng, size, shape, &picture.boxes, options.negative_overlap, wanted);
            let missed = wanted - drawn.len();
            found.extend(drawn.into_iter().map(|bounds| CutWindow { picture: number, label: 0, bounds }));
            Ok((found, missed))
        })?;
        Ok(windows)
    }

    /// The windows, picture after picture; those of [`mine`](Self::mine) come last.
    pub fn windows(&self) -> &[CutWindow] {
        &self.list
    }

    /// How many windows each class has.
    pub fn counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.classes.len()];
        self.list.iter().for_each(|window| counts[window.label] += 1);
        counts
    }

    /// Windows of background that found no place: the pictures are too small or too full of objects.
    pub fn missed(&self) -> usize {
        self.missed
    }

    /// Bytes that the windows take.
    pub fn bytes(&self) -> u64 {
        self.pixels.len() as u64
    }

    /// Whether so many windows are allowed.
    fn check_room(&self, count: u64, options: &WindowOptions) -> Result<()> {
        let one = self.shape.iter().fold(1u64, |bytes, &side| bytes.saturating_mul(side as u64));
        let bytes = count.saturating_mul(one);
        if bytes > options.max_bytes {
            let (most, shape) = (options.max_bytes, self.shape);
            return Err(Error::limit(format!(
                "{count} windows of {shape:?} take {bytes} bytes, more than the limit of {most}"
            ))
            .with_hint("take fewer windows of background, a smaller net, or a part of the pictures"));
        }
        Ok(())
    }

    /// Adds the windows that `choose` finds in each picture; it gives how many it missed, too.
    fn add(
        &mut self,
        boxes: &Boxes,
        options: &WindowOptions,
        cx: &Context,
        choose: impl Fn(usize, &crate::image::Image) -> Result<(Vec<CutWindow>, usize)> + Sync,
    ) -> Result<()> {
        let [channels, height, width] = self.shape;
        // One thread for each picture; the pictures themselves are in parallel.
        let cx = cx.clone().with_threads(1);
        let one = |number: usize| -> Result<(Vec<CutWindow>, Vec<u8>, usize)> {
            cx.check()?;
            let picture = &boxes.pictures()[number];
            let work = || {
                let image = cut::load(picture, channels, &cx)?;
                let (found, missed) = choose(number, &image)?;
                let mut pixels = Vec::with_capacity(found.len() * channels * height * width);
                for window in &found {
                    cut::append(&image, window.bounds, [height, width], &cx, &mut pixels)?;
                }
                Ok((found, pixels, missed))
            };
            work().map_err(|error: Error| error.within(picture.name.clone()))
        };
        let numbers: Vec<usize> = (0..boxes.pictures().len()).collect();
        for numbers in numbers.chunks(CHUNK) {
            let all = numbers.to_vec().into_par_iter().map(one).collect::<Result<Vec<_>>>()?;
            for (found, pixels, missed) in all {
                self.list.extend(found);
                self.pixels.extend(pixels);
                self.missed += missed;
            }
            self.check_room(self.list.len() as u64, options)?;
        }
        Ok(())
    }
}

/// The boxes that are examples of their label.
fn objects(boxes: &[LabelledBox]) -> impl Iterator<Item = &LabelledBox> {
    boxes.iter().filter(|found| !found.is_ignored())
}

/// Background, and the labels that have examples.
fn classes_of(boxes: &Boxes) -> Result<Vec<String>> {
    let mut is_met = vec![false; boxes.labels().len()];
    for found in boxes.pictures().iter().flat_map(|picture| objects(&picture.boxes)) {
        is_met[found.label] = true;
    }
    let labels: Vec<&String> =
        boxes.labels().iter().zip(is_met).filter(|(_, met)| *met).map(|(label, _)| label).collect();
    if labels.is_empty() {
        return Err(Error::input("expected boxes around objects to learn from, got none"));
    }
    if labels.iter().any(|label| *label == BACKGROUND) {
        return Err(Error::input(format!(
            "`{BACKGROUND}` is the class of windows without objects, not a label"
        ))
        .with_hint("rename the label, or leave its boxes out by naming the others"));
    }
    Ok(std::iter::once(BACKGROUND.to_owned()).chain(labels.into_iter().cloned()).collect())
}

/// The class of each label; none for labels that have no examples.
fn numbers(boxes: &Boxes, classes: &[String]) -> Result<Vec<Option<usize>>> {
    if classes.first().is_none_or(|first| first != BACKGROUND) {
        let message = format!("expected `{BACKGROUND}` as the first class, got `{}`", classes.join("`, `"));
        return Err(Error::input(message));
    }
    let numbers: Vec<Option<usize>> = boxes
        .labels()
        .iter()
        .map(|label| classes.iter().skip(1).position(|class| class == label).map(|at| at + 1))
        .collect();
    for picture in boxes.pictures() {
        if let Some(found) = objects(&picture.boxes).find(|found| numbers[found.label].is_none()) {
            let (known, got) = (classes[1..].join("`, `"), &boxes.labels()[found.label]);
            return Err(Error::input(format!("expected a label of training, `{known}`, got `{got}`"))
                .within(picture.name.clone()));
        }
    }
    Ok(numbers)
}

impl Examples for Windows {
    fn len(&self) -> usize {
        self.list.len()
    }

    fn classes(&self) -> &[String] {
        &self.classes
    }

    fn label(&self, index: usize) -> usize {
        self.list[index].label
    }

    fn group(&self, index: usize) -> usize {
        self.list[index].picture
    }

    fn recipe(&self) -> Option<Map<String, Json>> {
        // Other pictures and boxes seldom give as many windows.
        let count = [("windows".to_owned(), Json::from(self.list.len()))];
        Some(self.recipe.clone().into_iter().chain(count).collect())
    }

    fn read(&self, index: usize, shape: [usize; 3], values: &mut [f32]) -> Result<()> {
        if shape != self.shape {
            return Err(Error::shape(format!(
                "the net wants {shape:?}, the windows were cut for {:?}",
                self.shape
            )));
        }
        let len = values.len();
        let pixels = &self.pixels[index * len..][..len];
        values.iter_mut().zip(pixels).for_each(|(value, &pixel)| *value = f32::from(pixel) / 255.0);
        Ok(())
    }
}

#[cfg(test)]
mod tests;

//! What a trained net makes of a picture or a sentence.

use std::path::Path;

use crate::image::{Image, Plane, Rect};
use crate::nn::loss::softmax;
use crate::nn::text::{Vocabulary, tokenize};
use crate::nn::{Net, Ngram, PixelNet, Tensor};
use crate::ops::Context;
use crate::ops::resize::{Interpolation, Resize, resize};
use crate::{Error, Result};

/// Side of the tiles that large pictures are cut into, in pixels.
const TILE: usize = 512;

/// A trained net that tells classes: of pictures, of their pixels, or of sentences.
///
/// ```
/// use lyncean::eval::{Prediction, Predictor, Ranked};
/// use lyncean::image::{Image, Plane};
/// use lyncean::ops::Context;
///
/// let lenet = Predictor::open("builtin:lenet5".as_ref())?;
/// let black = Image::Gray8(Plane::new(28, 28));
/// let Prediction { classes, labels } = lenet.picture(&black, false, &Context::default())?;
/// let first: &Ranked = &classes[0];
/// assert!(classes.len() == 10 && labels.is_none() && first.share >= classes[1].share);
///
/// // A net of pixels gives the share of each class in the picture, and the class of each pixel.
/// let coins = Predictor::open("builtin:coins-unet".as_ref())?;
/// let found = coins.picture(&Image::Gray8(Plane::new(40, 30)), false, &Context::default())?;
/// assert!((found.classes.iter().map(|class| class.share).sum::<f32>() - 1.0).abs() < 1e-6);
/// assert_eq!(found.labels.map(|labels| (labels.width(), labels.height())), Some((40, 30)));
/// # Ok::<(), lyncean::Error>(())
/// ```
#[derive(Debug)]
pub struct Predictor {
    net: Net,
    pixels: Option<PixelNet>,
    vocabulary: Option<Vocabulary>,
}

/// A class, and how much of it there is.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranked {
    /// Its number.
    pub index: usize,
    /// Its name, or its number where classes have no names.
    pub label: String,
    /// Its probability, 0..=1; for nets of pixels its share of the pixels.
    pub share: f32,
}

/// What a net makes of a picture.
#[derive(Debug)]
pub struct Prediction {
    /// All classes, the largest share first, of equal ones the first class.
    pub classes: Vec<Ranked>,
    /// The class of each pixel, for nets of pixels: of two classes the second as a mask, of more their numbers.
    pub labels: Option<Image>,
}

/// What a net makes of a sentence.
///
/// ```
/// use lyncean::eval::{Predictor, Reading};
/// use lyncean::nn::{Net, arch};
///
/// let words = ["<pad>", "<unk>", "film", "fine"].map(str::to_owned);
/// let arch = arch::parse(&arch::builtin("textcnn-rand").unwrap())?.with_words(&words)?.with_outputs(2)?;
/// let net = Predictor::new(Net::build(arch, 1)?)?;
/// let Reading { tokens, classes, .. } = net.sentence("a fine, quiet film")?;
/// assert_eq!((tokens, classes.len()), (["a", "fine", ",", "quiet", "film"].map(String::from).to_vec(), 2));
/// # Ok::<(), lyncean::Error>(())
/// ```
#[derive(Debug)]
pub struct Reading {
    /// The words as the net takes them.
    pub tokens: Vec<String>,
    /// All classes, the most probable first.
    pub classes: Vec<Ranked>,
    /// What max-over-time chose that speaks for the most probable class (Kim, 2014), the strongest first.
    pub ngrams: Vec<Ngram>,
}

impl Predictor {
    /// Takes a net.
    ///
    /// # Errors
    /// [`Pipeline`](crate::ErrorKind::Pipeline) when it gives no classes, or takes sentences and does not say its words.
    pub fn new(net: Net) -> Result<Self> {
        let arch = net.arch();
        let (name, input, output) = (&arch.name, arch.input, arch.output());
        let (mut pixels, mut vocabulary) = (None, None);
        match (input.len(), output.len()) {
            (1, 1) if arch.words.is_empty() => {
                return Err(Error::pipeline(format!("the weights of net `{name}` do not say its words"))
                    .with_hint(
                        "train it with `lyncean train net` on sentences: they are kept with the weights",
                    ));
            }
            (1, 1) => vocabulary = Some(Vocabulary::from_words(arch.words.clone())?),
            (_, 1) => {}
            (3, 3) if input[1..] == output[1..] && output[0] > 1 => pixels = Some(PixelNet::new(&net)?),
            _ => return Err(Error::pipeline(format!("net `{name}` gives {output}, and no classes"))),
        }
        Ok(Self { net, pixels, vocabulary })
    }

    /// The net of a weights file that carries its architecture, or of `builtin:NAME`.
    ///
    /// # Errors
    /// As [`new`](Self::new) and [`Net::open`], and an unknown name.
    pub fn open(path: &Path) -> Result<Self> {
        let Some(name) = path.to_str().and_then(|text| text.strip_prefix("builtin:")) else {
            return Self::new(Net::open(path)?);
        };
        match crate::builtin::RESOURCES.iter().find(|(known, _)| *known == name) {
            Some((_, bytes)) => Self::new(Net::from_safetensors(bytes)?),
            None => {
                let known = crate::builtin::RESOURCES.iter().map(|(name, _)| *name);
                let error = Error::pipeline(format!("there is no built-in model `{name}`"));
                Err(match crate::document::did_you_mean(name, known) {
                    Some(hint) => error.with_hint(hint),
                    None => error,
                })
            }
        }
    }

    /// The net.
    pub fn net(&self) -> &Net {
        &self.net
    }

    /// Whether it takes sentences, and no pictures.
    pub fn takes_sentences(&self) -> bool {
        self.vocabulary.is_some()
    }

    /// Whether it tells the classes of pixels.
    pub fn tells_pixels(&self) -> bool {
        self.pixels.is_some()
    }

    /// What the net makes of a picture; gray and colours become what it takes. A picture of another size is an error,
    /// unless it may be resized (bilinearly), or the net tells pixels of any size.
    ///
    /// # Errors
    /// [`Shape`](crate::ErrorKind::Shape) when the picture does not fit the net, and
    /// [`Cancelled`](crate::ErrorKind::Cancelled).
    pub fn picture(&self, image: &Image, may_resize: bool, cx: &Context) -> Result<Prediction> {
        let arch = self.net.arch();
        let [channels, height, width] = <[usize; 3]>::try_from(&*arch.input).map_err(|_| {
            Error::shape(format!("net `{}` takes {}, and no pictures", arch.name, arch.input))
        })?;
        let resized;
        let mut image = image;
        if may_resize && [image.width(), image.height()] != [width, height] {
            resized = resize(image, &Resize { width, height, interpolation: Interpolation::Bilinear }, cx)?;
            image = &resized;
        }
        let size = if self.tells_pixels() { [image.height(), image.width()] } else { [height, width] };
        let mut values = vec![0.0; channels * size[0] * size[1]];
        crate::nn::input::fill(image, [channels, size[0], size[1]], &mut values)?;
        let planes = values.chunks_exact_mut((size[0] * size[1]).max(1));
        for (plane, (mean, std)) in planes.zip(arch.mean.iter().zip(&arch.std)) {
            for value in plane {
                *value = (*value - mean) / std;
            }
        }
        let Some(pixels) = &self.pixels else {
            let scores = self
                .net
                .forward_until(&Tensor::from_vec(arch.input.batched(1)?, values)?, &|| cx.is_cancelled())?;
            return Ok(Prediction { classes: self.ranked(softmax(&scores)?.sample(0)), labels: None });
        };
        let labels = labels(pixels, &values, size, cx)?;
        let mut counts = vec![0usize; pixels.classes()];
        labels.as_slice().iter().for_each(|&label| counts[label as usize] += 1);
        let all = labels.as_slice().len().max(1) as f64;
        let shares: Vec<f32> = counts.iter().map(|&count| (count as f64 / all) as f32).collect();
        let labels = if pixels.classes() == 2 {
            Image::Mask(labels.map(|label| if label == 1 { 255 } else { 0 }))
        } else {
            Image::Labels(labels)
        };
        Ok(Prediction { classes: self.ranked(&shares), labels: Some(labels) })
    }

    /// What the net makes of a sentence.
    ///
    /// # Errors
    /// [`Shape`](crate::ErrorKind::Shape) when the net takes none.
    pub fn sentence(&self, sentence: &str) -> Result<Reading> {
        let Some(vocabulary) = &self.vocabulary else {
            let arch = self.net.arch();
            return Err(Error::shape(format!("net `{}` takes {}, and no sentences", arch.name, arch.input)));
        };
        let tokens = tokenize(sentence);
        let mut x = Tensor::zeros(self.net.arch().input.batched(1)?);
        vocabulary.encode(&tokens, x.data_mut());
        let classes = self.ranked(softmax(&self.net.forward(&x)?)?.sample(0));
        // A net that is built otherwise has classes all the same.
        let best = classes.first().map_or(0, |class| class.index);
        let mut ngrams = self.net.ngrams(&x, best).unwrap_or_default();
        ngrams.retain(|ngram| ngram.contribution > 0.0);
        Ok(Reading { tokens, classes, ngrams })
    }

    /// The classes, the largest share first.
    fn ranked(&self, shares: &[f32]) -> Vec<Ranked> {
        let mut order: Vec<usize> = (0..shares.len()).collect();
        order.sort_by(|a, b| shares[*b].total_cmp(&shares[*a]).then(a.cmp(b)));
        let classes = &self.net.arch().classes;
        let label = |index: usize| classes.get(index).cloned().unwrap_or_else(|| index.to_string());
        order.into_iter().map(|index| Ranked { index, label: label(index), share: shares[index] }).collect()
    }
}

/// The class with the largest score of each pixel, of equal ones the first.
fn labels(net: &PixelNet, values: &[f32], [height, width]: [usize; 2], cx: &Context) -> Result<Plane<u32>> {
    let mut labels = Plane::filled(width, height, 0u32);
    net.over([height, width], TILE)?.each(values, &|| cx.is_cancelled(), &mut |place, scores| {
        let Rect { x, y, width, height } = place;
        let area = width * height;
        for at in 0..area {
            let of = |class: usize| scores[class * area + at];
            let best =
                (1..net.classes()).fold(0, |best, class| if of(class) > of(best) { class } else { best });
            labels.row_mut(y + at / width)[x + at % width] = best as u32;
        }
    })?;
    Ok(labels)
}

//! A net that gives the boxes of a whole picture at once.

use super::cnn_detect::{ChannelOrder, Decoder};
use super::{ParameterError, PortType, net};
use crate::document::{Resource, Resources};
use crate::image::{Image, ImageType};
use crate::nn::{Heads, HeadsOver, Net, Shape, Tensor};
use crate::ops::Context;
use crate::ops::decode::{Found, Grid, Values, yunet};
use crate::{Error, Result};

/// White of a picture in the units that nets of this kind are trained on.
const WHITE: f32 = 255.0;

/// A detector with the heads that its decoder declares.
pub(super) struct SingleShot {
    decoder: Decoder,
    class: usize,
    /// Whether there are landmarks.
    has_points: bool,
    channels: usize,
    net: Origin,
}

/// What the net is made of for a size of pictures.
enum Origin {
    Net(Box<Heads>),
    /// A file whose shapes may be known for one size alone: it is read again for each.
    Onnx(Vec<u8>),
}

/// A detector ready for pictures of one size.
pub(super) struct Ready {
    heads: HeadsOver,
    /// Height and width with the padding.
    padded: [usize; 2],
}

/// The name of an output of one grid.
fn named(pattern: &str, stride: u32) -> String {
    pattern.replace("{stride}", &stride.to_string())
}

/// The outputs of a file, where it is one of ONNX.
fn onnx_outputs(bytes: &[u8]) -> Option<Result<Vec<String>>> {
    // Weights begin with the length of a header in JSON, eight bytes of which the last are 0; no ONNX file does.
    let is_weights = bytes.len() > 8 && bytes[8] == b'{';
    #[cfg(feature = "onnx")]
    let outputs = crate::nn::onnx::output_names(bytes);
    #[cfg(not(feature = "onnx"))]
    let outputs = Err(Error::unsupported("not a safetensors file, and this build reads no ONNX")
        .with_hint("build with the feature `onnx`, or convert: `lyncean nets import`"));
    (!is_weights).then_some(outputs)
}

/// The net of an ONNX file for pictures of a shape.
#[cfg(feature = "onnx")]
fn import(bytes: &[u8], input: [usize; 3], outputs: &[String]) -> Result<Net> {
    let input = Some(Shape::new(&input)?);
    crate::nn::onnx::import(
        bytes,
        &crate::nn::onnx::ImportOptions { input, outputs: outputs.to_vec(), ..Default::default() },
    )
}

#[cfg(not(feature = "onnx"))]
fn import(_bytes: &[u8], _input: [usize; 3], _outputs: &[String]) -> Result<Net> {
    Err(Error::unsupported("this build reads no ONNX"))
}

impl Decoder {
    /// The names of the outputs of all grids.
    fn names(&self, has_points: bool) -> Vec<String> {
        let patterns =
            [&self.cls, &self.obj, &self.bbox].into_iter().chain(has_points.then_some(&self.landmarks));
        let patterns: Vec<&String> = patterns.collect();
        let of = |stride: &u32| patterns.iter().map(|pattern| named(pattern, *stride)).collect::<Vec<_>>();
        self.strides.iter().flat_map(of).collect()
    }

    /// What sides of pictures are padded to multiples of.
    fn multiple(&self) -> usize {
        self.strides.iter().fold(1, |all, &stride| lcm(all, stride.max(1) as usize))
    }
}

fn lcm(a: usize, b: usize) -> usize {
    let (mut x, mut y) = (a, b);
    while y > 0 {
        (x, y) = (y, x % y);
    }
    a / x * b
}

impl SingleShot {
    /// The net of the parameter `model` with the heads of the parameter `decoder`.
    pub(super) fn load(
        resources: &Resources,
        model: &Resource,
        decoder: &Decoder,
        class: &str,
    ) -> Result<Self, ParameterError> {
        let blame = ParameterError::resource("model");
        let declared = ParameterError::resource("decoder");
        decoder.check().map_err(&declared)?;
        let bytes = resources.load(model).map_err(&blame)?.bytes;
        let first = named(&decoder.landmarks, decoder.strides[0]);
        let (net, has_points, origin) = match onnx_outputs(&bytes) {
            Some(outputs) => {
                let has_points = outputs.map_err(&blame)?.contains(&first);
                let names = decoder.names(has_points);
                let side = decoder.multiple();
                // What the file takes is found out: colours, or gray.
                let net = import(&bytes, [3, side, side], &names)
                    .or_else(|error| import(&bytes, [1, side, side], &names).map_err(|_| error));
                (net.map_err(&blame)?, has_points, Origin::Onnx(bytes.into_owned()))
            }
            None => {
                let net = Net::from_safetensors(&bytes).map_err(&blame)?;
                let has_points = net.arch().layers.iter().any(|layer| {
                    layer.name == first
                        || layer.name.strip_prefix(&first).is_some_and(|rest| rest.starts_with('.'))
                });
                let heads = Heads::new(&net, &decoder.names(has_points)).map_err(&declared)?;
                (net, has_points, Origin::Net(Box::new(heads)))
            }
        };
        let &[channels, _, _] = &*net.arch().input else {
            let message = format!("`{model}` takes {}, which is no picture", net.arch().input);
            return Err(ParameterError::new("model", message));
        };
        if ![1, 3].contains(&channels) {
            return Err(ParameterError::new(
                "model",
                format!("`{model}` takes pictures of {channels} channels"),
            ));
        }
        if ![0, 1, channels].contains(&decoder.mean.len()) {
            let got = decoder.mean.len();
            let message = format!("`mean` wants a value, or one for each of {channels} channels, got {got}");
            return Err(ParameterError::new("decoder", message));
        }
        let mut shot = Self { decoder: decoder.clone(), class: 0, has_points, channels, net: origin };
        let side = decoder.multiple();
        let ready = shot.over([side, side]).map_err(&declared)?;
        let classes = shot.grids(&ready).map_err(&declared)?;
        shot.class = class_of(decoder, class, classes).map_err(ParameterError::resource("class"))?;
        Ok(shot)
    }

    /// The detector for pictures of a height and width.
    pub(super) fn over(&self, size: [usize; 2]) -> Result<Ready> {
        let multiple = self.decoder.multiple();
        let padded = size.map(|side| side.next_multiple_of(multiple).max(multiple));
        let names = self.decoder.names(self.has_points);
        let heads = match &self.net {
            Origin::Net(heads) => heads.over(padded)?,
            Origin::Onnx(bytes) => {
                let net = import(bytes, [self.channels, padded[0], padded[1]], &names)?;
                Heads::new(&net, &names)?.over(padded)?
            }
        };
        let ready = Ready { heads, padded };
        self.grids(&ready)?;
        Ok(ready)
    }

    /// Checks that the heads are those of the decoder, and gives how many classes there are.
    fn grids(&self, ready: &Ready) -> Result<usize> {
        let names = self.decoder.names(self.has_points);
        let each = names.len() / self.decoder.strides.len();
        let mut classes = None;
        for (at, (name, &shape)) in names.iter().zip(ready.heads.shapes()).enumerate() {
            let stride = self.decoder.strides[at / each] as usize;
            let [height, width] = ready.padded;
            let (rows, columns) = (height / stride, width / stride);
            let channels = channels_of(shape, rows, columns).ok_or_else(|| {
                Error::pipeline(format!(
                    "output `{name}` gives {shape} of pictures of {width}x{height}: expected `[channels, {rows}, \
                     {columns}]` or `[{}, channels]`",
                    rows * columns
                ))
                .with_hint("`strides` and the names of the outputs have to be those of the net")
            })?;
            let fits = match at % each {
                0 => *classes.get_or_insert(channels) == channels,
                1 => channels == 1,
                2 => channels == 4,
                _ => channels.is_multiple_of(2),
            };
            if !fits {
                let wanted = [
                    "as many channels as the others",
                    "1 channel",
                    "4 channels",
                    "an even number of channels",
                ];
                return Err(Error::pipeline(format!(
                    "output `{name}` has {channels} channels, expected {}",
                    wanted[at % each]
                )));
            }
        }
        Ok(classes.unwrap_or(1))
    }

    /// The objects of a picture whose score is at least `least`, in pixels of the picture.
    pub(super) fn run(&self, ready: &Ready, image: &Image, least: f64, cx: &Context) -> Result<Vec<Found>> {
        let x = self.input(ready, image)?;
        let outputs = ready.heads.run(&x, &|| cx.is_cancelled())?;
        let each = outputs.len() / self.decoder.strides.len();
        let mut found = Vec::new();
        for (outputs, &stride) in outputs.chunks_exact(each).zip(&self.decoder.strides) {
            let [rows, columns] = ready.padded.map(|side| side / stride as usize);
            let head = |at: usize| {
                let (shape, values): &(Shape, Vec<f32>) = &outputs[at];
                let channels = channels_of(*shape, rows, columns).unwrap_or_default();
                if shape.len() == 3 {
                    Values::planes(values, channels)
                } else {
                    Values::rows(values, channels)
                }
            };
            let points = self.has_points.then(|| head(3));
            let stride = f64::from(stride);
            let grid = Grid { stride, columns, cls: head(0), obj: head(1), bbox: head(2), points };
            yunet(&grid, self.class, least, &mut found)?;
        }
        Ok(found)
    }

    /// The picture with what is padded at the right and at the bottom, as the net wants it.
    fn input(&self, ready: &Ready, image: &Image) -> Result<Tensor> {
        let [height, width] = ready.padded;
        let channels = image.ty().channels();
        if channels != self.channels && channels != 1 {
            let wanted = self.channels;
            return Err(Error::shape(format!("the net wants {wanted} channels, got {channels}")));
        }
        let values = net::standardised(image, &[], &[])?;
        let area = image.width() * image.height();
        let (scale, mean) = (self.decoder.scale, &self.decoder.mean);
        let mut x = Tensor::zeros(Shape::new(&[1, self.channels, height, width])?);
        for (channel, plane) in x.data_mut().chunks_exact_mut(height * width).enumerate() {
            let mean = mean.get(channel).or(mean.first()).copied().unwrap_or(0.0);
            let of = |value: f32| (value * WHITE - mean) * scale;
            let is_turned = self.decoder.channels == ChannelOrder::Bgr;
            let from = if is_turned { self.channels - 1 - channel } else { channel }.min(channels - 1);
            plane.fill(of(0.0));
            let rows = values[from * area..][..area].chunks_exact(image.width().max(1));
            for (to, row) in plane.chunks_exact_mut(width).zip(rows) {
                to.iter_mut().zip(row).for_each(|(to, value)| *to = of(*value));
            }
        }
        Ok(x)
    }

    /// A picture must have the channels of the net, or be gray.
    pub(super) fn expect_channels(&self, input: PortType) -> Result<(), String> {
        let channels = input.image().map_or(0, ImageType::channels);
        if [1, self.channels].contains(&channels) {
            return Ok(());
        }
        let wanted = self.channels;
        Err(format!("the net wants {wanted} channels, got `{input}` with {channels}"))
    }

    /// What the landmarks are called.
    pub(super) fn point_name(&self, at: usize) -> String {
        self.decoder.points.get(at).cloned().unwrap_or_else(|| format!("point-{}", at + 1))
    }
}

/// How many numbers a head has for each cell of a grid.
fn channels_of(shape: Shape, rows: usize, columns: usize) -> Option<usize> {
    match *shape {
        [channels, height, width] if [height, width] == [rows, columns] => Some(channels),
        [cells, channels] if cells == rows * columns => Some(channels),
        [cells] if cells == rows * columns => Some(1),
        _ => None,
    }
}

/// The channel of a class: by its name, or by its number where classes have no names; the only one bears any name.
fn class_of(decoder: &Decoder, class: &str, count: usize) -> Result<usize> {
    let names = &decoder.classes;
    if !names.is_empty() && names.len() != count {
        let got = names.len();
        return Err(Error::pipeline(format!(
            "the net has {count} classes, `classes` of the decoder names {got}"
        )));
    }
    let named = names.iter().position(|name| name == class);
    let numbered = || class.parse().ok().filter(|index| names.is_empty() && *index < count);
    let only = || (names.is_empty() && count == 1).then_some(0);
    named.or_else(numbered).or_else(only).ok_or_else(|| {
        let hint =
            if names.is_empty() { format!("classes are 0 to {}", count - 1) } else { names.join(", ") };
        Error::pipeline(format!("the decoder has no class `{class}`")).with_hint(hint)
    })
}

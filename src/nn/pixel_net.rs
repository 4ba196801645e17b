//! Nets that say what lies in each pixel, over pictures of any size.

use super::arch::{Arch, Source};
use super::layer::Reach;
use super::sliding::filled;
use super::summary::seen;
use super::{Inference, Net, Param, Shape, Tensor};
use crate::image::{BorderMode, Rect};
use crate::{Error, Result};

/// Kinds that arrange values by their place in pictures of one size.
const PLACED: [&str; 6] = ["reshape", "transpose", "flatten", "slice", "gather", "constant"];

/// A net that gives scores of classes for every pixel, such as a U-Net (Ronneberger, Fischer and Brox, 2015), over pictures
/// of any size: they are mirrored at the right and at the bottom up to a multiple of what its strides need, and large
/// ones are cut into tiles that overlap by what a pixel sees, so that memory is bounded and the scores are those of
/// the whole picture up to rounding.
///
/// ```
/// use lyncean::nn::{Net, PixelNet, Tiles, arch};
///
/// let net = Net::build(arch::parse(&arch::builtin("unet-small").unwrap())?, 1)?;
/// let pixels = PixelNet::new(&net)?;
/// assert_eq!((pixels.classes(), pixels.multiple()), (2, [8, 8]));
/// let picture: Vec<f32> = (0..50 * 30).map(|i| (i % 7) as f32 / 7.0).collect();
/// let mut known = 0;
/// let tiles: Tiles = pixels.over([30, 50], 512)?;
/// tiles.each(&picture, &|| false, &mut |place, scores| {
///     known += place.width * place.height;
///     assert_eq!(scores.len(), 2 * place.width * place.height);
/// })?;
/// assert_eq!(known, 1500);
/// # Ok::<(), lyncean::Error>(())
/// ```
#[derive(Debug)]
pub struct PixelNet {
    arch: Arch,
    params: Vec<Param>,
    /// Height and width are multiples of these, and how far a pixel sees to each side; none where the net takes
    /// pictures of its own size alone.
    free: Option<[[usize; 2]; 2]>,
}

impl PixelNet {
    /// Takes a net as one of pixels.
    ///
    /// # Errors
    /// [`Pipeline`](crate::ErrorKind::Pipeline) when it does not give a score for each class and pixel of its input.
    pub fn new(net: &Net) -> Result<Self> {
        let arch = net.arch().with_classes(&net.arch().classes)?;
        let (input, output) = (arch.input, arch.output());
        if input.len() != 3 || output.len() != 3 || input[1..] != output[1..] || output[0] < 2 {
            let name = &arch.name;
            return Err(Error::pipeline(format!(
                "net `{name}` takes {input} and gives {output}: no picture to the scores of classes for each pixel"
            )));
        }
        let params = net.params().chain(net.buffers()).cloned().collect();
        Ok(Self { free: free(&arch), arch, params })
    }

    /// The architecture, with the size of pictures it was trained on.
    pub fn arch(&self) -> &Arch {
        &self.arch
    }

    /// How many classes there are.
    pub fn classes(&self) -> usize {
        self.arch.output()[0]
    }

    /// What height and width are padded to multiples of; the net's own size where it takes no other.
    pub fn multiple(&self) -> [usize; 2] {
        self.free.map_or([self.arch.input[1], self.arch.input[2]], |[multiple, _]| multiple)
    }

    /// By how much tiles overlap on each side, vertically and horizontally: at least as far as a pixel sees.
    pub fn margin(&self) -> [usize; 2] {
        self.free.map_or([0; 2], |[_, margin]| margin)
    }

    /// The net for pictures of a height and width, in tiles of at most `tile` by `tile` pixels and their margins.
    ///
    /// # Errors
    /// [`Shape`](crate::ErrorKind::Shape) when it takes only pictures of its own size, and this is another.
    pub fn over(&self, size: [usize; 2], tile: usize) -> Result<Tiles> {
        let own = [self.arch.input[1], self.arch.input[2]];
        if self.free.is_none() && size != own {
            let ([height, width], [wide, high]) = (own, [size[1], size[0]]);
            return Err(Error::shape(format!("the net wants images of {width}x{height}, got {wide}x{high}"))
                .with_hint(format!(
                    "put `use = \"resize\"` with `width = {width}`, `height = {height}` above it"
                )));
        }
        let ways = [0, 1].map(|axis| Way::new(size[axis], tile, self.multiple()[axis], self.margin()[axis]));
        let window = [ways[0].window, ways[1].window];
        let inference = if size[0] * size[1] == 0 {
            None
        } else {
            let arch = self.arch.with_input(&[self.arch.input[0], window[0], window[1]])?;
            if arch.output()[1..] != window {
                let (name, output) = (&self.arch.name, arch.output());
                let [height, width] = window;
                return Err(Error::shape(format!(
                    "net `{name}` gives {output} of pictures of {width}x{height}"
                )));
            }
            Some(Inference::new(filled(arch, &self.params)?)?)
        };
        Ok(Tiles { inference, channels: self.arch.input[0], classes: self.classes(), size, ways })
    }
}

/// Multiples and margins of a net whose every layer looks at windows; none where one does not.
fn free(arch: &Arch) -> Option<[[usize; 2]; 2]> {
    let mut multiple = [1usize; 2];
    let needed = arch.needed();
    let fields = seen(arch);
    let layers = || arch.layers.iter().zip(&fields).zip(&needed).filter(|(_, needed)| **needed);
    for ((layer, [_, step]), _) in layers() {
        if layer.spec.reach() == Reach::All || PLACED.contains(&layer.kind.name) {
            return None;
        }
        for axis in [0, 1] {
            let step = (step[axis].round() as usize).max(1);
            multiple[axis] *= step / gcd(multiple[axis], step);
        }
    }
    let field = match layers().next_back() {
        Some(((_, [field, _]), _)) => *field,
        None => [1.0; 2],
    };
    // One multiple more, since windows of an even number of pixels are not centred.
    let margin = [0, 1].map(|axis| {
        let half = (field[axis] / 2.0).ceil() as usize;
        (half.div_ceil(multiple[axis]) + 1) * multiple[axis]
    });
    // A net that is not shared out evenly over its input is used as it is.
    let is_fed = arch.layers.iter().any(|layer| layer.inputs.contains(&Source::Input));
    is_fed.then_some([multiple, margin])
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Tiles along an axis.
#[derive(Clone, Copy, Debug)]
struct Way {
    len: usize,
    /// Length with what is mirrored.
    padded: usize,
    /// What the net sees at once.
    window: usize,
    /// What of it is new.
    tile: usize,
    margin: usize,
}

impl Way {
    fn new(len: usize, tile: usize, multiple: usize, margin: usize) -> Self {
        let up = |len: usize| len.div_ceil(multiple).max(1) * multiple;
        let (padded, tile) = (up(len), up(tile));
        let window = tile + 2 * margin;
        if padded <= window {
            return Self { len, padded, window: padded, tile: padded, margin };
        }
        Self { len, padded, window, tile, margin }
    }

    /// The start of each window, with the start and end of what is new in it.
    fn windows(self) -> impl Iterator<Item = [usize; 3]> {
        (0..self.len).step_by(self.tile).map(move |start| {
            let from = start.saturating_sub(self.margin).min(self.padded - self.window);
            [from, start, (start + self.tile).min(self.len)]
        })
    }
}

/// A net of pixels ready for pictures of one size: see [`PixelNet::over`].
#[derive(Debug)]
pub struct Tiles {
    inference: Option<Inference>,
    channels: usize,
    classes: usize,
    size: [usize; 2],
    ways: [Way; 2],
}

impl Tiles {
    /// Height and width of what the net sees at once.
    pub fn window(&self) -> [usize; 2] {
        self.ways.map(|way| way.window)
    }

    /// Calls `give` for each tile with its place and its scores: of each class a plane of the place's size. `cancelled` is
    /// asked between steps.
    ///
    /// # Shapes
    /// `picture` is `channels x height x width`, standardised as the net was trained.
    ///
    /// # Errors
    /// [`Shape`](crate::ErrorKind::Shape) when the picture is of another size, and
    /// [`Cancelled`](crate::ErrorKind::Cancelled).
    pub fn each(
        &self,
        picture: &[f32],
        cancelled: &dyn Fn() -> bool,
        give: &mut dyn FnMut(Rect, &[f32]),
    ) -> Result<()> {
        let [height, width] = self.size;
        if picture.len() != self.channels * height * width {
            let wanted = self.channels * height * width;
            return Err(Error::shape(format!(
                "expected a picture of {wanted} values, got {}",
                picture.len()
            )));
        }
        let Some(inference) = &self.inference else { return Ok(()) };
        let [down, across] = self.window();
        let mut x = Tensor::zeros(Shape::new(&[1, self.channels, down, across])?);
        let mut scores = Vec::new();
        let inside = |place: usize, len: usize| BorderMode::Reflect101.map(place as isize, len).unwrap_or(0);
        for [top, first, last] in self.ways[0].windows() {
            for [left, start, end] in self.ways[1].windows() {
                let planes = x.data_mut().chunks_exact_mut(down * across);
                for (window, plane) in planes.zip(picture.chunks_exact(height * width)) {
                    for (v, row) in window.chunks_exact_mut(across).enumerate() {
                        let from = &plane[inside(top + v, height) * width..][..width];
                        let direct = across.min(width - left);
                        row[..direct].copy_from_slice(&from[left..left + direct]);
                        for (u, value) in row.iter_mut().enumerate().skip(direct) {
                            *value = from[inside(left + u, width)];
                        }
                    }
                }
                let y = inference.forward_until(&x, cancelled)?;
                scores.clear();
                for class in 0..self.classes {
                    for v in first - top..last - top {
                        let row = (class * down + v) * across;
                        scores.extend_from_slice(&y.data()[row + start - left..row + end - left]);
                    }
                }
                give(Rect { x: start, y: first, width: end - start, height: last - first }, &scores);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_cover_an_axis_once_with_their_margins() {
        for (len, tile, multiple, margin) in
            [(1000, 64, 8, 24), (97, 16, 4, 8), (5, 64, 8, 24), (64, 1, 1, 3)]
        {
            let way = Way::new(len, tile, multiple, margin);
            let mut next = 0;
            for [from, start, end] in way.windows() {
                assert_eq!((start, from % multiple), (next, 0));
                assert!(from == 0 || from + margin <= start);
                let seen = from + way.window;
                assert!(seen == way.padded || end + margin <= seen, "{len}: {from} {start} {end}");
                next = end;
            }
            assert_eq!(next, len);
        }
        assert_eq!(Way::new(0, 64, 8, 24).windows().count(), 0);
    }
}

//! A net that tells windows apart, slid over smaller and smaller copies of a picture.

use super::net;
use crate::image::Image;
use crate::nn::arch::Arch;
use crate::nn::{Net, Shape, Sliding, Tensor};
use crate::ops::Context;
use crate::ops::resize::{Interpolation, Resize, resize};
use crate::{Error, Result};

/// A classifier of windows that slides.
pub(crate) struct Scan {
    arch: Arch,
    sliding: Sliding,
}

/// Which sizes of windows are looked at.
pub(crate) struct Range {
    /// Width and height of objects at least and at most, in pixels.
    pub(crate) at_least: [f64; 2],
    pub(crate) at_most: [f64; 2],
    /// Ratio of one scale to the one before, above 1.
    pub(crate) ratio: f64,
}

impl Scan {
    pub(crate) fn new(net: Net) -> Result<Self> {
        let sliding = Sliding::new(&net)?;
        Ok(Self { arch: net.into_layers().0, sliding })
    }

    pub(crate) fn arch(&self) -> &Arch {
        &self.arch
    }

    /// Tells `found` of each window `[x, y, width, height]` and the probabilities of the classes, small windows
    /// first. The picture must have the channels of the net.
    pub(crate) fn run(
        &self,
        image: &Image,
        range: &Range,
        cx: &Context,
        found: &mut dyn FnMut([f64; 4], &[f64]),
    ) -> Result<()> {
        let channels = image.ty().channels();
        if channels != self.arch.input[0] {
            let wanted = self.arch.input[0];
            return Err(Error::shape(format!("the net wants {wanted} channels, got {channels}")));
        }
        let [window_height, window_width] = self.sliding.window().map(|side| side as f64);
        let mut scale = (range.at_least[0] / window_width).max(range.at_least[1] / window_height).max(1.0);
        loop {
            cx.check()?;
            let size = [image.height(), image.width()].map(|side| (side as f64 / scale).round() as usize);
            let too_large =
                window_width * scale > range.at_most[0] || window_height * scale > range.at_most[1];
            if too_large || (size[0] as f64) < window_height || (size[1] as f64) < window_width {
                return Ok(());
            }
            self.windows(image, size, cx, found)?;
            scale *= range.ratio;
        }
    }

    /// The windows of one scale.
    fn windows(
        &self,
        image: &Image,
        size: [usize; 2],
        cx: &Context,
        found: &mut dyn FnMut([f64; 4], &[f64]),
    ) -> Result<()> {
        let Self { arch, sliding } = self;
        let [height, width] = size;
        let shrinks = width < image.width();
        let interpolation = if shrinks { Interpolation::Area } else { Interpolation::Bilinear };
        let small = resize(image, &Resize { width, height, interpolation }, cx)?;
        let x = net::standardised(&small, &arch.mean, &arch.std)?;
        let shape = Shape::new(&[1, arch.input[0], height, width])?;
        let (inference, [rows, columns]) = sliding.over(size)?;
        let scores = inference.forward_until(&Tensor::from_vec(shape, x)?, &|| cx.is_cancelled())?;
        let classes = scores.shape()[1];
        let (wide, high) = (image.width() as f64 / width as f64, image.height() as f64 / height as f64);
        let mut of_window = vec![0.0; classes];
        for at in 0..rows * columns {
            for (score, plane) in of_window.iter_mut().zip(scores.data().chunks_exact(rows * columns)) {
                *score = plane[at];
            }
            let [down, across] = sliding.step();
            let (y, x) = ((at / columns * down) as f64, (at % columns * across) as f64);
            let [h, w] = sliding.window().map(|side| side as f64);
            found([x * wide, y * high, w * wide, h * high], &net::softmax(&of_window));
        }
        Ok(())
    }
}

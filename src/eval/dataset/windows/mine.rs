//! Hard negatives: background that a net takes for an object (Sung and Poggio, 1998).

use super::background::is_background;
use super::{CutWindow, WindowOptions, Windows};
use crate::eval::dataset::Boxes;
use crate::nn::Net;
use crate::ops::Context;
use crate::ops::nms::nms;
use crate::stage::scan::{Range, Scan};
use crate::{Error, Result};

/// How background is looked for that a net takes for an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Mining {
    /// Windows of a picture at most: those with the highest probability.
    pub count: usize,
    /// Probability of an object, whatever its label, that a window has at least.
    pub min_probability: f64,
    /// Ratio of one scale to the one before, above 1.
    pub scale_factor: f64,
    /// Overlap of two of the windows at most, intersection over union.
    pub max_overlap: f64,
}

impl Default for Mining {
    fn default() -> Self {
        Self { count: 10, min_probability: 0.5, scale_factor: 1.2, max_overlap: 0.5 }
    }
}

impl Windows {
    /// Slides a trained net over the pictures, as `cnn-detect` does, and adds the windows of background that it takes
    /// for objects: how many there are. The net has the classes and the input of these windows.
    ///
    /// # Errors
    /// [`Pipeline`](crate::ErrorKind::Pipeline) for parameters out of range and nets that cannot slide,
    /// [`Shape`](crate::ErrorKind::Shape) for a net of another input or other classes,
    /// [`Limit`](crate::ErrorKind::Limit) for more bytes than allowed, [`Cancelled`](crate::ErrorKind::Cancelled), and
    /// pictures that cannot be read.
    pub fn mine(
        &mut self,
        boxes: &Boxes,
        net: Net,
        mining: &Mining,
        options: &WindowOptions,
        cx: &Context,
    ) -> Result<usize> {
        options.check()?;
        let Mining { scale_factor, min_probability, .. } = *mining;
        if !(1.01..=16.0).contains(&scale_factor) || !(0.0..=1.0).contains(&min_probability) {
            return Err(Error::pipeline(format!(
                "expected a scale factor from 1.01 to 16 and a probability from 0 to 1, got {scale_factor} and \
                 {min_probability}"
            )));
        }
        let (arch, shape) = (net.arch(), self.shape);
        if *arch.input != shape || arch.classes != self.classes {
            let (name, input, got) = (&arch.name, arch.input, arch.classes.join("`, `"));
            let wanted = self.classes.join("`, `");
            return Err(Error::shape(format!(
                "expected a net for {shape:?} with the classes `{wanted}`, `{name}` is for {input} with `{got}`"
            ))
            .with_hint("mine with a net that was trained on these labels"));
        }
        let told: [(&str, serde_json::Value); 3] = [
            ("hard-negatives", blake3::hash(&net.to_safetensors()?).to_hex().to_string().into()),
            ("hard-negatives-count", mining.count.into()),
            ("hard-negatives-threshold", min_probability.into()),
        ];
        self.recipe.extend(told.map(|(name, value)| (name.to_owned(), value)));
        let scan = Scan::new(net)?;
        let range = Range { at_least: [0.0; 2], at_most: [f64::INFINITY; 2], ratio: scale_factor };
        let before = self.list.len();
        let overlap = options.negative_overlap;
        self.add(boxes, options, cx, |number, image| {
            let (mut windows, mut scores) = (Vec::new(), Vec::new());
            scan.run(image, &range, cx, &mut |window, probabilities| {
                let score = probabilities.iter().skip(1).sum::<f64>();
                if score >= min_probability && is_background(window, &boxes.pictures()[number].boxes, overlap)
                {
                    windows.push(window);
                    scores.push(score);
                }
            })?;
            let kept = nms(&windows, &scores, mining.max_overlap, mining.count);
            let window = |at: usize| CutWindow { picture: number, label: 0, bounds: windows[at] };
            Ok((kept.into_iter().map(window).collect(), 0))
        })?;
        Ok(self.list.len() - before)
    }
}

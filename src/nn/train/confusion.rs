//! What a net took each class for: a table, and `confusion.svg`.

use std::fmt::Write as _;

use super::measure::each_masked;
use super::{Fit, Part, batch};
use crate::nn::Net;
use crate::nn::loss::{count_pixels, first_largest};
use crate::{Error, Result};

/// Counts of examples by their class and by the class that a net gave them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfusionMatrix {
    classes: Vec<String>,
    /// Row after row: the true class, then the given one.
    counts: Vec<u64>,
    /// Whether pixels are counted.
    is_of_pixels: bool,
}

/// Side of a cell, and room for the names on the left and above, in pixels.
const CELL: f64 = 32.0;
const MARGIN: f64 = 96.0;
/// Up to so many classes the cells have their counts written in them.
const MOST_WRITTEN: usize = 40;

impl ConfusionMatrix {
    /// What a net makes of some examples, in inference.
    ///
    /// # Errors
    /// Examples that do not fit the net or cannot be read.
    pub fn of(net: &Net, part: &Part<'_>) -> Result<Self> {
        const BATCH: usize = 250;
        let classes = part.examples.classes().to_vec();
        let output = net.arch().output();
        if *output != [classes.len()] {
            let (name, wanted) = (&net.arch().name, classes.len());
            return Err(Error::shape(format!("net `{name}` gives {output}, expected {wanted} classes")));
        }
        let mut counts = vec![0; classes.len() * classes.len()];
        for indices in part.indices.chunks(BATCH) {
            let (x, labels) = batch(net.arch(), part.examples, indices, None)?;
            let y = net.forward(&x)?;
            for (n, label) in labels.into_iter().enumerate() {
                counts[label * classes.len() + first_largest(y.sample(n))] += 1;
            }
        }
        Ok(Self::of_counts(classes, counts, false))
    }

    /// What a net makes of the pixels of pictures with masks, in inference; ignored pixels do not count.
    ///
    /// # Errors
    /// As [`of`](Self::of).
    pub fn of_pixels(net: &Net, part: &Part<'_>, fit: Fit) -> Result<Self> {
        let classes = part.examples.classes().to_vec();
        let (input, output) = (net.arch().input, net.arch().output());
        if input.len() != 3 || *output != [classes.len(), input[1], input[2]] {
            let (name, wanted) = (&net.arch().name, classes.len());
            return Err(Error::shape(format!(
                "net `{name}` takes {input} and gives {output}, expected scores of {wanted} classes for each pixel"
            )));
        }
        let mut counts = vec![0; classes.len() * classes.len()];
        each_masked(net.arch(), part, fit, |_, x, labels| {
            count_pixels(&net.forward(x)?, labels, &mut counts)
        })?;
        Ok(Self::of_counts(classes, counts, true))
    }

    pub(super) fn of_counts(classes: Vec<String>, counts: Vec<u64>, is_of_pixels: bool) -> Self {
        Self { classes, counts, is_of_pixels }
    }

    /// How many were given their class.
    pub fn correct(&self) -> u64 {
        (0..self.classes.len()).map(|class| self.row(class)[class]).sum()
    }

    /// How many there are.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The share that was given its class; none where there are none.
    pub fn accuracy(&self) -> Option<f64> {
        (self.total() > 0).then(|| self.correct() as f64 / self.total() as f64)
    }

    /// Intersection over union of a class (Everingham et al., 2010): what is of the class and was given it, as a share
    /// of what is of the class or was given it; none where there is neither.
    ///
    /// # Panics
    /// When there is no such class.
    pub fn iou(&self, class: usize) -> Option<f64> {
        let own: u64 = self.row(class).iter().sum();
        let given: u64 = (0..self.classes.len()).map(|row| self.row(row)[class]).sum();
        let both = self.row(class)[class];
        (own + given > 0).then(|| both as f64 / (own + given - both) as f64)
    }

    /// Dice's coefficient of a class (Dice, 1945): twice what is of the class and was given it, as a share of what is of
    /// the class and what was given it together; none where there is neither.
    ///
    /// # Panics
    /// When there is no such class.
    pub fn dice(&self, class: usize) -> Option<f64> {
        let own: u64 = self.row(class).iter().sum();
        let given: u64 = (0..self.classes.len()).map(|row| self.row(row)[class]).sum();
        (own + given > 0).then(|| 2.0 * self.row(class)[class] as f64 / (own + given) as f64)
    }

    /// The mean of [`dice`](Self::dice) over the classes that have one; none where none has.
    pub fn mean_dice(&self) -> Option<f64> {
        let known: Vec<f64> = (0..self.classes.len()).filter_map(|class| self.dice(class)).collect();
        (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
    }

    /// The mean of [`iou`](Self::iou) over the classes that have one; none where none has.
    pub fn mean_iou(&self) -> Option<f64> {
        let known: Vec<f64> = (0..self.classes.len()).filter_map(|class| self.iou(class)).collect();
        (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
    }

    /// How many examples of a class were taken for each.
    ///
    /// # Panics
    /// When there is no such class.
    pub fn row(&self, class: usize) -> &[u64] {
        &self.counts[class * self.classes.len()..][..self.classes.len()]
    }

    /// The share of a class that was recognised; none where it has no examples.
    ///
    /// # Panics
    /// When there is no such class.
    pub fn recall(&self, class: usize) -> Option<f64> {
        let total: u64 = self.row(class).iter().sum();
        (total > 0).then(|| self.row(class)[class] as f64 / total as f64)
    }

    /// The table as CSV: a row for each true class, a column for each given one, the recall, and of pixels the
    /// intersection over union.
    pub fn to_csv(&self) -> String {
        let mut text = String::from("class");
        for name in &self.classes {
            let _ = write!(text, ",{}", field(name));
        }
        text.push_str(if self.is_of_pixels { ",recall,iou\n" } else { ",recall\n" });
        for (class, name) in self.classes.iter().enumerate() {
            text += &field(name);
            for count in self.row(class) {
                let _ = write!(text, ",{count}");
            }
            let shares = [Some(self.recall(class)), self.is_of_pixels.then(|| self.iou(class))];
            for share in shares.into_iter().flatten() {
                text.push(',');
                text += &share.map_or_else(String::new, |share| format!("{share:.6}"));
            }
            text.push('\n');
        }
        text
    }

    /// The table as a drawing: the darker a cell, the larger its share of the row.
    pub fn to_svg(&self) -> String {
        let side = CELL * self.classes.len() as f64;
        let (width, height) = (MARGIN + side + 56.0, MARGIN + side + 16.0);
        let mut text = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"11\">\n\
             <rect width=\"{width}\" height=\"{height}\" fill=\"white\"/>\n\
             <text x=\"8\" y=\"18\" font-size=\"13\">true class, given class</text>\n\
             <text x=\"{:.0}\" y=\"{:.0}\">recall</text>\n",
            MARGIN + side + 8.0,
            MARGIN - 6.0
        );
        for (class, name) in self.classes.iter().enumerate() {
            let (at, name) = (MARGIN + CELL * class as f64, escaped(name));
            let middle = at + CELL / 2.0 + 4.0;
            let _ = writeln!(
                text,
                "<text x=\"{0:.0}\" y=\"{middle:.0}\" text-anchor=\"end\">{name}</text>\
                 <text transform=\"translate({middle:.0} {0:.0}) rotate(-60)\">{name}</text>",
                MARGIN - 6.0
            );
            let total: u64 = self.row(class).iter().sum();
            for (given, count) in self.row(class).iter().enumerate() {
                let share = *count as f64 / total.max(1) as f64;
                let x = MARGIN + CELL * given as f64;
                let _ = writeln!(
                    text,
                    "<rect x=\"{x:.0}\" y=\"{at:.0}\" width=\"{CELL}\" height=\"{CELL}\" fill=\"#0072b2\" \
                     fill-opacity=\"{share:.3}\" stroke=\"#ddd\"/>"
                );
                if *count > 0 && !self.is_of_pixels && self.classes.len() <= MOST_WRITTEN {
                    let colour = if share > 0.5 { "white" } else { "#444" };
                    let _ = writeln!(
                        text,
                        "<text x=\"{:.0}\" y=\"{middle:.0}\" text-anchor=\"middle\" fill=\"{colour}\">{count}</text>",
                        x + CELL / 2.0
                    );
                }
            }
            if let Some(recall) = self.recall(class) {
                let _ = writeln!(
                    text,
                    "<text x=\"{:.0}\" y=\"{middle:.0}\">{:.1}%</text>",
                    MARGIN + side + 8.0,
                    100.0 * recall
                );
            }
        }
        text + "</svg>\n"
    }
}

/// A field of CSV, in quotes where it needs them.
fn field(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        return format!("\"{}\"", text.replace('"', "\"\""));
    }
    text.to_owned()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_true_classes_and_names_are_escaped() {
        let classes = vec!["a,b".to_owned(), "<c>".to_owned(), "none".to_owned()];
        let matrix = ConfusionMatrix::of_counts(classes, vec![3, 1, 0, 0, 2, 2, 0, 0, 0], false);
        assert_eq!(
            matrix.to_csv(),
            "class,\"a,b\",<c>,none,recall\n\"a,b\",3,1,0,0.750000\n<c>,0,2,2,0.500000\nnone,0,0,0,\n"
        );
        assert_eq!((matrix.row(1), matrix.recall(0), matrix.recall(2)), (&[0, 2, 2][..], Some(0.75), None));
        let svg = matrix.to_svg();
        let document = roxmltree::Document::parse(&svg).unwrap();
        let cells: Vec<&str> =
            document.descendants().filter_map(|node| node.attribute("fill-opacity")).collect();
        assert_eq!(cells, ["0.750", "0.250", "0.000", "0.000", "0.500", "0.500", "0.000", "0.000", "0.000"]);
    }

    #[test]
    fn pixels_have_intersections_over_unions() {
        let classes = ["ground", "coin", "none"].map(str::to_owned).to_vec();
        let matrix = ConfusionMatrix::of_counts(classes, vec![6, 2, 0, 1, 3, 0, 0, 0, 0], true);
        let wanted = "class,ground,coin,none,recall,iou\nground,6,2,0,0.750000,0.666667\ncoin,1,3,0,0.750000,0.500000\n\
            none,0,0,0,,\n";
        assert_eq!(matrix.to_csv(), wanted);
        assert_eq!((matrix.correct(), matrix.total(), matrix.accuracy()), (9, 12, Some(0.75)));
        assert_eq!((matrix.iou(1), matrix.iou(2)), (Some(0.5), None));
        // The class that nobody has or was given takes no part.
        assert!((matrix.mean_iou().unwrap() - 7.0 / 12.0).abs() < 1e-12);
    }
}

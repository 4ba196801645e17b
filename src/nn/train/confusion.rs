//! What a net took each class for: a table, and `confusion.svg`.

use std::fmt::Write as _;

use super::{Part, batch};
use crate::nn::Net;
use crate::nn::loss::first_largest;
use crate::{Error, Result};

/// Counts of examples by their class and by the class that a net gave them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfusionMatrix {
    classes: Vec<String>,
    /// Row after row: the true class, then the given one.
    counts: Vec<u64>,
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
        Ok(Self { classes, counts })
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

    /// The table as CSV: a row for each true class, a column for each given one, and the recall.
    pub fn to_csv(&self) -> String {
        let mut text = String::from("class");
        for name in &self.classes {
            let _ = write!(text, ",{}", field(name));
        }
        text.push_str(",recall\n");
        for (class, name) in self.classes.iter().enumerate() {
            text += &field(name);
            for count in self.row(class) {
                let _ = write!(text, ",{count}");
            }
            match self.recall(class) {
                Some(recall) => drop(writeln!(text, ",{recall:.6}")),
                None => text.push_str(",\n"),
            }
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
                if *count > 0 && self.classes.len() <= MOST_WRITTEN {
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
        let matrix = ConfusionMatrix { classes, counts: vec![3, 1, 0, 0, 2, 2, 0, 0, 0] };
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
}

//! `curves.svg`: losses, accuracies, intersections over unions and Dice's coefficients over the epochs, a panel each.

use std::fmt::Write as _;

use super::EpochReport;

/// Width and height of a panel with its margins, in pixels.
const PANEL: [f64; 2] = [400.0, 280.0];
/// Margins of the plot in its panel: left, top, right, bottom.
const MARGIN: [f64; 4] = [56.0, 36.0, 16.0, 40.0];
/// Colours that the colour-blind tell apart (Okabe and Ito, 2008); the second line is dashed as well.
const SERIES: [(&str, &str, &str); 2] =
    [("training", "#0072b2", ""), ("validation", "#d55e00", " stroke-dasharray=\"6 3\"")];
/// How many steps between ticks are wanted on an axis.
const TICKS: f64 = 5.0;

/// Numbers over epochs; training, then validation.
struct Panel<'a> {
    title: &'a str,
    series: [Vec<Option<f64>>; 2],
}

/// The drawing: the loss, beside it the accuracy where there is one, and a line at the best epoch (from
/// 1). It is a function of the epochs and holds no time.
pub(super) fn svg(epochs: &[EpochReport], best_epoch: usize) -> String {
    let of = |number: fn(&EpochReport) -> Option<f64>| -> Vec<Option<f64>> {
        // A line stops where a number is not finite.
        epochs.iter().map(|report| number(report).filter(|number| number.is_finite())).collect()
    };
    let panels = [
        Panel { title: "loss", series: [of(|r| Some(r.train_loss)), of(|r| r.validation_loss)] },
        Panel { title: "accuracy", series: [of(|r| r.train_accuracy), of(|r| r.validation_accuracy)] },
        Panel { title: "mean IoU", series: [vec![None; epochs.len()], of(|r| r.validation_iou)] },
        Panel { title: "mean Dice", series: [vec![None; epochs.len()], of(|r| r.validation_dice)] },
    ];
    let panels: Vec<&Panel<'_>> =
        panels.iter().filter(|panel| panel.series.iter().flatten().any(Option::is_some)).collect();
    let (width, height) = (PANEL[0] * panels.len().max(1) as f64, PANEL[1]);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"11\">\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"white\"/>\n"
    );
    for (at, panel) in panels.into_iter().enumerate() {
        let _ = writeln!(text, "<g transform=\"translate({} 0)\">", PANEL[0] * at as f64);
        panel.draw(&mut text, epochs.len(), best_epoch);
        text.push_str("</g>\n");
    }
    text + "</svg>\n"
}

impl Panel<'_> {
    fn draw(&self, text: &mut String, epochs: usize, best_epoch: usize) {
        let [left, top, right, bottom] = [MARGIN[0], MARGIN[1], PANEL[0] - MARGIN[2], PANEL[1] - MARGIN[3]];
        let numbers = || self.series.iter().flatten().flatten().copied();
        let y = Axis::around(numbers().fold(f64::MAX, f64::min), numbers().fold(f64::MIN, f64::max));
        // Epochs are whole: no tick between two of them.
        let (step, power) = nice((epochs as f64 / TICKS).max(1.0));
        let x = Axis { low: 1.0, high: epochs.max(2) as f64, step, power };
        let to_x = |epoch: f64| left + (right - left) * x.share(epoch);
        let to_y = |number: f64| bottom - (bottom - top) * y.share(number);

        let _ = writeln!(text, "<text x=\"{left}\" y=\"18\" font-size=\"13\">{}</text>", self.title);
        for tick in y.ticks() {
            let at = to_y(tick);
            let _ = writeln!(
                text,
                "<path d=\"M{left} {at:.2}H{right}\" stroke=\"#ddd\"/><text x=\"{:.2}\" y=\"{:.2}\" \
                 text-anchor=\"end\">{}</text>",
                left - 6.0,
                at + 4.0,
                y.label(tick)
            );
        }
        for tick in x.ticks() {
            let at = to_x(tick);
            let _ = writeln!(
                text,
                "<path d=\"M{at:.2} {bottom}v4\" stroke=\"#444\"/><text x=\"{at:.2}\" y=\"{:.2}\" \
                 text-anchor=\"middle\">{}</text>",
                bottom + 16.0,
                x.label(tick)
            );
        }
        let _ = writeln!(
            text,
            "<path d=\"M{left} {top}V{bottom}H{right}\" fill=\"none\" stroke=\"#444\"/>\
             <text x=\"{:.2}\" y=\"{:.2}\" text-anchor=\"middle\">epoch</text>",
            f64::midpoint(left, right),
            bottom + 32.0
        );
        let _ = writeln!(
            text,
            "<path d=\"M{0:.2} {top}V{bottom}\" stroke=\"#888\" stroke-dasharray=\"1 3\"><title>best epoch: \
             {best_epoch}</title></path>",
            to_x(best_epoch as f64)
        );
        let mut legend = right;
        for ((name, colour, dashes), series) in SERIES.into_iter().zip(&self.series).rev() {
            if series.iter().all(Option::is_none) {
                continue;
            }
            let _ = writeln!(
                text,
                "<text x=\"{legend}\" y=\"18\" text-anchor=\"end\" fill=\"{colour}\">{name}</text>"
            );
            legend -= 72.0;
            for line in lines(series) {
                let points: Vec<String> = line
                    .iter()
                    .map(|(epoch, number)| format!("{:.2},{:.2}", to_x(*epoch), to_y(*number)))
                    .collect();
                let points = points.join(" ");
                let _ = match points.split_once(',') {
                    Some((x, y)) if line.len() == 1 => {
                        writeln!(text, "<circle cx=\"{x}\" cy=\"{y}\" r=\"2.5\" fill=\"{colour}\"/>")
                    }
                    _ => writeln!(
                        text,
                        "<polyline points=\"{points}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\"{dashes}/>"
                    ),
                };
            }
        }
    }
}

/// The unbroken pieces of a line: epochs from 1, and numbers.
fn lines(series: &[Option<f64>]) -> Vec<Vec<(f64, f64)>> {
    let numbered: Vec<(f64, Option<f64>)> = (1..).map(f64::from).zip(series.iter().copied()).collect();
    numbered
        .split(|(_, number)| number.is_none())
        .map(|piece| piece.iter().filter_map(|(epoch, number)| Some((*epoch, (*number)?))).collect())
        .filter(|piece: &Vec<_>| !piece.is_empty())
        .collect()
}

/// A range of numbers with ticks at the multiples of a step.
struct Axis {
    low: f64,
    high: f64,
    step: f64,
    /// The power of ten of the step's digit.
    power: i32,
}

impl Axis {
    /// An axis from tick to tick that has these numbers on it.
    fn around(low: f64, high: f64) -> Self {
        // One number alone stands in the middle; so do such as rounding alone makes differ.
        let size = low.abs().max(high.abs()).max(1e-6);
        let (low, high) =
            if high - low < 1e-6 * size { (low - 0.1 * size, high + 0.1 * size) } else { (low, high) };
        let (step, power) = nice((high - low) / TICKS);
        Self { low: (low / step).floor() * step, high: (high / step).ceil() * step, step, power }
    }

    /// Where a number is: 0 is the low end, 1 the high one.
    fn share(&self, number: f64) -> f64 {
        (number - self.low) / (self.high - self.low)
    }

    fn ticks(&self) -> impl Iterator<Item = f64> {
        // The ends are ticks, whatever their division was rounded to.
        let first = (self.low / self.step - 1e-3).ceil() as i64;
        let last = (self.high / self.step + 1e-3).floor() as i64;
        let step = self.step;
        (first..=last).map(move |at| at as f64 * step)
    }

    fn label(&self, tick: f64) -> String {
        match self.power {
            -4..0 => format!("{tick:.*}", self.power.unsigned_abs() as usize),
            0..6 => format!("{tick:.0}"),
            _ => format!("{tick:.2e}"),
        }
    }
}

/// The least of 1, 2, 5 and 10 times a power of ten that is not below a positive number, and the power
/// of its digit. Made of decimal digits, not of logarithms, whose last bit is the platform's.
fn nice(number: f64) -> (f64, i32) {
    let text = format!("{number:e}");
    let (digits, power) = text.split_once('e').unwrap_or((&text, "0"));
    let (digits, power): (f64, i32) = (digits.parse().unwrap_or(1.0), power.parse().unwrap_or(0));
    let (digit, power) = match digits {
        ..=1.0 => (1, power),
        ..=2.0 => (2, power),
        ..=5.0 => (5, power),
        _ => (1, power + 1),
    };
    (format!("{digit}e{power}").parse().unwrap_or(1.0), power)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(epoch: usize, train_loss: f64, train_accuracy: Option<f64>) -> EpochReport {
        EpochReport {
            epoch,
            rate: 0.1,
            train_loss,
            train_accuracy,
            validation_loss: None,
            validation_accuracy: None,
            validation_iou: None,
            validation_dice: None,
        }
    }

    /// All values of an attribute.
    fn values<'a>(text: &'a str, attribute: &str) -> Vec<&'a str> {
        let start = format!(" {attribute}=\"");
        text.split(&start).skip(1).map(|rest| rest.split('"').next().unwrap()).collect()
    }

    #[test]
    fn steps_are_one_two_or_five() {
        for (number, wanted) in
            [(1.0, (1.0, 0)), (1.1, (2.0, 0)), (0.03, (0.05, -2)), (0.051, (0.1, -1)), (700.0, (1000.0, 3))]
        {
            assert_eq!(nice(number), wanted, "{number}");
        }
    }

    #[test]
    fn every_number_lies_on_its_axis() {
        let ranges = [
            (0.0, 1.0),
            (0.013, 2.31),
            (0.5, 0.5),
            (0.0, 0.0),
            (1e-9, 3e-9),
            (1.0, 1.0 + 1e-15),
            (2e9, 7e12),
        ];
        for (low, high) in ranges {
            let axis = Axis::around(low, high);
            let ticks: Vec<f64> = axis.ticks().collect();
            assert!((3..=8).contains(&ticks.len()), "{low} {high}: {ticks:?}");
            assert!(ticks[0] <= low && high <= ticks[ticks.len() - 1], "{low} {high}: {ticks:?}");
            let mut labels: Vec<String> = ticks.iter().map(|tick| axis.label(*tick)).collect();
            labels.dedup();
            assert_eq!(labels.len(), ticks.len(), "{labels:?}");
        }
    }

    #[test]
    fn points_are_where_the_numbers_are() {
        let epochs = [report(1, 2.0, None), report(2, 1.0, None), report(3, 0.0, None)];
        let text = svg(&epochs, 2);
        // The plot is from 56 to 384 and from 240 up to 36; the losses fill the axis from 0 to 2.
        assert_eq!(values(&text, "points"), ["56.00,36.00 220.00,138.00 384.00,240.00"]);
        assert!(text.contains("<path d=\"M220.00 36V240\""), "the best epoch");
        assert_eq!(values(&text, "transform"), ["translate(0 0)"], "no accuracy, no panel of it");
    }

    #[test]
    fn masks_have_panels_of_their_own() {
        let epochs: Vec<EpochReport> = (1..4)
            .map(|epoch| EpochReport {
                validation_iou: Some(0.5),
                validation_dice: Some([0.0, 0.75, 1.0][epoch - 1]),
                ..report(epoch, 1.0, None)
            })
            .collect();
        let text = svg(&epochs, 3);
        assert_eq!(values(&text, "transform"), ["translate(0 0)", "translate(400 0)", "translate(800 0)"]);
        assert!(text.contains(">mean Dice<"));
        assert_eq!(values(&text, "points")[2], "56.00,240.00 220.00,87.00 384.00,36.00");
    }

    #[test]
    fn a_line_stops_where_there_is_no_number() {
        let numbers = [2.0, 1.0, f64::NAN, 0.0, f64::INFINITY, 1.0, 1.0];
        let epochs: Vec<EpochReport> =
            numbers.iter().enumerate().map(|(at, loss)| report(at + 1, *loss, Some(0.5))).collect();
        let text = svg(&epochs, 7);
        assert_eq!(values(&text, "points").len(), 3, "two pieces of the loss, one of the accuracy");
        assert_eq!(values(&text, "cx"), ["220.00"], "a piece of one epoch is a dot");
        assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
        let document = roxmltree::Document::parse(&text).unwrap();
        assert_eq!(document.root_element().attribute("width"), Some("800"));
    }
}

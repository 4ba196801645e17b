//! Charts as SVG: lines over an even or a logarithmic axis.

use std::fmt::Write as _;

/// Width and height of a chart with its margins, in pixels.
const SIZE: [f64; 2] = [460.0, 300.0];
/// Margins of the plot: left, top, right, bottom.
const MARGIN: [f64; 4] = [60.0, 34.0, 16.0, 44.0];
/// Colours that the colour-blind tell apart (Okabe and Ito, 2008).
const COLOURS: [&str; 3] = ["#0072b2", "#d55e00", "#009e73"];

/// How an axis is divided.
#[derive(Clone, Copy)]
pub(super) enum Axis {
    /// Evenly from one number to another.
    Even(f64, f64),
    /// By powers of ten, from an exponent to another.
    Powers(i32, i32),
}

impl Axis {
    /// Where a number lies, from 0 to 1.
    fn share(self, number: f64) -> f64 {
        let share = match self {
            Self::Even(low, high) => (number - low) / (high - low),
            Self::Powers(low, high) => (libm::log10(number) - f64::from(low)) / f64::from(high - low),
        };
        share.clamp(0.0, 1.0)
    }

    /// Numbers to mark, and their words.
    fn ticks(self) -> Vec<(f64, String)> {
        match self {
            Self::Even(low, high) => {
                let steps = 5;
                let number = |i: i32| low + (high - low) * f64::from(i) / f64::from(steps);
                // Whole numbers where the ends are, as those of stages.
                let is_whole = high - low >= f64::from(steps);
                (0..=steps)
                    .map(|i| if is_whole { number(i).round() } else { number(i) })
                    .map(|number| {
                        (number, if is_whole { format!("{number}") } else { format!("{number:.2}") })
                    })
                    .collect()
            }
            Self::Powers(low, high) => {
                (low..=high).map(|power| (libm::pow(10.0, f64::from(power)), format!("1e{power}"))).collect()
            }
        }
    }

    /// Powers of ten around numbers, of which those above 0 count.
    pub(super) fn powers_around(numbers: impl Iterator<Item = f64>) -> Self {
        let least = numbers.filter(|&number| number > 0.0).fold(0.1, f64::min);
        Self::Powers(libm::floor(libm::log10(least)) as i32, 0)
    }
}

/// A line and what it is.
pub(super) struct Line<'a> {
    pub(super) name: &'a str,
    pub(super) points: Vec<(f64, f64)>,
}

/// The chart of lines, with words at its axes. What is not above 0 lies on the edge of a logarithmic axis.
pub(super) fn svg(title: &str, words: [&str; 2], axes: [Axis; 2], lines: &[Line<'_>]) -> String {
    let [left, top, right, bottom] = [MARGIN[0], MARGIN[1], SIZE[0] - MARGIN[2], SIZE[1] - MARGIN[3]];
    let to_x = |x: f64| left + (right - left) * axes[0].share(x);
    let to_y = |y: f64| bottom - (bottom - top) * axes[1].share(y);
    let [width, height] = SIZE;
    let mut text = format!(
        "<svg width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" \
         font-size=\"11\">\n<text x=\"{left}\" y=\"14\" font-weight=\"bold\">{title}</text>\n"
    );
    for (x, word) in axes[0].ticks() {
        let x = to_x(x);
        let _ = writeln!(
            text,
            "<path d=\"M{x:.1} {top}V{bottom}\" stroke=\"#ddd\"/><text x=\"{x:.1}\" y=\"{:.1}\" \
             text-anchor=\"middle\">{word}</text>",
            bottom + 15.0
        );
    }
    for (y, word) in axes[1].ticks() {
        let y = to_y(y);
        let _ = writeln!(
            text,
            "<path d=\"M{left} {y:.1}H{right}\" stroke=\"#ddd\"/><text x=\"{:.1}\" y=\"{:.1}\" \
             text-anchor=\"end\">{word}</text>",
            left - 6.0,
            y + 4.0
        );
    }
    let (middle, foot) = (f64::midpoint(left, right), height - 8.0);
    let _ = writeln!(
        text,
        "<text x=\"{middle}\" y=\"{foot}\" text-anchor=\"middle\">{}</text><text x=\"{left}\" y=\"28\">{}</text>",
        words[0], words[1]
    );
    for (index, line) in lines.iter().enumerate() {
        let colour = COLOURS[index % COLOURS.len()];
        let points: Vec<String> =
            line.points.iter().map(|&(x, y)| format!("{:.1},{:.1}", to_x(x), to_y(y))).collect();
        let _ = writeln!(
            text,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.8\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\" fill=\"{colour}\">{}</text>",
            points.join(" "),
            right - 6.0,
            bottom - 8.0 - 14.0 * index as f64,
            line.name
        );
    }
    text + "</svg>\n"
}

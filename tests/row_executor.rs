//! Fused runs equal node after node, bit for bit: whatever the graph, the strips and the threads.

use std::sync::Arc;

use lyncean::image::{Border, BorderMode, Image, ImageType, Rect};
use lyncean::ops::convert::Depth;
use lyncean::ops::histogram::{Histogram, HistogramReduction};
use lyncean::ops::row::{
    Reduction, RowSink, RowSource, Run, RunPlan, Shape, Step, Workspace, apply, execute, execute_in, stream,
};
use lyncean::ops::{
    self, Canny, Chain, Context, Convert, Convolve, ConvolveOutput, ElementShape, Gaussian, Interpolation,
    Morphology, MorphologyOp, Resize, Sobel, SobelOutput, ThresholdType,
};
use lyncean::{Error, Result};
use proptest::prelude::*;

use crate::support::strategies::{Spread, height, noise, noise_plane, width};

/// What decides about one step: which operation, of which values, with which parameters.
type Dice = (u8, u8, u64);

/// Numbers drawn from one seed.
struct Draw(u64, usize);

impl Draw {
    fn below(&mut self, n: usize) -> usize {
        self.1 += 1;
        (noise(self.0, self.1, 0, 0) % n as u64) as usize
    }

    fn border(&mut self) -> Border {
        Border { mode: BorderMode::ALL[self.below(6)], value: self.below(256) as f32 }
    }
}

/// An operation that `input` can go through, or none.
fn operation(kind: u8, input: Shape, draw: &mut Draw) -> Result<Chain> {
    match kind % 13 {
        0 => ops::gray::nodes(input),
        1 => {
            let size = Some([1, 3, 5, 7][draw.below(4)]);
            ops::gaussian::nodes(input, &Gaussian { sigma: 1.1, size, border: draw.border() })
        }
        2 => {
            use SobelOutput::{Direction, Dx, Dy, Gradient, L1, Magnitude};
            let output = [Magnitude, L1, Dx, Dy, Gradient, Direction][draw.below(6)];
            let size = [3, 5, 7][draw.below(3)];
            ops::sobel::nodes(input, &Sobel { size, output, border: draw.border(), ..Sobel::default() })
        }
        3 => ops::threshold::nodes(input, draw.below(256) as f32, ThresholdType::ALL[draw.below(5)]),
        4 => {
            let (width, height) = (1 + draw.below(5), 1 + draw.below(5));
            let weights = (0..width * height).map(|_| draw.below(5) as f32 - 2.0).collect();
            let mut params = Convolve::new(width, height, weights);
            params.anchor = Some((draw.below(width), draw.below(height)));
            params.stride = (1 + draw.below(3), 1 + draw.below(3));
            params.flip = draw.below(2) == 1;
            params.border = draw.border();
            params.output = [ConvolveOutput::F32, ConvolveOutput::Same][draw.below(2)];
            ops::convolve::nodes(input, &params)
        }
        5 => {
            use ElementShape::{Cross, Ellipse, Rect};
            use MorphologyOp::{Close, Dilate, Erode, Open};
            let op = [Erode, Dilate, Open, Close][draw.below(4)];
            let size = (1 + draw.below(6), 1 + draw.below(6));
            let (shape, iterations) = ([Rect, Cross, Ellipse][draw.below(3)], draw.below(3));
            ops::morphology::nodes(input, &Morphology { op, shape, size, iterations })
        }
        6 => {
            let l2 = draw.below(2) == 1;
            let params = Canny { low: draw.below(100) as f32, high: 150.0, size: 3, l2 };
            ops::canny::nodes(input, &params)
        }
        7 | 8 => {
            use Interpolation::{Area, Bilinear, Nearest};
            let interpolation = [Nearest, Bilinear, Area][draw.below(3)];
            let (width, height) = match interpolation {
                Area => (1 + draw.below(input.width.max(1)), 1 + draw.below(input.height.max(1))),
                _ => (1 + draw.below(60), 1 + draw.below(30)),
            };
            ops::resize::nodes(input, &Resize { width, height, interpolation })
        }
        9 => {
            let (x, y) = (draw.below(input.width + 1), draw.below(input.height + 1));
            let (width, height) = (draw.below(input.width - x + 1), draw.below(input.height - y + 1));
            ops::crop::nodes(input, Rect::new(x, y, width, height))
        }
        10 => ops::channel::nodes(input, draw.below(3)),
        11 => {
            let to = [Depth::U8, Depth::U16, Depth::F32][draw.below(3)];
            ops::convert::nodes(input, &Convert::to(to))
        }
        _ => Err(Error::shape("two inputs")),
    }
}

/// A graph of row nodes over one or two sources, with sinks and observers drawn among all values.
fn random_run(sources: Vec<Shape>, dice: &[Dice], marks: u64) -> (Run, Vec<Shape>) {
    let mut shapes = sources.clone();
    let mut steps = Vec::new();
    for &(kind, choice, seed) in dice {
        let mut draw = Draw(seed, 0);
        // Mostly the latest value, so that chains grow long.
        let back = if choice < 160 { 0 } else { usize::from(choice) % shapes.len() };
        let input = shapes.len() - 1 - back;
        if kind % 13 == 12 {
            let Some(other) = (0..shapes.len()).rev().find(|&v| v != input && shapes[v] == shapes[input])
            else {
                continue;
            };
            if let Ok(node) = ops::difference::node(shapes[input], shapes[other], draw.below(2) == 1) {
                shapes.push(node.output(&[shapes[input], shapes[other]]));
                steps.push(Step { node, inputs: vec![input, other] });
            }
            continue;
        }
        let mut at = input;
        for node in operation(kind, shapes[input], &mut draw).unwrap_or_default() {
            let shape = node.output(&[shapes[at]]);
            steps.push(Step { node, inputs: vec![at] });
            at = shapes.len();
            shapes.push(shape);
        }
    }
    let last = shapes.len() - 1;
    let sinks = (0..shapes.len()).filter(|&v| v == last || noise(marks, v, 0, 0).is_multiple_of(4)).collect();
    let counted = [ImageType::Gray8, ImageType::Gray16, ImageType::Mask];
    let observers = (0..shapes.len())
        .filter(|&v| counted.contains(&shapes[v].ty) && noise(marks, v, 1, 0).is_multiple_of(3))
        .map(|v| (v, Arc::new(HistogramReduction::default()) as Arc<dyn Reduction>))
        .collect();
    (Run { sources, steps, sinks, observers }, shapes)
}

/// Every value of a run, made one after the other as a whole image.
fn one_by_one(run: &Run, sources: &[Image]) -> Vec<Image> {
    let mut values = sources.to_vec();
    for step in &run.steps {
        let inputs: Vec<&Image> = step.inputs.iter().map(|&v| &values[v]).collect();
        let image = apply(Arc::clone(&step.node), &inputs, &Context::default()).unwrap();
        values.push(image);
    }
    values
}

fn same_bytes(a: &Image, b: &Image) -> bool {
    Shape::of(a) == Shape::of(b) && (0..a.ty().planes()).all(|p| a.plane_bytes(p) == b.plane_bytes(p))
}

fn sources() -> impl Strategy<Value = Vec<Image>> {
    let image = |ty: u8, width, height, seed| match ty {
        0 => Image::Rgb8(noise_plane(width, height, seed, Spread::Full)),
        1 => Image::Gray8(noise_plane(width, height, seed, Spread::Full)),
        2 => Image::Gray16(noise_plane(width, height, seed, Spread::Full)),
        3 => Image::GrayF32(noise_plane(width, height, seed, Spread::Full)),
        _ => Image::RgbF32(noise_plane(width, height, seed, Spread::Full)),
    };
    (
        prop_oneof![3 => 0u8..2, 1 => 2u8..5],
        width(),
        prop_oneof![height(), 20usize..50],
        any::<u64>(),
        any::<bool>(),
    )
        .prop_map(move |(ty, width, height, seed, two)| {
            let first = image(ty, width, height, seed);
            if two { vec![image(ty, width, height, !seed), first] } else { vec![first] }
        })
}

struct Reader<'a>(&'a Image, Option<usize>);

impl RowSource for Reader<'_> {
    fn read_row(&mut self, y: usize, planes: &mut [&mut [u8]]) -> Result<()> {
        assert!(self.1.is_none_or(|last| y > last), "row {y} after {:?}", self.1);
        self.1 = Some(y);
        for (plane, to) in planes.iter_mut().enumerate() {
            let bytes = to.len();
            to.copy_from_slice(&self.0.plane_bytes(plane)[y * bytes..][..bytes]);
        }
        Ok(())
    }
}

struct Writer(Image, usize);

impl RowSink for Writer {
    fn write_row(&mut self, y: usize, planes: &[&[u8]]) -> Result<()> {
        assert_eq!(y, self.1, "rows come in order");
        self.1 += 1;
        for (to, from) in self.0.planes_bytes_mut().into_iter().zip(planes) {
            to[y * from.len()..][..from.len()].copy_from_slice(from);
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn fused_is_node_after_node(
        sources in sources(), dice in prop::collection::vec(any::<Dice>(), 0..9), marks in any::<u64>(),
        strip_rows in prop_oneof![Just(None), (1usize..20).prop_map(Some)], threads in 1usize..4,
    ) {
        let (run, shapes) = random_run(sources.iter().map(Shape::of).collect(), &dice, marks);
        let wanted = one_by_one(&run, &sources);
        prop_assert!(wanted.iter().map(Shape::of).eq(shapes));

        let mut cx = Context::default().with_threads(threads);
        cx.strip_rows = strip_rows;
        let plan = RunPlan::new(run.clone(), &cx).unwrap();
        let output = execute(&plan, &sources.iter().collect::<Vec<_>>(), &cx).unwrap();
        let names: Vec<&str> = run.steps.iter().map(|step| step.node.name()).collect();
        for (&value, image) in run.sinks.iter().zip(&output.images) {
            prop_assert!(same_bytes(image, &wanted[value]), "value {} of {:?}", value, names);
        }
        let histograms = |states: Vec<_>| states.into_iter().map(|mut s| Histogram::from_state(&mut s).unwrap().clone()).collect::<Vec<_>>();
        let counted: Vec<Histogram> =
            run.observers.iter().map(|&(value, _)| ops::histogram(&wanted[value], &cx).unwrap()).collect();
        prop_assert_eq!(&histograms(output.states), &counted);

        // In the memory of an earlier run, what that left there counts for nothing.
        let mut space = Workspace::default();
        let mut images: Vec<Image> = run.sinks.iter().map(|&value| {
            let shape = Shape::of(&wanted[value]);
            Image::new(shape.ty, shape.width, shape.height)
        }).collect();
        for _ in 0..2 {
            execute_in(&plan, &sources, &mut images, &mut space, &cx).unwrap();
            for (image, &value) in images.iter().zip(&run.sinks) {
                prop_assert!(same_bytes(image, &wanted[value]), "again: value {} of {:?}", value, names);
            }
            for (state, counted) in space.states().iter_mut().zip(&counted) {
                prop_assert_eq!(Histogram::from_state(state).unwrap(), counted);
            }
        }

        let plan = RunPlan::streamed(run.clone(), &cx).unwrap();
        let mut readers: Vec<Reader<'_>> = sources.iter().map(|image| Reader(image, None)).collect();
        let mut writers: Vec<Writer> = run.sinks.iter().map(|&value| {
            let shape = Shape::of(&wanted[value]);
            Writer(Image::new(shape.ty, shape.width, shape.height), 0)
        }).collect();
        let states = {
            let mut from: Vec<&mut dyn RowSource> = readers.iter_mut().map(|r| r as &mut dyn RowSource).collect();
            let mut to: Vec<&mut dyn RowSink> = writers.iter_mut().map(|w| w as &mut dyn RowSink).collect();
            stream(&plan, &mut from, &mut to, &cx).unwrap()
        };
        for (&value, writer) in run.sinks.iter().zip(&writers) {
            prop_assert_eq!(writer.1, wanted[value].height());
            prop_assert!(same_bytes(&writer.0, &wanted[value]), "streamed value {} of {:?}", value, names);
        }
        prop_assert_eq!(&histograms(states), &counted);
    }
}

#[test]
fn a_cancelled_run_stops() {
    let cancel = lyncean::ops::context::Cancel::default();
    cancel.cancel();
    let cx = Context::default().with_cancel(cancel);
    let image = Image::Gray8(noise_plane(64, 64, 1, Spread::Full));
    let error = ops::gaussian(&image, &Gaussian::default(), &cx).unwrap_err();
    assert_eq!(error.kind(), lyncean::ErrorKind::Cancelled);
}

#[test]
fn joined_rows_of_maps_change_nothing() {
    let names = [
        ("otsu", "[[stage]]\nuse = \"threshold\"\nmethod = \"otsu\"\n"),
        ("equalize", "[[stage]]\nuse = \"equalize\"\n"),
    ];
    for (name, last) in names {
        let text = format!(
            "version = 1\n[[stage]]\nuse = \"gray\"\n[[stage]]\nuse = \"gamma\"\ngamma = 0.7\n{last}"
        );
        let pipeline = lyncean::pipeline::Pipeline::from_toml(&text).unwrap();
        // Heights with many divisors and with none, rows shorter and longer than what is joined.
        for (width, height) in
            [(640, 480), (33, 1024), (1021, 96), (257, 251), (9000, 6), (1, 4096), (40_000, 2)]
        {
            let image = Arc::new(crate::support::pictures::picture(ImageType::Rgb8, width, height));
            let run = |context: Context| {
                let options = lyncean::pipeline::RunOptions { context, ..Default::default() };
                pipeline.run_with(Arc::clone(&image), None, &options).unwrap()
            };
            let apart = run(Context::default().with_strip_rows(1));
            for threads in [1, 2, 3, 5] {
                let joined = run(Context::default().with_threads(threads));
                assert!(joined.output() == apart.output(), "{name} {width}x{height}, {threads} threads");
                assert_eq!(joined.record(), apart.record());
            }
        }
    }
}

//! Row kernels and the fused chain, each on every instruction set of the machine, one thread.
//!
//! `benches/peers/filters.py` times the same work in OpenCV.
#![allow(missing_docs, reason = "criterion's macros write functions without docs")]

use std::hint::black_box;
use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use lyncean::image::{Image, ImageType, Plane};
use lyncean::kernel::{Isa, gaussian, pixel, sobel};
use lyncean::ops::gaussian::fixed_weights;
use lyncean::ops::row::{RowNode, Run, RunPlan, Shape, Step, execute};
use lyncean::ops::sobel::{MagnitudeThresholdRows, SobelRows};
use lyncean::ops::{self, Context, Gaussian, Sobel, ThresholdType};

const WIDTH: usize = 1920;
const SIZES: [(usize, usize); 2] = [(1920, 1080), (4096, 3072)];

/// Pixels that are neither flat nor of a short period.
fn noise(i: usize) -> u8 {
    ((i as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8
}

fn rows(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("row");
    group.throughput(Throughput::Elements(WIDTH as u64));
    let rgb: Vec<u8> = (0..3 * WIDTH).map(noise).collect();
    let gray: Vec<u8> = (0..WIDTH + 4).map(noise).collect();
    let window = [gray.as_slice(); 5];
    let weights: Vec<u16> = fixed_weights(5, 1.1, 8).into_iter().map(|weight| weight as u16).collect();
    let mut out = vec![0u8; WIDTH];
    let mut floats = vec![0f32; WIDTH];
    for isa in Isa::available() {
        group.bench_function(BenchmarkId::new("gray", isa.name()), |bench| {
            bench.iter(|| pixel::gray_u8_row(isa, black_box(&rgb), &mut out));
        });
        let mut column = vec![0; WIDTH + 4];
        group.bench_function(BenchmarkId::new("gaussian5", isa.name()), |bench| {
            bench.iter(|| {
                gaussian::gaussian_u8_row(isa, black_box(&window), &weights, 1, &mut column, &mut out);
            });
        });
        let taps = sobel::DerivativeTaps::sobel(3).unwrap_or(sobel::DerivativeTaps::SCHARR);
        let mut columns = sobel::Columns::<i16>::new(WIDTH + 4);
        group.bench_function(BenchmarkId::new("sobel3-magnitude", isa.name()), |bench| {
            bench.iter(|| {
                sobel::derived_u8_row(
                    isa,
                    black_box(&window[..3]),
                    taps,
                    &mut columns,
                    sobel::Derived::Magnitude(&mut floats),
                );
            });
        });
        group.bench_function(BenchmarkId::new("sobel3-mask", isa.name()), |bench| {
            bench.iter(|| {
                let above = sobel::Above { least: 10_000, inverted: false };
                sobel::derived_u8_row(
                    isa,
                    black_box(&window[..3]),
                    taps,
                    &mut columns,
                    sobel::Derived::Mask(above, &mut out),
                );
            });
        });
    }
    group.finish();
}

/// rgb, gray, Gaussian 5x5, Sobel magnitude, mask: as written, and as the rewrites leave it.
fn chain(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("chain");
    group.sample_size(20);
    for (width, height) in SIZES {
        let image = Image::Rgb8(Plane::from_fn(width, height, |x, y| {
            [0, 1, 2].map(|c| noise((y / 3 * width + x / 3) * 3 + c))
        }));
        group.throughput(Throughput::Elements((width * height) as u64));
        for isa in Isa::available() {
            let cx = Context::default().with_isa(isa);
            for fused in [false, true] {
                let plan = RunPlan::new(edges(Shape::of(&image), fused), &cx);
                let Ok(plan) = plan else { continue };
                let name = if fused { "magnitude+mask" } else { "magnitude,mask" };
                let id = BenchmarkId::new(format!("{name}/{}", isa.name()), format!("{width}x{height}"));
                group.bench_function(id, |bench| bench.iter(|| execute(&plan, &[black_box(&image)], &cx)));
            }
        }
    }
    group.finish();
}

fn edges(input: Shape, fused: bool) -> Run {
    let gray = ops::gray::nodes(input).unwrap_or_default();
    let gaussian = Gaussian { sigma: 1.1, size: Some(5), ..Gaussian::default() };
    let mut nodes: Vec<Arc<dyn RowNode>> = gray;
    let shape = ops::chain::chain_output(&nodes, input);
    nodes.extend(ops::gaussian::nodes(shape, &gaussian).unwrap_or_default());
    if fused {
        let rows = SobelRows::new(&Sobel::default()).ok();
        let fused = rows.and_then(|rows| MagnitudeThresholdRows::fuse(&rows, ImageType::Gray8, 100.0, false));
        nodes.extend(fused.map(|node| Arc::new(node) as Arc<dyn RowNode>));
    } else {
        nodes.extend(ops::sobel::nodes(shape, &Sobel::default()).unwrap_or_default());
        let shape = ops::chain::chain_output(&nodes, input);
        nodes.extend(ops::threshold::nodes(shape, 100.0, ThresholdType::Binary).unwrap_or_default());
    }
    let steps: Vec<Step> =
        nodes.into_iter().enumerate().map(|(i, node)| Step { node, inputs: vec![i] }).collect();
    let sinks = vec![steps.len()];
    Run { sources: vec![input], steps, sinks, observers: Vec::new() }
}

/// Points and geometry over whole images.
fn points(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("points");
    group.sample_size(20);
    let (width, height) = SIZES[0];
    group.throughput(Throughput::Elements((width * height) as u64));
    let plane = Plane::from_fn(width, height, |x, y| noise(y / 3 * width + x / 3));
    let mut table: Plane<u32> = Plane::new(width + 1, height + 1);
    group.bench_function("integral", |bench| {
        bench.iter(|| ops::integral::integral_into(black_box(&plane).view(), &mut table));
    });
    let image = Image::Gray8(plane);
    let cx = Context::default();
    group.bench_function("equalize", |bench| bench.iter(|| ops::equalize(black_box(&image), &cx)));
    let clahe = ops::Clahe::default();
    group.bench_function("clahe", |bench| bench.iter(|| ops::clahe(black_box(&image), &clahe, &cx)));
    for interpolation in [ops::Interpolation::Bilinear, ops::Interpolation::Bicubic] {
        let params = ops::Resize { width: width / 2, height: height / 2, interpolation };
        group.bench_function(format!("half {interpolation:?}"), |bench| {
            bench.iter(|| ops::resize(black_box(&image), &params, &cx));
        });
    }
    let (turned, high, map) = ops::warp::rotation(width, height, 30.0, false);
    let taps = ops::warp::Taps::Bilinear;
    let border = lyncean::image::Border::constant(0.0);
    let warp = ops::Warp { map, width: turned, height: high, taps, border };
    group.bench_function("warp bilinear", |bench| {
        bench.iter(|| ops::warp_affine(black_box(&image), &warp, &cx));
    });
    group.finish();
}

criterion_group!(benches, rows, chain, points);
criterion_main!(benches);

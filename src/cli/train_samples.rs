//! `lyncean train samples`: pictures for training detectors, drawn from cut-outs.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::inputs::{self, Place};
use super::{Exit, Outcome, console};
use crate::eval::{CutOut, Sample, SampleOptions, sample};
use crate::image::Image;
use crate::image::codec::{self, Format, WriteOptions};
use crate::parallel::{in_threads, prelude::*};
use crate::{Error, ErrorKind, Result};

/// Samples that are drawn before their pictures are written and the next begun.
const TOGETHER: u64 = 64;

/// Draw pictures for training detectors: cut-outs of objects, laid on backgrounds as a camera might have seen them.
///
/// The successor of `opencv_createsamples`. Writes `images/` and their boxes as COCO, `annotations.json`, which
/// `train net` and `train cascade` read. A cut-out's alpha, if it has one, says which of its pixels are the object. The
/// same arguments give the same pictures.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Cut-outs: pictures, folders of pictures, or `builtin:NAME`
    #[arg(required = true, value_name = "CUT-OUT")]
    cut_outs: Vec<PathBuf>,
    /// Pictures to lay them on: files, folders, or `builtin:NAME`
    #[arg(short, long, required = true, num_args = 1.., value_name = "PATH")]
    backgrounds: Vec<PathBuf>,
    /// Folder to write to
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    /// Pictures to draw
    #[arg(short = 'n', long, value_name = "N", default_value_t = 1000)]
    count: u64,
    /// What the objects are called; `name` for the names of the files, up to the first `-` or `_`
    #[arg(long, value_name = "LABEL", default_value = "object")]
    label: String,
    /// Width and height of the pictures
    #[arg(long, value_name = "WxH", value_parser = size, default_value = "320x240")]
    size: (usize, usize),
    /// Objects of a picture, the least and the most
    #[arg(long, value_name = "MIN-MAX", value_parser = whole, default_value = "1-1")]
    objects: (usize, usize),
    /// Longer side of an object as a share of the picture's shorter side, the least and the greatest
    #[arg(long, value_name = "MIN-MAX", value_parser = shares, default_value = "0.2-0.6")]
    scale: (f32, f32),
    /// Degrees by which objects are turned at most, to either side
    #[arg(long, value_name = "DEGREES", default_value_t = SampleOptions::default().rotate)]
    rotate: f32,
    /// Share of the object by which each of its corners is moved at most
    #[arg(long, value_name = "SHARE", default_value_t = SampleOptions::default().perspective)]
    perspective: f32,
    /// What is added to the object's values at most, as a share of white
    #[arg(long, value_name = "SHARE", default_value_t = SampleOptions::default().brightness)]
    brightness: f32,
    /// By which share its contrast changes at most
    #[arg(long, value_name = "SHARE", default_value_t = SampleOptions::default().contrast)]
    contrast: f32,
    /// The greatest blur of the object, a standard deviation in pixels
    #[arg(long, value_name = "PIXELS", default_value_t = SampleOptions::default().blur)]
    blur: f32,
    /// The greatest noise on the picture, a standard deviation as a share of white
    #[arg(long, value_name = "SHARE", default_value_t = SampleOptions::default().noise)]
    noise: f32,
    /// Where all randomness comes from
    #[arg(long, value_name = "N", default_value_t = SampleOptions::default().seed)]
    seed: u64,
    /// Look into the folders of folders, too
    #[arg(short, long)]
    recursive: bool,
    /// Threads; 0 is one for each core
    #[arg(long, value_name = "N", default_value_t = 0)]
    threads: usize,
}

fn size(text: &str) -> Result<(usize, usize), String> {
    pair(text, &['x', 'X']).ok_or_else(|| "write width and height in pixels, `320x240`".to_owned())
}

fn whole(text: &str) -> Result<(usize, usize), String> {
    pair(text, &['-']).ok_or_else(|| "write the least and the most, `1-3`".to_owned())
}

fn shares(text: &str) -> Result<(f32, f32), String> {
    pair(text, &['-']).ok_or_else(|| "write the least and the greatest, `0.2-0.6`".to_owned())
}

fn pair<T: std::str::FromStr>(text: &str, between: &[char]) -> Option<(T, T)> {
    let (first, second) = text.split_once(between)?;
    Some((first.trim().parse().ok()?, second.trim().parse().ok()?))
}

/// Runs the command.
pub(super) fn run(args: &Args) -> Outcome {
    let options = SampleOptions {
        size: args.size,
        objects: args.objects,
        scale: args.scale,
        rotate: args.rotate,
        perspective: args.perspective,
        brightness: args.brightness,
        contrast: args.contrast,
        blur: args.blur,
        noise: args.noise,
        seed: args.seed,
    };
    options.check()?;
    let list = args.output.join("annotations.json");
    if list.exists() {
        return Err(Error::pipeline(format!("`{}` is there already", list.display()))
            .with_hint("name another folder, or remove that one")
            .into());
    }
    let cut_outs = cut_outs(args)?;
    let backgrounds = files(&args.backgrounds, args.recursive)?;
    let folder = args.output.join("images");
    std::fs::create_dir_all(&folder).map_err(|error| Error::io(folder.display(), error))?;

    let mut labels: Vec<&str> = cut_outs.iter().map(|cut_out| cut_out.label.as_str()).collect();
    labels.sort_unstable();
    labels.dedup();
    let (mut images, mut annotations) = (Vec::new(), Vec::new());
    let mut first = 0;
    while first < args.count {
        let numbers: Vec<u64> = (first..args.count.min(first + TOGETHER)).collect();
        first += TOGETHER;
        let drawn: Vec<(u64, Vec<_>)> = in_threads(args.threads, || {
            numbers
                .par_iter()
                .map(|&number| {
                    let background = inputs::read(&backgrounds[number as usize % backgrounds.len()])?;
                    let Sample { picture, objects } = sample(&cut_outs, &background.image, &options, number)?;
                    let path = folder.join(name(number));
                    codec::write(&path, &Image::Rgb8(picture), Format::Png, &WriteOptions::default())?;
                    Ok((number, objects))
                })
                .collect()
        })?;
        for (number, objects) in drawn {
            images.push(json!({
                "id": number, "file_name": name(number), "width": options.size.0, "height": options.size.1,
            }));
            for (index, bounds) in objects {
                let label = cut_outs[index].label.as_str();
                annotations.push(json!({
                    "id": annotations.len() + 1,
                    "image_id": number,
                    "category_id": labels.iter().position(|known| *known == label).unwrap_or_default() + 1,
                    "bbox": [bounds.x, bounds.y, bounds.width, bounds.height],
                    "area": bounds.width * bounds.height,
                    "iscrowd": 0,
                }));
            }
        }
    }
    let found = annotations.len();
    let categories: Vec<_> =
        labels.iter().enumerate().map(|(index, name)| json!({"id": index + 1, "name": name})).collect();
    let coco = json!({"images": images, "annotations": annotations, "categories": categories});
    std::fs::write(&list, format!("{coco}\n")).map_err(|error| Error::io(list.display(), error))?;
    console::say(&format!("{} pictures with {found} objects are in `{}`", args.count, args.output.display()));
    Ok(Exit::Done)
}

/// The name of a picture.
fn name(number: u64) -> String {
    format!("{number:06}.png")
}

fn cut_outs(args: &Args) -> Result<Vec<CutOut>> {
    let mut list = Vec::new();
    for path in files(&args.cut_outs, args.recursive)? {
        let picture = inputs::read(&path)?;
        let label = match args.label.as_str() {
            "name" => label_of(&path),
            label => label.to_owned(),
        };
        let cut_out = CutOut::new(&picture.image, picture.alpha, label);
        list.push(cut_out.map_err(|error| error.within(format!("`{}`", path.display())))?);
    }
    Ok(list)
}

/// A file's name up to the first `-` or `_`.
fn label_of(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    stem.split(['-', '_']).find(|part| !part.is_empty()).unwrap_or("object").to_owned()
}

/// The pictures that words name, at least one.
fn files(words: &[PathBuf], recursive: bool) -> Result<Vec<PathBuf>> {
    let mut list = Vec::new();
    for input in inputs::collect(words, recursive, None)? {
        list.push(match input.place {
            Place::File(path) => path,
            Place::Builtin(_) => PathBuf::from(input.name),
            Place::Unreadable(words) => return Err(Error::new(ErrorKind::Io, words).within(input.name)),
        });
    }
    if list.is_empty() {
        let names: Vec<_> = words.iter().map(|word| format!("`{}`", word.display())).collect();
        return Err(Error::pipeline(format!("there are no pictures in {}", names.join(", "))));
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_read() {
        assert_eq!(size("320x240"), Ok((320, 240)));
        assert_eq!(whole("1-3"), Ok((1, 3)));
        assert_eq!(shares("0.2-0.6"), Ok((0.2, 0.6)));
        assert!(size("320").is_err() && whole("3").is_err() && shares("a-b").is_err());
    }

    #[test]
    fn labels_are_the_first_part_of_a_name() {
        assert_eq!(label_of(Path::new("a/stop-2.png")), "stop");
        assert_eq!(label_of(Path::new("cup_left.png")), "cup");
        assert_eq!(label_of(Path::new("-.png")), "object");
    }
}

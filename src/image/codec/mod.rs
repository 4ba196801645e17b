//! Pictures in files: what a file says about its picture, its pixels, and writing both back.
//!
//! PNG, JPEG, TIFF, BMP, PNM, WebP and GIF are read; PNG, JPEG and TIFF are written. The content of a
//! file decides its format, never the ending of its name. Of animations the first picture is read; of
//! a TIFF of several pages the one asked for. Values stay what they are: no colour profile, gamma or brightness is
//! applied, 16 bit and float are kept, and what has no exact home among the types of
//! [`ImageType::READ`](super::ImageType::READ) is listed at [`Source::ty`].
//!
//! Decoders run behind a guard: when one panics on hostile bytes, the caller gets an
//! [`Internal`](crate::ErrorKind::Internal) error. The standard panic hook still prints its lines
//! to stderr, because the hook belongs to the program; a program that wants silence installs one
//! that asks [`panic_is_caught`] first.
//!
//! [`stream`] reads and writes row by row, for pictures larger than memory.
//!
//! ```
//! use lyncean::image::codec::{self, Compression, Decode, Format, Limits, Orientation, ReadOptions, WriteOptions};
//! use lyncean::image::{Image, ImageType, Plane};
//!
//! let image = Image::Gray8(Plane::from_fn(40, 30, |x, y| (x * y) as u8));
//! let folder = tempfile::tempdir().unwrap();
//! let path = folder.path().join("ramp.png");
//! let options = WriteOptions { compression: Compression::Small, ..WriteOptions::default() };
//! codec::write(&path, &image, Format::Png, &options)?;
//!
//! // What the file says, without its pixels; then the pixels.
//! let source: codec::Source = codec::probe(&path)?;
//! assert_eq!((source.format, source.width, source.ty), (Format::Png, 40, ImageType::Gray8));
//! assert_eq!(source.orientation, Orientation::Upright);
//! let picture: codec::Picture = codec::read(&path, &Limits::default())?;
//! assert!(picture.image == image && picture.alpha.is_none());
//!
//! // From and to memory. A JPEG's luma alone is decoded in less time than its colours.
//! let colours = Image::Rgb8(Plane::filled(16, 16, [200, 40, 40]));
//! let bytes = codec::encode(&colours, Format::Jpeg, &WriteOptions::default())?;
//! assert_eq!(Format::of_bytes(&bytes), Some(Format::Jpeg));
//! assert_eq!(codec::probe_bytes(&bytes, "red")?.channels, 3);
//! assert_eq!(codec::read_bytes(&bytes, "red", &Limits::default())?.image.ty(), ImageType::Rgb8);
//! let options = ReadOptions { decode: Decode::Luma, ..ReadOptions::default() };
//! assert_eq!(codec::read_with(&bytes, "red", &options)?.image.ty(), ImageType::Gray8);
//!
//! // Types that a format cannot hold with their true values are refused.
//! assert!(codec::check_format(ImageType::Mask, Format::Jpeg).is_err());
//! let least = Limits { max_pixels: 100, ..Limits::default() };
//! assert!(codec::read(&path, &least).unwrap_err().message().contains("100"));
//! # Ok::<(), lyncean::Error>(())
//! ```

mod decode;
mod fail;
mod guard;
mod jpeg;
mod jpeg_read;
mod limits;
mod numbers;
mod options;
mod orient;
mod pixels;
mod png_read;
mod sniff;
pub mod stream;
mod tiff_disguise;
mod tiff_read;
mod tiff_write;
mod write;

use std::fs::File;
use std::io::{BufReader, Cursor, Read};
use std::path::Path;

pub use guard::panic_is_caught;
pub use limits::Limits;
pub use numbers::read_numbers;
pub use options::{Decode, NewImage, ReadOptions};
pub use orient::Orientation;
pub use sniff::Format;
pub use write::{Compression, WriteOptions, check_format, encode, write};

use super::{Image, ImageType, Plane};
use crate::{Error, Result};

/// What a file says about its picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// The format of the file.
    pub format: Format,
    /// Width in pixels, upright.
    pub width: usize,
    /// Height in pixels, upright.
    pub height: usize,
    /// The type the picture is read as: the one that holds every stored value exactly.
    ///
    /// 1, 2 and 4 bit are scaled to 8 bit, palettes looked up (gray
    /// ones of BMP stay gray), CMYK and YCbCr turned to RGB. Of TIFF files, 9 to 15 bits keep their
    /// numbers in 16 bit (12-bit white is 4095); 32-bit unsigned gray is read as [`ImageType::Labels`], signed 8 and 16 bit and half floats
    /// as [`ImageType::GrayF32`], and doubles are rounded to `f32`.
    pub ty: ImageType,
    /// Bits of a channel as stored. A palette counts as the 8-bit colours it holds.
    pub bits: u32,
    /// Channels as stored, alpha and the black of CMYK included: 1 to 4.
    /// A colour that stands for transparent counts as alpha.
    pub channels: usize,
    /// Whether one of the channels is alpha, so that [`Picture::alpha`] will be there.
    pub alpha: bool,
    /// How the stored pixels have to be turned to stand upright, from EXIF or the TIFF tag.
    pub orientation: Orientation,
}

impl Source {
    /// Bytes of the decoded picture, alpha included.
    fn bytes(&self) -> u64 {
        let pixel = self.ty.pixel_size() + if self.alpha { self.ty.element().size() } else { 0 };
        (self.width as u64).saturating_mul(self.height as u64).saturating_mul(pixel as u64)
    }
}

/// A picture as read, upright.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    /// The pixels without alpha: [`Source::ty`], [`Source::width`] by [`Source::height`].
    /// Colours are the stored ones: they are not multiplied with alpha, nor divided by it.
    pub image: Image,
    /// The alpha channel, if the file has one: 0 transparent, 255 opaque. 16-bit alpha is divided
    /// by 257 and rounded, float alpha clamped to 0..=1 and multiplied by 255.
    pub alpha: Option<Plane<u8>>,
    /// What the file says. [`Source::orientation`] has been applied already.
    pub source: Source,
}

impl Image {
    /// The picture in the bytes of a file of any format read here, upright as EXIF says, without its
    /// alpha. [`read_bytes`] gives that too, and what the file says.
    ///
    /// ```
    /// use lyncean::image::{Image, builtin};
    ///
    /// let coins = Image::decode(builtin::picture("coins").unwrap())?;
    /// assert_eq!((coins.width(), coins.height(), coins.ty().as_str()), (384, 303, "gray8"));
    /// # Ok::<(), lyncean::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`read_bytes`].
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        Ok(read_bytes(bytes, "picture", &Limits::default())?.image)
    }
}

/// Reads the picture in a file.
///
/// # Errors
/// [`Io`](crate::ErrorKind::Io) for what cannot be opened, [`Input`](crate::ErrorKind::Input) for
/// a broken or cut-off file, [`Limit`](crate::ErrorKind::Limit) for one over `limits`,
/// [`Unsupported`](crate::ErrorKind::Unsupported) for a kind of file or picture not read here.
pub fn read(path: impl AsRef<Path>, limits: &Limits) -> Result<Picture> {
    read_file(path, &ReadOptions { limits: *limits, ..ReadOptions::default() })
}

/// Reads a picture in a file as `options` say.
///
/// ```
/// use lyncean::image::builtin;
/// use lyncean::image::codec::{ReadOptions, count_pages, probe_page, read_file, read_into, read_page_of, Limits};
///
/// let folder = tempfile::tempdir().unwrap();
/// let path = folder.path().join("coins.png");
/// std::fs::write(&path, builtin::picture("coins").unwrap()).unwrap();
/// let coins = read_file(&path, &ReadOptions::default())?;
/// assert_eq!((coins.source.width, count_pages(&path)?), (384, 1));
/// assert_eq!(read_page_of(&path, &ReadOptions { page: Some(0), ..ReadOptions::default() })?, coins);
/// assert_eq!(probe_page(&path, Some(0))?, coins.source);
///
/// // The bytes of many files, one after the other in the same memory.
/// let mut bytes = Vec::new();
/// read_into(&path, &Limits::default(), &mut bytes)?;
/// assert_eq!(bytes, builtin::picture("coins").unwrap());
/// # Ok::<(), lyncean::Error>(())
/// ```
///
/// # Errors
/// As [`read_page`].
pub fn read_file(path: impl AsRef<Path>, options: &ReadOptions<'_>) -> Result<Picture> {
    let path = path.as_ref();
    let mut bytes = Vec::new();
    read_into(path, &options.limits, &mut bytes)?;
    read_with(&bytes, &path.display().to_string(), options)
}

/// The bytes of a file, no more than `limits` allow, in place of what `bytes` holds.
///
/// # Errors
/// [`Io`](crate::ErrorKind::Io), and [`Limit`](crate::ErrorKind::Limit) for a larger file.
pub fn read_into(path: impl AsRef<Path>, limits: &Limits, bytes: &mut Vec<u8>) -> Result<()> {
    let path = path.as_ref();
    bytes.clear();
    let name = path.display().to_string();
    let mut file = open(path, &name)?;
    let size = file.metadata().map_err(|error| Error::io(&name, error))?.len();
    limits.check_file(size, &name)?;
    // A pipe has no size beforehand: never read more than allowed.
    let most = limits.max_bytes.saturating_add(1);
    (&mut file).take(most).read_to_end(bytes).map_err(|error| Error::io(&name, error))?;
    limits.check_file(bytes.len() as u64, &name)
}

/// Reads the picture in the bytes of a file; `name` stands for the file in errors.
///
/// # Errors
/// As [`read`].
pub fn read_bytes(bytes: &[u8], name: &str, limits: &Limits) -> Result<Picture> {
    read_with(bytes, name, &ReadOptions { limits: *limits, ..ReadOptions::default() })
}

/// Reads one of the pictures in the bytes of a file, counted from 0. Without a number the file must
/// hold but one: never is the first of several taken silently. TIFF alone has several.
///
/// ```
/// use lyncean::image::builtin;
/// use lyncean::image::codec::{Limits, probe_bytes_page, read_page};
///
/// let bytes = builtin::picture("coins").unwrap();
/// let page = read_page(bytes, "coins", &Limits::default(), Some(0))?;
/// assert_eq!(page.source, probe_bytes_page(bytes, "coins", None)?);
/// # Ok::<(), lyncean::Error>(())
/// ```
///
/// # Errors
/// As [`read`]; [`Input`](crate::ErrorKind::Input) for a page that is not there, and for several
/// without a number.
pub fn read_page(bytes: &[u8], name: &str, limits: &Limits, page: Option<usize>) -> Result<Picture> {
    read_with(bytes, name, &ReadOptions { limits: *limits, page, ..ReadOptions::default() })
}

/// Reads a picture in the bytes of a file as `options` say; `name` stands for the file in errors.
///
/// # Errors
/// As [`read_page`].
pub fn read_with(bytes: &[u8], name: &str, options: &ReadOptions<'_>) -> Result<Picture> {
    let format = sniff::expect(bytes, name)?;
    sniff::check_complete(bytes, format, name)?;
    let (limits, page) = (&options.limits, options.page);
    guard::run(name, format, || match format {
        Format::Tiff => tiff_read::read(Cursor::new(bytes), name, limits, page),
        _ if page.is_some_and(|page| page > 0) => Err(only_one(name, format)),
        Format::Png => png_read::read(Cursor::new(bytes), name, options),
        Format::Jpeg => jpeg_read::read(bytes, name, options),
        _ => decode::read(bytes, name, format, limits),
    })
}

/// As [`read_page`], from a file, of which only that page is read where the format allows it.
///
/// # Errors
/// As [`read_page`].
pub fn read_page_of(path: impl AsRef<Path>, options: &ReadOptions<'_>) -> Result<Picture> {
    let path = path.as_ref();
    let name = path.display().to_string();
    let mut reader = BufReader::with_capacity(1 << 16, open(path, &name)?);
    match sniff::expect_reader(&mut reader, &name)? {
        Format::Tiff => {
            guard::run(&name, Format::Tiff, || tiff_read::read(reader, &name, &options.limits, options.page))
        }
        _ => read_file(path, options),
    }
}

fn only_one(name: &str, format: Format) -> Error {
    Error::input(format!("`{name}`: a {format} file has one picture only"))
}

/// How many pictures a file holds: the pages of a TIFF, without the smaller copies of a pyramid; 1 for
/// all else.
///
/// # Errors
/// As [`probe`].
pub fn count_pages(path: impl AsRef<Path>) -> Result<usize> {
    let path = path.as_ref();
    let name = path.display().to_string();
    let mut reader = BufReader::new(open(path, &name)?);
    match sniff::expect_reader(&mut reader, &name)? {
        Format::Tiff => guard::run(&name, Format::Tiff, || tiff_read::count_pages(reader, &name)),
        _ => Ok(1),
    }
}

/// What a file says about its picture, without decoding the pixels.
///
/// # Errors
/// As [`read`], as far as the header shows it.
pub fn probe(path: impl AsRef<Path>) -> Result<Source> {
    probe_page(path, None)
}

/// As [`probe`], for one of the pictures in a file, counted from 0.
///
/// # Errors
/// As [`read_page`], as far as the header shows it.
pub fn probe_page(path: impl AsRef<Path>, page: Option<usize>) -> Result<Source> {
    let path = path.as_ref();
    let name = path.display().to_string();
    probe_reader(BufReader::new(open(path, &name)?), &name, page)
}

/// As [`probe`], for the bytes of a file; `name` stands for the file in errors.
///
/// # Errors
/// As [`probe`].
pub fn probe_bytes(bytes: &[u8], name: &str) -> Result<Source> {
    probe_bytes_page(bytes, name, None)
}

/// As [`probe_bytes`], for one of the pictures in a file, counted from 0.
///
/// # Errors
/// As [`probe_page`].
pub fn probe_bytes_page(bytes: &[u8], name: &str, page: Option<usize>) -> Result<Source> {
    probe_reader(Cursor::new(bytes), name, page)
}

fn probe_reader<R: std::io::BufRead + std::io::Seek>(
    mut reader: R,
    name: &str,
    page: Option<usize>,
) -> Result<Source> {
    let format = sniff::expect_reader(&mut reader, name)?;
    guard::run(name, format, || match format {
        Format::Tiff => tiff_read::probe(reader, name, page),
        _ if page.is_some_and(|page| page > 0) => Err(only_one(name, format)),
        Format::Png => png_read::probe(reader, name),
        Format::Jpeg => jpeg_read::probe(reader, name),
        _ => decode::probe(reader, name, format),
    })
}

/// Opens a file to read; a directory is an error at once, not at the first read.
fn open(path: &Path, name: &str) -> Result<File> {
    let file = File::open(path).map_err(|error| Error::io(name, error))?;
    let meta = file.metadata().map_err(|error| Error::io(name, error))?;
    if meta.is_dir() {
        return Err(Error::io(name, std::io::ErrorKind::IsADirectory.into()));
    }
    Ok(file)
}

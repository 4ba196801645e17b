# Made of the registry of stages: `BLESS=1 pytest python/tests/test_stubs.py` refreshes it.

import os
from typing import Any, Literal, Mapping, Sequence, Union

from ._stage import Stage as Stage

StrPath = Union[str, "os.PathLike[str]"]

__all__ = [
    "Stage",
    "adaptive_threshold",
    "arithmetic",
    "black_hat",
    "box_blur",
    "canny",
    "channel",
    "clahe",
    "classify",
    "classify_linear",
    "clear_border",
    "close",
    "cnn_detect",
    "cnn_verify",
    "colormap",
    "contours",
    "convolve",
    "crop",
    "difference",
    "dilate",
    "distance_transform",
    "draw",
    "encode",
    "equalize",
    "erode",
    "feature_maps",
    "fill_holes",
    "flat_field",
    "flip",
    "gamma",
    "gaussian_blur",
    "gray",
    "haar_detect",
    "hog",
    "hysteresis",
    "integral",
    "invert",
    "label",
    "laplacian",
    "load",
    "log",
    "mask_apply",
    "match_template",
    "median",
    "morph_gradient",
    "multi_otsu",
    "nearest_template",
    "niblack",
    "normalize",
    "open_",
    "pad",
    "prewitt",
    "reconstruct",
    "remove_small",
    "resize",
    "rolling_ball",
    "rotate",
    "saliency",
    "sauvola",
    "scharr",
    "segment_net",
    "sobel",
    "threshold",
    "to_f32",
    "to_u8",
    "top_hat",
    "try_thresholds",
    "warp_affine",
    "watershed",
]

def adaptive_threshold(
    *,
    method: Literal["mean", "gaussian"] | None = None,
    size: int = 31,
    offset: float = 0.0,
    inverted: bool = False,
    name: str | None = None,
    in_: str | Sequence[str] | None = None,
) -> Stage:
    """Compares every pixel with the mean of its surroundings, less an offset; gives a `mask`.

    A stage `adaptive-threshold`; its parameters are told by `lyncean.ops.adaptive_threshold`.
    """
    ...

def arithmetic(
    *,
    operation: Literal["add", "subtract", "multiply", "divide", "min", "max", "average", "blend"],
    constant: float | None = None,
    scale: float = 1.0,
    weight: float = 0.5,
    name: str | None = None,
    in_: str | Sequence[str] | None = None,
) -> Stage:
    """Combines two images of one type and size, or an image and a constant, value by value.

    A stage `arithmetic`; its parameters are told by `lyncean.ops.arithmetic`.
    """
    ...

def black_hat(
    *,
    shape: Literal["rect", "cross", "ellipse"] | None = None,
    size: int | Sequence[int] | None = None,
    element: Sequence[Sequence[int]] | None = None,
    iterations: int | None = None,
    name: str | None = None,
    in_: str | Sequence[str] | None = None,
) -> Stage:
    """The black top-hat: the closing less the image.

    A stage `black-hat`; its parameters are told by `lyncean.ops.black_hat`.
    """
    ...

def box_blur(
    *,
    size: int | Sequence[int] | None = None,
    border: Literal["constant", "replicate", "reflect", "reflect-101", "wrap", "valid"] = 'reflect-101',
    border_value: float = 0.0,
    name: str | None = None,
    in_: str | Sequence[str] | None = None,
) -> Stage:
    """The mean over a rectangle; the type stays.

    A stage `box-blur`; its parameters are told by `lyncean.ops.box_blur`.
    """
    ...

def canny(
    *,
    low: float = 100.0,
    high: float = 200.0,
    size: int = 3,
    norm: Literal["l1", "l2"] | None = None,
    name: str | None = None,
    in_: str | Sequence[str] | None = None,
) -> Stage:
    """Edges one pixel wide (Canny 1986): gradients, thinned to their ridges, kept where they hang together with a strong one.

    A stage `canny`; its parameters are told by `lyncean.ops.canny`.
    """
    ...

def channel(
    *,
    channel: Literal["red", "green", "blue"] | None = None,
    name: str | None = None,
    in_: str | Sequence[str] | None = None,
) -> Stage:
    """Takes one channel of a colour picture, in its depth.

    A stage `channel`; its parameters are told by `lyncean.ops.channel`.
    """
    ...

def clahe(
    *,
    clip_limit: float = 40.0,
    tiles: Sequence[int] = ...,
    name: str | None = None,
    in_: str | Sequence[str] | None = None,
) -> Stage:
    """Equalizes the histogram tile by tile, with a limit on contrast (Zuiderveld 1994).

    A stage `clahe`; its parameters are told by `lyncean.ops.clahe`.
    """
    ...

def classify(
    *,
    model: StrPath,
    top: int = 5,
    name: str | None = None,
    in_: str | Sequence[str] | None = None,
) -> Stage:
    """Classifies the whole image with a net.

    A stage `classify`; its parameters are told by `lyncean.ops.classify`.
    """
    ...

def classify_linear(
    *,
    model: StrPath,
    top: int = 5,
    name: str | None = None,
    in_: str | Sequence[str] | None = None,
) -> Stage:
    """Classifies a vector with a linear model.

    A stage `classify-linear`; its parameters are told by `lyncean.ops.classify_linear`.
    """
    ...

def clear_border(
    *,
    margin: int = 0,
    connectivity: int = 8,
    name: str | None = None,
    in_: str | Sequence[str] | None = None,
) -> Stage:
    """Takes connected components that touch the edge of the image out of a mask: scikit-image's `clear_border`.

    A stage `clear-border`; its parameters are told by `lyncean.ops.clear_border`.
    """
    ...

def close(
    *,
    shape: Literal["rect", "cross", "ellipse"] | None = None,
    size: int | Sequence[int] | None = None,
    element: Sequence[Sequence[int]] | None = None,
    iterations: int | None = None,
    name: str | None = None,
    in_: str | Sequence[str] | None = None,
) -> Stage:
    """Closing: dilation, then erosion.

    A stage `close`; its parameters are told by `lyncean.ops.close`.
    """
    ...

def cnn_detect(
    *,
    model: StrPath,
    class_: str,
    decoder: Mapping[str, Any] | None = None,
    min_probability: float = 0.9,
    min_neighbors: int | None = None,
    scale_factor: float | None = None,
    min_size: Sequence[int] | None = None,
    max_size: Sequence[int] | None = None,
    max_overlap: float = 0.3,
    name: str | None = None,
    in_: str | Sequence[str] | None = None,
) -> Stage:
    """Finds objects with a net that tells windows apart, slid over smaller and smaller copies of the picture; or, with a `decoder`, with a detector that gives the boxes of a whole picture at once.

    A stage `cnn-detect`; its parameters are told by `lyncean.ops.cnn_detect`.
    """
    ...

def cnn_verify(
    *,
    model: StrPath,
    class_: str,
    min_probability: float = 0.5,
    margin: float = 0.0,
    name: str | None = None,
    in_: str | Sequence[str] | None = None,
) -> Stage:
    """Keeps the objects of an earlier stage that a net takes for a class: a cheap detector proposes, the net decides.

    A stage `cnn-verify`; its parameters are told by `lyncean.ops.cnn_verify`.
    """
    ...

def colormap(
    *,
    map: Literal["viridis", "magma", "inferno", "plasma", "cividis", "turbo", "jet", "gray"] | None = None,
    name: str | None = None,
    in_: str | Sequence[str] | None = None,
) -> Stage:
    """Gray values as colours of a well-known map.

    A stage `colormap`; its parameters are told by `lyncean.ops.colormap`.
    """
    ...

def contours(
    *,
    holes: bool = True,
    simplify: bool = True,
    min_area: float = 0.0,
    name: str | None = None,
    in_: str | Sequence[str] | None = None,
) -> Stage:
    """Follows the edges of the parts of a mask, and of their holes (Suzuki and Abe 1985).

    A stage `contours`; its parameters are told by `lyncean.ops.contours`.
    """
    ...

def convolve(
    *,
    kernel: Sequence[Sequence[float]],
    anchor: Sequence[int] | None = None,
    scale: float = 1.0,
    bias: float = 0.0,
    stride: int | Sequence[int] | None = None,
    flip: bool = False,
    output: Literal["f32", "same"] | None = None,
    border: Literal["constant", "replicate", "reflect", "reflect-101", "wrap", "valid"] = 'reflect-101',
    border_value: float = 0.0,
    name: str | None = None,
    in_: str | Sequence[str] | None = None,
) -> Stage:
    """Correlates with a kernel, like OpenCV's `filter2D` and every layer of a net; `flip = true` is the mathematical convolution.

    A stage `convolve`; its parameters are told by `lyncean.ops.convolve`.
    """
    ...

def crop(
    *,
    x: int = 0,
    y: int = 0,
    width: int | None = None,
    height: int | None = None,
    name: str | None = None,
    in_: str | Sequence[str] | None = None,
) -> Stage:
    """Takes a rectangle out of an image.

    A stage `crop`; its parameters are told by `lyncean.ops.crop`.
    """
    ...

def difference(
    *,
    signed: bool = False,
    name: str | None = None,
    in_: str | Sequence[str] | None = None,
) -> Stage:
    """The difference of two images of one type and size.

    A stage `difference`; its parameters are told by `lyncean.ops.difference`.
    """
    ...

def dilate(
    *,
    shape: Literal["rect", "cross", "ellipse"] | None = None,
    size: int | Sequence[int] | None = None,
    element: Sequence[Sequence[int]] | None = None,
    iterations: int | None = None,
    name: str | None = None,
    in_: str | Sequence[str] | None = None,
) -> Stage:
    """The greatest value under a structuring element: bright regions grow.

    A stage `dilate`; its parameters are told by `lyncean.ops.dilate`.
    """
    ...

def distance_transform(
    *,
    name: str | None = None,
    in_: str | Sequence[str] | None = None,
) -> Stage:
    """The Euclidean distance of each pixel of a mask from the nearest background pixel, in pixels, exact.

    A stage `distance-transform`; its parameters are told by `lyncean.ops.distance_transform`.
    """
    ...

def draw(
    *,
    line_width: int = 2,
    opacity: float = 0.5,
    contours: bool = False,
    points: bool = False,
    words: bool = True,
    text_scale: int = 1,
    name: str | None = None,
    in_: str | Sequence[str] | None = None,
) -> Stage:
    """Draws objects, labels and masks over any earlier image, as `rgb8`.

    A stage `draw`; its parameters are told by `lyncean.ops.draw`.
    """
    ...

def encode(
    *,
    model: StrPath,
    layer: str | None = None,
    name: str | None = None,
    in_: str | Sequence[str] | None = None,
) -> Stage:
    """Gives the numbers that a layer of a net makes of the picture: the code of an autoencoder, or the features of a classifier.

    A stage `encode`; its parameters are told by `lyncean.ops.encode`.
    """
    ...

def equalize(
    *,
    name: str | None = None,
    in_: str | Sequence[str] | None = None,
) -> Stage:
    """Spreads the values so that their histogram is as even as can be.

    A stage `equalize`; its parameters are told by `lyncean.ops.equalize`.
    """
    ...

def erode(
    *,
    shape: Literal["rect", "cross", "ellipse"] | None = None,
    size: int | Sequence[int] | None = None,
    element: Sequence[Sequence[int]] | None = None,
    iterations: int | None = None,
    name: str | None = None,
    in_: str | Sequence[str] | None = None,
) -> Stage:
    """The least value under a structuring element: bright regions shrink.

    A stage `erode`; its parameters are told by `lyncean.ops.erode`.
    """
    ...

def feature_maps(
    *,
    model: StrPath,
    layer: str,
    of: Literal["activations", "filters"] | None = None,
    stretch: Literal["each", "all"] | None = None,
    zoom: int = 1,
    name: str | None = None,
    in_: str | Sequence[str] | None = None,
) -> Stage:
    """Draws what a layer of a net makes of the picture, or the filters of a layer, as a mosaic.

    A stage `feature-maps`; its parameters are told by `lyncean.ops.feature_maps`.
    """
    ...

def fill_holes(
    *,
    max_area: int | None = None,
    connectivity: int = 8,
    name: str | None = None,
    in_: str | Sequence[str] | None = None,
) -> Stage:
    """Fills the holes of a mask: background that does not hang together with the edge of the image.

    A stage `fill-holes`; its parameters are told by `lyncean.ops.fill_holes`.
    """
    ...

def flat_field(
    *,
    name: str | None = None,
    in_: str | Sequence[str] | None = None,
) -> Stage:
    """Takes uneven light out of a picture by one of an even surface, and dark current by one without light.

    A stage `flat-field`; its parameters are told by `lyncean.ops.flat_field`.
    """
    ...

def flip(
    *,
    direction: Literal["horizontal", "vertical", "both"] | None = None,
    name: str | None = None,
    in_: str | Sequence[str] | None = None,
) -> Stage:
    """Mirrors an image.

    A stage `flip`; its parameters are told by `lyncean.ops.flip`.
    """
    ...

def gamma(
    *,
    gamma: float = 1.0,
    gain: float = 1.0,
    name: str | None = None,
    in_: str | Sequence[str] | None = None,
) -> Stage:
    """Brightens or darkens by a power: `white * gain * (v / white) ^ gamma`; black and white stay.

    A stage `gamma`; its parameters are told by `lyncean.ops.gamma`.
    """
    ...

def gaussian_blur(
    *,
    sigma: float = 1.0,
    size: int | None = None,
    border: Literal["constant", "replicate", "reflect", "reflect-101", "wrap", "valid"] = 'reflect-101',
    border_value: float = 0.0,
    name: str | None = None,
    in_: str | Sequence[str] | None = None,
) -> Stage:
    """Smooths with a Gaussian; the type stays.

    A stage `gaussian-blur`; its parameters are told by `lyncean.ops.gaussian_blur`.
    """
    ...

def gray(
    *,
    name: str | None = None,
    in_: str | Sequence[str] | None = None,
) -> Stage:
    """Turns colour into gray, in the depth of the input; gray pictures and masks pass as they are.

    A stage `gray`; its parameters are told by `lyncean.ops.gray`.
    """
    ...

def haar_detect(
    *,
    cascade: StrPath = 'builtin:frontal-face',
    scale_factor: float = 1.1,
    min_neighbors: int = 3,
    min_size: Sequence[int] | None = None,
    max_size: Sequence[int] | None = None,
    step: int | None = None,
    group_eps: float = 0.2,
    min_score: float | None = None,
    label: str = 'face',
    name: str | None = None,
    in_: str | Sequence[str] | None = None,
) -> Stage:
    """Finds objects with a cascade of boosted Haar features (Viola and Jones 2001; Lienhart and Maydt 2002) or local binary patterns (Liao and others 2007).

    A stage `haar-detect`; its parameters are told by `lyncean.ops.haar_detect`.
    """
    ...

def hog(
    *,
    orientations: int | None = None,
    pixels_per_cell: int | Sequence[int] | None = None,
    cells_per_block: int | Sequence[int] | None = None,
    block_norm: Literal["l1", "l1-sqrt", "l2", "l2-hys"] | None = None,
    transform_sqrt: bool = False,
    name: str | None = None,
    in_: str | Sequence[str] | None = None,
) -> Stage:
    """Describes the whole image by histograms of oriented gradients.

    A stage `hog`; its parameters are told by `lyncean.ops.hog`.
    """
    ...

def hysteresis(
    *,
    low: float,
    high: float,
    connectivity: int = 4,
    name: str | None = None,
    in_: str | Sequence[str] | None = None,
) -> Stage:
    """The pixels above `low` that hang together with one above `high`, as a `mask`.

    A stage `hysteresis`; its parameters are told by `lyncean.ops.hysteresis`.
    """
    ...

def integral(
    *,
    output: Literal["sum", "picture"] | None = None,
    name: str | None = None,
    in_: str | Sequence[str] | None = None,
) -> Stage:
    """The integral image (Crow 1984; Viola and Jones 2001): each value is the sum of all pixels above and left of it.

    A stage `integral`; its parameters are told by `lyncean.ops.integral`.
    """
    ...

def invert(
    *,
    name: str | None = None,
    in_: str | Sequence[str] | None = None,
) -> Stage:
    """Turns light into dark: `255 - v`, `65535 - v`, `1 - v`; masks stay masks.

    A stage `invert`; its parameters are told by `lyncean.ops.invert`.
    """
    ...

def label(
    *,
    connectivity: int = 8,
    min_area: int = 0,
    max_area: int | None = None,
    clear_border: bool = False,
    shape: bool = False,
    pixel_size: float | None = None,
    name: str | None = None,
    in_: str | Sequence[str] | None = None,
) -> Stage:
    """Numbers the connected components of a mask and measures them; `labels` are measured as they are.

    A stage `label`; its parameters are told by `lyncean.ops.label`.
    """
    ...

def laplacian(
    *,
    size: int = 1,
    border: Literal["constant", "replicate", "reflect", "reflect-101", "wrap", "valid"] = 'reflect-101',
    border_value: float = 0.0,
    name: str | None = None,
    in_: str | Sequence[str] | None = None,
) -> Stage:
    """The sum of both second derivatives, `gray-f32`: 0 on slopes, strong at edges and spots.

    A stage `laplacian`; its parameters are told by `lyncean.ops.laplacian`.
    """
    ...

def load(
    *,
    file: StrPath,
    name: str | None = None,
    in_: str | Sequence[str] | None = None,
) -> Stage:
    """A fixed second image from a file, the same for every picture: a reference, a background, a mask.

    A stage `load`; its parameters are told by `lyncean.ops.load`.
    """
    ...

def log(
    *,
    sigma: float = 2.0,
    border: Literal["constant", "replicate", "reflect", "reflect-101", "wrap", "valid"] = 'reflect',
    border_value: float = 0.0,
    name: str | None = None,
    in_: str | Sequence[str] | None = None,
) -> Stage:
    """The Laplacian of a Gaussian (Marr and Hildreth 1980), `gray-f32`: below 0 in spots brighter than what is round them.

    A stage `log`; its parameters are told by `lyncean.ops.log`.
    """
    ...

def mask_apply(
    *,
    outside: float = 0.0,
    inverted: bool = False,
    name: str | None = None,
    in_: str | Sequence[str] | None = None,
) -> Stage:
    """Keeps the pixels under a mask and fills the others with one value.

    A stage `mask-apply`; its parameters are told by `lyncean.ops.mask_apply`.
    """
    ...

def match_template(
    *,
    template: Sequence[StrPath | Mapping[str, Any]] | StrPath | Mapping[str, Any],
    mask: StrPath | None = None,
    method: Literal["squared-difference", "squared-difference-normed", "cross-correlation", "cross-correlation-normed", "correlation-coefficient", "correlation-coefficient-normed"] | None = None,
    threshold: float | None = None,
    max_count: int = 100,
    max_overlap: float = 0.3,
    label: str | None = None,
    subpixel: bool = False,
    scales: Mapping[str, Any] | None = None,
    angles: Mapping[str, Any] | None = None,
    guarantee: float = 0.1,
    name: str | None = None,
    in_: str | Sequence[str] | None = None,
) -> Stage:
    """Finds the places where a picture looks like a template.

    A stage `match-template`; its parameters are told by `lyncean.ops.match_template`.
    """
    ...

def median(
    *,
    size: int = 3,
    border: Literal["constant", "replicate", "reflect", "reflect-101", "wrap", "valid"] = 'replicate',
    border_value: float = 0.0,
    name: str | None = None,
    in_: str | Sequence[str] | None = None,
) -> Stage:
    """The median over a square, channel by channel: takes specks away and keeps edges.

    A stage `median`; its parameters are told by `lyncean.ops.median`.
    """
    ...

def morph_gradient(
    *,
    shape: Literal["rect", "cross", "ellipse"] | None = None,
    size: int | Sequence[int] | None = None,
    element: Sequence[Sequence[int]] | None = None,
    iterations: int | None = None,
    name: str | None = None,
    in_: str | Sequence[str] | None = None,
) -> Stage:
    """The morphological gradient: dilation less erosion, high along edges.

    A stage `morph-gradient`; its parameters are told by `lyncean.ops.morph_gradient`.
    """
    ...

def multi_otsu(
    *,
    classes: int = 3,
    output: Literal["labels", "gray"] | None = None,
    name: str | None = None,
    in_: str | Sequence[str] | None = None,
) -> Stage:
    """Sorts pixels into several classes by brightness, of the greatest variance between classes (Otsu 1979).

    A stage `multi-otsu`; its parameters are told by `lyncean.ops.multi_otsu`.
    """
    ...

def nearest_template(
    *,
    templates: StrPath,
    labels: Sequence[str] = ...,
    width: int | None = None,
    top: int = 5,
    name: str | None = None,
    in_: str | Sequence[str] | None = None,
) -> Stage:
    """Classifies the whole image by the class template it correlates best with.

    A stage `nearest-template`; its parameters are told by `lyncean.ops.nearest_template`.
    """
    ...

def niblack(
    *,
    size: int | Sequence[int] | None = None,
    k: float = 0.2,
    name: str | None = None,
    in_: str | Sequence[str] | None = None,
) -> Stage:
    """Compares every pixel with its surroundings' mean `m` and standard deviation `s`: above `m - k * s` (Niblack 1986).

    A stage `niblack`; its parameters are told by `lyncean.ops.niblack`.
    """
    ...

def normalize(
    *,
    percentiles: Sequence[float] | None = None,
    range: Sequence[float] | None = None,
    name: str | None = None,
    in_: str | Sequence[str] | None = None,
) -> Stage:
    """Stretches the values linearly to a range, all channels alike.

    A stage `normalize`; its parameters are told by `lyncean.ops.normalize`.
    """
    ...

def open_(
    *,
    shape: Literal["rect", "cross", "ellipse"] | None = None,
    size: int | Sequence[int] | None = None,
    element: Sequence[Sequence[int]] | None = None,
    iterations: int | None = None,
    name: str | None = None,
    in_: str | Sequence[str] | None = None,
) -> Stage:
    """Opening: erosion, then dilation.

    A stage `open`; its parameters are told by `lyncean.ops.open_`.
    """
    ...

def pad(
    *,
    all: int = 0,
    left: int | None = None,
    right: int | None = None,
    top: int | None = None,
    bottom: int | None = None,
    border: Literal["constant", "replicate", "reflect", "reflect-101", "wrap", "valid"] = 'reflect-101',
    border_value: float = 0.0,
    name: str | None = None,
    in_: str | Sequence[str] | None = None,
) -> Stage:
    """Makes an image larger by a border, like OpenCV's `copyMakeBorder`.

    A stage `pad`; its parameters are told by `lyncean.ops.pad`.
    """
    ...

def prewitt(
    *,
    output: Literal["magnitude", "l1", "dx", "dy", "gradient", "direction"] | None = None,
    border: Literal["constant", "replicate", "reflect", "reflect-101", "wrap", "valid"] = 'reflect-101',
    border_value: float = 0.0,
    name: str | None = None,
    in_: str | Sequence[str] | None = None,
) -> Stage:
    """Derivatives with Prewitt's operator (Prewitt 1970): 1, 1, 1 across -1, 0, 1.

    A stage `prewitt`; its parameters are told by `lyncean.ops.prewitt`.
    """
    ...

def reconstruct(
    *,
    model: StrPath,
    name: str | None = None,
    in_: str | Sequence[str] | None = None,
) -> Stage:
    """Gives what an autoencoder makes of the picture, and how far that is from it.

    A stage `reconstruct`; its parameters are told by `lyncean.ops.reconstruct`.
    """
    ...

def remove_small(
    *,
    min_area: int = 64,
    connectivity: int = 8,
    name: str | None = None,
    in_: str | Sequence[str] | None = None,
) -> Stage:
    """Takes small connected components out of a mask: scikit-image's `remove_small_objects`, with 8 neighbours where that has 4.

    A stage `remove-small`; its parameters are told by `lyncean.ops.remove_small`.
    """
    ...

def resize(
    *,
    width: int | None = None,
    height: int | None = None,
    scale: float | None = None,
    interpolation: Literal["nearest", "bilinear", "bicubic", "lanczos", "area"] | None = None,
    name: str | None = None,
    in_: str | Sequence[str] | None = None,
) -> Stage:
    """Changes the size of an image; the type stays.

    A stage `resize`; its parameters are told by `lyncean.ops.resize`.
    """
    ...

def rolling_ball(
    *,
    radius: float = 100.0,
    height: float | None = None,
    output: Literal["corrected", "background"] | None = None,
    name: str | None = None,
    in_: str | Sequence[str] | None = None,
) -> Stage:
    """Takes away the background, found by a ball rolled under the picture (Sternberg 1983).

    A stage `rolling-ball`; its parameters are told by `lyncean.ops.rolling_ball`.
    """
    ...

def rotate(
    *,
    angle: float,
    expand: bool = True,
    interpolation: Literal["nearest", "bilinear", "bicubic"] | None = None,
    border: Literal["constant", "replicate", "reflect", "reflect-101", "wrap", "valid"] = 'constant',
    border_value: float = 0.0,
    name: str | None = None,
    in_: str | Sequence[str] | None = None,
) -> Stage:
    """Turns an image about its centre.

    A stage `rotate`; its parameters are told by `lyncean.ops.rotate`.
    """
    ...

def saliency(
    *,
    model: StrPath,
    layer: str | None = None,
    class_: str | None = None,
    name: str | None = None,
    in_: str | Sequence[str] | None = None,
) -> Stage:
    """Shows where a net looks for a class: Grad-CAM (Selvaraju et al., 2017).

    A stage `saliency`; its parameters are told by `lyncean.ops.saliency`.
    """
    ...

def sauvola(
    *,
    size: int | Sequence[int] | None = None,
    k: float = 0.2,
    r: float | None = None,
    name: str | None = None,
    in_: str | Sequence[str] | None = None,
) -> Stage:
    """Compares every pixel with its surroundings' mean `m` and standard deviation `s`: above `m * (1 + k * (s / r - 1))` (Sauvola 2000), for print on uneven paper.

    A stage `sauvola`; its parameters are told by `lyncean.ops.sauvola`.
    """
    ...

def scharr(
    *,
    output: Literal["magnitude", "l1", "dx", "dy", "gradient", "direction"] | None = None,
    border: Literal["constant", "replicate", "reflect", "reflect-101", "wrap", "valid"] = 'reflect-101',
    border_value: float = 0.0,
    name: str | None = None,
    in_: str | Sequence[str] | None = None,
) -> Stage:
    """Derivatives with Scharr's operator (Scharr 2000): 3, 10, 3 across -1, 0, 1, closer to the same in all directions than Sobel's.

    A stage `scharr`; its parameters are told by `lyncean.ops.scharr`.
    """
    ...

def segment_net(
    *,
    model: StrPath,
    class_: str | None = None,
    tile: int = 512,
    name: str | None = None,
    in_: str | Sequence[str] | None = None,
) -> Stage:
    """Says what lies in each pixel with a net, such as a U-Net (Ronneberger, Fischer and Brox, 2015).

    A stage `segment-net`; its parameters are told by `lyncean.ops.segment_net`.
    """
    ...

def sobel(
    *,
    size: int = 3,
    output: Literal["magnitude", "l1", "dx", "dy", "gradient", "direction"] | None = None,
    border: Literal["constant", "replicate", "reflect", "reflect-101", "wrap", "valid"] = 'reflect-101',
    border_value: float = 0.0,
    name: str | None = None,
    in_: str | Sequence[str] | None = None,
) -> Stage:
    """Derivatives with Sobel's operator (Sobel and Feldman 1968): smoothing across, a difference along.

    A stage `sobel`; its parameters are told by `lyncean.ops.sobel`.
    """
    ...

def threshold(
    *,
    method: Literal["fixed", "otsu", "triangle", "li", "yen", "isodata", "minimum", "mean", "max-entropy"] | None = None,
    level: float | None = None,
    type: Literal["binary", "binary-inv", "trunc", "tozero", "tozero-inv"] | None = None,
    semantics: Literal["opencv", "scikit-image"] | None = None,
    name: str | None = None,
    in_: str | Sequence[str] | None = None,
) -> Stage:
    """Compares every pixel with a level: `pixel > level` is above.

    A stage `threshold`; its parameters are told by `lyncean.ops.threshold`.
    """
    ...

def to_f32(
    *,
    scale: float | None = None,
    offset: float = 0.0,
    name: str | None = None,
    in_: str | Sequence[str] | None = None,
) -> Stage:
    """Converts to floats; white becomes 1.

    A stage `to-f32`; its parameters are told by `lyncean.ops.to_f32`.
    """
    ...

def to_u8(
    *,
    scale: float | None = None,
    offset: float = 0.0,
    name: str | None = None,
    in_: str | Sequence[str] | None = None,
) -> Stage:
    """Converts to 8 bit, rounded to the nearest (halves to even) and saturated.

    A stage `to-u8`; its parameters are told by `lyncean.ops.to_u8`.
    """
    ...

def top_hat(
    *,
    shape: Literal["rect", "cross", "ellipse"] | None = None,
    size: int | Sequence[int] | None = None,
    element: Sequence[Sequence[int]] | None = None,
    iterations: int | None = None,
    name: str | None = None,
    in_: str | Sequence[str] | None = None,
) -> Stage:
    """The white top-hat: the image less its opening.

    A stage `top-hat`; its parameters are told by `lyncean.ops.top_hat`.
    """
    ...

def try_thresholds(
    *,
    semantics: Literal["opencv", "scikit-image"] | None = None,
    name: str | None = None,
    in_: str | Sequence[str] | None = None,
) -> Stage:
    """One sheet of every method of `threshold`: the picture, then a mask a method with its name and level.

    A stage `try-thresholds`; its parameters are told by `lyncean.ops.try_thresholds`.
    """
    ...

def warp_affine(
    *,
    matrix: Sequence[Sequence[float]],
    inverse: bool = False,
    width: int | None = None,
    height: int | None = None,
    interpolation: Literal["nearest", "bilinear", "bicubic"] | None = None,
    border: Literal["constant", "replicate", "reflect", "reflect-101", "wrap", "valid"] = 'constant',
    border_value: float = 0.0,
    name: str | None = None,
    in_: str | Sequence[str] | None = None,
) -> Stage:
    """Moves, turns, scales and shears an image by a 2x3 matrix.

    A stage `warp-affine`; its parameters are told by `lyncean.ops.warp_affine`.
    """
    ...

def watershed(
    *,
    min_distance: int = 10,
    min_depth: float = 0.0,
    connectivity: int = 4,
    min_area: int = 0,
    max_area: int | None = None,
    clear_border: bool = False,
    name: str | None = None,
    in_: str | Sequence[str] | None = None,
) -> Stage:
    """Pulls touching parts of a mask apart, numbers and measures them.

    A stage `watershed`; its parameters are told by `lyncean.ops.watershed`.
    """
    ...

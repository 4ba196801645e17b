# Made of the registry of stages: `BLESS=1 pytest python/tests/test_stubs.py` refreshes it.

import os
from typing import Any, Dict, List, Literal, Mapping, NamedTuple, Sequence, Tuple, Union

import numpy as np
from numpy.typing import NDArray

from ._lyncean import Objects as Objects

StrPath = Union[str, "os.PathLike[str]"]

__all__ = [
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
    image: NDArray[Any] | Tuple[Any, ...],
    /,
    *,
    method: Literal["mean", "gaussian"] | None = None,
    size: int = 31,
    offset: float = 0.0,
    inverted: bool = False,
    masks: Literal["bool", "uint8"] = 'bool',
    threads: int = 1,
) -> NDArray[Any]:
    """Compares every pixel with the mean of its surroundings, less an offset; gives a `mask`.

    8 bit equals OpenCV's `adaptiveThreshold`; the border is replicated. Means of integers are rounded to
    integers before they are compared.

    Parameters
    ----------
    image : gray8, gray16, gray-f32, mask
    method : Literal['mean', 'gaussian'] | None, optional
        How the surroundings are weighed.
        - `mean`: All alike.
        - `gaussian`: By a Gaussian of the standard deviation `0.3 * ((size - 1) / 2 - 1) + 0.8`.
    size : int, 3 to 1023, default 31
        Width and height of the surroundings in pixels, odd.
    offset : float, default 0.0
        How far below the mean the level lies, in units of the image; below 0 it lies above.
    inverted : bool, default False
        Whether pixels above the level are 0 and the others 255.
    masks : "bool" or "uint8", default "bool"
        How masks look: `bool`, or 0 and 255 as in OpenCV.
    threads : int, default 1
        Threads that work on the picture. They change no result.

    Returns
    -------
    mask : mask
    """
    ...

def arithmetic(
    first: NDArray[Any] | Tuple[Any, ...],
    /,
    *second: NDArray[Any] | Tuple[Any, ...],
    operation: Literal["add", "subtract", "multiply", "divide", "min", "max", "average", "blend"],
    constant: float | None = None,
    scale: float = 1.0,
    weight: float = 0.5,
    masks: Literal["bool", "uint8"] = 'bool',
    threads: int = 1,
) -> NDArray[Any]:
    """Combines two images of one type and size, or an image and a constant, value by value.

    The type stays; integers are rounded to the nearest (ties to even) and saturate, as in OpenCV. The
    minimum and maximum of two masks are masks, everything else of masks is gray.

    Parameters
    ----------
    first : gray8, gray16, gray-f32, rgb8, rgb16, rgb-f32, mask
    *second : gray8, gray16, gray-f32, rgb8, rgb16, rgb-f32, mask, any number
    operation : Literal['add', 'subtract', 'multiply', 'divide', 'min', 'max', 'average', 'blend'], required
        What is computed of the first and the second value.
        - `add`: First + second.
        - `subtract`: First - second.
        - `multiply`: First * second * `scale`.
        - `divide`: First * `scale` / second; of integers 0 where the second is 0.
        - `min`: The smaller one.
        - `max`: The larger one.
        - `average`: Half of the sum.
        - `blend`: First * (1 - `weight`) + second * `weight`.
    constant : float | None, optional
        The second value, in units of the image, in place of a second input.
    scale : float, default 1.0
        What products and quotients are multiplied with.
    weight : float, 0 to 1, default 0.5
        The share of the second value in a blend, 0..=1.
    masks : "bool" or "uint8", default "bool"
        How masks look: `bool`, or 0 and 255 as in OpenCV.
    threads : int, default 1
        Threads that work on the picture. They change no result.

    Returns
    -------
    image : gray8, gray16, gray-f32, rgb8, rgb16, rgb-f32, mask
    """
    ...

def black_hat(
    image: NDArray[Any] | Tuple[Any, ...],
    /,
    *,
    shape: Literal["rect", "cross", "ellipse"] | None = None,
    size: int | Sequence[int] | None = None,
    element: Sequence[Sequence[int]] | None = None,
    iterations: int | None = None,
    masks: Literal["bool", "uint8"] = 'bool',
    threads: int = 1,
) -> NDArray[Any]:
    """The black top-hat: the closing less the image. Keeps dark parts that the element does not fit into.

    What lies beyond the edge does not count. Elements are those of OpenCV's `getStructuringElement`.

    Parameters
    ----------
    image : gray8, gray16, gray-f32, mask
    shape : Literal['rect', 'cross', 'ellipse'] | None, optional
        The form of the element.
        - `rect`: Every pixel of the rectangle.
        - `cross`: The middle row and the middle column.
        - `ellipse`: The ellipse inscribed in the rectangle.
    size : int | Sequence[int] | None, optional
        Width and height of the element in pixels: one number for both, or `[width, height]`.
    element : Sequence[Sequence[int]] | None, optional
        An element of one's own instead: rows of 0 and 1, all of one length.
    iterations : int | None, 1 to 100, optional
        How often erosions and dilations are done.
    masks : "bool" or "uint8", default "bool"
        How masks look: `bool`, or 0 and 255 as in OpenCV.
    threads : int, default 1
        Threads that work on the picture. They change no result.

    Returns
    -------
    image : gray8, gray16, gray-f32, mask
    """
    ...

def box_blur(
    image: NDArray[Any] | Tuple[Any, ...],
    /,
    *,
    size: int | Sequence[int] | None = None,
    border: Literal["constant", "replicate", "reflect", "reflect-101", "wrap", "valid"] = 'reflect-101',
    border_value: float = 0.0,
    masks: Literal["bool", "uint8"] = 'bool',
    threads: int = 1,
) -> NDArray[Any]:
    """The mean over a rectangle; the type stays.

    Integers are summed exactly by running sums, in a time that does not depend on the size, and rounded
    once, halves up; floats are summed in 64 bits.

    Parameters
    ----------
    image : gray8, gray16, gray-f32, rgb8, rgb16, rgb-f32, mask
    size : int | Sequence[int] | None, optional
        Width and height of the window in pixels; an even one reaches one pixel farther left or up.
    border : Literal['constant', 'replicate', 'reflect', 'reflect-101', 'wrap', 'valid'], default "reflect-101"
        What lies beyond the edge.
        - `constant`: One fixed value: `iiii|abcdefgh|iiii`.
        - `replicate`: The edge pixel again and again: `aaaa|abcdefgh|hhhh`.
        - `reflect`: Mirrored, the edge pixel twice: `dcba|abcdefgh|hgfe`.
        - `reflect-101`: Mirrored about the edge pixel: `edcb|abcdefgh|gfed`. OpenCV's default.
        - `wrap`: The opposite side: `efgh|abcdefgh|abcd`.
        - `valid`: Nothing: the output shrinks to where the window fits.
    border_value : float, default 0.0
        The value beyond the edge of a constant border, in units of the image.
    masks : "bool" or "uint8", default "bool"
        How masks look: `bool`, or 0 and 255 as in OpenCV.
    threads : int, default 1
        Threads that work on the picture. They change no result.

    Returns
    -------
    image : gray8, gray16, gray-f32, rgb8, rgb16, rgb-f32
    """
    ...

def canny(
    image: NDArray[Any] | Tuple[Any, ...],
    /,
    *,
    low: float = 100.0,
    high: float = 200.0,
    size: int = 3,
    norm: Literal["l1", "l2"] | None = None,
    masks: Literal["bool", "uint8"] = 'bool',
    threads: int = 1,
) -> NDArray[Any]:
    """Edges one pixel wide (Canny 1986): gradients, thinned to their ridges, kept where they hang
    together with a strong one.

    OpenCV's `Canny`, to the bit. It does not smooth: put `gaussian-blur` before it.

    Parameters
    ----------
    image : gray8, mask
    low : float, at least 0, default 100.0
        Gradients above it are edges where they hang together with a strong one.
    high : float, at least 0, default 200.0
        Gradients above it are edges.
    size : int, at least 0, default 3
        Window of the Sobel operator in pixels: 3 or 5. Gradients are not normalised: levels grow with it.
    norm : Literal['l1', 'l2'] | None, optional
        How a gradient is measured.
        - `l1`: `|dx| + |dy|`.
        - `l2`: `sqrt(dx² + dy²)`.
    masks : "bool" or "uint8", default "bool"
        How masks look: `bool`, or 0 and 255 as in OpenCV.
    threads : int, default 1
        Threads that work on the picture. They change no result.

    Returns
    -------
    image : mask
    """
    ...

def channel(
    image: NDArray[Any] | Tuple[Any, ...],
    /,
    *,
    channel: Literal["red", "green", "blue"] | None = None,
    masks: Literal["bool", "uint8"] = 'bool',
    threads: int = 1,
) -> NDArray[Any]:
    """Takes one channel of a colour picture, in its depth.

    Parameters
    ----------
    image : rgb8, rgb16, rgb-f32
    channel : Literal['red', 'green', 'blue'] | None, optional
        Which channel.
        - `red`: Red.
        - `green`: Green.
        - `blue`: Blue.
    masks : "bool" or "uint8", default "bool"
        How masks look: `bool`, or 0 and 255 as in OpenCV.
    threads : int, default 1
        Threads that work on the picture. They change no result.

    Returns
    -------
    image : gray8, gray16, gray-f32
    """
    ...

def clahe(
    image: NDArray[Any] | Tuple[Any, ...],
    /,
    *,
    clip_limit: float = 40.0,
    tiles: Sequence[int] = ...,
    masks: Literal["bool", "uint8"] = 'bool',
    threads: int = 1,
) -> NDArray[Any]:
    """Equalizes the histogram tile by tile, with a limit on contrast (Zuiderveld 1994).

    OpenCV's `CLAHE`, to the bit: 256 values for 8 bit, 65536 for 16 bit; images that the tiles do not fit
    are mirrored below and on the right.

    Parameters
    ----------
    image : gray8, gray16
    clip_limit : float, 0 to 1e+06, default 40.0
        The greatest count of a value in a tile, as a multiple of the mean count; 0 sets no limit.
    tiles : Sequence[int], default [8, 8]
        Tiles across and down, 1..=4096 each.
    masks : "bool" or "uint8", default "bool"
        How masks look: `bool`, or 0 and 255 as in OpenCV.
    threads : int, default 1
        Threads that work on the picture. They change no result.

    Returns
    -------
    image : gray8, gray16
    """
    ...

def classify(
    image: NDArray[Any] | Tuple[Any, ...],
    /,
    *,
    model: StrPath,
    top: int = 5,
    masks: Literal["bool", "uint8"] = 'bool',
    threads: int = 1,
) -> List[Dict[str, Any]]:
    """Classifies the whole image with a net.

    Pixels are brought to 0..=1 and standardised with the mean and deviation that the net was
    trained with. The image must have the net's channels and size: `resize` and `gray` make it so.

    Parameters
    ----------
    image : gray8, gray16, gray-f32, rgb8, rgb16, rgb-f32, mask
    model : StrPath, required
        The trained net: a safetensors file that carries its architecture, or `builtin:lenet5`.
    top : int, at least 1, default 5
        How many classes are told, the most probable first.
    masks : "bool" or "uint8", default "bool"
        How masks look: `bool`, or 0 and 255 as in OpenCV.
    threads : int, default 1
        Threads that work on the picture. They change no result.

    Returns
    -------
    classes : classes
    """
    ...

def classify_linear(
    vector: NDArray[np.float32] | Tuple[Any, ...],
    /,
    *,
    model: StrPath,
    top: int = 5,
    masks: Literal["bool", "uint8"] = 'bool',
    threads: int = 1,
) -> List[Dict[str, Any]]:
    """Classifies a vector with a linear model.

    The model is what `lyncean train linear` makes. Of logistic regression `p` is the probability that was
    fitted; of support vector machines it is the softmax of the scores, which ranks classes and is not calibrated.

    Parameters
    ----------
    vector : vector
    model : StrPath, required
        The trained model: a safetensors file with the labels in its metadata, or `builtin:digits-hog`.
    top : int, at least 1, default 5
        How many classes are told, the most probable first.
    masks : "bool" or "uint8", default "bool"
        How masks look: `bool`, or 0 and 255 as in OpenCV.
    threads : int, default 1
        Threads that work on the picture. They change no result.

    Returns
    -------
    classes : classes
    """
    ...

def clear_border(
    mask: NDArray[Any] | Tuple[Any, ...],
    /,
    *,
    margin: int = 0,
    connectivity: int = 8,
    masks: Literal["bool", "uint8"] = 'bool',
    threads: int = 1,
) -> NDArray[Any]:
    """Takes connected components that touch the edge of the image out of a mask: scikit-image's `clear_border`.

    Parameters
    ----------
    mask : mask
    margin : int, at least 0, default 0
        Pixels from the edge within which a component counts as touching it.
    connectivity : int, at least 0, default 8
        Neighbours of a pixel: 4, or 8 with the diagonal ones.
    masks : "bool" or "uint8", default "bool"
        How masks look: `bool`, or 0 and 255 as in OpenCV.
    threads : int, default 1
        Threads that work on the picture. They change no result.

    Returns
    -------
    mask : mask
    """
    ...

def close(
    image: NDArray[Any] | Tuple[Any, ...],
    /,
    *,
    shape: Literal["rect", "cross", "ellipse"] | None = None,
    size: int | Sequence[int] | None = None,
    element: Sequence[Sequence[int]] | None = None,
    iterations: int | None = None,
    masks: Literal["bool", "uint8"] = 'bool',
    threads: int = 1,
) -> NDArray[Any]:
    """Closing: dilation, then erosion. Fills dark parts that the element does not fit into.

    What lies beyond the edge does not count. Elements are those of OpenCV's `getStructuringElement`.

    Parameters
    ----------
    image : gray8, gray16, gray-f32, mask
    shape : Literal['rect', 'cross', 'ellipse'] | None, optional
        The form of the element.
        - `rect`: Every pixel of the rectangle.
        - `cross`: The middle row and the middle column.
        - `ellipse`: The ellipse inscribed in the rectangle.
    size : int | Sequence[int] | None, optional
        Width and height of the element in pixels: one number for both, or `[width, height]`.
    element : Sequence[Sequence[int]] | None, optional
        An element of one's own instead: rows of 0 and 1, all of one length.
    iterations : int | None, 1 to 100, optional
        How often erosions and dilations are done.
    masks : "bool" or "uint8", default "bool"
        How masks look: `bool`, or 0 and 255 as in OpenCV.
    threads : int, default 1
        Threads that work on the picture. They change no result.

    Returns
    -------
    image : gray8, gray16, gray-f32, mask
    """
    ...

def cnn_detect(
    image: NDArray[Any] | Tuple[Any, ...],
    /,
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
    masks: Literal["bool", "uint8"] = 'bool',
    threads: int = 1,
) -> Objects:
    """Finds objects with a net that tells windows apart, slid over smaller and smaller copies of the picture; or, with a
    `decoder`, with a detector that gives the boxes of a whole picture at once.

    A classifier of windows is made fully convolutional, so that windows share what they have in common (Vaillant,
    Monrocq and LeCun, 1994). A detector, such as YuNet, is given the picture padded with black at the right and at the
    bottom to a multiple of its strides. Of boxes that overlap the most probable stays; `score` is its probability, and
    `neighbors` the number of boxes that speak for the same object. Landmarks are measures: `nose-x`, `nose-y`.

    Parameters
    ----------
    image : gray8, gray16, gray-f32, rgb8, rgb16, rgb-f32
    model : StrPath, required
        The trained classifier of windows: a safetensors file that carries its architecture, or `builtin:face`. With a
        decoder the detector: such a file, an ONNX file, or `builtin:yunet`.
    class_ : str, required
        The class that is looked for, by its name, or by its number where classes have no names. What the only class of a
        detector is called is free.
    decoder : Mapping[str, Any] | None, optional
        How the outputs of a detector are turned into boxes: `{ kind = "yunet" }`, with `strides`, names of the outputs
        (`cls`, `obj`, `bbox`, `landmarks`), `channels`, `scale`, `mean`, `classes` and `points` where they are not
        YuNet's own.
    min_probability : float, 0 to 1, default 0.9
        Probability that a box has at least.
    min_neighbors : int | None, at least 1, optional
        Boxes that must speak for an object, itself among them: 3 by default, 1 with a decoder.
    scale_factor : float | None, 1.01 to 16, optional
        Ratio of one scale to the one before, 1.2 by default; a detector with a decoder has none.
    min_size : Sequence[int] | None, optional
        Width and height that objects have at least, in pixels; by default the window's own.
    max_size : Sequence[int] | None, optional
        Width and height that objects have at most, in pixels; by default the picture's.
    max_overlap : float, 0 to 1, default 0.3
        Overlap of two objects at most, intersection over union.
    masks : "bool" or "uint8", default "bool"
        How masks look: `bool`, or 0 and 255 as in OpenCV.
    threads : int, default 1
        Threads that work on the picture. They change no result.

    Returns
    -------
    objects : objects
    """
    ...

def cnn_verify(
    image: NDArray[Any] | Tuple[Any, ...],
    objects: Objects | List[Dict[str, Any]] | Tuple[Any, ...],
    /,
    *,
    model: StrPath,
    class_: str,
    min_probability: float = 0.5,
    margin: float = 0.0,
    masks: Literal["bool", "uint8"] = 'bool',
    threads: int = 1,
) -> Objects:
    """Keeps the objects of an earlier stage that a net takes for a class: a cheap detector proposes, the net decides.

    What lies in an object's box, grown by `margin`, is resized to the net's input. Objects that stay get the measure
    `p`, the probability of the class; their scores are as they were.

    Parameters
    ----------
    image : gray8, gray16, gray-f32, rgb8, rgb16, rgb-f32
    objects : objects
    model : StrPath, required
        The trained net: a safetensors file that carries its architecture, or `builtin:face`.
    class_ : str, required
        The class that objects must be of, by its name, or by its number where classes have no names.
    min_probability : float, 0 to 1, default 0.5
        Probability that the class has at least.
    margin : float, -0.45 to 4, default 0.0
        What a box grows by on every side, as a share of its size; negative to shrink it.
    masks : "bool" or "uint8", default "bool"
        How masks look: `bool`, or 0 and 255 as in OpenCV.
    threads : int, default 1
        Threads that work on the picture. They change no result.

    Returns
    -------
    objects : objects
    """
    ...

def colormap(
    image: NDArray[Any] | Tuple[Any, ...],
    /,
    *,
    map: Literal["viridis", "magma", "inferno", "plasma", "cividis", "turbo", "jet", "gray"] | None = None,
    masks: Literal["bool", "uint8"] = 'bool',
    threads: int = 1,
) -> NDArray[np.uint8]:
    """Gray values as colours of a well-known map.

    The range of the type, 0..=255, 0..=65535 or 0..=1, is cut into 256 equal parts. The tables are those
    of OpenCV's `applyColorMap`.

    Parameters
    ----------
    image : gray8, gray16, gray-f32, mask
    map : Literal['viridis', 'magma', 'inferno', 'plasma', 'cividis', 'turbo', 'jet', 'gray'] | None, optional
        Which map.
        - `viridis`: Dark blue over green to yellow, even to the eye.
        - `magma`: Black over purple to light yellow, even to the eye.
        - `inferno`: Black over red to light yellow, even to the eye.
        - `plasma`: Blue over red to yellow, even to the eye.
        - `cividis`: Blue to yellow, even and also for the colour-blind.
        - `turbo`: A rainbow without false edges.
        - `jet`: The old rainbow: blue, cyan, yellow, red.
        - `gray`: Gray as it is.
    masks : "bool" or "uint8", default "bool"
        How masks look: `bool`, or 0 and 255 as in OpenCV.
    threads : int, default 1
        Threads that work on the picture. They change no result.

    Returns
    -------
    image : rgb8
    """
    ...

def contours(
    mask: NDArray[Any] | Tuple[Any, ...],
    /,
    *,
    holes: bool = True,
    simplify: bool = True,
    min_area: float = 0.0,
    masks: Literal["bool", "uint8"] = 'bool',
    threads: int = 1,
) -> Objects:
    """Follows the edges of the parts of a mask, and of their holes (Suzuki and Abe 1985).

    Each object has its `outline`: pixels of the foreground, one after the other, in pixels of the picture as
    read; the `area` and `length` of the line through them, in pixels of the mask; and the label `outer` or
    `hole`. Equal to OpenCV's `findContours`, `contourArea` and `arcLength`.

    Parameters
    ----------
    mask : mask
    holes : bool, default True
        Whether edges of holes are told too.
    simplify : bool, default True
        Whether of straight pieces only the ends are told.
    min_area : float, at least 0, default 0.0
        Least area; lines with less within are left out.
    masks : "bool" or "uint8", default "bool"
        How masks look: `bool`, or 0 and 255 as in OpenCV.
    threads : int, default 1
        Threads that work on the picture. They change no result.

    Returns
    -------
    objects : objects
    """
    ...

def convolve(
    image: NDArray[Any] | Tuple[Any, ...],
    /,
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
    masks: Literal["bool", "uint8"] = 'bool',
    threads: int = 1,
) -> NDArray[Any]:
    """Correlates with a kernel, like OpenCV's `filter2D` and every layer of a net; `flip = true` is the
    mathematical convolution.

    Each output is `scale * sum(kernel * window) + bias`. Kernels of integers are summed exactly over
    8- and 16-bit pictures; such a kernel that is a column times a row is computed as both.

    Parameters
    ----------
    image : gray8, gray16, gray-f32, rgb8, rgb16, rgb-f32, mask
    kernel : Sequence[Sequence[float]], required
        Weights, row by row.
    anchor : Sequence[int] | None, optional
        The weight that lies on the output's pixel, `[x, y]` from the top left; by default half of
        width and height, rounded down.
    scale : float, default 1.0
        What the sum is multiplied with.
    bias : float, default 0.0
        What is added after scaling, in units of the image.
    stride : int | Sequence[int] | None, optional
        Pixels from one output to the next: one number for both axes, or `[x, y]`.
    flip : bool, default False
        Whether the kernel is turned by half a turn: mathematical convolution.
    output : Literal['f32', 'same'] | None, optional
        The type of the result.
        - `f32`: Floats: `gray-f32` or `rgb-f32`.
        - `same`: The type of the image, rounded to the nearest (ties to even) and saturated.
    border : Literal['constant', 'replicate', 'reflect', 'reflect-101', 'wrap', 'valid'], default "reflect-101"
        What lies beyond the edge; `valid` gives an output only where the kernel fits.
        - `constant`: One fixed value: `iiii|abcdefgh|iiii`.
        - `replicate`: The edge pixel again and again: `aaaa|abcdefgh|hhhh`.
        - `reflect`: Mirrored, the edge pixel twice: `dcba|abcdefgh|hgfe`.
        - `reflect-101`: Mirrored about the edge pixel: `edcb|abcdefgh|gfed`. OpenCV's default.
        - `wrap`: The opposite side: `efgh|abcdefgh|abcd`.
        - `valid`: Nothing: the output shrinks to where the window fits.
    border_value : float, default 0.0
        The value beyond the edge of a constant border, in units of the image.
    masks : "bool" or "uint8", default "bool"
        How masks look: `bool`, or 0 and 255 as in OpenCV.
    threads : int, default 1
        Threads that work on the picture. They change no result.

    Returns
    -------
    image : gray-f32, rgb-f32, gray8, gray16, rgb8, rgb16
    """
    ...

def crop(
    image: NDArray[Any] | Tuple[Any, ...],
    /,
    *,
    x: int = 0,
    y: int = 0,
    width: int | None = None,
    height: int | None = None,
    masks: Literal["bool", "uint8"] = 'bool',
    threads: int = 1,
) -> NDArray[Any]:
    """Takes a rectangle out of an image.

    Objects found in what is left are told in coordinates of the picture as read.

    Parameters
    ----------
    image : gray8, gray16, gray-f32, rgb8, rgb16, rgb-f32, mask, labels
    x : int, at least 0, default 0
        First column.
    y : int, at least 0, default 0
        First row.
    width : int | None, at least 0, optional
        Width in pixels; by default up to the right edge.
    height : int | None, at least 0, optional
        Height in pixels; by default down to the bottom.
    masks : "bool" or "uint8", default "bool"
        How masks look: `bool`, or 0 and 255 as in OpenCV.
    threads : int, default 1
        Threads that work on the picture. They change no result.

    Returns
    -------
    image : gray8, gray16, gray-f32, rgb8, rgb16, rgb-f32, mask, labels
    """
    ...

def difference(
    first: NDArray[Any] | Tuple[Any, ...],
    second: NDArray[Any] | Tuple[Any, ...],
    /,
    *,
    signed: bool = False,
    masks: Literal["bool", "uint8"] = 'bool',
    threads: int = 1,
) -> NDArray[Any]:
    """The difference of two images of one type and size.

    Parameters
    ----------
    first : gray8, gray16, gray-f32, rgb8, rgb16, rgb-f32, mask
    second : gray8, gray16, gray-f32, rgb8, rgb16, rgb-f32, mask
    signed : bool, default False
        Whether the sign is kept: `first - second` as floats, instead of `|first - second|` in the
        type of the images.
    masks : "bool" or "uint8", default "bool"
        How masks look: `bool`, or 0 and 255 as in OpenCV.
    threads : int, default 1
        Threads that work on the picture. They change no result.

    Returns
    -------
    image : gray8, gray16, gray-f32, rgb8, rgb16, rgb-f32, mask
    """
    ...

def dilate(
    image: NDArray[Any] | Tuple[Any, ...],
    /,
    *,
    shape: Literal["rect", "cross", "ellipse"] | None = None,
    size: int | Sequence[int] | None = None,
    element: Sequence[Sequence[int]] | None = None,
    iterations: int | None = None,
    masks: Literal["bool", "uint8"] = 'bool',
    threads: int = 1,
) -> NDArray[Any]:
    """The greatest value under a structuring element: bright regions grow.

    What lies beyond the edge does not count. Elements are those of OpenCV's `getStructuringElement`.

    Parameters
    ----------
    image : gray8, gray16, gray-f32, mask
    shape : Literal['rect', 'cross', 'ellipse'] | None, optional
        The form of the element.
        - `rect`: Every pixel of the rectangle.
        - `cross`: The middle row and the middle column.
        - `ellipse`: The ellipse inscribed in the rectangle.
    size : int | Sequence[int] | None, optional
        Width and height of the element in pixels: one number for both, or `[width, height]`.
    element : Sequence[Sequence[int]] | None, optional
        An element of one's own instead: rows of 0 and 1, all of one length.
    iterations : int | None, 1 to 100, optional
        How often it is done.
    masks : "bool" or "uint8", default "bool"
        How masks look: `bool`, or 0 and 255 as in OpenCV.
    threads : int, default 1
        Threads that work on the picture. They change no result.

    Returns
    -------
    image : gray8, gray16, gray-f32, mask
    """
    ...

def distance_transform(
    mask: NDArray[Any] | Tuple[Any, ...],
    /,
    *,
    masks: Literal["bool", "uint8"] = 'bool',
    threads: int = 1,
) -> NDArray[np.float32]:
    """The Euclidean distance of each pixel of a mask from the nearest background pixel, in pixels, exact.

    Equal to SciPy's `distance_transform_edt`. What lies beyond the edge does not count; a mask without
    background is infinitely far from any.

    Parameters
    ----------
    mask : mask
    masks : "bool" or "uint8", default "bool"
        How masks look: `bool`, or 0 and 255 as in OpenCV.
    threads : int, default 1
        Threads that work on the picture. They change no result.

    Returns
    -------
    image : gray-f32
    """
    ...

def draw(
    image: NDArray[Any] | Tuple[Any, ...],
    /,
    *what: NDArray[Any] | Objects | List[Dict[str, Any]] | Tuple[Any, ...],
    line_width: int = 2,
    opacity: float = 0.5,
    contours: bool = False,
    points: bool = False,
    words: bool = True,
    text_scale: int = 1,
    masks: Literal["bool", "uint8"] = 'bool',
    threads: int = 1,
) -> NDArray[np.uint8]:
    """Draws objects, labels and masks over any earlier image, as `rgb8`.

    `in = ["input", "coins"]` draws what `coins` gives over the picture as read: labels in colours,
    masks as a veil, objects as their outlines where these are known, else as boxes. A stage that gives both labels and
    objects is drawn by its labels; `"coins.objects"` picks the objects. 16-bit images lose their low byte, floats of 0..=1
    become 0..=255.

    Parameters
    ----------
    image : gray8, gray16, gray-f32, rgb8, rgb16, rgb-f32, mask, labels
    *what : labels, mask, objects, any number
    line_width : int, 1 to 100, default 2
        Width of the lines of boxes and outlines in pixels.
    opacity : float, 0 to 1, default 0.5
        Opacity of labels and masks: 0 clear, 1 opaque.
    contours : bool, default False
        Whether labels are drawn as contours instead of fields.
    points : bool, default False
        Whether points of objects, which have measures `NAME-x` and `NAME-y`, are drawn as dots.
    words : bool, default True
        Whether boxes carry their label and score.
    text_scale : int, 1 to 32, default 1
        Size of words: dots of a letter in pixels, of 8 dots a letter.
    masks : "bool" or "uint8", default "bool"
        How masks look: `bool`, or 0 and 255 as in OpenCV.
    threads : int, default 1
        Threads that work on the picture. They change no result.

    Returns
    -------
    image : rgb8
    """
    ...

def encode(
    image: NDArray[Any] | Tuple[Any, ...],
    /,
    *,
    model: StrPath,
    layer: str | None = None,
    masks: Literal["bool", "uint8"] = 'bool',
    threads: int = 1,
) -> NDArray[np.float32]:
    """Gives the numbers that a layer of a net makes of the picture: the code of an autoencoder, or the features of a
    classifier.

    The vector goes on to `classify-linear`, into records, or to whoever compares pictures.

    Parameters
    ----------
    image : gray8, gray16, gray-f32, rgb8, rgb16, rgb-f32, mask
    model : StrPath, required
        The trained net: a safetensors file that carries its architecture, or `builtin:autoencoder-conv`.
    layer : str | None, optional
        The layer; by default the one that gives the fewest numbers, the first of several.
    masks : "bool" or "uint8", default "bool"
        How masks look: `bool`, or 0 and 255 as in OpenCV.
    threads : int, default 1
        Threads that work on the picture. They change no result.

    Returns
    -------
    vector : vector
    """
    ...

def equalize(
    image: NDArray[Any] | Tuple[Any, ...],
    /,
    *,
    masks: Literal["bool", "uint8"] = 'bool',
    threads: int = 1,
) -> NDArray[Any]:
    """Spreads the values so that their histogram is as even as can be.

    8 bit as OpenCV's `equalizeHist`, to the bit; 16 bit by the same formula over 65536 bins.

    Parameters
    ----------
    image : gray8, gray16
    masks : "bool" or "uint8", default "bool"
        How masks look: `bool`, or 0 and 255 as in OpenCV.
    threads : int, default 1
        Threads that work on the picture. They change no result.

    Returns
    -------
    image : gray8, gray16
    """
    ...

def erode(
    image: NDArray[Any] | Tuple[Any, ...],
    /,
    *,
    shape: Literal["rect", "cross", "ellipse"] | None = None,
    size: int | Sequence[int] | None = None,
    element: Sequence[Sequence[int]] | None = None,
    iterations: int | None = None,
    masks: Literal["bool", "uint8"] = 'bool',
    threads: int = 1,
) -> NDArray[Any]:
    """The least value under a structuring element: bright regions shrink.

    What lies beyond the edge does not count. Elements are those of OpenCV's `getStructuringElement`.

    Parameters
    ----------
    image : gray8, gray16, gray-f32, mask
    shape : Literal['rect', 'cross', 'ellipse'] | None, optional
        The form of the element.
        - `rect`: Every pixel of the rectangle.
        - `cross`: The middle row and the middle column.
        - `ellipse`: The ellipse inscribed in the rectangle.
    size : int | Sequence[int] | None, optional
        Width and height of the element in pixels: one number for both, or `[width, height]`.
    element : Sequence[Sequence[int]] | None, optional
        An element of one's own instead: rows of 0 and 1, all of one length.
    iterations : int | None, 1 to 100, optional
        How often it is done.
    masks : "bool" or "uint8", default "bool"
        How masks look: `bool`, or 0 and 255 as in OpenCV.
    threads : int, default 1
        Threads that work on the picture. They change no result.

    Returns
    -------
    image : gray8, gray16, gray-f32, mask
    """
    ...

def feature_maps(
    image: NDArray[Any] | Tuple[Any, ...],
    /,
    *,
    model: StrPath,
    layer: str,
    of: Literal["activations", "filters"] | None = None,
    stretch: Literal["each", "all"] | None = None,
    zoom: int = 1,
    masks: Literal["bool", "uint8"] = 'bool',
    threads: int = 1,
) -> NDArray[np.uint8]:
    """Draws what a layer of a net makes of the picture, or the filters of a layer, as a mosaic.

    Maps come row after row, in the order of their channels; filters have a row of their own each, with a
    tile for each channel that they see, or come as maps do where that is one. A sheet for eyes: values
    are stretched so that the smallest is black and the largest white.

    Parameters
    ----------
    image : gray8, gray16, gray-f32, rgb8, rgb16, rgb-f32, mask
    model : StrPath, required
        The trained net: a safetensors file that carries its architecture, or `builtin:lenet5`.
    layer : str, required
        The layer, as `lyncean nets NAME` lists them.
    of : Literal['activations', 'filters'] | None, optional
        What is drawn.
        - `activations`: What the layer gives for the picture.
        - `filters`: Its weights, which are the same for every picture.
    stretch : Literal['each', 'all'] | None, optional
        What is stretched as one.
        - `each`: Each tile by itself: shapes can be seen, strengths cannot be compared.
        - `all`: All tiles together.
    zoom : int, 1 to 64, default 1
        How many times larger than it is each value is drawn.
    masks : "bool" or "uint8", default "bool"
        How masks look: `bool`, or 0 and 255 as in OpenCV.
    threads : int, default 1
        Threads that work on the picture. They change no result.

    Returns
    -------
    image : gray8
    """
    ...

def fill_holes(
    mask: NDArray[Any] | Tuple[Any, ...],
    /,
    *,
    max_area: int | None = None,
    connectivity: int = 8,
    masks: Literal["bool", "uint8"] = 'bool',
    threads: int = 1,
) -> NDArray[Any]:
    """Fills the holes of a mask: background that does not hang together with the edge of the image.

    Equal to SciPy's `binary_fill_holes` with the default of 8 neighbours, which leaves the background 4.

    Parameters
    ----------
    mask : mask
    max_area : int | None, at least 0, optional
        Holes of more pixels stay open.
    connectivity : int, at least 0, default 8
        Neighbours of a pixel: 4, or 8 with the diagonal ones.
    masks : "bool" or "uint8", default "bool"
        How masks look: `bool`, or 0 and 255 as in OpenCV.
    threads : int, default 1
        Threads that work on the picture. They change no result.

    Returns
    -------
    mask : mask
    """
    ...

class FlatFieldOutputs(NamedTuple):
    """What `flat_field` gives."""

    image: NDArray[Any]
    light: Dict[str, float]

def flat_field(
    image: NDArray[Any] | Tuple[Any, ...],
    flat: NDArray[Any] | Tuple[Any, ...],
    /,
    *dark: NDArray[Any] | Tuple[Any, ...],
    masks: Literal["bool", "uint8"] = 'bool',
    threads: int = 1,
) -> FlatFieldOutputs:
    """Takes uneven light out of a picture by one of an even surface, and dark current by one without light.

    `(image - dark) / (flat - dark) * mean(flat - dark)`, each channel by itself, in `f32`; 0 where the
    flat picture is not above the dark one. The inputs are the image, the flat picture and, if wished, the
    dark one, all of one type and size: `load` reads the latter two. The record tells the mean of the
    light as `light` (of colours `light-red`, `light-green`, `light-blue`).

    Parameters
    ----------
    image : gray8, gray16, gray-f32, rgb8, rgb16, rgb-f32
    flat : gray8, gray16, gray-f32, rgb8, rgb16, rgb-f32
    *dark : gray8, gray16, gray-f32, rgb8, rgb16, rgb-f32, any number
    masks : "bool" or "uint8", default "bool"
        How masks look: `bool`, or 0 and 255 as in OpenCV.
    threads : int, default 1
        Threads that work on the picture. They change no result.

    Returns
    -------
    image : gray8, gray16, gray-f32, rgb8, rgb16, rgb-f32
    light : measures

    Several outputs come as a named tuple, one alone as it is.
    """
    ...

def flip(
    image: NDArray[Any] | Tuple[Any, ...],
    /,
    *,
    direction: Literal["horizontal", "vertical", "both"] | None = None,
    masks: Literal["bool", "uint8"] = 'bool',
    threads: int = 1,
) -> NDArray[Any]:
    """Mirrors an image.

    Objects found afterwards are told in coordinates of the picture as read.

    Parameters
    ----------
    image : gray8, gray16, gray-f32, rgb8, rgb16, rgb-f32, mask, labels
    direction : Literal['horizontal', 'vertical', 'both'] | None, optional
        What changes places.
        - `horizontal`: Left and right.
        - `vertical`: Top and bottom.
        - `both`: Both, which is a turn by 180 degrees.
    masks : "bool" or "uint8", default "bool"
        How masks look: `bool`, or 0 and 255 as in OpenCV.
    threads : int, default 1
        Threads that work on the picture. They change no result.

    Returns
    -------
    image : gray8, gray16, gray-f32, rgb8, rgb16, rgb-f32, mask, labels
    """
    ...

def gamma(
    image: NDArray[Any] | Tuple[Any, ...],
    /,
    *,
    gamma: float = 1.0,
    gain: float = 1.0,
    masks: Literal["bool", "uint8"] = 'bool',
    threads: int = 1,
) -> NDArray[Any]:
    """Brightens or darkens by a power: `white * gain * (v / white) ^ gamma`; black and white stay.

    White is 255, 65535 or 1. Scikit-image's `adjust_gamma`, but integers are rounded to the nearest
    instead of cut off, ties to even. Masks become gray.

    Parameters
    ----------
    image : gray8, gray16, gray-f32, rgb8, rgb16, rgb-f32, mask
    gamma : float, 0.001 to 100, default 1.0
        The power: below 1 brightens, above 1 darkens.
    gain : float, 0 to 1000, default 1.0
        What the result is multiplied with.
    masks : "bool" or "uint8", default "bool"
        How masks look: `bool`, or 0 and 255 as in OpenCV.
    threads : int, default 1
        Threads that work on the picture. They change no result.

    Returns
    -------
    image : gray8, gray16, gray-f32, rgb8, rgb16, rgb-f32
    """
    ...

def gaussian_blur(
    image: NDArray[Any] | Tuple[Any, ...],
    /,
    *,
    sigma: float = 1.0,
    size: int | None = None,
    border: Literal["constant", "replicate", "reflect", "reflect-101", "wrap", "valid"] = 'reflect-101',
    border_value: float = 0.0,
    masks: Literal["bool", "uint8"] = 'bool',
    threads: int = 1,
) -> NDArray[Any]:
    """Smooths with a Gaussian; the type stays.

    Integers are computed in OpenCV's fixed point, bit for bit; floats sum columns first.

    Parameters
    ----------
    image : gray8, gray16, gray-f32, rgb8, rgb16, rgb-f32, mask
    sigma : float, 0 to 150, default 1.0
        Standard deviation in pixels. 0 takes it from `size`: `0.3 * ((size - 1) / 2 - 1) + 0.8`.
    size : int | None, 1 to 1023, optional
        Width and height of the window in pixels, odd. By default `2 * ceil(3 * sigma) + 1`, for
        every depth; OpenCV takes other sizes for 8 bit and for the rest.
    border : Literal['constant', 'replicate', 'reflect', 'reflect-101', 'wrap', 'valid'], default "reflect-101"
        What lies beyond the edge.
        - `constant`: One fixed value: `iiii|abcdefgh|iiii`.
        - `replicate`: The edge pixel again and again: `aaaa|abcdefgh|hhhh`.
        - `reflect`: Mirrored, the edge pixel twice: `dcba|abcdefgh|hgfe`.
        - `reflect-101`: Mirrored about the edge pixel: `edcb|abcdefgh|gfed`. OpenCV's default.
        - `wrap`: The opposite side: `efgh|abcdefgh|abcd`.
        - `valid`: Nothing: the output shrinks to where the window fits.
    border_value : float, default 0.0
        The value beyond the edge of a constant border, in units of the image.
    masks : "bool" or "uint8", default "bool"
        How masks look: `bool`, or 0 and 255 as in OpenCV.
    threads : int, default 1
        Threads that work on the picture. They change no result.

    Returns
    -------
    image : gray8, gray16, gray-f32, rgb8, rgb16, rgb-f32
    """
    ...

def gray(
    image: NDArray[Any] | Tuple[Any, ...],
    /,
    *,
    masks: Literal["bool", "uint8"] = 'bool',
    threads: int = 1,
) -> NDArray[Any]:
    """Turns colour into gray, in the depth of the input; gray pictures and masks pass as they are.

    Luma of ITU-R BT.601, `0.299 r + 0.587 g + 0.114 b`, in OpenCV's fixed point for integers.

    Parameters
    ----------
    image : gray8, gray16, gray-f32, rgb8, rgb16, rgb-f32, mask
    masks : "bool" or "uint8", default "bool"
        How masks look: `bool`, or 0 and 255 as in OpenCV.
    threads : int, default 1
        Threads that work on the picture. They change no result.

    Returns
    -------
    image : gray8, gray16, gray-f32
    """
    ...

def haar_detect(
    image: NDArray[Any] | Tuple[Any, ...],
    /,
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
    masks: Literal["bool", "uint8"] = 'bool',
    threads: int = 1,
) -> Objects:
    """Finds objects with a cascade of boosted Haar features (Viola and Jones 2001; Lienhart and Maydt 2002) or local
    binary patterns (Liao and others 2007).

    Reads OpenCV's cascade files. Windows and groups are those of OpenCV's `detectMultiScale`. `margin` is the sum of
    the margins by which a group's windows passed the last four stages, and `neighbors` their number. `score` is the
    probability that belongs to the margin where the cascade is calibrated (`lyncean train calibration`), and the margin
    where it is not.

    Parameters
    ----------
    image : gray8
    cascade : StrPath, default "builtin:frontal-face"
        The cascade: an XML file of OpenCV's, also gzipped, or `builtin:frontal-face`, `builtin:frontalface-default`,
        `builtin:frontalface-alt2`.
    scale_factor : float, 1.001 to 16, default 1.1
        Ratio of one scale to the one before.
    min_neighbors : int, at least 0, default 3
        An object needs more overlapping windows than this; 0 gives every window.
    min_size : Sequence[int] | None, optional
        Width and height that objects have at least, in pixels; by default the cascade's own.
    max_size : Sequence[int] | None, optional
        Width and height that objects have at most, in pixels; by default the picture's.
    step : int | None, 1 to 64, optional
        Distance between windows, in pixels at the scale of the cascade's own window; by default OpenCV's: 1 where
        windows are at least twice as large as that, 2 below.
    group_eps : float, 0 to 10, default 0.2
        How far the edges of the windows of one object may lie apart, as a share of their size.
    min_score : float | None, optional
        The score that objects have at least: a probability where the cascade is calibrated, else a margin.
    label : str, default "face"
        What objects are called.
    masks : "bool" or "uint8", default "bool"
        How masks look: `bool`, or 0 and 255 as in OpenCV.
    threads : int, default 1
        Threads that work on the picture. They change no result.

    Returns
    -------
    objects : objects
    """
    ...

def hog(
    image: NDArray[Any] | Tuple[Any, ...],
    /,
    *,
    orientations: int | None = None,
    pixels_per_cell: int | Sequence[int] | None = None,
    cells_per_block: int | Sequence[int] | None = None,
    block_norm: Literal["l1", "l1-sqrt", "l2", "l2-hys"] | None = None,
    transform_sqrt: bool = False,
    masks: Literal["bool", "uint8"] = 'bool',
    threads: int = 1,
) -> NDArray[np.float32]:
    """Describes the whole image by histograms of oriented gradients.

    The vector is that of `skimage.feature.hog`: blocks from left to right and from top to bottom, in each its cells,
    in each the bins of directions. Pixels right of and below the last whole cell do not vote.

    Parameters
    ----------
    image : gray8, gray16, gray-f32, mask
    orientations : int | None, 1 to 180, optional
        Bins of directions over 180 degrees.
    pixels_per_cell : int | Sequence[int] | None, optional
        Size of a cell in pixels: one number, or width and height.
    cells_per_block : int | Sequence[int] | None, optional
        Size of a block in cells: one number, or width and height.
    block_norm : Literal['l1', 'l1-sqrt', 'l2', 'l2-hys'] | None, optional
        How the histograms of a block are normalised.
        - `l1`: Divided by their sum.
        - `l1-sqrt`: Divided by their sum, then the square root.
        - `l2`: Divided by the root of the sum of their squares.
        - `l2-hys`: As `l2`, cut at 0.2, then `l2` again.
    transform_sqrt : bool, default False
        Take the square root of the pixels first; negative ones count as 0.
    masks : "bool" or "uint8", default "bool"
        How masks look: `bool`, or 0 and 255 as in OpenCV.
    threads : int, default 1
        Threads that work on the picture. They change no result.

    Returns
    -------
    vector : vector
    """
    ...

def hysteresis(
    image: NDArray[Any] | Tuple[Any, ...],
    /,
    *,
    low: float,
    high: float,
    connectivity: int = 4,
    masks: Literal["bool", "uint8"] = 'bool',
    threads: int = 1,
) -> NDArray[Any]:
    """The pixels above `low` that hang together with one above `high`, as a `mask`.

    Equal to scikit-image's `apply_hysteresis_threshold`.

    Parameters
    ----------
    image : gray8, gray16, gray-f32, mask
    low : float, required
        Pixels above it are in where a stronger one is near, in units of the image.
    high : float, required
        Pixels above it are in by themselves, in units of the image; at least `low`.
    connectivity : int, at least 0, default 4
        Neighbours of a pixel: 4, or 8 with the diagonal ones.
    masks : "bool" or "uint8", default "bool"
        How masks look: `bool`, or 0 and 255 as in OpenCV.
    threads : int, default 1
        Threads that work on the picture. They change no result.

    Returns
    -------
    mask : mask
    """
    ...

def integral(
    image: NDArray[Any] | Tuple[Any, ...],
    /,
    *,
    output: Literal["sum", "picture"] | None = None,
    masks: Literal["bool", "uint8"] = 'bool',
    threads: int = 1,
) -> NDArray[np.float32]:
    """The integral image (Crow 1984; Viola and Jones 2001): each value is the sum of all pixels above
    and left of it.

    One row and one column larger than the image, the first of each zero. Sums are exact integers
    (of floats: `f64` in a fixed order), rounded once to `gray-f32`; above 2^24 not every integer is
    a float. The library function `ops::integral` gives the exact sums.

    Parameters
    ----------
    image : gray8, gray16, gray-f32, mask
    output : Literal['sum', 'picture'] | None, optional
        In which units the values are.
        - `sum`: Sums of pixels in units of the image.
        - `picture`: Sums divided by the sum of the whole image, 0..=1: to look at.
    masks : "bool" or "uint8", default "bool"
        How masks look: `bool`, or 0 and 255 as in OpenCV.
    threads : int, default 1
        Threads that work on the picture. They change no result.

    Returns
    -------
    image : gray-f32
    """
    ...

def invert(
    image: NDArray[Any] | Tuple[Any, ...],
    /,
    *,
    masks: Literal["bool", "uint8"] = 'bool',
    threads: int = 1,
) -> NDArray[Any]:
    """Turns light into dark: `255 - v`, `65535 - v`, `1 - v`; masks stay masks.

    Parameters
    ----------
    image : gray8, gray16, gray-f32, rgb8, rgb16, rgb-f32, mask
    masks : "bool" or "uint8", default "bool"
        How masks look: `bool`, or 0 and 255 as in OpenCV.
    threads : int, default 1
        Threads that work on the picture. They change no result.

    Returns
    -------
    image : gray8, gray16, gray-f32, rgb8, rgb16, rgb-f32, mask
    """
    ...

class LabelOutputs(NamedTuple):
    """What `label` gives."""

    labels: NDArray[np.uint32]
    objects: Objects

def label(
    mask: NDArray[Any] | Tuple[Any, ...],
    /,
    *intensity: NDArray[Any] | Tuple[Any, ...],
    connectivity: int = 8,
    min_area: int = 0,
    max_area: int | None = None,
    clear_border: bool = False,
    shape: bool = False,
    pixel_size: float | None = None,
    masks: Literal["bool", "uint8"] = 'bool',
    threads: int = 1,
) -> LabelOutputs:
    """Numbers the connected components of a mask and measures them; `labels` are measured as they are.

    A second input, gray, is measured within each component: mean, least and greatest intensity.

    Labels count from 1 in raster order of each component's first pixel. Measures have the names
    and formulas of scikit-image's `regionprops`; `orientation` is counter-clockwise from the x
    axis, in radians. Boxes and centroids are in pixels of the picture as read, areas in pixels of
    the mask.

    Parameters
    ----------
    mask : mask, labels
    *intensity : gray8, gray16, gray-f32, mask, any number
    connectivity : int, at least 0, default 8
        Neighbours of a pixel: 4, or 8 with the diagonal ones.
    min_area : int, at least 0, default 0
        Least area in pixels; smaller components are dropped.
    max_area : int | None, at least 0, optional
        Greatest area in pixels; larger components are dropped.
    clear_border : bool, default False
        Whether components that touch the edge of the image are dropped.
    shape : bool, default False
        Whether perimeter, area of the convex hull and solidity are measured as well.
    pixel_size : float | None, 1e-09 to 1e+09, optional
        Size of a pixel of the image in micrometres. Areas are then in square micrometres, lengths in
        micrometres; boxes and centroids stay in pixels.
    masks : "bool" or "uint8", default "bool"
        How masks look: `bool`, or 0 and 255 as in OpenCV.
    threads : int, default 1
        Threads that work on the picture. They change no result.

    Returns
    -------
    labels : labels
    objects : objects

    Several outputs come as a named tuple, one alone as it is.
    """
    ...

def laplacian(
    image: NDArray[Any] | Tuple[Any, ...],
    /,
    *,
    size: int = 1,
    border: Literal["constant", "replicate", "reflect", "reflect-101", "wrap", "valid"] = 'reflect-101',
    border_value: float = 0.0,
    masks: Literal["bool", "uint8"] = 'bool',
    threads: int = 1,
) -> NDArray[np.float32]:
    """The sum of both second derivatives, `gray-f32`: 0 on slopes, strong at edges and spots.

    Equal to OpenCV's `Laplacian`; values are not normalised.

    Parameters
    ----------
    image : gray8, gray16, gray-f32, mask
    size : int, 1 to 31, default 1
        Width and height of the window in pixels, odd: 1 is the 3x3 cross of four neighbours.
    border : Literal['constant', 'replicate', 'reflect', 'reflect-101', 'wrap', 'valid'], default "reflect-101"
        What lies beyond the edge.
        - `constant`: One fixed value: `iiii|abcdefgh|iiii`.
        - `replicate`: The edge pixel again and again: `aaaa|abcdefgh|hhhh`.
        - `reflect`: Mirrored, the edge pixel twice: `dcba|abcdefgh|hgfe`.
        - `reflect-101`: Mirrored about the edge pixel: `edcb|abcdefgh|gfed`. OpenCV's default.
        - `wrap`: The opposite side: `efgh|abcdefgh|abcd`.
        - `valid`: Nothing: the output shrinks to where the window fits.
    border_value : float, default 0.0
        The value beyond the edge of a constant border, in units of the image.
    masks : "bool" or "uint8", default "bool"
        How masks look: `bool`, or 0 and 255 as in OpenCV.
    threads : int, default 1
        Threads that work on the picture. They change no result.

    Returns
    -------
    image : gray-f32
    """
    ...

def load(
    *beside: NDArray[Any] | Tuple[Any, ...],
    file: StrPath,
    masks: Literal["bool", "uint8"] = 'bool',
    threads: int = 1,
) -> NDArray[np.uint8]:
    """A fixed second image from a file, the same for every picture: a reference, a background, a mask.

    It is read once. Its type is that of the file; what is connected to its input is not looked at.

    Parameters
    ----------
    *beside : gray8, gray16, gray-f32, rgb8, rgb16, rgb-f32, mask, labels, any number
    file : StrPath, required
        The picture: a path relative to the pipeline file, or `builtin:NAME`.
    masks : "bool" or "uint8", default "bool"
        How masks look: `bool`, or 0 and 255 as in OpenCV.
    threads : int, default 1
        Threads that work on the picture. They change no result.

    Returns
    -------
    image : gray8
    """
    ...

def log(
    image: NDArray[Any] | Tuple[Any, ...],
    /,
    *,
    sigma: float = 2.0,
    border: Literal["constant", "replicate", "reflect", "reflect-101", "wrap", "valid"] = 'reflect',
    border_value: float = 0.0,
    masks: Literal["bool", "uint8"] = 'bool',
    threads: int = 1,
) -> NDArray[np.float32]:
    """The Laplacian of a Gaussian (Marr and Hildreth 1980), `gray-f32`: below 0 in spots brighter than what is round them.

    Strongest in spots of radius `sigma * sqrt(2)`. The window reaches four standard deviations, and the border is
    mirrored, as in SciPy's `gaussian_laplace`.

    Parameters
    ----------
    image : gray8, gray16, gray-f32, mask
    sigma : float, 0.1 to 100, default 2.0
        Standard deviation of the Gaussian in pixels.
    border : Literal['constant', 'replicate', 'reflect', 'reflect-101', 'wrap', 'valid'], default "reflect"
        What lies beyond the edge.
        - `constant`: One fixed value: `iiii|abcdefgh|iiii`.
        - `replicate`: The edge pixel again and again: `aaaa|abcdefgh|hhhh`.
        - `reflect`: Mirrored, the edge pixel twice: `dcba|abcdefgh|hgfe`.
        - `reflect-101`: Mirrored about the edge pixel: `edcb|abcdefgh|gfed`. OpenCV's default.
        - `wrap`: The opposite side: `efgh|abcdefgh|abcd`.
        - `valid`: Nothing: the output shrinks to where the window fits.
    border_value : float, default 0.0
        The value beyond the edge of a constant border, in units of the image.
    masks : "bool" or "uint8", default "bool"
        How masks look: `bool`, or 0 and 255 as in OpenCV.
    threads : int, default 1
        Threads that work on the picture. They change no result.

    Returns
    -------
    image : gray-f32
    """
    ...

def mask_apply(
    image: NDArray[Any] | Tuple[Any, ...],
    mask: NDArray[Any] | Tuple[Any, ...],
    /,
    *,
    outside: float = 0.0,
    inverted: bool = False,
    masks: Literal["bool", "uint8"] = 'bool',
    threads: int = 1,
) -> NDArray[Any]:
    """Keeps the pixels under a mask and fills the others with one value.

    Parameters
    ----------
    image : gray8, gray16, gray-f32, rgb8, rgb16, rgb-f32, mask, labels
    mask : mask
    outside : float, default 0.0
        The value of pixels outside, in units of the image; integers are rounded and saturated.
    inverted : bool, default False
        Whether the pixels under the mask are the ones that are filled.
    masks : "bool" or "uint8", default "bool"
        How masks look: `bool`, or 0 and 255 as in OpenCV.
    threads : int, default 1
        Threads that work on the picture. They change no result.

    Returns
    -------
    image : gray8, gray16, gray-f32, rgb8, rgb16, rgb-f32, mask, labels
    """
    ...

class MatchTemplateOutputs(NamedTuple):
    """What `match_template` gives."""

    objects: Objects
    scores: NDArray[np.float32]

def match_template(
    image: NDArray[Any] | Tuple[Any, ...],
    /,
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
    masks: Literal["bool", "uint8"] = 'bool',
    threads: int = 1,
) -> MatchTemplateOutputs:
    """Finds the places where a picture looks like a template.

    Formulas are those of OpenCV's `matchTemplate`, with a mask too; scores are always finite, also over flat windows. Matches are taken greedily
    from the best on and may overlap only so far, whatever template they are of. With `scales` or `angles` templates are also looked for
    scaled and turned, from coarse images to fine ones: objects then have the measures `scale` and `angle`, in degrees counter-clockwise, and an outline.
    `scores` is the map of scores: for one template as it is one value for every place of it, else one for every pixel of the image, the best of
    all templates whose middle lies there and the worst there is where none was compared.
    Matches have exact scores; others of 8-bit pictures are within 1e-3, a millionth as a rule.

    Parameters
    ----------
    image : gray8, gray16, gray-f32, rgb8, rgb16, rgb-f32
    template : Sequence[StrPath | Mapping[str, Any]] | StrPath | Mapping[str, Any], required
        The template: a picture of the same type as the input, or a colour one where the input is gray.

        A list holds several, and a table `{ file, label, mask }` one with what belongs to it. Pixels that are less than
        half opaque are not compared.
    mask : StrPath | None, optional
        A gray picture of the template's size: pixels where it is not 0 are compared, whatever the template's alpha says.
    method : Literal['squared-difference', 'squared-difference-normed', 'cross-correlation', 'cross-correlation-normed', 'correlation-coefficient', 'correlation-coefficient-normed'] | None, optional
        How a window is compared with the template.
        - `squared-difference`: Sum of squared differences: 0 is a perfect match.
        - `squared-difference-normed`: The same, divided by the norms: 0..=1.
        - `cross-correlation`: Sum of products.
        - `cross-correlation-normed`: The same, divided by the norms: -1..=1.
        - `correlation-coefficient`: Sum of products of differences from the means.
        - `correlation-coefficient-normed`: The same, divided by the norms: -1..=1, unmoved by brightness and contrast.
    threshold : float | None, optional
        The score a match needs: at least this, for squared differences at most. By default 0.8 for
        normalised correlations, 0.2 for the normalised squared difference; without a bound for the others.
    max_count : int, at least 1, default 100
        The most matches.
    max_overlap : float, 0 to 1, default 0.3
        How much two matches may overlap, as intersection over union.
    label : str | None, optional
        What matches are called whose template has no label of its own.
    subpixel : bool, default False
        Whether boxes are moved to the best place between pixels, by up to half a pixel.
    scales : Mapping[str, Any] | None, optional
        The scales that templates are looked for at: `{ min, max, step }`; 1, their own size, by default.
    angles : Mapping[str, Any] | None, optional
        The angles that templates are looked for at, as `rotate` would turn them: `{ min, max, step }` in degrees counter-clockwise;
        upright by default.
    guarantee : float, 0 to 1, default 0.1
        How sure the search over scales and angles is to find what there is. Places of a coarser image are looked at more closely where
        their score is at least `(1 - guarantee) * threshold + guarantee * worst`, the worst score being -1 for correlations and 1 for squared
        differences. 1 compares all scales and angles everywhere in the full image; lower is faster.
    masks : "bool" or "uint8", default "bool"
        How masks look: `bool`, or 0 and 255 as in OpenCV.
    threads : int, default 1
        Threads that work on the picture. They change no result.

    Returns
    -------
    objects : objects
    scores : gray-f32

    Several outputs come as a named tuple, one alone as it is.
    """
    ...

def median(
    image: NDArray[Any] | Tuple[Any, ...],
    /,
    *,
    size: int = 3,
    border: Literal["constant", "replicate", "reflect", "reflect-101", "wrap", "valid"] = 'replicate',
    border_value: float = 0.0,
    masks: Literal["bool", "uint8"] = 'bool',
    threads: int = 1,
) -> NDArray[Any]:
    """The median over a square, channel by channel: takes specks away and keeps edges.

    The type stays. Equal to OpenCV's `medianBlur`. Sizes above 5 take a constant time for 8 bit; for 16 bit and
    floats the time grows with the area of the window.

    Parameters
    ----------
    image : gray8, gray16, gray-f32, rgb8, rgb16, rgb-f32, mask
    size : int, 1 to 255, default 3
        Width and height of the window in pixels, odd.
    border : Literal['constant', 'replicate', 'reflect', 'reflect-101', 'wrap', 'valid'], default "replicate"
        What lies beyond the edge.
        - `constant`: One fixed value: `iiii|abcdefgh|iiii`.
        - `replicate`: The edge pixel again and again: `aaaa|abcdefgh|hhhh`.
        - `reflect`: Mirrored, the edge pixel twice: `dcba|abcdefgh|hgfe`.
        - `reflect-101`: Mirrored about the edge pixel: `edcb|abcdefgh|gfed`. OpenCV's default.
        - `wrap`: The opposite side: `efgh|abcdefgh|abcd`.
        - `valid`: Nothing: the output shrinks to where the window fits.
    border_value : float, default 0.0
        The value beyond the edge of a constant border, in units of the image.
    masks : "bool" or "uint8", default "bool"
        How masks look: `bool`, or 0 and 255 as in OpenCV.
    threads : int, default 1
        Threads that work on the picture. They change no result.

    Returns
    -------
    image : gray8, gray16, gray-f32, rgb8, rgb16, rgb-f32, mask
    """
    ...

def morph_gradient(
    image: NDArray[Any] | Tuple[Any, ...],
    /,
    *,
    shape: Literal["rect", "cross", "ellipse"] | None = None,
    size: int | Sequence[int] | None = None,
    element: Sequence[Sequence[int]] | None = None,
    iterations: int | None = None,
    masks: Literal["bool", "uint8"] = 'bool',
    threads: int = 1,
) -> NDArray[Any]:
    """The morphological gradient: dilation less erosion, high along edges.

    What lies beyond the edge does not count. Elements are those of OpenCV's `getStructuringElement`.

    Parameters
    ----------
    image : gray8, gray16, gray-f32, mask
    shape : Literal['rect', 'cross', 'ellipse'] | None, optional
        The form of the element.
        - `rect`: Every pixel of the rectangle.
        - `cross`: The middle row and the middle column.
        - `ellipse`: The ellipse inscribed in the rectangle.
    size : int | Sequence[int] | None, optional
        Width and height of the element in pixels: one number for both, or `[width, height]`.
    element : Sequence[Sequence[int]] | None, optional
        An element of one's own instead: rows of 0 and 1, all of one length.
    iterations : int | None, 1 to 100, optional
        How often erosions and dilations are done.
    masks : "bool" or "uint8", default "bool"
        How masks look: `bool`, or 0 and 255 as in OpenCV.
    threads : int, default 1
        Threads that work on the picture. They change no result.

    Returns
    -------
    image : gray8, gray16, gray-f32, mask
    """
    ...

class MultiOtsuOutputs(NamedTuple):
    """What `multi_otsu` gives."""

    classes: NDArray[Any]
    levels: Dict[str, float]

def multi_otsu(
    image: NDArray[Any] | Tuple[Any, ...],
    /,
    *,
    classes: int = 3,
    output: Literal["labels", "gray"] | None = None,
    masks: Literal["bool", "uint8"] = 'bool',
    threads: int = 1,
) -> MultiOtsuOutputs:
    """Sorts pixels into several classes by brightness, of the greatest variance between classes (Otsu 1979).

    The levels are told in the record as `level-1`, `level-2`, ..., rising; a pixel is in the class above a
    level where it is greater. 8 and 16 bit have one bin a value, floats 256 from the least to the largest
    value. Pictures of fewer values than classes have fewer levels. Saved images come with `histogram`.

    Parameters
    ----------
    image : gray8, gray16, gray-f32, mask
    classes : int, 2 to 16, default 3
        Number of classes.
    output : Literal['labels', 'gray'] | None, optional
        How classes are numbered.
        - `labels`: `labels`: 0 for the darkest class, then 1, 2, ...
        - `gray`: `gray8`: in equal steps from 0 to 255.
    masks : "bool" or "uint8", default "bool"
        How masks look: `bool`, or 0 and 255 as in OpenCV.
    threads : int, default 1
        Threads that work on the picture. They change no result.

    Returns
    -------
    classes : labels, gray8
    levels : measures

    Several outputs come as a named tuple, one alone as it is.
    """
    ...

def nearest_template(
    image: NDArray[Any] | Tuple[Any, ...],
    /,
    *,
    templates: StrPath,
    labels: Sequence[str] = ...,
    width: int | None = None,
    top: int = 5,
    masks: Literal["bool", "uint8"] = 'bool',
    threads: int = 1,
) -> List[Dict[str, Any]]:
    """Classifies the whole image by the class template it correlates best with.

    The classical rival of `classify`: one template a class, the normalised correlation coefficient
    at one place. `p` is a class's share in the positive coefficients: a ranking, no calibrated probability.

    Parameters
    ----------
    image : gray8, gray16, gray-f32, mask
    templates : StrPath, required
        The templates: a gray picture in which they stand side by side, all of one width.
    labels : Sequence[str], default []
        The names of the classes, from left to right; by default their numbers from 0.
    width : int | None, at least 1, optional
        Width of one template in pixels; by default the picture's height.
    top : int, at least 1, default 5
        How many classes are told, the nearest first.
    masks : "bool" or "uint8", default "bool"
        How masks look: `bool`, or 0 and 255 as in OpenCV.
    threads : int, default 1
        Threads that work on the picture. They change no result.

    Returns
    -------
    classes : classes
    """
    ...

def niblack(
    image: NDArray[Any] | Tuple[Any, ...],
    /,
    *,
    size: int | Sequence[int] | None = None,
    k: float = 0.2,
    masks: Literal["bool", "uint8"] = 'bool',
    threads: int = 1,
) -> NDArray[Any]:
    """Compares every pixel with its surroundings' mean `m` and standard deviation `s`: above `m - k * s` (Niblack 1986).

    Gives a `mask` equal to scikit-image's `image > threshold_niblack(image)`; the picture is mirrored at its edges.

    Parameters
    ----------
    image : gray8, gray16, gray-f32, mask
    size : int | Sequence[int] | None, optional
        Width and height of the surroundings in pixels, odd: one number for both, or two.
    k : float, default 0.2
        How far below the mean the level lies, in standard deviations.
    masks : "bool" or "uint8", default "bool"
        How masks look: `bool`, or 0 and 255 as in OpenCV.
    threads : int, default 1
        Threads that work on the picture. They change no result.

    Returns
    -------
    mask : mask
    """
    ...

class NormalizeOutputs(NamedTuple):
    """What `normalize` gives."""

    image: NDArray[Any]
    range: Dict[str, float]

def normalize(
    image: NDArray[Any] | Tuple[Any, ...],
    /,
    *,
    percentiles: Sequence[float] | None = None,
    range: Sequence[float] | None = None,
    masks: Literal["bool", "uint8"] = 'bool',
    threads: int = 1,
) -> NormalizeOutputs:
    """Stretches the values linearly to a range, all channels alike.

    By default the least and the largest value become the ends, as in OpenCV's `normalize` with
    `NORM_MINMAX`; with `percentiles` the values of these ranks do and those beyond are cut off, as in
    scikit-image's `rescale_intensity`. The record tells the values taken as `low` and `high`. Values of
    float images that are not finite do not count. Masks become gray.

    Parameters
    ----------
    image : gray8, gray16, gray-f32, rgb8, rgb16, rgb-f32, mask
    percentiles : Sequence[float] | None, optional
        Two rising shares of the values in percent, 0..=100; linear between ranks, as NumPy's.
    range : Sequence[float] | None, optional
        Where the values go, in units of the image; by default black to white: 0 to 255, 65535 or 1.
    masks : "bool" or "uint8", default "bool"
        How masks look: `bool`, or 0 and 255 as in OpenCV.
    threads : int, default 1
        Threads that work on the picture. They change no result.

    Returns
    -------
    image : gray8, gray16, gray-f32, rgb8, rgb16, rgb-f32
    range : measures

    Several outputs come as a named tuple, one alone as it is.
    """
    ...

def open_(
    image: NDArray[Any] | Tuple[Any, ...],
    /,
    *,
    shape: Literal["rect", "cross", "ellipse"] | None = None,
    size: int | Sequence[int] | None = None,
    element: Sequence[Sequence[int]] | None = None,
    iterations: int | None = None,
    masks: Literal["bool", "uint8"] = 'bool',
    threads: int = 1,
) -> NDArray[Any]:
    """Opening: erosion, then dilation. Takes away bright parts that the element does not fit into.

    What lies beyond the edge does not count. Elements are those of OpenCV's `getStructuringElement`.

    Parameters
    ----------
    image : gray8, gray16, gray-f32, mask
    shape : Literal['rect', 'cross', 'ellipse'] | None, optional
        The form of the element.
        - `rect`: Every pixel of the rectangle.
        - `cross`: The middle row and the middle column.
        - `ellipse`: The ellipse inscribed in the rectangle.
    size : int | Sequence[int] | None, optional
        Width and height of the element in pixels: one number for both, or `[width, height]`.
    element : Sequence[Sequence[int]] | None, optional
        An element of one's own instead: rows of 0 and 1, all of one length.
    iterations : int | None, 1 to 100, optional
        How often erosions and dilations are done.
    masks : "bool" or "uint8", default "bool"
        How masks look: `bool`, or 0 and 255 as in OpenCV.
    threads : int, default 1
        Threads that work on the picture. They change no result.

    Returns
    -------
    image : gray8, gray16, gray-f32, mask
    """
    ...

def pad(
    image: NDArray[Any] | Tuple[Any, ...],
    /,
    *,
    all: int = 0,
    left: int | None = None,
    right: int | None = None,
    top: int | None = None,
    bottom: int | None = None,
    border: Literal["constant", "replicate", "reflect", "reflect-101", "wrap", "valid"] = 'reflect-101',
    border_value: float = 0.0,
    masks: Literal["bool", "uint8"] = 'bool',
    threads: int = 1,
) -> NDArray[Any]:
    """Makes an image larger by a border, like OpenCV's `copyMakeBorder`.

    Objects found afterwards are told in coordinates of the picture as read.

    Parameters
    ----------
    image : gray8, gray16, gray-f32, rgb8, rgb16, rgb-f32, mask, labels
    all : int, 0 to 65535, default 0
        Pixels on every side for which none is given.
    left : int | None, 0 to 65535, optional
        Columns on the left.
    right : int | None, 0 to 65535, optional
        Columns on the right.
    top : int | None, 0 to 65535, optional
        Rows above.
    bottom : int | None, 0 to 65535, optional
        Rows below.
    border : Literal['constant', 'replicate', 'reflect', 'reflect-101', 'wrap', 'valid'], default "reflect-101"
        What stands there; not `valid`.
        - `constant`: One fixed value: `iiii|abcdefgh|iiii`.
        - `replicate`: The edge pixel again and again: `aaaa|abcdefgh|hhhh`.
        - `reflect`: Mirrored, the edge pixel twice: `dcba|abcdefgh|hgfe`.
        - `reflect-101`: Mirrored about the edge pixel: `edcb|abcdefgh|gfed`. OpenCV's default.
        - `wrap`: The opposite side: `efgh|abcdefgh|abcd`.
        - `valid`: Nothing: the output shrinks to where the window fits.
    border_value : float, default 0.0
        The value of a constant border, in units of the image.
    masks : "bool" or "uint8", default "bool"
        How masks look: `bool`, or 0 and 255 as in OpenCV.
    threads : int, default 1
        Threads that work on the picture. They change no result.

    Returns
    -------
    image : gray8, gray16, gray-f32, rgb8, rgb16, rgb-f32, mask, labels
    """
    ...

def prewitt(
    image: NDArray[Any] | Tuple[Any, ...],
    /,
    *,
    output: Literal["magnitude", "l1", "dx", "dy", "gradient", "direction"] | None = None,
    border: Literal["constant", "replicate", "reflect", "reflect-101", "wrap", "valid"] = 'reflect-101',
    border_value: float = 0.0,
    masks: Literal["bool", "uint8"] = 'bool',
    threads: int = 1,
) -> Any:
    """Derivatives with Prewitt's operator (Prewitt 1970): 1, 1, 1 across -1, 0, 1.

    Values are not normalised: for 8-bit pictures either derivative reaches 765; scikit-image's are a third of
    these.

    Parameters
    ----------
    image : gray8, gray16, gray-f32, mask
    output : Literal['magnitude', 'l1', 'dx', 'dy', 'gradient', 'direction'] | None, optional
        What is made of the two derivatives.
        - `magnitude`: `sqrt(dx² + dy²)`, `gray-f32`.
        - `l1`: `|dx| + |dy|`, `gray-f32`.
        - `dx`: The derivative along x, `gray-f32`: positive where values rise to the right.
        - `dy`: The derivative along y, `gray-f32`: positive where values rise downwards.
        - `gradient`: Both derivatives, `gradient`.
        - `direction`: `atan2(dy, dx)` in radians, -π..=π, `gray-f32`.
    border : Literal['constant', 'replicate', 'reflect', 'reflect-101', 'wrap', 'valid'], default "reflect-101"
        What lies beyond the edge.
        - `constant`: One fixed value: `iiii|abcdefgh|iiii`.
        - `replicate`: The edge pixel again and again: `aaaa|abcdefgh|hhhh`.
        - `reflect`: Mirrored, the edge pixel twice: `dcba|abcdefgh|hgfe`.
        - `reflect-101`: Mirrored about the edge pixel: `edcb|abcdefgh|gfed`. OpenCV's default.
        - `wrap`: The opposite side: `efgh|abcdefgh|abcd`.
        - `valid`: Nothing: the output shrinks to where the window fits.
    border_value : float, default 0.0
        The value beyond the edge of a constant border, in units of the image.
    masks : "bool" or "uint8", default "bool"
        How masks look: `bool`, or 0 and 255 as in OpenCV.
    threads : int, default 1
        Threads that work on the picture. They change no result.

    Returns
    -------
    image : gray-f32, gradient
    """
    ...

class ReconstructOutputs(NamedTuple):
    """What `reconstruct` gives."""

    image: NDArray[np.float32]
    error: NDArray[np.float32]
    measures: Dict[str, float]

def reconstruct(
    image: NDArray[Any] | Tuple[Any, ...],
    /,
    *,
    model: StrPath,
    masks: Literal["bool", "uint8"] = 'bool',
    threads: int = 1,
) -> ReconstructOutputs:
    """Gives what an autoencoder makes of the picture, and how far that is from it.

    Pictures that are not like those it was trained on come back badly: `mse`, the mean squared error of values in
    0..=1, tells them apart, and `error`, the absolute difference, shows where.

    Parameters
    ----------
    image : gray8, gray16, gray-f32, mask
    model : StrPath, required
        The trained net: a safetensors file that carries its architecture, or `builtin:autoencoder-conv`.
    masks : "bool" or "uint8", default "bool"
        How masks look: `bool`, or 0 and 255 as in OpenCV.
    threads : int, default 1
        Threads that work on the picture. They change no result.

    Returns
    -------
    image : gray-f32
    error : gray-f32
    measures : measures

    Several outputs come as a named tuple, one alone as it is.
    """
    ...

def remove_small(
    mask: NDArray[Any] | Tuple[Any, ...],
    /,
    *,
    min_area: int = 64,
    connectivity: int = 8,
    masks: Literal["bool", "uint8"] = 'bool',
    threads: int = 1,
) -> NDArray[Any]:
    """Takes small connected components out of a mask: scikit-image's `remove_small_objects`, with 8
    neighbours where that has 4.

    Parameters
    ----------
    mask : mask
    min_area : int, at least 0, default 64
        Least area in pixels; smaller components go.
    connectivity : int, at least 0, default 8
        Neighbours of a pixel: 4, or 8 with the diagonal ones.
    masks : "bool" or "uint8", default "bool"
        How masks look: `bool`, or 0 and 255 as in OpenCV.
    threads : int, default 1
        Threads that work on the picture. They change no result.

    Returns
    -------
    mask : mask
    """
    ...

def resize(
    image: NDArray[Any] | Tuple[Any, ...],
    /,
    *,
    width: int | None = None,
    height: int | None = None,
    scale: float | None = None,
    interpolation: Literal["nearest", "bilinear", "bicubic", "lanczos", "area"] | None = None,
    masks: Literal["bool", "uint8"] = 'bool',
    threads: int = 1,
) -> NDArray[Any]:
    """Changes the size of an image; the type stays.

    Objects found afterwards are told in coordinates of the picture as read.

    Parameters
    ----------
    image : gray8, gray16, gray-f32, rgb8, rgb16, rgb-f32, mask
    width : int | None, 1 to 65535, optional
        Width in pixels; by default from `height`, keeping the aspect.
    height : int | None, 1 to 65535, optional
        Height in pixels; by default from `width`, keeping the aspect.
    scale : float | None, 0.0001 to 1000, optional
        Factor for both sides, instead of `width` and `height`; sizes are rounded.
    interpolation : Literal['nearest', 'bilinear', 'bicubic', 'lanczos', 'area'] | None, optional
        How values between pixels are found.
        - `nearest`: The nearest pixel.
        - `bilinear`: Linear between the four nearest.
        - `bicubic`: Cubic over the sixteen nearest; may go beyond the values around, which is cut off for integers.
        - `lanczos`: A windowed sinc over the 64 nearest; the sharpest, with the same remark.
        - `area`: The mean of the area a pixel covers: for shrinking.
    masks : "bool" or "uint8", default "bool"
        How masks look: `bool`, or 0 and 255 as in OpenCV.
    threads : int, default 1
        Threads that work on the picture. They change no result.

    Returns
    -------
    image : gray8, gray16, gray-f32, rgb8, rgb16, rgb-f32, mask
    """
    ...

def rolling_ball(
    image: NDArray[Any] | Tuple[Any, ...],
    /,
    *,
    radius: float = 100.0,
    height: float | None = None,
    output: Literal["corrected", "background"] | None = None,
    masks: Literal["bool", "uint8"] = 'bool',
    threads: int = 1,
) -> NDArray[Any]:
    """Takes away the background, found by a ball rolled under the picture (Sternberg 1983).

    Scikit-image's `restoration.rolling_ball`, exactly. For bright things on dark ground; put `invert`
    before and behind it for dark things. The ball is as high as it is wide: for floats of 0..=1 give it a
    `height`.

    Parameters
    ----------
    image : gray8, gray16, gray-f32
    radius : float, 0 to 1000, default 100.0
        Radius of the ball in pixels; larger than what is to be kept.
    height : float | None, at least 0, optional
        Height of the ball in units of the image; by default its radius.
    output : Literal['corrected', 'background'] | None, optional
        What comes out.
        - `corrected`: The picture without its background.
        - `background`: The background.
    masks : "bool" or "uint8", default "bool"
        How masks look: `bool`, or 0 and 255 as in OpenCV.
    threads : int, default 1
        Threads that work on the picture. They change no result.

    Returns
    -------
    image : gray8, gray16, gray-f32
    """
    ...

def rotate(
    image: NDArray[Any] | Tuple[Any, ...],
    /,
    *,
    angle: float,
    expand: bool = True,
    interpolation: Literal["nearest", "bilinear", "bicubic"] | None = None,
    border: Literal["constant", "replicate", "reflect", "reflect-101", "wrap", "valid"] = 'constant',
    border_value: float = 0.0,
    masks: Literal["bool", "uint8"] = 'bool',
    threads: int = 1,
) -> NDArray[Any]:
    """Turns an image about its centre.

    Multiples of 90 degrees only move pixels, of any type; other angles look values up in between. Objects
    found afterwards are told in coordinates of the picture as read.

    Parameters
    ----------
    image : gray8, gray16, gray-f32, rgb8, rgb16, rgb-f32, mask, labels
    angle : float, -36000 to 36000, required
        The angle in degrees, counter-clockwise.
    expand : bool, default True
        Whether the result grows so that no corner is cut off; else it keeps the size of the image.
    interpolation : Literal['nearest', 'bilinear', 'bicubic'] | None, optional
        How values between pixels are found.
        - `nearest`: The nearest pixel; masks and labels stay what they are.
        - `bilinear`: Linear between the four nearest.
        - `bicubic`: Cubic over the sixteen nearest.
    border : Literal['constant', 'replicate', 'reflect', 'reflect-101', 'wrap', 'valid'], default "constant"
        What lies beyond the edge; not `valid`.
        - `constant`: One fixed value: `iiii|abcdefgh|iiii`.
        - `replicate`: The edge pixel again and again: `aaaa|abcdefgh|hhhh`.
        - `reflect`: Mirrored, the edge pixel twice: `dcba|abcdefgh|hgfe`.
        - `reflect-101`: Mirrored about the edge pixel: `edcb|abcdefgh|gfed`. OpenCV's default.
        - `wrap`: The opposite side: `efgh|abcdefgh|abcd`.
        - `valid`: Nothing: the output shrinks to where the window fits.
    border_value : float, default 0.0
        The value of a constant border, in units of the image.
    masks : "bool" or "uint8", default "bool"
        How masks look: `bool`, or 0 and 255 as in OpenCV.
    threads : int, default 1
        Threads that work on the picture. They change no result.

    Returns
    -------
    image : gray8, gray16, gray-f32, rgb8, rgb16, rgb-f32, mask, labels
    """
    ...

class SaliencyOutputs(NamedTuple):
    """What `saliency` gives."""

    image: NDArray[np.float32]
    classes: List[Dict[str, Any]]

def saliency(
    image: NDArray[Any] | Tuple[Any, ...],
    /,
    *,
    model: StrPath,
    layer: str | None = None,
    class_: str | None = None,
    masks: Literal["bool", "uint8"] = 'bool',
    threads: int = 1,
) -> SaliencyOutputs:
    """Shows where a net looks for a class: Grad-CAM (Selvaraju et al., 2017).

    The maps of a layer are added, each times the mean gradient of the class's output over it; what is
    negative is 0, and the largest value 1. The result has the size of the picture; `colormap` and
    `draw` make it visible.

    Parameters
    ----------
    image : gray8, gray16, gray-f32, rgb8, rgb16, rgb-f32, mask
    model : StrPath, required
        The trained net: a safetensors file that carries its architecture, or `builtin:lenet5`.
    layer : str | None, optional
        The layer whose maps are added; by default the last that gives images of more than one pixel.
    class_ : str | None, optional
        The class, by its name, or by its number where classes have no names; by default the most probable one.
    masks : "bool" or "uint8", default "bool"
        How masks look: `bool`, or 0 and 255 as in OpenCV.
    threads : int, default 1
        Threads that work on the picture. They change no result.

    Returns
    -------
    image : gray-f32
    classes : classes

    Several outputs come as a named tuple, one alone as it is.
    """
    ...

def sauvola(
    image: NDArray[Any] | Tuple[Any, ...],
    /,
    *,
    size: int | Sequence[int] | None = None,
    k: float = 0.2,
    r: float | None = None,
    masks: Literal["bool", "uint8"] = 'bool',
    threads: int = 1,
) -> NDArray[Any]:
    """Compares every pixel with its surroundings' mean `m` and standard deviation `s`: above `m * (1 + k * (s / r - 1))`
    (Sauvola 2000), for print on uneven paper.

    Gives a `mask` equal to scikit-image's `image > threshold_sauvola(image)`; the picture is mirrored at its edges.

    Parameters
    ----------
    image : gray8, gray16, gray-f32, mask
    size : int | Sequence[int] | None, optional
        Width and height of the surroundings in pixels, odd: one number for both, or two.
    k : float, default 0.2
        How far the level sinks below the mean where nothing changes, as a share of the mean.
    r : float | None, optional
        The greatest standard deviation there is, in units of the image; by default half the range of the
        type: 127.5, 32767.5, and 1 for floats.
    masks : "bool" or "uint8", default "bool"
        How masks look: `bool`, or 0 and 255 as in OpenCV.
    threads : int, default 1
        Threads that work on the picture. They change no result.

    Returns
    -------
    mask : mask
    """
    ...

def scharr(
    image: NDArray[Any] | Tuple[Any, ...],
    /,
    *,
    output: Literal["magnitude", "l1", "dx", "dy", "gradient", "direction"] | None = None,
    border: Literal["constant", "replicate", "reflect", "reflect-101", "wrap", "valid"] = 'reflect-101',
    border_value: float = 0.0,
    masks: Literal["bool", "uint8"] = 'bool',
    threads: int = 1,
) -> Any:
    """Derivatives with Scharr's operator (Scharr 2000): 3, 10, 3 across -1, 0, 1, closer to the same in all directions
    than Sobel's.

    Values are not normalised, as in OpenCV: for 8-bit pictures either derivative reaches 4080; scikit-image's are a
    16th of these.

    Parameters
    ----------
    image : gray8, gray16, gray-f32, mask
    output : Literal['magnitude', 'l1', 'dx', 'dy', 'gradient', 'direction'] | None, optional
        What is made of the two derivatives.
        - `magnitude`: `sqrt(dx² + dy²)`, `gray-f32`.
        - `l1`: `|dx| + |dy|`, `gray-f32`.
        - `dx`: The derivative along x, `gray-f32`: positive where values rise to the right.
        - `dy`: The derivative along y, `gray-f32`: positive where values rise downwards.
        - `gradient`: Both derivatives, `gradient`.
        - `direction`: `atan2(dy, dx)` in radians, -π..=π, `gray-f32`.
    border : Literal['constant', 'replicate', 'reflect', 'reflect-101', 'wrap', 'valid'], default "reflect-101"
        What lies beyond the edge.
        - `constant`: One fixed value: `iiii|abcdefgh|iiii`.
        - `replicate`: The edge pixel again and again: `aaaa|abcdefgh|hhhh`.
        - `reflect`: Mirrored, the edge pixel twice: `dcba|abcdefgh|hgfe`.
        - `reflect-101`: Mirrored about the edge pixel: `edcb|abcdefgh|gfed`. OpenCV's default.
        - `wrap`: The opposite side: `efgh|abcdefgh|abcd`.
        - `valid`: Nothing: the output shrinks to where the window fits.
    border_value : float, default 0.0
        The value beyond the edge of a constant border, in units of the image.
    masks : "bool" or "uint8", default "bool"
        How masks look: `bool`, or 0 and 255 as in OpenCV.
    threads : int, default 1
        Threads that work on the picture. They change no result.

    Returns
    -------
    image : gray-f32, gradient
    """
    ...

class SegmentNetOutputs(NamedTuple):
    """What `segment_net` gives."""

    classes: NDArray[Any]
    probability: NDArray[np.float32]

def segment_net(
    image: NDArray[Any] | Tuple[Any, ...],
    /,
    *,
    model: StrPath,
    class_: str | None = None,
    tile: int = 512,
    masks: Literal["bool", "uint8"] = 'bool',
    threads: int = 1,
) -> SegmentNetOutputs:
    """Says what lies in each pixel with a net, such as a U-Net (Ronneberger, Fischer and Brox, 2015).

    A net of two classes gives a `mask` of the second, as `threshold` does; of more classes `labels` with the number of
    each pixel's class, from 0. `probability` is a `gray-f32` image. Pictures may be of any size: large ones are cut into
    overlapping tiles, whose result is that of the whole picture up to rounding.

    Parameters
    ----------
    image : gray8, gray16, gray-f32, rgb8, rgb16, rgb-f32, mask
    model : StrPath, required
        The trained net: a safetensors file that carries its architecture, or `builtin:coins-unet`.
    class_ : str | None, optional
        The class that `probability` is of, by its name, or by its number where classes have no names; by default the
        second of two, and of more that which the pixel was given.
    tile : int, 16 to 8192, default 512
        Side of a tile in pixels, to which margins come as wide as the net sees: less takes less memory and more time.
    masks : "bool" or "uint8", default "bool"
        How masks look: `bool`, or 0 and 255 as in OpenCV.
    threads : int, default 1
        Threads that work on the picture. They change no result.

    Returns
    -------
    classes : mask
    probability : gray-f32

    Several outputs come as a named tuple, one alone as it is.
    """
    ...

def sobel(
    image: NDArray[Any] | Tuple[Any, ...],
    /,
    *,
    size: int = 3,
    output: Literal["magnitude", "l1", "dx", "dy", "gradient", "direction"] | None = None,
    border: Literal["constant", "replicate", "reflect", "reflect-101", "wrap", "valid"] = 'reflect-101',
    border_value: float = 0.0,
    masks: Literal["bool", "uint8"] = 'bool',
    threads: int = 1,
) -> Any:
    """Derivatives with Sobel's operator (Sobel and Feldman 1968): smoothing across, a difference along.

    Values are not normalised: for 8-bit pictures and size 3 either derivative reaches 1020.

    Parameters
    ----------
    image : gray8, gray16, gray-f32, mask
    size : int, at least 0, default 3
        Width and height of the window in pixels: 3, 5 or 7.
    output : Literal['magnitude', 'l1', 'dx', 'dy', 'gradient', 'direction'] | None, optional
        What is made of the two derivatives.
        - `magnitude`: `sqrt(dx² + dy²)`, `gray-f32`.
        - `l1`: `|dx| + |dy|`, `gray-f32`.
        - `dx`: The derivative along x, `gray-f32`: positive where values rise to the right.
        - `dy`: The derivative along y, `gray-f32`: positive where values rise downwards.
        - `gradient`: Both derivatives, `gradient`.
        - `direction`: `atan2(dy, dx)` in radians, -π..=π, `gray-f32`.
    border : Literal['constant', 'replicate', 'reflect', 'reflect-101', 'wrap', 'valid'], default "reflect-101"
        What lies beyond the edge.
        - `constant`: One fixed value: `iiii|abcdefgh|iiii`.
        - `replicate`: The edge pixel again and again: `aaaa|abcdefgh|hhhh`.
        - `reflect`: Mirrored, the edge pixel twice: `dcba|abcdefgh|hgfe`.
        - `reflect-101`: Mirrored about the edge pixel: `edcb|abcdefgh|gfed`. OpenCV's default.
        - `wrap`: The opposite side: `efgh|abcdefgh|abcd`.
        - `valid`: Nothing: the output shrinks to where the window fits.
    border_value : float, default 0.0
        The value beyond the edge of a constant border, in units of the image.
    masks : "bool" or "uint8", default "bool"
        How masks look: `bool`, or 0 and 255 as in OpenCV.
    threads : int, default 1
        Threads that work on the picture. They change no result.

    Returns
    -------
    image : gray-f32, gradient
    """
    ...

def threshold(
    image: NDArray[Any] | Tuple[Any, ...],
    /,
    *,
    method: Literal["fixed", "otsu", "triangle", "li", "yen", "isodata", "minimum", "mean", "max-entropy"] | None = None,
    level: float | None = None,
    type: Literal["binary", "binary-inv", "trunc", "tozero", "tozero-inv"] | None = None,
    semantics: Literal["opencv", "scikit-image"] | None = None,
    masks: Literal["bool", "uint8"] = 'bool',
    threads: int = 1,
) -> Any:
    """Compares every pixel with a level: `pixel > level` is above.

    The binary types give a `mask`, the others the type of the image. Every method but `fixed` chooses
    the level from the histogram and tells it in the record as `level`; saved images then come with
    `histogram`, a picture of it with the level drawn in. 8 and 16 bit have one bin a value (`minimum`
    groups 16 bit into 256 over the range); floats have 256 from the least to the largest value, and
    their level is the middle of a bin, but for `mean` and `li`, which take the values themselves.

    Parameters
    ----------
    image : gray8, gray16, gray-f32, mask
    method : Literal['fixed', 'otsu', 'triangle', 'li', 'yen', 'isodata', 'minimum', 'mean', 'max-entropy'] | None, optional
        How the level is found. By default `fixed` where `level` is given, else `otsu`.
        - `fixed`: The level given.
        - `otsu`: The level that separates the histogram into two classes of the greatest variance between them.
        - `triangle`: The value farthest below the line from the histogram's peak to its farther end.
        - `li`: The least cross entropy between the picture and its two means.
        - `yen`: The greatest correlation of the classes (Yen 1995).
        - `isodata`: The middle between the means of both classes (Ridler and Calvard 1978).
        - `minimum`: The valley between the two peaks that smoothing leaves; an error where there are no two.
        - `mean`: The mean.
        - `max-entropy`: The greatest sum of the entropies of both classes (Kapur 1985).
    level : float | None, optional
        The level of `method = "fixed"` in units of the image: 0..=255, 0..=65535, or the floats as
        they are.
    type : Literal['binary', 'binary-inv', 'trunc', 'tozero', 'tozero-inv'] | None, optional
        What becomes of pixels above and below.
        - `binary`: A mask: 255 above, 0 below.
        - `binary-inv`: A mask: 0 above, 255 below.
        - `trunc`: The level above, the pixel below.
        - `tozero`: The pixel above, 0 below.
        - `tozero-inv`: 0 above, the pixel below.
    semantics : Literal['opencv', 'scikit-image'] | None, optional
        Whose `triangle` is meant: the two differ by about one level. All other methods are alike.
        - `opencv`: OpenCV's.
        - `scikit-image`: scikit-image's.
    masks : "bool" or "uint8", default "bool"
        How masks look: `bool`, or 0 and 255 as in OpenCV.
    threads : int, default 1
        Threads that work on the picture. They change no result.

    Returns
    -------
    image : mask, gray8, gray16, gray-f32
    level : measures (not with all parameters)

    Several outputs come as a named tuple, one alone as it is.
    """
    ...

def to_f32(
    image: NDArray[Any] | Tuple[Any, ...],
    /,
    *,
    scale: float | None = None,
    offset: float = 0.0,
    masks: Literal["bool", "uint8"] = 'bool',
    threads: int = 1,
) -> NDArray[np.float32]:
    """Converts to floats; white becomes 1.

    `value * scale + offset`, per channel; masks become gray.

    Parameters
    ----------
    image : gray8, gray16, gray-f32, rgb8, rgb16, rgb-f32, mask
    scale : float | None, optional
        What values are multiplied with. By default white stays white: 1/255 from 8 bit, 1/65535 from 16 bit.
    offset : float, default 0.0
        What is added afterwards, in units of the result.
    masks : "bool" or "uint8", default "bool"
        How masks look: `bool`, or 0 and 255 as in OpenCV.
    threads : int, default 1
        Threads that work on the picture. They change no result.

    Returns
    -------
    image : gray-f32, rgb-f32
    """
    ...

def to_u8(
    image: NDArray[Any] | Tuple[Any, ...],
    /,
    *,
    scale: float | None = None,
    offset: float = 0.0,
    masks: Literal["bool", "uint8"] = 'bool',
    threads: int = 1,
) -> NDArray[np.uint8]:
    """Converts to 8 bit, rounded to the nearest (halves to even) and saturated.

    `value * scale + offset`, per channel; masks become gray.

    Parameters
    ----------
    image : gray8, gray16, gray-f32, rgb8, rgb16, rgb-f32, mask
    scale : float | None, optional
        What values are multiplied with. By default white stays white: 1/257 from 16 bit, 255 from floats.
    offset : float, default 0.0
        What is added afterwards, in units of the result.
    masks : "bool" or "uint8", default "bool"
        How masks look: `bool`, or 0 and 255 as in OpenCV.
    threads : int, default 1
        Threads that work on the picture. They change no result.

    Returns
    -------
    image : gray8, rgb8
    """
    ...

def top_hat(
    image: NDArray[Any] | Tuple[Any, ...],
    /,
    *,
    shape: Literal["rect", "cross", "ellipse"] | None = None,
    size: int | Sequence[int] | None = None,
    element: Sequence[Sequence[int]] | None = None,
    iterations: int | None = None,
    masks: Literal["bool", "uint8"] = 'bool',
    threads: int = 1,
) -> NDArray[Any]:
    """The white top-hat: the image less its opening. Keeps bright parts that the element does not fit into.

    What lies beyond the edge does not count. Elements are those of OpenCV's `getStructuringElement`.

    Parameters
    ----------
    image : gray8, gray16, gray-f32, mask
    shape : Literal['rect', 'cross', 'ellipse'] | None, optional
        The form of the element.
        - `rect`: Every pixel of the rectangle.
        - `cross`: The middle row and the middle column.
        - `ellipse`: The ellipse inscribed in the rectangle.
    size : int | Sequence[int] | None, optional
        Width and height of the element in pixels: one number for both, or `[width, height]`.
    element : Sequence[Sequence[int]] | None, optional
        An element of one's own instead: rows of 0 and 1, all of one length.
    iterations : int | None, 1 to 100, optional
        How often erosions and dilations are done.
    masks : "bool" or "uint8", default "bool"
        How masks look: `bool`, or 0 and 255 as in OpenCV.
    threads : int, default 1
        Threads that work on the picture. They change no result.

    Returns
    -------
    image : gray8, gray16, gray-f32, mask
    """
    ...

class TryThresholdsOutputs(NamedTuple):
    """What `try_thresholds` gives."""

    image: NDArray[np.uint8]
    levels: Dict[str, float]

def try_thresholds(
    image: NDArray[Any] | Tuple[Any, ...],
    /,
    *,
    semantics: Literal["opencv", "scikit-image"] | None = None,
    masks: Literal["bool", "uint8"] = 'bool',
    threads: int = 1,
) -> TryThresholdsOutputs:
    """One sheet of every method of `threshold`: the picture, then a mask a method with its name and level.

    The sheet is `rgb8`, three tiles wide; the levels are in the record by the method's name. A method that finds
    no level (`minimum` where there are no two peaks) has a black tile and no number.

    Parameters
    ----------
    image : gray8, gray16, gray-f32, mask
    semantics : Literal['opencv', 'scikit-image'] | None, optional
        Whose `triangle` is meant.
        - `opencv`: OpenCV's.
        - `scikit-image`: scikit-image's.
    masks : "bool" or "uint8", default "bool"
        How masks look: `bool`, or 0 and 255 as in OpenCV.
    threads : int, default 1
        Threads that work on the picture. They change no result.

    Returns
    -------
    image : rgb8
    levels : measures

    Several outputs come as a named tuple, one alone as it is.
    """
    ...

def warp_affine(
    image: NDArray[Any] | Tuple[Any, ...],
    /,
    *,
    matrix: Sequence[Sequence[float]],
    inverse: bool = False,
    width: int | None = None,
    height: int | None = None,
    interpolation: Literal["nearest", "bilinear", "bicubic"] | None = None,
    border: Literal["constant", "replicate", "reflect", "reflect-101", "wrap", "valid"] = 'constant',
    border_value: float = 0.0,
    masks: Literal["bool", "uint8"] = 'bool',
    threads: int = 1,
) -> NDArray[Any]:
    """Moves, turns, scales and shears an image by a 2x3 matrix.

    As OpenCV's `warpAffine`, with positions rounded to 1/2048 pixel instead of 1/32. Objects found
    afterwards are told in coordinates of the picture as read.

    Parameters
    ----------
    image : gray8, gray16, gray-f32, rgb8, rgb16, rgb-f32, mask, labels
    matrix : Sequence[Sequence[float]], required
        The rows `[a, b, c]` and `[d, e, f]`: the pixel at `(x, y)` goes to `(a x + b y + c, d x + e y + f)`,
        in pixels, centres of pixels at whole numbers.
    inverse : bool, default False
        Whether the matrix leads from the result back to the image.
    width : int | None, 1 to 65535, optional
        Width of the result in pixels; by default that of the image.
    height : int | None, 1 to 65535, optional
        Height of the result in pixels; by default that of the image.
    interpolation : Literal['nearest', 'bilinear', 'bicubic'] | None, optional
        How values between pixels are found.
        - `nearest`: The nearest pixel; masks and labels stay what they are.
        - `bilinear`: Linear between the four nearest.
        - `bicubic`: Cubic over the sixteen nearest.
    border : Literal['constant', 'replicate', 'reflect', 'reflect-101', 'wrap', 'valid'], default "constant"
        What lies beyond the edge; not `valid`.
        - `constant`: One fixed value: `iiii|abcdefgh|iiii`.
        - `replicate`: The edge pixel again and again: `aaaa|abcdefgh|hhhh`.
        - `reflect`: Mirrored, the edge pixel twice: `dcba|abcdefgh|hgfe`.
        - `reflect-101`: Mirrored about the edge pixel: `edcb|abcdefgh|gfed`. OpenCV's default.
        - `wrap`: The opposite side: `efgh|abcdefgh|abcd`.
        - `valid`: Nothing: the output shrinks to where the window fits.
    border_value : float, default 0.0
        The value of a constant border, in units of the image.
    masks : "bool" or "uint8", default "bool"
        How masks look: `bool`, or 0 and 255 as in OpenCV.
    threads : int, default 1
        Threads that work on the picture. They change no result.

    Returns
    -------
    image : gray8, gray16, gray-f32, rgb8, rgb16, rgb-f32, mask, labels
    """
    ...

class WatershedOutputs(NamedTuple):
    """What `watershed` gives."""

    labels: NDArray[np.uint32]
    objects: Objects

def watershed(
    mask: NDArray[Any] | Tuple[Any, ...],
    /,
    *markers: NDArray[Any] | Tuple[Any, ...],
    min_distance: int = 10,
    min_depth: float = 0.0,
    connectivity: int = 4,
    min_area: int = 0,
    max_area: int | None = None,
    clear_border: bool = False,
    masks: Literal["bool", "uint8"] = 'bool',
    threads: int = 1,
) -> WatershedOutputs:
    """Pulls touching parts of a mask apart, numbers and measures them.

    The mask is flooded from markers, deepest places first, and where two floods meet is the border. With
    one input depth is the distance from the background, and markers are its peaks. A second input, `labels`
    or a mask, gives the markers instead, and a third, gray, what is flooded from low to high. Equal to
    scikit-image's `watershed(-distance, markers, mask=mask)`; markers of equal value begin in raster order.

    Parameters
    ----------
    mask : mask
    *markers : labels, mask, gray8, gray16, gray-f32, any number
    min_distance : int, 1 to 2047, default 10
        Least distance of two peaks in pixels, along either axis.
    min_depth : float, default 0.0
        Least height of a peak: its distance from the background in pixels.
    connectivity : int, at least 0, default 4
        Neighbours of a pixel: 4, or 8 with the diagonal ones.
    min_area : int, at least 0, default 0
        Least area in pixels; smaller parts are dropped.
    max_area : int | None, at least 0, optional
        Greatest area in pixels; larger parts are dropped.
    clear_border : bool, default False
        Whether parts that touch the edge of the image are dropped.
    masks : "bool" or "uint8", default "bool"
        How masks look: `bool`, or 0 and 255 as in OpenCV.
    threads : int, default 1
        Threads that work on the picture. They change no result.

    Returns
    -------
    labels : labels
    objects : objects

    Several outputs come as a named tuple, one alone as it is.
    """
    ...

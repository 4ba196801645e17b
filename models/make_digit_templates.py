"""Writes digit-templates.png: the mean picture of each digit of the MNIST training set.

    python models/make_digit_templates.py MNIST_FOLDER

The folder holds the four IDX files (`train-images-idx3-ubyte`, ...). Needs NumPy and Pillow. Prints
the share of the test set whose best correlated template is the right digit.
"""

import pathlib
import sys

import numpy as np
from PIL import Image


def read(path):
    raw = path.read_bytes()
    dimensions = raw[3]
    shape = [int.from_bytes(raw[4 + 4 * i:8 + 4 * i], "big") for i in range(dimensions)]
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * dimensions).reshape(shape)


folder = pathlib.Path(sys.argv[1])
images, digits = read(folder / "train-images-idx3-ubyte"), read(folder / "train-labels-idx1-ubyte")
means = [np.rint(images[digits == digit].astype(np.float64).mean(axis=0)).astype(np.uint8) for digit in range(10)]
path = pathlib.Path(__file__).with_name("digit-templates.png")
Image.fromarray(np.hstack(means)).save(path, optimize=True)


def unit(pictures):
    flat = pictures.reshape(len(pictures), -1).astype(np.float64)
    flat -= flat.mean(axis=1, keepdims=True)
    return flat / np.linalg.norm(flat, axis=1, keepdims=True)


images, digits = read(folder / "t10k-images-idx3-ubyte"), read(folder / "t10k-labels-idx1-ubyte")
right = (unit(images) @ unit(np.array(means)).T).argmax(axis=1) == digits
print(f"{path.name}: {path.stat().st_size} bytes, test set {right.sum()} of {len(right)} right")

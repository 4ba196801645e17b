#!/usr/bin/env python3
"""Writes colormap.bin: the tables of colormap.rs, 256 times red, green, blue for each map.

The tables are read out of OpenCV 4.14.0 (opencv-python-headless 4.14.0.94), which carries them from:

viridis, magma, inferno, plasma   S. van der Walt and N. Smith, 2015; CC0 1.0
cividis                           J. Nunez, C. Anderton and R. Renslow, 2018; CC0 1.0, as matplotlib ships it
turbo                             A. Mikhailov, Google LLC, 2019; Apache License 2.0
jet                               piecewise linear, by the formula of MATLAB's map of that name
"""

import pathlib

import cv2
import numpy as np

MAPS = ["VIRIDIS", "MAGMA", "INFERNO", "PLASMA", "CIVIDIS", "TURBO", "JET"]

ramp = np.arange(256, dtype=np.uint8).reshape(1, 256)
tables = [cv2.applyColorMap(ramp, getattr(cv2, "COLORMAP_" + name))[0, :, ::-1] for name in MAPS]
(pathlib.Path(__file__).parent / "colormap.bin").write_bytes(b"".join(table.tobytes() for table in tables))

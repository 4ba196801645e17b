"""Makes pictures of coin-like discs on unevenly lit grounds, with masks: `make_coin_data.py OUT`.

Nothing is read: every number comes from seeds 1 (training, 400 pictures) and 2 (test, 60 pictures) of numpy's default
generator. OUT has images/ and masks/ under train/ and test/, and classes.txt. Made with numpy 2.4.6 and Pillow.

A picture is of 160x160: a ground with light that falls off, grain and smudges; discs, a little out of round, that may
touch but not overlap, brighter than the ground, with relief that may be darker than it, a lit and a shaded rim and a
shadow; blur and noise over all. A mask is 255 in discs.
"""

import pathlib
import sys

import numpy as np
from PIL import Image

SIDE = 160


def smooth(rng, sigma):
    """Noise of deviation 1 with details of about sigma pixels, periodic."""
    f = np.fft.fftfreq(SIDE)
    low = np.exp(-2 * (np.pi * sigma) ** 2 * (f[:, None] ** 2 + f[None, :] ** 2))
    noise = np.fft.ifft2(np.fft.fft2(rng.normal(size=(SIDE, SIDE))) * low).real
    return noise / noise.std()


def blur(image, sigma):
    f = np.fft.fftfreq(2 * SIDE)
    low = np.exp(-2 * (np.pi * sigma) ** 2 * (f[:, None] ** 2 + f[None, :] ** 2))
    mirrored = np.pad(image, ((0, SIDE), (0, SIDE)), mode="symmetric")
    return np.fft.ifft2(np.fft.fft2(mirrored) * low).real[:SIDE, :SIDE]


def picture(rng):
    y, x = np.mgrid[:SIDE, :SIDE].astype(float)
    angle, level = rng.uniform(0, 2 * np.pi), rng.uniform(40, 120)
    slope = rng.uniform(0, 70) / SIDE
    ground = level + slope * (np.cos(angle) * (x - SIDE / 2) + np.sin(angle) * (y - SIDE / 2))
    ground += rng.uniform(0, 14) * smooth(rng, 40) + rng.uniform(0, 6) * smooth(rng, rng.uniform(2, 6))
    image, mask = ground.copy(), np.zeros((SIDE, SIDE), bool)
    light = rng.uniform(0, 2 * np.pi)
    # What is alike in a picture, as coins of one table are.
    size, contrast, relief = rng.uniform(13, 32), rng.uniform(25, 95), rng.uniform(8, 34)
    shadow = rng.uniform(0, 0.45)
    discs = []
    for _ in range(rng.integers(0, 60)):
        radius = size * rng.uniform(0.75, 1.25)
        cy, cx = rng.uniform(-8, SIDE + 8, 2)
        if any(np.hypot(cy - v, cx - u) < radius + r + 1 + rng.exponential(4) for v, u, r in discs):
            continue
        discs.append((cy, cx, radius))
        dy, dx = y - cy, x - cx
        theta, distance = np.arctan2(dy, dx), np.hypot(dy, dx)
        edge = radius * (1 + sum(rng.normal() * 0.025 / k * np.cos(k * theta + rng.uniform(0, 7)) for k in (2, 3, 4, 5)))
        inside = distance < edge
        # The shadow falls away from the light.
        thrown = np.hypot(dy + 3 * np.sin(light), dx + 3 * np.cos(light)) < edge
        image = np.where(thrown & ~mask & ~inside, image * (1 - shadow), image)
        depth = (edge - distance) / radius
        rim = np.exp(-((depth - 0.06) / 0.05) ** 2)
        shade = np.cos(theta - light) * rng.uniform(0, 40) * rim + rng.uniform(-10, 25) * rim
        face = contrast * rng.uniform(0.7, 1.3) + relief * smooth(rng, rng.uniform(1.5, 4))
        face += relief * 0.7 * smooth(rng, rng.uniform(4, 9))
        image = np.where(inside, ground * rng.uniform(0.85, 1.05) + face + shade, image)
        mask |= inside
    image = blur(image, rng.uniform(0.4, 1.1)) + rng.normal(size=image.shape) * rng.uniform(0.5, 5)
    return np.clip(np.round(image), 0, 255).astype(np.uint8), np.where(mask, 255, 0).astype(np.uint8)


def main(out):
    out.mkdir(parents=True, exist_ok=True)
    (out / "classes.txt").write_text("ground\ncoin\n")
    for split, seed, count in (("train", 1, 400), ("test", 2, 60)):
        rng = np.random.default_rng(seed)
        for part in ("images", "masks"):
            (out / split / part).mkdir(parents=True, exist_ok=True)
        for index in range(count):
            for part, image in zip(("images", "masks"), picture(rng)):
                Image.fromarray(image).save(out / split / part / f"{index:03}.png")


main(pathlib.Path(sys.argv[1]))

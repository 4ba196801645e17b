"""Times a folder of JPEGs through decode, chain, PNG in lyncean and in OpenCV, in turns, and prints images a second.

    cargo build --release
    python benches/peers/folder.py [--count 200] [--png 40] [--rounds 3] [--json FILE]

Needs opencv-python-headless (4.14.0.94), scikit-image and numpy. The pictures are 1920x1080, quality 90, cut from a mosaic of
scikit-image's own photographs, and made in a temporary folder. The chain is `builtin:edges`: gray, Gaussian 5x5, Sobel magnitude,
mask. OpenCV's loop is what a user writes: `imread`, `cvtColor`, and so on, one process and one thread; or the same from two Python
threads (`ThreadPoolExecutor`, OpenCV's own threads off). lyncean is `lyncean run`, whole, from the start of the program to its end,
journal and fingerprints included, as stored (`rgb`) and with `[input] decode = "gray"`, beside OpenCV with `IMREAD_GRAYSCALE`. Wall time is the least of the rounds, and so is the CPU
time of user and system together, in milliseconds an image.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import resource
import shutil
import subprocess
import tempfile
import time

import cv2
import numpy as np
import skimage.data

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("LYNCEAN", ROOT / "target/release/lyncean"))
NAMES = ["astronaut", "coffee", "chelsea", "rocket", "hubble_deep_field", "camera", "immunohistochemistry", "retina"]
WIDTH, HEIGHT = 1920, 1080


def mosaic(width, height):
    """Photographs side by side in rows of 300 pixels, some mirrored."""
    random = np.random.default_rng(1)
    pictures = [getattr(skimage.data, name)() for name in NAMES]
    pictures = [np.dstack([p] * 3) if p.ndim == 2 else p[..., :3] for p in pictures]
    out = np.zeros((height, width, 3), np.uint8)
    for y in range(0, height, 300):
        x = 0
        while x < width:
            picture = pictures[random.integers(len(pictures))]
            picture = picture[:, ::-1] if random.integers(2) else picture
            top = random.integers(max(picture.shape[0] - 300, 0) + 1)
            tile = picture[top:top + min(300, height - y), :width - x]
            out[y:y + tile.shape[0], x:x + tile.shape[1]] = tile
            x += picture.shape[1]
    return out


def pictures(folder, count, png):
    big = mosaic(4096, 3072)
    random = np.random.default_rng(3)
    for kind in ("jpeg", "png"):
        (folder / kind).mkdir()
    for i in range(max(count, png)):
        x, y = random.integers(big.shape[1] - WIDTH), random.integers(big.shape[0] - HEIGHT)
        cut = big[y:y + HEIGHT, x:x + WIDTH, ::-1]
        if i < count:
            cv2.imwrite(str(folder / "jpeg" / f"{i:03}.jpg"), cut, [cv2.IMWRITE_JPEG_QUALITY, 90])
        if i < png:
            cv2.imwrite(str(folder / "png" / f"{i:03}.png"), cut)


def one(pair):
    source, target, flag = pair
    image = cv2.imread(source, flag)
    gray = image if flag == cv2.IMREAD_GRAYSCALE else cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    blur = cv2.GaussianBlur(gray, (5, 5), 0)
    magnitude = cv2.magnitude(cv2.Sobel(blur, cv2.CV_32F, 1, 0), cv2.Sobel(blur, cv2.CV_32F, 0, 1))
    cv2.imwrite(target, cv2.compare(magnitude, 100.0, cv2.CMP_GT))


def opencv(inputs, out, workers, flag):
    jobs = [(str(path), str(out / f"{path.stem}.png"), flag) for path in inputs]
    if workers == 1:
        for job in jobs:
            one(job)
    else:
        with concurrent.futures.ThreadPoolExecutor(workers) as pool:
            list(pool.map(one, jobs))


def lyncean(folder, out, workers, *more):
    command = [BINARY, "run", "builtin:edges", folder, "-o", out, "-q", "--progress", "never", "-j", workers, "--threads", 1, *more]
    subprocess.run([str(word) for word in command], check=True)


def measured(work, who):
    """Wall and CPU seconds."""
    before, start = resource.getrusage(who), time.perf_counter()
    work()
    wall, after = time.perf_counter() - start, resource.getrusage(who)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200, help="JPEGs")
    parser.add_argument("--png", type=int, default=40, help="PNGs")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=pathlib.Path)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    rows = []
    # Where there is a file system in memory, the disk is out of the way of both.
    memory = "/dev/shm" if pathlib.Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(dir=memory) as scratch:
        scratch = pathlib.Path(scratch)
        pictures(scratch, args.count, args.png)
        for kind in ("jpeg", "png"):
            inputs = sorted((scratch / kind).iterdir())
            runs = {}
            for workers in (1, 2):
                runs["OpenCV", "rgb", workers] = (lambda out, w=workers: opencv(inputs, out, w, cv2.IMREAD_COLOR), resource.RUSAGE_SELF)
                runs["lyncean", "rgb", workers] = (lambda out, w=workers: lyncean(scratch / kind, out, w), resource.RUSAGE_CHILDREN)
                if kind == "jpeg":
                    runs["OpenCV", "gray", workers] = (lambda out, w=workers: opencv(inputs, out, w, cv2.IMREAD_GRAYSCALE), resource.RUSAGE_SELF)
                    runs["lyncean", "gray", workers] = (lambda out, w=workers: lyncean(scratch / kind, out, w, "-p", "input.decode=gray"), resource.RUSAGE_CHILDREN)
            best = dict.fromkeys(runs, (np.inf, np.inf))
            for _ in range(args.rounds if inputs else 0):
                for name, (work, who) in runs.items():
                    out = scratch / "out"
                    out.mkdir()
                    best[name] = tuple(map(min, best[name], measured(lambda: work(out), who)))
                    shutil.rmtree(out)
            for (tool, decode, workers), (wall, cpu) in best.items() if inputs else []:
                theirs = best["OpenCV", "rgb", workers]
                rows.append({
                    "inputs": kind, "tool": tool, "decode": decode, "workers": workers, "images-a-second": len(inputs) / wall,
                    "cpu-ms": 1e3 * cpu / len(inputs), "ratio": theirs[0] / wall, "cpu-ratio": theirs[1] / cpu,
                })
    print(f"OpenCV {cv2.__version__}, ratios to OpenCV with `rgb` and as many workers\n")
    print("| inputs | tool | decode | workers | images/s | CPU ms/image | ratio | CPU ratio |\n|---|---|---|---|---|---|---|---|")
    for row in rows:
        print("| {inputs} | {tool} | {decode} | {workers} | {images-a-second:.1f} | {cpu-ms:.2f} | {ratio:.2f} | {cpu-ratio:.2f} |".format(**row))
    if args.json:
        args.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()

"""Times operations in lyncean and in OpenCV, in turns, on the same pictures, and prints a Markdown table.

    cargo build --release
    python benches/peers/classical.py [--sizes 640x480 1920x1080 4096x3072] [--threads 1] [--only canny] [--json FILE]

Needs opencv-python-headless (4.14.0.94) and numpy. The picture is a fixed one: smooth blobs, edges and grain, made here.
OpenCV works on arrays it is given and reuses (`dst=`); `lyncean bench` reuses its output's memory as well. Each operation is
measured three times in turns; the figure is the least time of all calls, in milliseconds.
"""

import argparse
import json
import os
import pathlib
import subprocess
import tempfile
import time

import cv2
import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("LYNCEAN", ROOT / "target/release/lyncean"))


def picture(width, height):
    random = np.random.default_rng(7)
    coarse = random.integers(0, 256, (height // 40 + 2, width // 40 + 2, 3)).astype(np.float32)
    smooth = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    for _ in range(width * height // 20000):
        x, y, radius = random.integers(0, width), random.integers(0, height), random.integers(5, 40)
        cv2.circle(smooth, (int(x), int(y)), int(radius), random.integers(0, 256, 3).tolist(), -1)
    return np.clip(smooth + random.normal(0, 4, smooth.shape), 0, 255).astype(np.uint8)


def stages(*tables):
    return "version = 1\n" + "".join(f"[[stage]]\n{table}\n" for table in tables)


KERNEL = np.round(np.random.default_rng(3).normal(0, 1, (7, 7)), 3).astype(np.float32)


def operations(rgb, gray):
    """Name, what it reads, pipeline, the same in OpenCV."""
    buffers = {}

    def buffer(name, dtype=np.uint8, shape=gray.shape):
        return buffers.setdefault((name, dtype, shape), np.empty(shape, dtype))

    otsu = cv2.threshold(gray, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[1]

    def magnitude(image):
        dx, dy = buffer("dx", np.float32), buffer("dy", np.float32)
        cv2.Sobel(image, cv2.CV_32F, 1, 0, dst=dx)
        cv2.Sobel(image, cv2.CV_32F, 0, 1, dst=dy)
        return cv2.magnitude(dx, dy, buffer("magnitude", np.float32))

    def chain():
        cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY, dst=buffer("gray"))
        cv2.GaussianBlur(buffer("gray"), (5, 5), 0, dst=buffer("blur"))
        cv2.compare(magnitude(buffer("blur")), 100, cv2.CMP_GT, dst=buffer("mask"))

    small = (gray.shape[1] // 2, gray.shape[0] // 2)
    five = cv2.getStructuringElement(cv2.MORPH_RECT, (5, 5))
    rows = ", ".join("[" + ", ".join(f"{v:.3f}" for v in row) + "]" for row in KERNEL)
    return [
        ("chain: gray, Gaussian 5x5, magnitude, mask", "rgb",
         stages('use = "gray"', 'use = "gaussian-blur"\nsigma = 0\nsize = 5', 'use = "sobel"', 'use = "threshold"\nlevel = 100'), chain),
        ("gray", "rgb", stages('use = "gray"'), lambda: cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY, dst=buffer("out"))),
        ("Gaussian 5x5", "gray", stages('use = "gaussian-blur"\nsigma = 0\nsize = 5'),
         lambda: cv2.GaussianBlur(gray, (5, 5), 0, dst=buffer("out"))),
        ("Gaussian, sigma 3, 19x19", "gray", stages('use = "gaussian-blur"\nsigma = 3\nsize = 19'),
         lambda: cv2.GaussianBlur(gray, (19, 19), 3, dst=buffer("out"))),
        ("Sobel dx, float", "gray", stages('use = "sobel"\noutput = "dx"'),
         lambda: cv2.Sobel(gray, cv2.CV_32F, 1, 0, dst=buffer("out", np.float32))),
        ("Sobel magnitude, float", "gray", stages('use = "sobel"'), lambda: magnitude(gray)),
        ("convolve 7x7 to float", "gray", stages(f'use = "convolve"\nkernel = [{rows}]'),
         lambda: cv2.filter2D(gray, cv2.CV_32F, KERNEL, dst=buffer("out", np.float32))),
        ("Canny", "gray", stages('use = "canny"\nlow = 100\nhigh = 200'), lambda: cv2.Canny(gray, 100, 200, edges=buffer("out"))),
        ("threshold", "gray", stages('use = "threshold"\nlevel = 100'),
         lambda: cv2.threshold(gray, 100, 255, cv2.THRESH_BINARY, dst=buffer("out"))),
        ("Otsu", "gray", stages('use = "threshold"\nmethod = "otsu"'),
         lambda: cv2.threshold(gray, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU, dst=buffer("out"))),
        ("adaptive mean 31", "gray", stages('use = "adaptive-threshold"\nsize = 31\noffset = 5'),
         lambda: cv2.adaptiveThreshold(gray, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY, 31, 5, dst=buffer("out"))),
        ("equalize", "gray", stages('use = "equalize"'), lambda: cv2.equalizeHist(gray, dst=buffer("out"))),
        ("box 15x15", "gray", stages('use = "box-blur"\nsize = 15'), lambda: cv2.blur(gray, (15, 15), dst=buffer("out"))),
        ("median 5x5", "gray", stages('use = "median"\nsize = 5'), lambda: cv2.medianBlur(gray, 5, dst=buffer("out"))),
        ("open 5x5", "gray", stages('use = "open"\nsize = 5'),
         lambda: cv2.morphologyEx(gray, cv2.MORPH_OPEN, five, dst=buffer("out"))),
        ("integral", "gray", stages('use = "integral"'), lambda: cv2.integral(gray)),
        ("resize x0.5 bilinear", "gray", stages(f'use = "resize"\nwidth = {small[0]}\nheight = {small[1]}\ninterpolation = "bilinear"'),
         lambda: cv2.resize(gray, small, dst=buffer("small", np.uint8, small[::-1]))),
        ("label with statistics", "mask", stages('use = "threshold"\nlevel = 127', 'use = "label"'),
         lambda: cv2.connectedComponentsWithStats(otsu, connectivity=8)),
    ]


def best(work, seconds):
    least, until = float("inf"), time.perf_counter() + seconds
    work()
    while time.perf_counter() < until:
        start = time.perf_counter()
        work()
        least = min(least, time.perf_counter() - start)
    return 1e3 * least


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", default=["640x480", "1920x1080", "4096x3072"])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", default="")
    parser.add_argument("--seconds", type=float, default=0.4)
    parser.add_argument("--json", type=pathlib.Path)
    args = parser.parse_args()
    cv2.setNumThreads(args.threads)
    table = []
    with tempfile.TemporaryDirectory() as folder:
        for size in args.sizes:
            width, height = map(int, size.split("x"))
            rgb = picture(width, height)
            gray = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
            mask = cv2.threshold(gray, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[1]
            for name, image in (("rgb", rgb[..., ::-1]), ("gray", gray), ("mask", mask)):
                cv2.imwrite(f"{folder}/{name}.png", image)
            for name, reads, text, theirs in operations(rgb, gray):
                if args.only not in name:
                    continue
                pathlib.Path(folder, "p.toml").write_text(text)
                command = [BINARY, "bench", f"{folder}/p.toml", f"{folder}/{reads}.png", "--json", "--threads", str(args.threads)]
                row = {"operation": name, "size": size, "threads": args.threads, "opencv-ms": float("inf"), "lyncean-ms": float("inf")}
                for _ in range(3):
                    row["opencv-ms"] = min(row["opencv-ms"], best(theirs, args.seconds))
                    runs = max(3, int(1e3 * args.seconds / max(row["opencv-ms"], 0.05)))
                    done = subprocess.run([*command, "--runs", str(runs)], capture_output=True, text=True)
                    if done.returncode:
                        row["error"] = done.stderr.strip().splitlines()[0]
                        break
                    row["lyncean-ms"] = min(row["lyncean-ms"], json.loads(done.stdout)[0]["min-ms"])
                row["ratio"] = row["opencv-ms"] / row["lyncean-ms"]
                row["ns-per-pixel"] = 1e6 * row["lyncean-ms"] / (width * height)
                table.append(row)
                print(f"# {size} {name}: {row['opencv-ms']:.3f} {row['lyncean-ms']:.3f} {row.get('error', '')}", flush=True)
    print("| operation | size | OpenCV ms | lyncean ms | ratio | ns a pixel |\n|---|---|---|---|---|---|")
    for row in table:
        print(f"| {row['operation']} | {row['size']} | {row['opencv-ms']:.2f} | {row['lyncean-ms']:.2f} | "
              f"{row['ratio']:.1f} | {row['ns-per-pixel']:.2f} |")
    if args.json:
        args.json.write_text(json.dumps({"opencv": cv2.__version__, "rows": table}, indent=1))


main()

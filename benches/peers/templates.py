"""Times template matching in lyncean and OpenCV, in turns, in one process, on the same pictures.

    python benches/peers/templates.py [--threads 1 2] [--rounds 7] [--markdown docs/speed-templates.md]

Needs the Python package of lyncean, opencv-python-headless 4.14 and scikit-image. The scene is put together from photographs
of scikit-image. Both give the best place and its score, lyncean by `match-template` with `max-count = 1`, OpenCV by
`matchTemplate` and `minMaxLoc`; the figure is the least wall time of many, on an idle machine. OpenCV has no second thread
for it. The places found are compared.
"""

import argparse
import datetime
import pathlib
import platform
import tempfile
import time

import cv2
import lyncean as ly
import numpy as np
import skimage

NAMES = ["coffee.png", "chelsea.png", "rocket.jpg", "camera.png", "coins.png", "brick.png", "grass.png", "gravel.png", "motorcycle_left.png"]  # fmt: skip
METHODS = {
    "squared-difference": cv2.TM_SQDIFF,
    "squared-difference-normed": cv2.TM_SQDIFF_NORMED,
    "cross-correlation": cv2.TM_CCORR,
    "cross-correlation-normed": cv2.TM_CCORR_NORMED,
    "correlation-coefficient": cv2.TM_CCOEFF,
    "correlation-coefficient-normed": cv2.TM_CCOEFF_NORMED,
}


def scene(width, height):
    folder = pathlib.Path(skimage.__file__).parent / "data"
    photographs = [cv2.imread(str(folder / name), cv2.IMREAD_GRAYSCALE) for name in NAMES]
    made = np.zeros((height, width), np.uint8)
    w, h = width // 3, height // 3
    for index, photograph in enumerate(photographs):
        x, y = index % 3 * w, index // 3 * h
        made[y : y + h, x : x + w] = cv2.resize(photograph, (w, h), interpolation=cv2.INTER_AREA)
    return made


def rows(rounds, threads, folder):
    for width, height in ((640, 480), (1920, 1080)):
        picture = scene(width, height)
        for side in (16, 64, 128):
            x, y = width // 3 + width // 20, height // 3 + height // 20
            template = np.ascontiguousarray(picture[y : y + side, x : x + side])
            path = str(pathlib.Path(folder, f"{side}.png"))
            ly.imwrite(path, template)
            disc = (np.hypot(*(np.mgrid[0:side, 0:side] - (side - 1) / 2)) < side / 2).astype(np.uint8) * 255
            mask = str(pathlib.Path(folder, f"{side}-mask.png"))
            ly.imwrite(mask, disc)
            cases = [(name, code, None) for name, code in METHODS.items()]
            cases.append(("correlation-coefficient-normed", cv2.TM_CCOEFF_NORMED, disc))
            for name, code, masked in cases:

                def theirs(code=code, masked=masked, picture=picture, template=template):
                    scores = cv2.matchTemplate(picture, template, code, mask=masked)
                    low, high = cv2.minMaxLoc(np.nan_to_num(scores, copy=False) if masked is not None else scores)[2:]
                    return low if code in (cv2.TM_SQDIFF, cv2.TM_SQDIFF_NORMED) else high

                def ours(count, name=name, masked=masked, picture=picture, path=path, mask=mask):
                    parameters = {"mask": mask} if masked is not None else {}
                    made = ly.ops.match_template(
                        picture, template=path, method=name, max_count=1, threads=count, **parameters
                    )
                    return tuple(int(edge) for edge in made.objects[0]["box"][:2])

                calls = [theirs, *[lambda count=count: ours(count) for count in threads]]
                if masked is None:
                    found = ours(1)
                    raw = name in ("cross-correlation", "correlation-coefficient")
                    assert theirs() == found and (raw or found == (x, y)), (name, side, theirs(), found)
                best = [float("inf")] * len(calls)
                for _ in range(rounds if width < 1000 else max(3, rounds // 2)):
                    for index, call in enumerate(calls):
                        start = time.perf_counter()
                        call()
                        best[index] = min(best[index], 1000 * (time.perf_counter() - start))
                title = f"{name}, mask" if masked is not None else name
                figures = [f"{ms:.2f} | {best[0] / ms:.1f}" for ms in best[1:]]
                yield f"| {width}x{height} | {side} | {title} | {best[0]:.1f} | {' | '.join(figures)} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--markdown", type=pathlib.Path)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        cpu = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), platform.machine())
    ours = " | ".join(f"lyncean, {count} thread{'s' * (count > 1)} | ratio" for count in args.threads)
    lines = [
        "# The speed of template matching",
        "",
        "`python benches/peers/templates.py --markdown docs/speed-templates.md`: 8-bit gray photographs, milliseconds, the least of",
        "many; ratios are OpenCV's time over lyncean's.",
        "",
        f"{datetime.date.today()}, {cpu}, lyncean {ly.__version__}, OpenCV {cv2.__version__} on one thread (it has no second one here).",
        "",
        f"| picture | template | method | OpenCV | {ours} |",
        "|---" * (4 + 2 * len(args.threads)) + "|",
    ]
    print("\n".join(lines), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for row in rows(args.rounds, args.threads, folder):
            print(row, flush=True)
            lines.append(row)
    if args.markdown:
        args.markdown.write_text("\n".join(lines) + "\n", encoding="utf-8")


main()

"""Times detection with cascades in lyncean and OpenCV, in turns, in one process, on the same pictures and one thread.

    python benches/peers/haar.py [--rounds 9]

Needs the Python package of lyncean, opencv-python-headless 4.14 and scikit-image. The pictures are scikit-image's portrait
`astronaut`, 512x512, and a scene of 1920x1080 put together from its photographs; the cascades are two of OpenCV's. The
figure is the least CPU time of the process in many rounds: it counts one thread, and what else the machine does disturbs it
least. Both give the same boxes, which is checked.
"""

import argparse
import gzip
import pathlib
import tempfile
import time

import cv2
import numpy as np
import skimage
from lyncean import ops

ROOT = pathlib.Path(__file__).resolve().parents[2]
NAMES = [
    "astronaut.png", "coffee.png", "chelsea.png", "rocket.jpg", "camera.png", "coins.png", "text.png", "brick.png",
    "grass.png", "gravel.png", "motorcycle_left.png",
]  # fmt: skip


def pictures():
    folder = pathlib.Path(skimage.__file__).parent / "data"
    photographs = [cv2.imread(str(folder / name), cv2.IMREAD_GRAYSCALE) for name in NAMES]
    scene = np.zeros((1080, 1920), np.uint8)
    for index in range(12):
        x, y = index % 4 * 480, index // 4 * 360
        photograph = photographs[index % len(photographs)]
        scene[y : y + 360, x : x + 480] = cv2.resize(photograph, (480, 360), interpolation=cv2.INTER_AREA)
    return {"portrait 512x512": photographs[0], "scene 1920x1080": scene}


def least(work, rounds):
    best = [float("inf")] * len(work)
    for _ in range(rounds):
        for index, call in enumerate(work):
            start = time.process_time()
            call()
            best[index] = min(best[index], time.process_time() - start)
    return [1000 * seconds for seconds in best]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    cv2.setNumThreads(1)
    cv2.ocl.setUseOpenCL(False)
    print(f"OpenCV {cv2.__version__}; ms: OpenCV / lyncean = ratio")
    with tempfile.TemporaryDirectory() as folder:
        for cascade in ("frontalface-default", "frontalface-alt2"):
            path = pathlib.Path(folder) / f"{cascade}.xml"
            path.write_bytes(gzip.decompress((ROOT / "models" / f"{cascade}.xml.gz").read_bytes()))
            theirs = cv2.CascadeClassifier(str(path))
            for name, picture in pictures().items():
                for size in (24, 30):
                    found = []

                    def opencv(picture=picture, size=size, theirs=theirs):
                        return theirs.detectMultiScale(picture, 1.1, 3, minSize=(size, size))

                    def ours(picture=picture, size=size, path=path):
                        return ops.haar_detect(picture, cascade=str(path), min_size=[size, size])

                    found = sorted([int(edge) for edge in one["box"]] for one in ours())
                    assert found == sorted(map(list, np.array(opencv(), int).reshape(-1, 4).tolist()))
                    a, b = least([opencv, ours], rounds)
                    print(f"{cascade:20} {name:16} from {size}: {a:7.1f} / {b:6.1f} = {a / b:.2f}", flush=True)


main()

"""What an autoencoder knows of digits, as two pictures: `python autoencoder_sheets.py LYNCEAN MNIST OUT [COUNT]`.

LYNCEAN is the program, MNIST the folder with `t10k-images-idx3-ubyte` and `t10k-labels-idx1-ubyte`. `OUT/codes.png` has a
dot for each of the first COUNT digits (2,000 unless said) at the two principal components of its code, in the colour of its
class. `OUT/sheet.png` has three digits of each class, one a column: as they are, as they come back, and the difference.
Prints the mean squared error, and how often the nearest other code is of the same class. Needs Pillow and NumPy.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from PIL import Image, ImageDraw

lyncean, mnist, out = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
count = int(sys.argv[4]) if len(sys.argv) > 4 else 2000
out.mkdir(parents=True, exist_ok=True)
pixels = np.frombuffer((mnist / "t10k-images-idx3-ubyte").read_bytes(), np.uint8, offset=16).reshape(-1, 28, 28)[:count]
labels = np.frombuffer((mnist / "t10k-labels-idx1-ubyte").read_bytes(), np.uint8, offset=8)[:count]
PIPELINE = """version = 1
[[stage]]
use = "gray"
name = "digit"
[[stage]]
use = "encode"
name = "code"
in = ["digit"]
model = "builtin:autoencoder-conv"
[[stage]]
use = "reconstruct"
name = "back"
in = ["digit"]
model = "builtin:autoencoder-conv"
"""
with tempfile.TemporaryDirectory() as folder:
    folder = pathlib.Path(folder)
    (folder / "pipeline.toml").write_text(PIPELINE)
    (folder / "digits").mkdir()
    for i, digit in enumerate(pixels):
        Image.fromarray(digit).save(folder / "digits" / f"{i:05}.png")
    command = [lyncean, "run", folder / "pipeline.toml", folder / "digits", "-o", folder / "out", "-q", "--save", "back",
               "--records", folder / "records.jsonl"]
    subprocess.run(command, check=True)
    results = [json.loads(line)["results"] for line in (folder / "records.jsonl").read_text().splitlines()]
    codes = np.array([result["code"]["vector"] for result in results])
    back = [np.asarray(Image.open(folder / "out" / f"{i:05}.back.png").convert("L")) for i in range(len(results))]

squares = ((np.array(back, float) - pixels) / 255) ** 2
print(f"mean squared error {squares.mean():.4f}")
distances = ((codes[:, None] - codes[None]) ** 2).sum(2) if count <= 3000 else None
if distances is not None:
    np.fill_diagonal(distances, np.inf)
    print(f"nearest other code of the same class: {(labels[distances.argmin(1)] == labels).mean():.3f}")

# Principal components of the codes.
middle = codes - codes.mean(0)
_, strengths, axes = np.linalg.svd(middle, full_matrices=False)
share = (strengths[:2] ** 2).sum() / (strengths**2).sum()
print(f"share of the variance that is drawn: {share:.2f}")
places = middle @ axes[:2].T
low, high = places.min(0), places.max(0)
COLORS = ["#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7", "#999999", "#000000", "#8b4513"]
SIDE, EDGE, FINE = 480, 16, 2
scatter = Image.new("RGB", (FINE * (SIDE + 60), FINE * SIDE), "white")
draw = ImageDraw.Draw(scatter)
for (x, y), label in zip((places - low) / (high - low), labels):
    x, y = FINE * (EDGE + x * (SIDE - 2 * EDGE)), FINE * (EDGE + y * (SIDE - 2 * EDGE))
    draw.ellipse((x - 4, y - 4, x + 4, y + 4), fill=COLORS[label])
for label, color in enumerate(COLORS):
    y = FINE * (EDGE + 20 * label)
    draw.ellipse((FINE * SIDE, y, FINE * SIDE + 16, y + 16), fill=color)
    draw.text((FINE * SIDE + 28, y - 5), str(label), fill="black", font_size=24)
scatter.resize((SIDE + 60, SIDE), Image.Resampling.BOX).quantize(64).save(out / "codes.png", optimize=True)

columns = [i for label in range(10) for i in np.flatnonzero(labels == label)[:3]]
rows = [np.hstack([row[i] for i in columns]) for row in (pixels, back, np.abs(np.array(back, int) - pixels).astype(np.uint8))]
Image.fromarray(np.vstack(rows)).save(out / "sheet.png", optimize=True)

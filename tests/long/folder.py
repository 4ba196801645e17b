#!/usr/bin/env python3
"""Folder runs that lose nothing, proved as a user would: slow, so not part of `cargo test`.

    python3 tests/long/folder.py PROGRAM [kill] [full] [large] [many] [mixed] [two] [late]

Needs Python, Pillow and numpy; `full` needs root, for a small tmpfs, and `mixed` for a file
that another user may not read. Works in a temporary folder and says what it saw.
"""

import json
import os
import pathlib
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import zlib

import numpy as np
from PIL import Image

PROGRAM = os.path.abspath(sys.argv[1])
FIXTURES = pathlib.Path(__file__).resolve().parents[2] / "fixtures"
COUNT = """version = 1
[[stage]]
use = "gray"
[[stage]]
use = "gaussian-blur"
sigma = 2
[[stage]]
use = "threshold"
method = "otsu"
[[stage]]
use = "label"
name = "blobs"
"""


def run(*words, **how):
    return subprocess.run([PROGRAM, *map(str, words)], capture_output=True, text=True, **how)


def measured(*words):
    """Exit code, seconds and the most memory in MiB."""
    start = time.time()
    with tempfile.TemporaryFile() as words_said:
        child = subprocess.Popen([PROGRAM, *map(str, words)], stdout=subprocess.DEVNULL, stderr=words_said)
        # `ru_maxrss` would count the memory of this program, which the child shares before it starts.
        most = 0
        while child.poll() is None:
            for line in open(f"/proc/{child.pid}/status"):
                if line.startswith("VmHWM"):
                    most = int(line.split()[1])
            time.sleep(0.002)
        seconds = time.time() - start
        words_said.seek(0)
        return child.returncode, seconds, most / 1024, words_said.read().decode()


def tree(folder):
    """Every file below a folder with its bytes."""
    folder = pathlib.Path(folder)
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def pictures(folder, count, seed=1):
    dice = np.random.default_rng(seed)
    for index in range(count):
        path = pathlib.Path(folder) / str(index % 5) / f"{index:04}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        small = dice.integers(0, 256, (12, 16, 3), np.uint8)
        Image.fromarray(small).resize((320 + index % 7, 240), Image.BILINEAR).save(path)
    (pathlib.Path(folder) / "1" / "broken.png").write_bytes(b"no picture")


def kill():
    """kill -9 at fifty random moments, then --resume: every byte as without."""
    pictures("in", 120)
    pathlib.Path("p.toml").write_text(COUNT)
    lists = ["--records", "r.jsonl", "--objects", "o.csv"]
    words = ["p.toml", "in", "-r", "-j", "2", "--save", "threshold"]
    start = time.time()
    assert run("run", *words, "-o", "whole", *lists).returncode == 1
    seconds = time.time() - start
    expected = tree("whole") | {name: pathlib.Path(name).read_bytes() for name in ("r.jsonl", "o.csv")}
    dice = random.Random(7)
    kills, after = 0, []
    while kills < 50:
        shutil.rmtree("out", ignore_errors=True)
        more = []
        # Several kills a run: resuming is killed as well.
        for _ in range(dice.randint(1, 4)):
            child = subprocess.Popen(
                [PROGRAM, "run", *words, "-o", "out", *lists, *more], stderr=subprocess.DEVNULL
            )
            time.sleep(dice.uniform(0, 1.1 * seconds))
            is_running = child.poll() is None
            child.send_signal(signal.SIGKILL)
            child.wait()
            kills += is_running
            journal = pathlib.Path("out/journal.jsonl")
            lines = journal.read_bytes().count(b"\n") if journal.exists() else 0
            after.append(lines)
            more = ["--resume"]
        assert run("run", *words, "-o", "out", *lists, *more).returncode == 1
        got = tree("out") | {name: pathlib.Path(name).read_bytes() for name in ("r.jsonl", "o.csv")}
        assert got.keys() == expected.keys(), sorted(got.keys() ^ expected.keys())
        assert got == expected, [name for name in got if got[name] != expected[name]]
    print(f"kill: {kills} kills, with {min(after)} to {max(after)} journal lines; {len(expected)} files alike each time")


def full():
    """A full disk, then room, then --resume."""
    pictures("in", 60)
    pathlib.Path("p.toml").write_text(COUNT.replace('use = "label"\nname = "blobs"', 'use = "to-f32"\nin = "gray"'))
    assert run("run", "p.toml", "in", "-r", "-o", "whole", "--records", "r.jsonl").returncode == 1
    expected = tree("whole") | {"r.jsonl": pathlib.Path("r.jsonl").read_bytes()}
    os.mkdir("disk")
    seen = []
    for size in ("64k", "1m", "5m", "9m"):
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", "disk"], check=True)
        try:
            words = ["run", "p.toml", "in", "-r", "-o", "disk/out", "--records", "r.jsonl"]
            said = run(*words)
            assert said.returncode == 2, said
            errors = [line for line in said.stderr.splitlines() if line.startswith("error")]
            others = [line for line in errors if "no picture" not in line and "expected a picture" not in line]
            assert len(others) == 1 and "no space left" in others[0], said.stderr
            assert "--resume" in said.stderr, said.stderr
            assert not [name for name in tree("disk") if ".part" in name], "nothing half written"
            subprocess.run(["mount", "-o", "remount,size=200m", "disk"], check=True)
            again = run(*words, "--resume")
            assert again.returncode == 1, again
            got = tree("disk/out") | {"r.jsonl": pathlib.Path("r.jsonl").read_bytes()}
            assert got == expected, [n for n in expected if got.get(n) != expected[n]]
            seen.append(f"{size}: {again.stderr.splitlines()[-1]}")
        finally:
            subprocess.run(["umount", "disk"], check=True)
    print("full:", *seen, sep="\n  ")


def large():
    """30,000 x 30,000 grey through a fused run."""
    side = 30_000
    packer = zlib.compressobj(1)

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    dice = np.random.default_rng(1)
    base = (np.arange(side) // 97 % 256).astype(np.uint8)
    with open("large.png", "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)))
        for y in range(side):
            row = base + np.uint8(y // 113 % 256) + dice.integers(0, 2, side, np.uint8)
            data = packer.compress(b"\0" + row.tobytes())
            if data:
                file.write(chunk(b"IDAT", data))
        file.write(chunk(b"IDAT", packer.flush()) + chunk(b"IEND", b""))
    size = os.path.getsize("large.png") / 2**20
    for more in ([], ["--threads", "1"]):
        code, seconds, most, said = measured("run", "builtin:edges", "large.png", "-o", "out", "--overwrite", *more)
        assert code == 0, said
        print(f"large: {size:.0f} MiB of PNG, {' '.join(more) or 'all threads'}: {seconds:.1f} s, {most:.1f} MiB at most")
        assert most < 128


def many():
    """Fifty thousand small files in flat memory."""
    pathlib.Path("p.toml").write_text(COUNT)
    seen = []
    for count in (5_000, 50_000):
        folder = pathlib.Path(f"in{count}")
        data = [np.random.default_rng(s).integers(0, 256, (24, 32), np.uint8) for s in range(16)]
        for index in range(count):
            path = folder / f"{index % 100:02}" / f"{index:06}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            if index < 16:
                Image.fromarray(data[index]).save(path)
            else:
                shutil.copyfile(folder / f"{index % 16:02}" / f"{index % 16:06}.png", path)
        code, seconds, most, said = measured(
            "run", "p.toml", folder, "-r", "-j", "2", "-o", f"out{count}", "--records", "r.jsonl", "--objects", "o.csv"
        )
        assert code == 0, said
        code, again, resumed, said = measured("run", "p.toml", folder, "-r", "-o", f"out{count}", "--resume")
        assert code == 0 and f"{count} done before" in said, said
        seen.append(most)
        print(f"many: {count} files: {seconds:.1f} s, {most:.1f} MiB at most; resumed {again:.1f} s, {resumed:.1f} MiB")
    print(f"many: {1024 * (seen[1] - seen[0]) / 45_000:.2f} KiB more a file")


def mixed():
    """Every kind of odd file in one folder."""
    os.chmod(".", 0o777)
    files = FIXTURES / "files"
    pathlib.Path("in").mkdir()
    jpeg = (files / "rgb-444.jpg").read_bytes()
    pathlib.Path("in/cut.jpg").write_bytes(jpeg[: len(jpeg) * 2 // 3])
    pathlib.Path("in/empty.png").write_bytes(b"")
    pathlib.Path("in/text.png").write_text("not a picture\n")
    for name in ["gray16.png", "rgba8.png", "cmyk.jpg", "pages.tiff", *(f"exif-{n}.jpg" for n in range(1, 9))]:
        shutil.copy(files / name, "in")
    Image.fromarray(np.zeros((9, 9), np.uint8)).save("in/secret.png")
    os.chmod("in/secret.png", 0)
    os.mkfifo("in/pipe.png")
    os.mkdir("in/folder.png")
    for path in pathlib.Path("in").iterdir():
        if path.is_file() and path.name != "secret.png":
            os.chmod(path, 0o644)
    pathlib.Path("p.toml").write_text(COUNT)
    os.chmod("p.toml", 0o644)
    program = shutil.copy(PROGRAM, "lyncean")
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.getuid() == 0 else []
    words = [os.path.abspath(program), "run", "p.toml", "in", "-o", "out", "--records", "r.jsonl", "--pages", "all"]
    said = subprocess.run([*nobody, *words], capture_output=True, text=True, timeout=60)
    assert said.returncode == 1, said
    failed = [json.loads(line) for line in open("out/failures.jsonl")]
    for line in failed:
        print("mixed:", line["image"], "|", line["kind"], "|", line["error"], "|", line.get("hint", ""))
    names = ["cut.jpg", "empty.png", "pipe.png", "secret.png", "text.png"]
    assert [line["image"] for line in failed] == [f"in/{name}" for name in names], failed
    done = [json.loads(line) for line in open("r.jsonl")]
    assert sum(line["status"] == "ok" for line in done) == 14, done
    assert [line.get("page") for line in done if "pages" in line["image"]] == [1, 2, 3]
    print("mixed:", said.stderr.splitlines()[-1])


def two():
    """Two processes into one folder, files that change, a folder that vanishes, Ctrl-C."""
    pictures("in", 150)
    pathlib.Path("p.toml").write_text(COUNT)
    words = ["run", "p.toml", "in", "-r", "-j", "1"]
    assert run(*words, "-o", "whole").returncode == 1
    expected = tree("whole")
    children = [subprocess.Popen([PROGRAM, *words, "-o", "out"], stderr=subprocess.PIPE, text=True) for _ in range(6)]
    ended = [(child.communicate()[1], child.returncode) for child in children]
    codes = sorted(code for _, code in ended)
    assert codes == [1, 2, 2, 2, 2, 2], ended
    assert tree("out") == expected
    print("two: of six at once one ran:", [e.splitlines()[0] for e, code in ended if code == 2][0])

    child = subprocess.Popen([PROGRAM, *words, "-o", "gone"], stderr=subprocess.PIPE, text=True)
    while not pathlib.Path("gone/0").exists():
        time.sleep(0.001)
    os.rename("gone", "moved")
    said = child.communicate()[1]
    assert child.returncode == 2 and "gone" in said, (child.returncode, said)
    print("two: vanished:", [line for line in said.splitlines() if "expected a picture" not in line])
    os.rename("moved", "gone")
    assert run(*words, "-o", "gone", "--resume").returncode == 1
    assert tree("gone") == expected

    child = subprocess.Popen([PROGRAM, *words, "-o", "stopped"], stderr=subprocess.PIPE, text=True)
    while not pathlib.Path("stopped/0").exists():
        time.sleep(0.001)
    child.send_signal(signal.SIGINT)
    said = child.communicate()[1]
    assert child.returncode == 130, (child.returncode, said)
    print("two: Ctrl-C:", said.splitlines()[-1])
    assert run(*words, "-o", "stopped", "--resume").returncode == 1
    assert tree("stopped") == expected


WHOLE = {
    "label": 'use = "label"',
    "label-shape": 'use = "label"\nshape = true',
    "watershed": 'use = "watershed"',
    "distance": 'use = "distance-transform"',
    "fill-holes": 'use = "fill-holes"',
    "remove-small": 'use = "remove-small"\nmin-area = 40',
    "clear-border": 'use = "clear-border"',
    "contours": 'use = "contours"',
    "canny": 'use = "canny"\nin = "gray"',
    "hysteresis": 'use = "hysteresis"\nin = "gray"\nlow = 90\nhigh = 160',
    "median": 'use = "median"\nin = "gray"\nsize = 99',
    "clahe": 'use = "clahe"\nin = "gray"',
    "rolling-ball": 'use = "rolling-ball"\nin = "gray"\nradius = 60',
    "hog": 'use = "hog"\nin = "gray"',
    "match": 'use = "match-template"\nin = "gray"\ntemplate = "t.png"',
    "haar": 'use = "haar-detect"\nin = "gray"',
    "rotate": 'use = "rotate"\nin = "gray"\nangle = 20',
    "integral": 'use = "integral"\nin = "gray"',
    "multi-otsu": 'use = "multi-otsu"\nin = "gray"\nclasses = 5',
    "try": 'use = "try-thresholds"\nin = "gray"',
}


def late():
    """How long after its time an image is given up, inside steps that need the whole image."""
    dice = np.random.default_rng(3)
    small = dice.integers(0, 256, (700, 900), np.uint8)
    Image.fromarray(small).resize((7200, 5600), Image.BILINEAR).save("large.png", compress_level=1)
    Image.fromarray(small[:40, :40]).save("t.png")
    worst = []
    for name, stage in WHOLE.items():
        text = 'version = 1\n[[stage]]\nuse = "gray"\n[[stage]]\nuse = "threshold"\nlevel = 128\n[[stage]]\n' + stage
        pathlib.Path("p.toml").write_text(text + "\n")
        base = ["run", "p.toml", "large.png", "--threads", "1", "--timings", "t.jsonl"]
        code, whole, _, said = measured(*base)
        if code:
            print("late:", name, said.strip())
            continue
        work = json.loads(pathlib.Path("t.jsonl").read_text())
        read = (whole - work["work-ms"] / 1e3) if work else 0
        # At four moments within the work.
        over = 0
        for part in (0.3, 0.5, 0.7, 0.9):
            limit = read + part * work["work-ms"] / 1e3
            code, seconds, _, said = measured(*base, "--timeout-per-image", f"{limit:.4f}")
            over = max(over, seconds - limit if code else 0)
        worst.append((over, name))
        print(f"late: {name}: whole {whole:.2f} s, given up at most {over:.2f} s after its time")
    print("late: worst", sorted(worst)[-3:])


if __name__ == "__main__":
    for name in sys.argv[2:] or ["kill", "full", "large", "many", "mixed", "two", "late"]:
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            globals()[name]()
            os.chdir("/")

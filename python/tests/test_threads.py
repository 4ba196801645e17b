"""The interpreter is free while stages work, and Ctrl-C is heard."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import lyncean as ly
import numpy as np
import pytest
from conftest import ROOT, Array


def test_another_thread_goes_on_meanwhile() -> None:
    image = np.tile(ly.builtin("camera"), (5, 5))
    counted: list[int] = []
    stop = threading.Event()

    def count() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            time.sleep(0)
        counted.append(number)

    thread = threading.Thread(target=count)
    thread.start()
    begin = time.perf_counter()
    while time.perf_counter() - begin < 0.5:
        ly.ops.median(image, size=31)
    stop.set()
    thread.join()
    # Held, the interpreter would change hands only between calls: a few times in all.
    assert counted[0] > 1000


def test_a_pipeline_is_shared_by_threads(coins: Array) -> None:
    pipeline = ly.Pipeline.load("builtin:coins")
    crops = [coins[at : at + 200, at : at + 250] for at in range(0, 100, 7)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda picture: pipeline(picture).output, crops))
    for picture, output in zip(crops, together):
        np.testing.assert_array_equal(pipeline(picture).output, output)


def test_writing_meanwhile_is_no_more_than_a_race(coins: Array) -> None:
    image = np.tile(coins, (4, 4))
    stop = threading.Event()

    def scribble() -> None:
        while not stop.is_set():
            image[:] = image ^ 255

    thread = threading.Thread(target=scribble)
    thread.start()
    for _ in range(20):
        # Labels and histograms index by pixel values: whatever is read, they stay within bounds.
        ly.ops.equalize(image)
        ly.ops.label(ly.ops.threshold(image, method="otsu").image)
    stop.set()
    thread.join()


LONG = {
    "operation": "ly.ops.median(image, size=101)",
    "pipeline": "ly.Pipeline([ly.median(size=101)])(image)",
    "compare": f"ly.compare(['builtin:digits-lenet'], {str(ROOT / 'fixtures' / 'digits')!r}, repeats=2000)",
    "train": f"ly.train_net('lenet5', {str(ROOT / 'fixtures' / 'digits' / 'test')!r}, sys.argv[1], epochs=2000)",
}


@pytest.mark.parametrize("call", LONG.values(), ids=LONG)
def test_ctrl_c_ends_a_long_call(call: str, tmp_path: Path) -> None:
    program = textwrap.dedent(
        f"""
        import signal, sys, numpy as np, lyncean as ly
        # Whoever runs the tests in the background may have had it ignored.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        image = np.random.default_rng(1).integers(0, 65536, (6000, 6000), dtype=np.uint16)
        print("ready", flush=True)
        try:
            {call}
        except KeyboardInterrupt:
            print("heard", flush=True)
        """
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "run")], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    try:
        assert child.stdout.readline() == "ready\n"
        time.sleep(0.4)
        begin = time.perf_counter()
        os.kill(child.pid, signal.SIGINT)
        out, _ = child.communicate(timeout=60)
        assert out == "heard\n"
        assert time.perf_counter() - begin < 30
    finally:
        child.kill()
        child.wait()

"""Every built-in net in ONNX Runtime: exports with random weights, and the largest difference of the outputs.

    cargo build --example onnx_folder && python tests/long/onnx_export.py [NET ...]

For each net: the difference from ONNX Runtime of the net itself, and of the net that its file is read as, relative to
the largest output. It fails above 1e-5. Asks onnx and onnxruntime (made with onnx 1.23.2, onnxruntime 1.32.0).
"""

import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime
from safetensors.numpy import save_file

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
PROGRAM = os.environ.get("ONNX_FOLDER", TARGET / "debug" / "examples" / "onnx_folder")
MOST = 1e-5


def check(name):
    with tempfile.TemporaryDirectory() as folder:
        said = subprocess.run([PROGRAM, "export", folder, name], check=True, capture_output=True, text=True).stdout
        path = pathlib.Path(folder) / f"{name}.onnx"
        if not path.exists():
            print(said.strip())
            return False
        model = onnx.load(path)
        onnx.checker.check_model(model, full_check=True)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        shape = [2, *session.get_inputs()[0].shape[1:]]
        rng = np.random.default_rng(5)
        words = "textcnn" in name
        x = (rng.integers(0, 100, shape) if words else rng.normal(0, 1, shape)).astype(np.float32)
        (y,) = session.run(None, {session.get_inputs()[0].name: x})
        save_file({"x": x, "y": y}, path.with_suffix(".safetensors"))
        said = subprocess.run([PROGRAM, "check", folder], check=True, capture_output=True, text=True).stdout
        _, read, own = said.rstrip("\n").split("\t")
        print(f"{name:22} net {float(own):.1e}  read again {read if read.startswith('refused') else f'{float(read):.1e}'}"
              f"  {path.stat().st_size / 1e6:.1f} MB", flush=True)
        return float(own) <= MOST and not read.startswith("refused") and float(read) <= MOST


def main():
    names = sys.argv[1:] or sorted(path.stem for path in (ROOT / "nets").glob("*.toml"))
    failed = [name for name in names if not check(name)]
    print(f"{len(names) - len(failed)} of {len(names)} nets within {MOST}")
    sys.exit(bool(failed))


main()

"""One picture through nets, beside ONNX Runtime on the same threads: `python nets_onnx.py [THREADS]`.

Exports torchvision's nets into a temporary folder, times them, and runs `target/release/examples/time_net`
(`cargo build --release --example time_net`) in the same minute. Best wall time of about three seconds each.
Needs torch, torchvision, onnx, onnxruntime, numpy.
"""

import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np
import onnxruntime
import torch
import torchvision.models as models

threads = int(sys.argv[1]) if len(sys.argv) > 1 else 1
root = pathlib.Path(__file__).parents[2]
nets = {
    "vgg16": models.vgg16,
    "resnet18": models.resnet18,
    "resnet50": models.resnet50,
    "googlenet-bn": lambda: models.googlenet(init_weights=False, aux_logits=False),
    "alexnet": models.alexnet,
}
print(f"onnxruntime {onnxruntime.__version__}, {threads} thread(s): milliseconds, theirs / ours")
with tempfile.TemporaryDirectory() as folder:
    for name, build in nets.items():
        file = str(pathlib.Path(folder) / f"{name}.onnx")
        torch.onnx.export(build().eval(), torch.randn(1, 3, 224, 224), file, dynamo=False, input_names=["x"])
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
        x = np.random.default_rng(1).standard_normal((1, 3, 224, 224)).astype(np.float32)
        theirs, start = float("inf"), time.perf_counter()
        while time.perf_counter() - start < 3:
            begin = time.perf_counter()
            session.run(None, {"x": x})
            theirs = min(theirs, (time.perf_counter() - begin) * 1e3)
        command = [str(root / "target/release/examples/time_net"), str(threads), name]
        ours = float(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[1])
        print(f"{name:14} {theirs:8.2f} {ours:8.2f} {theirs / ours:6.2f}", flush=True)

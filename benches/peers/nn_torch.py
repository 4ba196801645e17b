"""The work of benches/nn.rs in PyTorch, one thread: the best of many runs, in milliseconds.

Made for torch 2.15.0.
"""

import time

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.set_num_threads(1)
torch.manual_seed(1)


def best(name, work, runs=200):
    for _ in range(10):
        work()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    print(f"{name:45} {1e3 * min(times):8.3f} ms")


net = nn.Sequential(
    nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
    nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
)
batch, labels = torch.randn(64, 1, 28, 28), torch.arange(64) % 10
one = batch[:1].contiguous()
optimiser = torch.optim.SGD(net.parameters(), lr=1e-4, momentum=0.9, weight_decay=5e-4)


def step():
    optimiser.zero_grad()
    F.cross_entropy(net(batch), labels).backward()
    optimiser.step()


with torch.inference_mode():
    best("lenet5 forward, batch 64", lambda: net(batch))
    best("lenet5 forward, batch 1", lambda: net(one))
best("lenet5 training step, batch 64", step)

GEOMETRIES = [
    ((64, 6, 14, 14), (16, 6, 5, 5), 0, 1),
    ((8, 64, 28, 28), (64, 64, 3, 3), 1, 1),
    ((8, 64, 28, 28), (128, 64, 3, 3), 1, 2),
]
for x_shape, w_shape, padding, stride in GEOMETRIES:
    x, w = torch.randn(x_shape), torch.randn(w_shape)
    dy = F.conv2d(x, w, None, stride, padding)

    def gradient(which):
        options = (None, [stride] * 2, [padding] * 2, [1, 1], False, [0, 0], 1, which)
        return torch.ops.aten.convolution_backward(dy, x, w, *options)

    with torch.inference_mode():
        place = f"conv2d {list(x_shape)} {list(w_shape)}"
        best(f"{place} forward", lambda: F.conv2d(x, w, None, stride, padding), 50)
        best(f"{place} input gradient", lambda: gradient([True, False, False]), 50)
        best(f"{place} weight gradient", lambda: gradient([False, True, False]), 50)

"""Training steps beside PyTorch on the same threads: `python training_torch.py [THREADS]`.

Times PyTorch and `target/release/examples/time_training` (`cargo build --release --example time_training`) in turns in
the same minute; the best step of about four seconds each, and the most memory each process held. Needs torch and
torchvision. `LAST` is PyTorch with channels last where that is faster.
"""

import pathlib
import re
import resource
import subprocess
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F
import torchvision

root = pathlib.Path(__file__).parents[2]


def lenet5():
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )


def resnet18_cifar():
    net = torchvision.models.resnet18(num_classes=10)
    net.conv1, net.maxpool = nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.Identity()
    return net


class Block(nn.Module):
    def __init__(self, channels, out, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(channels, out, 3, stride, 1, bias=False), nn.BatchNorm2d(out)
        self.conv2, self.bn2 = nn.Conv2d(out, out, 3, 1, 1, bias=False), nn.BatchNorm2d(out)
        self.down = None
        if stride > 1 or channels != out:
            self.down = nn.Sequential(nn.Conv2d(channels, out, 1, stride, bias=False), nn.BatchNorm2d(out))

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(y)) + (x if self.down is None else self.down(x)))


def resnet14_gray():
    layers, channels = [nn.Conv2d(1, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()], 16
    for out, stride in [(16, 1), (16, 1), (32, 2), (32, 1), (64, 2), (64, 1)]:
        layers.append(Block(channels, out, stride))
        channels = out
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


NETS = [("lenet5", lenet5, 64, (1, 28, 28)), ("resnet14-gray", resnet14_gray, 64, (1, 28, 28)),
        ("resnet18-cifar", resnet18_cifar, 16, (3, 32, 32))]


def theirs(build, batch, shape, last):
    torch.manual_seed(1)
    net, x, labels = build().train(), torch.randn(batch, *shape), torch.arange(batch) % 10
    if last:
        net, x = net.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
    optimiser = torch.optim.SGD(net.parameters(), lr=1e-4, momentum=0.9, weight_decay=5e-4)
    best, start = float("inf"), time.perf_counter()
    while time.perf_counter() - start < 4:
        begin = time.perf_counter()
        optimiser.zero_grad()
        F.cross_entropy(net(x), labels).backward()
        optimiser.step()
        best = min(best, time.perf_counter() - begin)
    return 1e3 * best


if len(sys.argv) > 2:  # One net in a process of its own, for its memory.
    name, build, batch, shape = next(net for net in NETS if net[0] == sys.argv[2])
    torch.set_num_threads(int(sys.argv[1]))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    best = theirs(build, batch, shape, sys.argv[3] == "last")
    print(best, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
    sys.exit()

threads = sys.argv[1] if len(sys.argv) > 1 else "1"
print(f"torch {torch.__version__}, {threads} thread(s): milliseconds and MiB, theirs / ours")
for name, build, batch, shape in NETS:
    runs = {}
    for order in ["plain", "last"]:
        words = subprocess.check_output([sys.executable, __file__, threads, name, order], text=True).split()
        runs[order] = [float(word) for word in words]
    order = min(runs, key=lambda order: runs[order][0])
    command = ["/usr/bin/time", "-f", "%M", str(root / "target/release/examples/time_training"), threads, str(batch), name]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    ours, memory = float(re.search(r"([\d.]+) ms", done.stdout)[1]), float(done.stderr.split()[-1]) / 1024
    (time_, held), mark = runs[order], " LAST" if order == "last" else ""
    print(f"{name:16} {time_:9.2f} / {ours:9.2f} = {time_ / ours:5.2f}{mark}   {held:7.0f} / {memory:7.0f} MiB", flush=True)

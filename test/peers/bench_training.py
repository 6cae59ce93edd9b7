"""Trains small networks in a plain PyTorch loop. The peer of MLNet.Pruning.Benchmarks: answers every line
"NETWORK OPTIMIZER KIND CHANNELS_LAST STEPS" on standard input with the seconds that the steps took; kinds of an optimizer's step are 0 (a tensor at a
time), 1 (for-each) and 2 (fused). Threads, waiting and the device come from the environment.
Run with Debian's python3-torch (1.13.1): /usr/bin/python3 test/peers/bench_training.py
"""
import os
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

BATCH = 64
ROWS = 1600
DEVICE = os.environ.get("DEVICE", "cpu")


def block(inputs, outputs):
    return [nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU()]


NETWORKS = {
    "mlp": lambda: nn.Sequential(nn.Linear(784, 300), nn.ReLU(), nn.Linear(300, 100), nn.ReLU(), nn.Linear(100, 10)),
    "lenet5": lambda: nn.Sequential(nn.Conv2d(1, 20, 5), nn.MaxPool2d(2), nn.Conv2d(20, 50, 5), nn.MaxPool2d(2), nn.Flatten(),
                                    nn.Linear(800, 500), nn.ReLU(), nn.Linear(500, 10)),
    "vgg": lambda: nn.Sequential(*block(3, 64), *block(64, 64), nn.MaxPool2d(2), *block(64, 128), *block(128, 128), nn.MaxPool2d(2),
                                 *block(128, 256), *block(256, 256), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(4096, 10)),
}
OPTIMIZERS = {
    "sgd": lambda parameters, **kind: torch.optim.SGD(parameters, 1e-3, momentum=0.9, **kind),
    "adam": lambda parameters, **kind: torch.optim.Adam(parameters, 1e-3, **kind),
}

torch.manual_seed(1)
torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
SHAPES = {"mlp": (784,), "lenet5": (1, 28, 28), "vgg": (3, 32, 32)}
KINDS = [{"foreach": False}, {"foreach": True}, {"fused": True}]
rows = {network: torch.rand(ROWS, *shape, device=DEVICE) for network, shape in SHAPES.items()}
classes = torch.randint(0, 10, (ROWS,), device=DEVICE)


def train(network, optimizer, kind, channels_last, steps):
    layout = torch.channels_last if channels_last else torch.contiguous_format
    model = NETWORKS[network]().to(DEVICE, memory_format=layout)
    stepper = OPTIMIZERS[optimizer](model.parameters(), **KINDS[kind])
    x = rows[network] if network == "mlp" else rows[network].to(memory_format=layout)
    start = time.perf_counter()
    for step in range(steps):
        at = step * BATCH % ROWS
        if at == 0:
            order = torch.randperm(ROWS, device=DEVICE)
        batch = order[at:at + BATCH]
        stepper.zero_grad(set_to_none=True)
        F.cross_entropy(model(x[batch]), classes[batch]).backward()
        stepper.step()
    if DEVICE != "cpu":
        torch.cuda.synchronize()
    return time.perf_counter() - start


for line in sys.stdin:
    network, optimizer, kind, channels_last, steps = line.split()
    print(train(network, optimizer, int(kind), channels_last == "1", int(steps)), flush=True)

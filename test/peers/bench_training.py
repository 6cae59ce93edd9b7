"""Trains small networks in a plain PyTorch loop. The peer of MLNet.Pruning.Benchmarks: answers every line
"NETWORK OPTIMIZER FOREACH CHANNELS_LAST STEPS" on standard input with the seconds that the steps took. Threads and waiting come from the
environment.
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
NETWORKS = {
    "mlp": lambda: nn.Sequential(nn.Linear(784, 300), nn.ReLU(), nn.Linear(300, 100), nn.ReLU(), nn.Linear(100, 10)),
    "lenet5": lambda: nn.Sequential(nn.Conv2d(1, 20, 5), nn.MaxPool2d(2), nn.Conv2d(20, 50, 5), nn.MaxPool2d(2), nn.Flatten(),
                                    nn.Linear(800, 500), nn.ReLU(), nn.Linear(500, 10)),
}
OPTIMIZERS = {
    "sgd": lambda parameters, foreach: torch.optim.SGD(parameters, 1e-3, momentum=0.9, foreach=foreach),
    "adam": lambda parameters, foreach: torch.optim.Adam(parameters, 1e-3, foreach=foreach),
}

torch.manual_seed(1)
torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
rows, classes = torch.rand(ROWS, 784), torch.randint(0, 10, (ROWS,))


def train(network, optimizer, foreach, channels_last, steps):
    layout = torch.channels_last if channels_last else torch.contiguous_format
    model = NETWORKS[network]().to(memory_format=layout)
    stepper = OPTIMIZERS[optimizer](model.parameters(), foreach)
    x = rows.view(-1, 1, 28, 28).to(memory_format=layout) if network == "lenet5" else rows
    start = time.perf_counter()
    for step in range(steps):
        at = step * BATCH % ROWS
        if at == 0:
            order = torch.randperm(ROWS)
        batch = order[at:at + BATCH]
        stepper.zero_grad(set_to_none=True)
        F.cross_entropy(model(x[batch]), classes[batch]).backward()
        stepper.step()
    return time.perf_counter() - start


for line in sys.stdin:
    network, optimizer, foreach, channels_last, steps = line.split()
    print(train(network, optimizer, foreach == "1", channels_last == "1", int(steps)), flush=True)

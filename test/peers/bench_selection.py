"""One round of global magnitude pruning by PyTorch: prints seconds of pruning, seconds of pruning made permanent, and the peaks of memory
of both in bytes above the start. The peer of MLNet.Pruning.Benchmarks; run with Debian's python3-torch (1.13.1):
/usr/bin/python3 test/peers/bench_selection.py WEIGHTS REPEATS
"""
import gc
import math
import os
import statistics
import sys
import time

import torch
from torch import nn
from torch.nn.utils import prune


def status(field):
    with open("/proc/self/status") as lines:
        return next(1024 * int(line.split()[1]) for line in lines if line.startswith(field + ":"))


def draw(weights):
    side = round(math.sqrt(weights / 4))
    return [(2 * torch.rand(side, side) - 1) / math.sqrt(side) for _ in range(4)]


def layers(values):
    """Layers over the values themselves, which pruning does not write to."""
    made = []
    for value in values:
        layer = nn.Linear(1, 1)
        layer.weight = nn.Parameter(value)
        made.append((layer, "weight"))
    return made


def select(values):
    """Seconds and peak memory of pruning, and of pruning and making it permanent."""
    pool = layers(values)
    gc.collect()
    with open("/proc/self/clear_refs", "w") as refs:
        refs.write("5")
    before = status("VmRSS")
    start = time.perf_counter()
    prune.global_unstructured(pool, pruning_method=prune.L1Unstructured, amount=0.95)
    pruned, pruned_peak = time.perf_counter() - start, status("VmHWM") - before
    start = time.perf_counter()
    for layer, name in pool:
        prune.remove(layer, name)
    return pruned, pruned + time.perf_counter() - start, pruned_peak, status("VmHWM") - before


def main(weights, repeats):
    torch.set_num_threads(os.cpu_count())
    small = draw(100_000)
    for _ in range(3):
        select(small)
    values = draw(weights)
    rounds = list(zip(*[select(values) for _ in range(repeats)]))
    print(*[statistics.median(column) for column in rounds[:2]], *[max(column) for column in rounds[2:]], flush=True)


main(int(sys.argv[1]), int(sys.argv[2]))

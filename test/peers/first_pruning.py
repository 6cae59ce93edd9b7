"""The first pruning of a process by Torch-Pruning: reads the weights of a ResNet-50, removes half of its filters and prints the peak of its memory in
bytes and the seconds of the pruning alone. The peer of MLNet.Pruning.Benchmarks; torch_pruning (1.6.1) has to be on PYTHONPATH:
/usr/bin/python3 test/peers/first_pruning.py WEIGHTS, where the file of weights is written if there is none.
"""
import os
import sys
import time

import torch
import torch_pruning
import torchvision


def peak():
    with open("/proc/self/status") as lines:
        return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


def prune(network):
    """Half of the filters of each group, by the norms of their weights, but for the classes."""
    classes = [layer for layer in network.modules() if isinstance(layer, torch.nn.Linear)]
    torch_pruning.pruner.MagnitudePruner(network, torch.zeros(1, 3, 224, 224), importance=torch_pruning.importance.MagnitudeImportance(p=2),
                                         pruning_ratio=0.5, ignored_layers=classes).step()


def main(weights):
    if not os.path.exists(weights):
        torch.manual_seed(1)
        torch.save(torchvision.models.resnet50().state_dict(), weights)
        print(0)
        return
    network = bare()
    network.load_state_dict(torch.load(weights))
    start = time.perf_counter()
    prune(network.eval())
    seconds = time.perf_counter() - start
    print(peak(), seconds)


def bare():
    """A network whose weights are not drawn, since they are read after that."""
    initializers = {name: getattr(torch.nn.init, name) for name in ("kaiming_normal_", "kaiming_uniform_", "uniform_", "constant_", "ones_", "zeros_")}
    for name in initializers:
        setattr(torch.nn.init, name, lambda tensor, *_, **__: tensor)
    try:
        return torchvision.models.resnet50()
    finally:
        for name, initializer in initializers.items():
            setattr(torch.nn.init, name, initializer)


main(sys.argv[1])

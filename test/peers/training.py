"""Losses, weights and outputs of small networks trained by PyTorch, as the fixture Fixtures/training.json.

Every step takes all rows, so that the order of rows does not matter. Run with Debian's python3-torch (1.13.1):
/usr/bin/python3 test/peers/training.py
"""
import json
import pathlib

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import prune

torch.manual_seed(1)


def flat(tensor):
    return [float(value) for value in tensor.detach().reshape(-1)]


def state(model):
    """Layer by layer: weight, bias, running mean, running variance."""
    kinds = ["weight", "bias", "running_mean", "running_var"]
    named = [(name.rsplit(".", 1), value) for name, value in model.state_dict().items() if name.rsplit(".", 1)[1] in kinds]
    return [flat(value) for _, value in sorted(named, key=lambda item: (int(item[0][0]), kinds.index(item[0][1])))]


def run(name, model, x, y, loss, make_optimizer, steps, schedule=None, clip=None, masks=None, settings=None):
    start = state(model)
    if masks:
        for module, amount in masks:
            prune.l1_unstructured(module, "weight", amount=amount)
    optimizer = make_optimizer(model.parameters())
    scheduler = schedule(optimizer) if schedule else None
    losses = []
    model.train()
    for _ in range(steps):
        optimizer.zero_grad()
        value = loss(model(x), y)
        value.backward()
        if clip:
            nn.utils.clip_grad_norm_(model.parameters(), clip)
        optimizer.step()
        losses.append(float(value))
        if scheduler:
            scheduler.step()
    if masks:
        for module, _ in masks:
            prune.remove(module, "weight")
    model.eval()
    with torch.no_grad():
        outputs = flat(model(x))
    return dict(name=name, settings=settings or {}, rows=flat(x), width=int(x[0].numel()), targets=[float(v) for v in y.reshape(-1)],
                start=start, losses=losses, weights=state(model), outputs=outputs, steps=steps)


def mlp():
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))


x = torch.randn(20, 6)
classes = torch.randint(0, 3, (20,))
sides = (torch.rand(20, 1) > 0.5).float()
numbers = torch.randn(20, 1)
one = lambda: nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 1))

cases = [
    run("sgd", mlp(), x, classes, F.cross_entropy, lambda p: torch.optim.SGD(p, 0.1), 10),
    run("momentum", mlp(), x, classes, F.cross_entropy, lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, weight_decay=0.01), 10),
    run("nesterov", mlp(), x, classes, F.cross_entropy, lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, nesterov=True), 10),
    run("adam", mlp(), x, classes, F.cross_entropy, lambda p: torch.optim.Adam(p, 0.01, weight_decay=0.02), 10),
    run("adamw", mlp(), x, classes, F.cross_entropy, lambda p: torch.optim.AdamW(p, 0.01, weight_decay=0.1), 10),
    run("clip", mlp(), x, classes, F.cross_entropy, lambda p: torch.optim.SGD(p, 0.5), 10, clip=0.05),
    run("binary", one(), x, sides, F.binary_cross_entropy_with_logits, lambda p: torch.optim.Adam(p, 0.01), 10),
    run("mse", one(), x, numbers, F.mse_loss, lambda p: torch.optim.Adam(p, 0.01), 10),
    run("mae", one(), x, numbers, F.l1_loss, lambda p: torch.optim.Adam(p, 0.01), 10),
    run("step", mlp(), x, classes, F.cross_entropy, lambda p: torch.optim.SGD(p, 0.2), 9, schedule=lambda o: torch.optim.lr_scheduler.StepLR(o, 3, 0.5)),
    run("cosine", mlp(), x, classes, F.cross_entropy, lambda p: torch.optim.SGD(p, 0.2), 10,
        schedule=lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 10, eta_min=0.02)),
]

net = mlp()
cases.append(run("masked momentum", net, x, classes, F.cross_entropy, lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, weight_decay=0.01), 10,
                 masks=[(net[0], 0.5), (net[2], 0.4)], settings=dict(masks=[0.5, 0.4])))
net = mlp()
cases.append(run("masked adam", net, x, classes, F.cross_entropy, lambda p: torch.optim.Adam(p, 0.01), 10,
                 masks=[(net[0], 0.5), (net[2], 0.4)], settings=dict(masks=[0.5, 0.4])))

images = torch.randn(6, 2 * 8 * 8)
labels = torch.randint(0, 4, (6,))
convolutional = nn.Sequential(
    nn.Unflatten(1, (2, 8, 8)),
    nn.Conv2d(2, 4, 3, padding=1), nn.BatchNorm2d(4), nn.LeakyReLU(0.1), nn.MaxPool2d(2),
    nn.Conv2d(4, 8, 3, stride=2, padding=2, dilation=2, groups=2, bias=False), nn.GELU(), nn.AvgPool2d(3, 1, 1),
    nn.Conv2d(8, 4, 1), nn.SiLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 6), nn.BatchNorm1d(6), nn.Sigmoid(), nn.Linear(6, 4))
cases.append(run("convolutional", convolutional, images, labels, F.cross_entropy, lambda p: torch.optim.SGD(p, 0.05, momentum=0.9), 8))

path = pathlib.Path(__file__).parent.parent / "MLNet.Pruning.Tests" / "Fixtures" / "training.json"
path.write_text(json.dumps(dict(torch=torch.__version__, cases=cases)) + "\n")
print(path.name, len(cases), "cases")

"""Weights of small networks whose masks move while PyTorch trains them, as the fixture Fixtures/sparse_training.json.

Every step takes all rows, so that the order of rows does not matter. Run with Debian's python3-torch (1.13.1):
/usr/bin/python3 test/peers/sparse_training.py
"""
import json
import math
import pathlib

import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(3)
STEPS, LAST = 10, 6


def flat(tensor):
    return [float(value) for value in tensor.detach().reshape(-1)]


def mlp(hidden=8, outputs=3):
    return nn.Sequential(nn.Linear(6, hidden), nn.ReLU(), nn.Linear(hidden, outputs))


x = torch.randn(20, 6)
classes = torch.randint(0, 3, (20,))
sides = (torch.rand(20, 1) > 0.5).float()
numbers = torch.randn(20, 1)
cases = []


def record(name, model, targets, start, **more):
    cases.append(dict(name=name, rows=flat(x), width=6, targets=[float(v) for v in targets.reshape(-1)], start=start,
                      weights=[flat(p) for p in model.parameters()], **more))


def weights(model):
    return [model[0].weight, model[2].weight]


def smallest(scores, count):
    """One for the values of largest score over all tensors together, zero for so many of the smallest."""
    order = torch.cat([score.reshape(-1) for score in scores]).sort(stable=True).indices[:count]
    kept = torch.ones(sum(score.numel() for score in scores))
    kept[order] = 0
    return [part.view(score.shape) for part, score in zip(kept.split([score.numel() for score in scores]), scores)]


# Distillation: the loss on soft labels as in Hinton, Vinyals and Dean.
def distil(name, outputs, targets, hard, soft, weight):
    teacher, model = mlp(12, outputs), mlp(8, outputs)
    start = [flat(p) for p in model.parameters()]
    optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)
    for _ in range(STEPS):
        optimizer.zero_grad()
        logits = model(x)
        (weight * soft(logits, teacher(x).detach()) + (1 - weight) * hard(logits, targets)).backward()
        optimizer.step()
    record(name, model, targets, start, teacher=[flat(p) for p in teacher.parameters()])


T = 3.0
distil("distilled classes", 3, classes, F.cross_entropy,
       lambda s, t: T * T * F.kl_div(F.log_softmax(s / T, 1), F.softmax(t / T, 1), reduction="batchmean"), 0.7)


def two_sided(s, t):
    """The binary task as one of two classes with the logits 0 and s."""
    pair = lambda v: torch.cat([torch.zeros_like(v), v], 1) / T
    return T * T * F.kl_div(F.log_softmax(pair(s), 1), F.softmax(pair(t), 1), reduction="batchmean")


distil("distilled sides", 1, sides, F.binary_cross_entropy_with_logits, two_sided, 0.6)
distil("distilled numbers", 1, numbers, F.mse_loss, F.mse_loss, 0.4)

# Targeted dropout with a rate of 1: of each unit's weights the smaller half never runs.
model = mlp()
start = [flat(p) for p in model.parameters()]
optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)
for _ in range(STEPS):
    optimizer.zero_grad()
    masks = []
    for w in weights(model):
        half = w.shape[1] // 2
        masks.append((w.abs() > w.abs().sort(1).values[:, half - 1:half]).float().detach())
    h = F.relu(F.linear(x, model[0].weight * masks[0], model[0].bias))
    F.cross_entropy(F.linear(h, model[2].weight * masks[1], model[2].bias), classes).backward()
    optimizer.step()
record("targeted dropout", model, classes, start)

# Only the last layer is trained.
model = mlp()
start = [flat(p) for p in model.parameters()]
optimizer = torch.optim.SGD(model[2].parameters(), 0.1, momentum=0.9)
for _ in range(STEPS):
    optimizer.zero_grad()
    F.cross_entropy(model(x), classes).backward()
    optimizer.step()
record("last layer", model, classes, start)


class Masked(torch.autograd.Function):
    """w times a mask, with the gradient at the product handed to w as it is."""

    @staticmethod
    def forward(context, w, mask):
        return w * mask

    @staticmethod
    def backward(context, gradient):
        return gradient, None


def forward(model, masks, straight_through):
    a, b = [Masked.apply(w, m) if straight_through else w * m for w, m in zip(weights(model), masks)]
    return F.linear(F.relu(F.linear(x, a, model[0].bias)), b, model[2].bias)


def zero(model, masks):
    with torch.no_grad():
        for w, m in zip(weights(model), masks):
            w.mul_(m)


def scheduled(step, shares):
    """Share of the weights that are dropped after so many steps: those of the schedule follow one another evenly up to the last move."""
    return shares[-1] if step >= LAST else shares[int(step / LAST * len(shares))]


def magnitude(model, share):
    return smallest([w.detach().abs() for w in weights(model)], round(share * sum(w.numel() for w in weights(model))))


# Gradual magnitude pruning: what is dropped stays dropped and gets no gradient.
shares = [0.15, 0.3, 0.45, 0.6]
for name, movement in [("gradual", False), ("movement", True)]:
    model = mlp()
    start = [flat(p) for p in model.parameters()]
    optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)
    masks = [torch.ones_like(w) for w in weights(model)]
    sums = [torch.zeros_like(w) for w in weights(model)]

    def tighten(share):
        scores = [s.clone() for s in sums] if movement else [w.detach().abs() for w in weights(model)]
        for score, mask in zip(scores, masks):
            score[mask == 0] = -math.inf
        return smallest(scores, round(share * sum(w.numel() for w in weights(model))))

    if not movement:
        masks = tighten(scheduled(0, shares))
        zero(model, masks)
    for step in range(1, STEPS + 1):
        optimizer.zero_grad()
        F.cross_entropy(forward(model, masks, False), classes).backward()
        for s, w in zip(sums, weights(model)):
            s -= w.detach() * w.grad
        optimizer.step()
        if step <= LAST and (step % 2 == 0 or step == LAST):
            masks = tighten(scheduled(step, shares))
        zero(model, masks)
    record(name, model, classes, start)

# Dynamic network surgery: masks run, all weights train.
model = mlp()
start = [flat(p) for p in model.parameters()]
optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)
masks = magnitude(model, scheduled(0, shares))
for step in range(1, STEPS + 1):
    optimizer.zero_grad()
    F.cross_entropy(forward(model, masks, step <= LAST), classes).backward()
    optimizer.step()
    if step <= LAST and (step % 2 == 0 or step == LAST):
        masks = magnitude(model, scheduled(step, shares))
    if step >= LAST:
        zero(model, masks)
record("surgery", model, classes, start)

# Soft pruning: zeros train on.
model = mlp()
start = [flat(p) for p in model.parameters()]
optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)
masks = magnitude(model, scheduled(0, shares))
zero(model, masks)
for step in range(1, STEPS + 1):
    optimizer.zero_grad()
    F.cross_entropy(model(x) if step <= LAST else forward(model, masks, False), classes).backward()
    optimizer.step()
    if step <= LAST and (step % 2 == 0 or step == LAST):
        masks = magnitude(model, scheduled(step, shares))
        zero(model, masks)
    elif step > LAST:
        zero(model, masks)
record("soft", model, classes, start)

# RigL: every second step the smallest weights of each layer make room for those of the largest gradient, which start at zero.
model = mlp()
start = [flat(p) for p in model.parameters()]
optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)
masks = magnitude(model, 0.5)
zero(model, masks)
for step in range(1, STEPS + 1):
    optimizer.zero_grad()
    h = F.relu(F.linear(x, model[0].weight, model[0].bias))
    F.cross_entropy(F.linear(h, model[2].weight, model[2].bias), classes).backward()
    gradients = [w.grad.clone() for w in weights(model)]
    for w, m in zip(weights(model), masks):
        w.grad.mul_(m)
    optimizer.step()
    zero(model, masks)
    if step % 2 == 0 and step < LAST:
        share = 0.4 / 2 * (1 + math.cos(math.pi * step / LAST))
        for layer, (w, m, g) in enumerate(zip(weights(model), masks, gradients)):
            count = int(share * m.sum())
            active = [i for i in range(m.numel()) if m.view(-1)[i] > 0]
            dropped = sorted(active, key=lambda i: abs(float(w.detach().view(-1)[i])))[:count]
            kept = set(active) - set(dropped)
            grown = sorted((i for i in range(m.numel()) if i not in kept), key=lambda i: -abs(float(g.view(-1)[i])))[:count]
            new = torch.zeros(m.numel())
            new[list(kept) + grown] = 1
            masks[layer] = new.view(m.shape)
        zero(model, masks)
record("rigl", model, classes, start)

# The divergence of sparse variational dropout, and the gates of hard concrete L0, as functions.
alphas = torch.linspace(-7.5, 7.5, 16)
divergence = 0.5 * torch.log1p(torch.exp(-alphas)) - 0.63576 * torch.sigmoid(1.87320 + 1.48695 * alphas) + 0.63576
u = torch.linspace(0.02, 0.98, 16)
beta, gamma, zeta = 2 / 3, -0.1, 1.1
gate = (torch.sigmoid((torch.log(u) - torch.log(1 - u) + alphas) / beta) * (zeta - gamma) + gamma).clamp(0, 1)
mean = (torch.sigmoid(alphas) * (zeta - gamma) + gamma).clamp(0, 1)
opened = torch.sigmoid(alphas - beta * math.log(-gamma / zeta))
functions = dict(alphas=flat(alphas), uniform=flat(u), divergence=flat(divergence), gate=flat(gate), mean=flat(mean), open=flat(opened))

path = pathlib.Path(__file__).parent.parent / "MLNet.Pruning.Tests" / "Fixtures" / "sparse_training.json"
path.write_text(json.dumps(dict(torch=torch.__version__, cases=cases, functions=functions)) + "\n")
print(path.name, len(cases), "cases")

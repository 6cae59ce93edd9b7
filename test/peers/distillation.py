"""Trainings of small students by PyTorch, one for every kind of distillation, as the fixture Fixtures/distillation.json.

Written from the formulas of the papers. Every step takes all rows, so that the order of rows does not matter; projections start from
the values in the fixture. Run with Debian's python3-torch (1.13.1):
/usr/bin/python3 test/peers/distillation.py
"""
import json
import math
import pathlib

import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(11)
STEPS, ROWS, RATE, MOMENTUM = 4, 10, 0.05, 0.9
LENGTH, WIDTH = 5, 4


def flat(tensor):
    return [float(f"{value:.9g}") for value in tensor.detach().reshape(-1)]


class Mlp(nn.Module):
    def __init__(self, hidden, outputs):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(6, hidden), nn.Linear(hidden, outputs)

    def forward(self, x):
        hidden = F.relu(self.fc1(x))
        return self.fc2(hidden), dict(relu1=hidden)


class Cnn(nn.Module):
    def __init__(self, filters, stride, size):
        super().__init__()
        self.conv, self.fc = nn.Conv2d(2, filters, 3, stride=stride, padding=1), nn.Linear(filters * size * size, 3)

    def forward(self, x):
        maps = torch.tanh(self.conv(x.view(-1, 2, 6, 6)))
        return self.fc(maps.flatten(1)), dict(tanh1=maps)


class Attention(nn.Module):
    """Queries, keys and values of every head, the mean over the positions, and a dense layer."""

    def __init__(self, units, heads):
        super().__init__()
        self.units, self.heads = units, heads
        bound = WIDTH ** -0.5
        for name in "qkv":
            self.register_parameter(name, nn.Parameter(torch.empty(WIDTH, units).uniform_(-bound, bound)))
        self.fc = nn.Linear(units, 3)

    def forward(self, x):
        x = x.view(-1, LENGTH, WIDTH)
        split = lambda w: (x @ w).view(-1, LENGTH, self.heads, self.units // self.heads).transpose(1, 2)
        attention = torch.softmax(split(self.q) @ split(self.k).transpose(2, 3), -1)
        mixed = (attention @ split(self.v)).transpose(1, 2).reshape(-1, LENGTH, self.units)
        return self.fc(mixed.mean(1)), dict(attention=attention, mixed=mixed)


# Losses from a student's logits and tensors and the teacher's.
def soft_labels(t):
    """Hinton, Vinyals and Dean."""
    def loss(s, _, z, __, t):
        p, q = F.softmax(z / t, 1), F.log_softmax(s / t, 1)
        return t * t * (p * (p.log() - q)).sum() / len(s)
    return lambda s, a, z, b, cooling=1.0: loss(s, a, z, b, t * cooling)


def soft_sides(t):
    """The same of the two classes with the logits 0 and s."""
    pair = lambda v: torch.cat([torch.zeros_like(v), v], 1)
    classes = soft_labels(t)
    return lambda s, a, z, b, cooling=1.0: classes(pair(s), a, pair(z), b, cooling)


def logits(s, _, z, __, cooling=1.0):
    return ((s - z) ** 2).mean()


def features(name, project=lambda f: f, shrink=lambda f: f):
    """FitNets."""
    return lambda s, a, z, b, cooling=1.0: ((project(a[name]) - shrink(b[name])) ** 2).mean()


def attention_maps(name):
    """Zagoruyko and Komodakis."""
    def at(x):
        maps = x.abs().pow(2).mean(1).reshape(len(x), -1)
        return maps / maps.pow(2).sum(1, keepdim=True).sqrt()
    return lambda s, a, z, b, cooling=1.0: (at(a[name]) - at(b[name])).pow(2).mean()


def attention_matrices(heads):
    """TinyBERT: head by head, or the mean over heads."""
    def loss(s, a, z, b, cooling=1.0):
        own, told = a["attention"], b["attention"]
        if not heads:
            return ((own.mean(1) - told.mean(1)) ** 2).mean()
        return sum(((own[:, h] - told[:, h]) ** 2).mean() for h in range(heads)) / heads
    return loss


def of(name):
    return lambda s, a: s if name is None else a[name].reshape(len(s), -1)


def huber(x, y):
    d = (x - y).abs()
    return torch.where(d < 1, 0.5 * d * d, d - 0.5).mean()


def distances(e):
    """Of every two rows, those of a row from itself left out, over their mean."""
    d = torch.stack([(e[i] - e[j]).pow(2).sum().sqrt() if i != j else torch.zeros(()) for i in range(len(e)) for j in range(len(e))])
    return d / (d.sum() / (len(e) * (len(e) - 1)))


def angles(e):
    """Cosine of the angle at j between i and k, 0 where it is none."""
    cosines = []
    for j in range(len(e)):
        for i in range(len(e)):
            for k in range(len(e)):
                if i == j or k == j:
                    cosines.append(torch.zeros(()))
                else:
                    u, v = e[i] - e[j], e[k] - e[j]
                    cosines.append((u * v).sum() / u.pow(2).sum().sqrt() / v.pow(2).sum().sqrt())
    return torch.stack(cosines)


def relations(distance, angle, name=None):
    """Park and others."""
    e = of(name)
    return lambda s, a, z, b, cooling=1.0: (distance * huber(distances(e(s, a)), distances(e(z, b)))
                                            + angle * huber(angles(e(s, a)), angles(e(z, b))))


def similarity(name=None):
    """Tung and Mori."""
    e = of(name)

    def gram(q):
        g = q @ q.t()
        return torch.stack([row / row.pow(2).sum().sqrt() for row in g])
    return lambda s, a, z, b, cooling=1.0: (gram(e(s, a)) - gram(e(z, b))).pow(2).sum() / len(s) ** 2


CLASSES, SIDES, NUMBERS = torch.randint(0, 3, (ROWS,)), (torch.rand(ROWS, 1) > 0.5).float(), torch.randn(ROWS, 1)
HARD = dict(classes=(CLASSES, F.cross_entropy), sides=(SIDES, F.binary_cross_entropy_with_logits), numbers=(NUMBERS, F.mse_loss))
ROWS_OF = {kind: torch.randn(ROWS, width) for kind, width in [(Mlp, 6), (Cnn, 72), (Attention, LENGTH * WIDTH)]}
cases = []


def train(name, task, teacher, student, terms, projection=None, cooling=None, strength=None):
    """Terms are (share of the labels, weight, loss); factors of temperature and weight are told by the share of the steps done."""
    x, (targets, hard) = ROWS_OF[type(student)], HARD[task]
    projected = list(projection.parameters()) if projection else []
    start, drawn = [flat(p) for p in student.parameters()], [flat(p) for p in projected]
    optimizer = torch.optim.SGD([*student.parameters(), *projected], RATE, momentum=MOMENTUM)
    told, inner = teacher(x)
    told, inner = told.detach(), {key: value.detach() for key, value in inner.items()}
    losses = []
    for step in range(STEPS):
        optimizer.zero_grad()
        made, own = student(x)
        cool, strong = (factor(step / STEPS) if factor else 1.0 for factor in (cooling, strength))
        loss = (1 - strong * sum(share for share, _, _ in terms)) * hard(made, targets)
        for _, weight, term in terms:
            loss = loss + strong * weight * term(made, own, told, inner, cooling=cool)
        loss.backward()
        losses.append(float(loss))
        optimizer.step()
    cases.append(dict(name=name, rows=flat(x), targets=[float(v) for v in targets.reshape(-1)], teacher=[flat(p) for p in teacher.parameters()],
                      start=start, projection=drawn, losses=losses, weights=[flat(p) for p in student.parameters()],
                      projected=[flat(p) for p in projected]))


def pool(size):
    return lambda f: F.adaptive_avg_pool2d(f, size)


def one_by_one(projection):
    """A dense layer over the channels of every position."""
    return lambda f: projection(f.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


train("response of classes", "classes", Mlp(12, 3), Mlp(8, 3), [(0.7, 0.7, soft_labels(3.0))])
train("response of sides", "sides", Mlp(12, 1), Mlp(8, 1), [(0.6, 0.6, soft_sides(3.0))])
train("response of numbers", "numbers", Mlp(12, 1), Mlp(8, 1), [(0.4, 0.4, logits)])
train("logits", "classes", Mlp(12, 3), Mlp(8, 3), [(0.5, 0.5, logits)])
train("features of equal size", "classes", Mlp(8, 3), Mlp(8, 3), [(0, 1.5, features("relu1"))])
projection = nn.Linear(8, 12)
train("features, projected", "classes", Mlp(12, 3), Mlp(8, 3), [(0, 1.5, features("relu1", projection))], projection)
projection = nn.Linear(3, 5)
train("features of a convolution", "classes", Cnn(5, 1, 6), Cnn(3, 1, 6), [(0, 2, features("tanh1", one_by_one(projection)))], projection)
projection = nn.Linear(3, 5)
train("features of a smaller convolution", "classes", Cnn(5, 1, 6), Cnn(3, 2, 3), [(0, 2, features("tanh1", one_by_one(projection), pool(3)))], projection)
train("features of a larger convolution", "classes", Cnn(3, 2, 3), Cnn(3, 1, 6), [(0, 2, features("tanh1", pool(3)))])
projection = nn.Linear(4, 6)
train("features of a sequence", "classes", Attention(6, 2), Attention(4, 2), [(0, 2, features("mixed", projection))], projection)
train("attention maps", "classes", Cnn(5, 1, 6), Cnn(3, 1, 6), [(0, 1000, attention_maps("tanh1"))])
train("attention matrices", "classes", Attention(6, 2), Attention(4, 2), [(0, 50, attention_matrices(2))])
train("attention matrices of fewer heads", "classes", Attention(6, 3), Attention(4, 1), [(0, 50, attention_matrices(0))])
train("relations", "classes", Mlp(12, 3), Mlp(8, 3), [(0, 1, relations(1, 2))])
train("distances", "numbers", Mlp(12, 1), Mlp(8, 1), [(0, 1, relations(3, 0))])
train("angles of features", "classes", Mlp(12, 3), Mlp(8, 3), [(0, 1, relations(0, 5, "relu1"))])
train("similarity", "classes", Mlp(12, 3), Mlp(8, 3), [(0, 20, similarity())])
train("similarity of maps", "classes", Cnn(5, 1, 6), Cnn(3, 2, 3), [(0, 20, similarity("tanh1"))])
projection = nn.Linear(8, 12)
train("several, scheduled", "classes", Mlp(12, 3), Mlp(8, 3),
      [(0.5, 0.5, soft_labels(4.0)), (0.2, 0.2, logits), (0, 0.5, features("relu1", projection)), (0, 1, relations(1, 2)), (0, 10, similarity("relu1"))],
      projection, cooling=lambda done: 0.2 + 0.8 * (1 + math.cos(math.pi * done)) / 2, strength=lambda done: 0.5 ** math.floor(STEPS * done))

path = pathlib.Path(__file__).parent.parent / "MLNet.Pruning.Tests" / "Fixtures" / "distillation.json"
path.write_text(json.dumps(dict(torch=torch.__version__, cases=cases)) + "\n")
print(path.name, len(cases), "cases")
for case in cases:
    print(case["name"], [round(v, 4) for v in case["losses"]])

"""Small ONNX models, one an operator or pattern, for the tests of reading, running and removing structure.

Writes operators.zip and operators.json of test/MLNet.Pruning.Tests/Zoo, which are committed, so that the tests need no Python; run it again only to
change the models. The graphs come without weights (see weightless.py). The list has name, opset, inputs, outputs ("N" is the free batch, ids lie in
low <= id < high) and whether ONNX Runtime's result is to be compared ("runs"). Nearly all have a layer 4 or 6 -> 8 before the operator and one
8 -> 4 after it.
Run with Debian's python3-torch (1.13.1) and python3-onnx (1.12.0): /usr/bin/python3 test/peers/export_operators.py
"""
import numpy
import torch
from onnx import TensorProto, helper
from torch import nn
from torch.nn import functional as F

from operator_models import Attention, Both, Call, Packed, Recurrent, case, conv, floats, graph, image, nodes, pooled, rows, steps, write_all


class Tokens(nn.Module):
    def __init__(self, positions, pool):
        super().__init__()
        self.tokens = nn.Embedding(20, 8)
        self.positions = nn.Embedding(5, 8) if positions else None
        self.inner, self.head, self.pool = nn.Linear(8, 8), nn.Linear(8, 4), pool

    def forward(self, ids):
        x = self.tokens(ids)
        x = x if self.positions is None else x + self.positions(torch.arange(5))
        return self.head(self.pool(torch.relu(self.inner(x))))


class Tied(nn.Module):
    """One weight in two layers: convolution 4 -> 8 and 8 -> 8 twice, or a linear layer and its transpose."""

    def __init__(self, linear):
        super().__init__()
        self.first = nn.Linear(6, 8) if linear else conv(4, 8)
        self.shared = nn.Linear(8, 8) if linear else conv()
        self.last = None if linear else conv(8, 4)

    def forward(self, x):
        x = self.shared(torch.relu(self.first(x)))
        x = torch.relu(x)
        return F.linear(self.shared(x), self.first.weight.t()) if self.last is None else self.last(self.shared(x))


class TwoInputs(nn.Module):
    def __init__(self):
        super().__init__()
        self.left, self.right, self.head = nn.Linear(6, 8), nn.Linear(3, 8), nn.Linear(8, 4)

    def forward(self, x, w):
        return self.head(torch.tanh(self.left(x)) * torch.sigmoid(self.right(w)))


class TwoOutputs(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.left, self.right = nn.Linear(6, 8), nn.Linear(8, 4), nn.Linear(8, 2)

    def forward(self, x):
        x = torch.relu(self.body(x))
        return self.left(x), self.right(x)


def squeeze_excite():
    gate = nn.Sequential(nn.AdaptiveAvgPool2d(1), conv(8, 4, 1), nn.ReLU(), conv(4, 8, 1), nn.Sigmoid())
    return Both(torch.mul, gate)


def shuffle(x, groups=2):
    n, c, h, w = x.shape
    return x.view(n, groups, c // groups, h, w).transpose(1, 2).reshape(n, c, h, w)


def residual(block, shortcut=None):
    return Both(torch.add, block, shortcut)


def block():
    return nn.Sequential(conv(), nn.ReLU(), conv())


def convolutions():
    image("conv2d", lambda: conv())
    image("conv2d_opset9", lambda: conv(), opset=9)
    case("conv1d", lambda: nn.Sequential(nn.Conv1d(4, 8, 3, padding=1), nn.ReLU(), nn.Conv1d(8, 4, 3)), floats("x", 4, 9))
    case("conv3d", lambda: nn.Sequential(nn.Conv3d(4, 8, 3, padding=1), nn.ReLU(), nn.Conv3d(8, 4, 2)), floats("x", 4, 4, 4, 4))
    image("conv_stride_dilation", lambda: nn.Conv2d(8, 8, 3, stride=2, padding=2, dilation=2, bias=False))
    image("conv_uneven", lambda: nn.Conv2d(8, 8, (1, 3), stride=(1, 2), padding=(0, 1)))
    image("conv_grouped", lambda: conv(groups=2))
    image("conv_grouped_four", lambda: conv(8, 16, groups=4), out=16)
    image("conv_grouped_twice", lambda: nn.Sequential(conv(groups=2), nn.ReLU(), conv(groups=4)))
    image("conv_depthwise", lambda: conv(groups=8))
    image("conv_depthwise_multiplier", lambda: conv(8, 16, groups=8), out=16)
    image("conv_inverted_residual", lambda: residual(nn.Sequential(conv(8, 16, 1), nn.ReLU6(), conv(16, 16, groups=16), nn.ReLU6(), conv(16, 8, 1))))
    image("conv_transpose", lambda: nn.ConvTranspose2d(8, 8, 3, padding=1))
    image("conv_transpose_stride", lambda: nn.ConvTranspose2d(8, 16, 3, stride=2, padding=1, output_padding=1), out=16)
    image("conv_transpose_grouped", lambda: nn.ConvTranspose2d(8, 16, 3, padding=1, groups=2), out=16)
    image("conv_transpose_depthwise", lambda: nn.ConvTranspose2d(8, 8, 2, stride=2, groups=8))
    graph("conv_same", "h = Conv<auto_pad=\"SAME_UPPER\", strides=[2,2]>(x, w1, b1) r = Relu(h) y = Conv<auto_pad=\"VALID\">(r, w2)",
          dict(w1=(8, 4, 3, 3), b1=(8,), w2=(4, 8, 1, 1)), inputs="float[N,4,7,7] x", outputs="float[N,4,4,4] y")


def linears():
    rows("linear", lambda: nn.Sequential(nn.ReLU(), nn.Linear(8, 8), nn.ReLU()), opset=9)
    rows("linear_no_bias", lambda: nn.Sequential(nn.ReLU(), nn.Linear(8, 8, bias=False), nn.ReLU()))
    steps("linear_steps", lambda: nn.Sequential(nn.ReLU(), nn.Linear(8, 8), nn.ReLU()))
    two = dict(w1=(6, 8), b1=(8,), w2=(8, 4), b2=(4,))
    graph("gemm", "h = Gemm(x, w1, b1) r = Relu(h) y = Gemm(r, w2, b2)", two)
    graph("gemm_alpha_beta", "h = Gemm<alpha=0.5, beta=2.0>(x, w1, b1) r = Relu(h) y = Gemm<alpha=3.0, beta=0.5, transB=1>(r, w2, b2)",
          dict(two, w2=(4, 8)))
    graph("gemm_trans_a", "h = Gemm<transB=1>(x, w1, b1) t = Transpose<perm=[1,0]>(h) r = Relu(t) y = Gemm<transA=1, transB=1, alpha=0.5>(r, w2, b2)",
          dict(two, w1=(8, 6), w2=(4, 8)))
    graph("gemm_bias_row", "h = Gemm(x, w1, b1) r = Relu(h) y = Gemm(r, w2, b2)", dict(two, b1=(1, 8), b2=(1,)))
    graph("gemm_no_bias", "h = Gemm(x, w1) r = Relu(h) y = Gemm(r, w2)", dict(w1=(6, 8), w2=(8, 4)))
    graph("matmul_bias_right", "m = MatMul(x, w1) h = Add(m, b1) r = Relu(h) n = MatMul(r, w2) y = Add(n, b2)", two)
    graph("matmul_bias_left", "m = MatMul(x, w1) h = Add(b1, m) r = Relu(h) n = MatMul(r, w2) y = Add(b2, n)", two)
    graph("matmul_steps", "m = MatMul(x, w1) h = Add(b1, m) r = Relu(h) y = MatMul(r, w2)", two, inputs="float[N,5,6] x", outputs="float[N,5,4] y")
    graph("matmul_four", "m = MatMul(x, w1) r = Relu(m) y = MatMul(r, w2)", two, inputs="float[N,3,5,6] x", outputs="float[N,3,5,4] y")
    graph("matmul_weight_left", "m = MatMul(w1, x) h = Add(m, b1) r = Relu(h) y = MatMul(w2, r)", dict(w1=(8, 6), b1=(8, 1), w2=(4, 8)),
          inputs="float[N,6,5] x", outputs="float[N,4,5] y")
    graph("weight_transposed", "t = Transpose<perm=[1,0]>(w1) m = MatMul(x, t) h = Add(m, b1) r = Relu(h) y = Gemm(r, w2, b2)", dict(two, w1=(8, 6)))
    graph("weight_as_constant",
          "h = Gemm(x, w1, b1) c = Constant<value_floats=[0.5, 1.0, 1.5, 2.0, 0.5, 1.0, 1.5, 2.0]>() m = Mul(c, h) y = Gemm(m, w2)", two)
    case("einsum", lambda: nn.Sequential(nn.Linear(6, 8), Call(lambda x, w: torch.einsum("nti,io->nto", x, w), (8, 8)), nn.Linear(8, 4)),
         floats("x", 5, 6))


def norms():
    image("batch_norm", lambda: nn.Sequential(nn.BatchNorm2d(8), nn.ReLU()), preserve=True)
    image("batch_norm_opset9", lambda: nn.Sequential(nn.BatchNorm2d(8), nn.ReLU()), opset=9, preserve=True)
    image("batch_norm_folded", lambda: nn.Sequential(nn.BatchNorm2d(8), nn.ReLU()))
    image("batch_norm_first", lambda: nn.Sequential(nn.ReLU(), nn.BatchNorm2d(8)))
    # Not compared: ONNX Runtime computes a batch norm that has its averages as outputs from the statistics of the batch.
    image("batch_norm_training", lambda: nn.Sequential(nn.BatchNorm2d(8), nn.ReLU()), training=True, do_constant_folding=False)
    rows("batch_norm_rows", lambda: nn.Sequential(nn.ReLU(), nn.BatchNorm1d(8)))
    case("batch_norm_flattened", lambda: nn.Sequential(conv(4, 8), nn.Flatten(), nn.BatchNorm1d(128), nn.Linear(128, 4)), floats("x", 4, 4, 4))
    graph("layer_norm", "h = MatMul(x, w1) l = LayerNormalization<axis=-1>(h, s, b) r = Relu(l) y = MatMul(r, w2)",
          dict(w1=(6, 8), s=(8,), b=(8,), w2=(8, 4)), inputs="float[N,5,6] x", outputs="float[N,5,4] y", opset=17)
    graph("layer_norm_inner", "h = MatMul(x, w1) l = LayerNormalization<axis=-1>(h, s, b) m = MatMul(l, w2) r = Relu(m) y = MatMul(r, w3)",
          dict(w1=(6, 8), s=(8,), b=(8,), w2=(8, 8), w3=(8, 4)), inputs="float[N,5,6] x", outputs="float[N,5,4] y", opset=17)
    graph("layer_norm_image", "h = Conv(x, w1) l = LayerNormalization<axis=1>(h, s, b) y = Conv(l, w2)",
          dict(w1=(8, 4, 1, 1), s=(8, 3, 3), b=(8, 3, 3), w2=(4, 8, 1, 1)), inputs="float[N,4,3,3] x", outputs="float[N,4,3,3] y", opset=17)
    steps("layer_norm_decomposed", lambda: nn.LayerNorm(8))
    steps("layer_norm_residual", lambda: residual(nn.Sequential(nn.LayerNorm(8), nn.Linear(8, 16), nn.GELU(), nn.Linear(16, 8))), opset=17)
    image("layer_norm_2d", lambda: Call(lambda x, w, b: F.layer_norm(x.permute(0, 2, 3, 1), (8,), w, b).permute(0, 3, 1, 2), (8,), (8,)))
    image("group_norm", lambda: nn.GroupNorm(2, 8))
    image("group_norm_one", lambda: nn.GroupNorm(1, 8))
    image("instance_norm", lambda: nn.InstanceNorm2d(8, affine=True))
    graph("lrn", "h = Conv(x, w1) l = LRN<size=3, alpha=0.5, beta=0.75, bias=1.0>(h) y = Conv(l, w2)", dict(w1=(8, 4, 1, 1), w2=(4, 8, 1, 1)),
          inputs="float[N,4,3,3] x", outputs="float[N,4,3,3] y")
    rows("l2_normalise", lambda: lambda x: x / x.norm(dim=1, keepdim=True))


def joins():
    image("residual", lambda: residual(block()))
    image("residual_projection", lambda: residual(nn.Sequential(conv(8, 16), nn.ReLU(), conv(16, 16)), conv(8, 16, 1)), out=16)
    image("residual_chain", lambda: nn.Sequential(residual(block()), nn.ReLU(), residual(block())))
    image("residual_scaled", lambda: residual(nn.Sequential(block(), Call(torch.mul, (8, 1, 1)))), opset=17)
    rows("residual_rows", lambda: residual(nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 8))))
    image("concat", lambda: Both(lambda x, y: torch.cat((x, y), 1), conv(8, 4), conv(8, 6)), out=10)
    image("concat_dense", lambda: Both(lambda x, y: torch.cat((x, y), 1), nn.Sequential(nn.ReLU(), conv(8, 4))), out=12)
    image("concat_normed", lambda: nn.Sequential(Both(lambda x, y: torch.cat((x, y), 1), conv(8, 4)), nn.BatchNorm2d(12), nn.ReLU()), out=12)
    case("concat_input", lambda: nn.Sequential(Both(lambda x, y: torch.cat((x, y), 1), conv(4, 8)), conv(12, 8), conv(8, 4)), floats("x", 4, 6, 6))
    pooled("concat_flattened", lambda: Both(lambda x, y: torch.cat((x.flatten(1), y.flatten(1)), 1), nn.MaxPool2d(3), nn.AdaptiveAvgPool2d(1)),
           out=40)
    image("concat_space", lambda: Both(lambda x, y: torch.cat((x, y), 3), conv()))
    image("two_consumers", lambda: Both(torch.add, conv(8, 6, 1), nn.Sequential(nn.ReLU(), conv(8, 6))), out=6)
    image("input_twice", lambda: lambda x: x + x)
    rows("square", lambda: lambda x: x * x)
    rows("gate", lambda: Both(torch.mul, nn.Sequential(nn.Linear(8, 8), nn.Sigmoid()), nn.Linear(8, 8)))
    image("squeeze_excite", squeeze_excite)
    image("spatial_gate", lambda: Both(torch.mul, nn.Sequential(conv(8, 1), nn.Sigmoid())))
    case("shared_conv", lambda: Tied(False), floats("x", 4, 6, 6))
    case("shared_linear", lambda: Tied(True), floats("x", 6))
    graph("shared_through_identity",
          "v = Identity(w) c = Identity(b) h = Gemm(x, w1, b) g = Gemm(h, w, c) r = Relu(g) f = Gemm(r, v, b) y = Gemm(f, w2)",
          dict(w1=(6, 8), w=(8, 8), b=(8,), w2=(8, 4)))
    case("two_inputs", TwoInputs, floats("x", 6), floats("w", 3))
    case("two_outputs", TwoOutputs, floats("x", 6))


def shapes():
    case("flatten", lambda: nn.Sequential(conv(4, 8), nn.ReLU(), nn.Flatten(), nn.Linear(128, 8), nn.Linear(8, 4)), floats("x", 4, 4, 4))
    pooled("flatten_pooled", lambda: nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()), opset=9)
    pooled("reshape_rows", lambda: lambda x: F.max_pool2d(x, 6).view(x.shape[0], -1))
    case("reshape_merge", lambda: nn.Sequential(conv(4, 8), Call(lambda x: x.reshape(-1, 8, 36)), nn.Conv1d(8, 4, 1)), floats("x", 4, 6, 6))
    rows("reshape_split", lambda: lambda x: (x.view(-1, 2, 4) * torch.tensor([[[0.5], [2.0]]])).reshape(-1, 8))
    case("reshape_to_image", lambda: nn.Sequential(nn.Linear(6, 8), Call(lambda x: x.view(-1, 8, 1, 1)), nn.ConvTranspose2d(8, 4, 3)), floats("x", 6))
    case("tokens_of_image", lambda: nn.Sequential(conv(4, 8), Call(lambda x: x.flatten(2).transpose(1, 2)), nn.LayerNorm(8), nn.Linear(8, 4)),
         floats("x", 4, 6, 6))
    image("nhwc_linear", lambda: residual(nn.Sequential(
        conv(groups=8), Call(lambda x: x.permute(0, 2, 3, 1)), nn.Linear(8, 16), nn.GELU(), nn.Linear(16, 8), Call(lambda x: x.permute(0, 3, 1, 2)))))
    steps("time_conv", lambda: nn.Sequential(Call(lambda x: x.transpose(1, 2)), nn.Conv1d(8, 8, 3, padding=1), Call(lambda x: x.transpose(1, 2))))
    image("split_equal", lambda: lambda x: torch.add(*x.split(4, 1)), out=4)
    image("split_unequal", lambda: lambda x: torch.cat((x.split([3, 5], 1)[1].relu(), x.split([3, 5], 1)[0].tanh()), 1), opset=11)
    image("split_unequal_opset17", lambda: lambda x: torch.cat((x.split([3, 5], 1)[1].relu(), x.split([3, 5], 1)[0].tanh()), 1), opset=17)
    image("slice_halves", lambda: lambda x: torch.cat((x[:, 4:].relu(), x[:, :4]), 1))
    image("slice_opset9", lambda: lambda x: x[:, 2:7], out=5, opset=9)
    image("slice_steps", lambda: lambda x: x[:, 1::2], out=4)
    image("slice_space", lambda: lambda x: x[:, :, 1:-1, ::2])
    rows("slice_negative", lambda: lambda x: x[:, -6:], out=6)
    image("glu", lambda: nn.GLU(1), out=4)
    image("chunk_three", lambda: nn.Sequential(conv(8, 12), Call(lambda x: x.chunk(3, 1)[0] * x.chunk(3, 1)[1] + x.chunk(3, 1)[2])), out=4)
    image("channel_shuffle", lambda: nn.Sequential(conv(groups=2), Call(shuffle), nn.ReLU(), conv(groups=2)))
    image("channel_shuffle_fixed", lambda: nn.Sequential(
        conv(groups=2), Call(lambda x: x.view(-1, 2, 4, 6, 6).transpose(1, 2).reshape(-1, 8, 6, 6)), conv(groups=4)))
    image("channel_shuffle_split", lambda: Call(lambda x: shuffle(torch.cat((x[:, :4], x[:, 4:].relu()), 1))), opset=17)
    image("pixel_shuffle", lambda: nn.PixelShuffle(2), out=2)
    image("pixel_shuffle_wide", lambda: nn.Sequential(conv(8, 16), nn.PixelShuffle(2)), out=4)
    graph("depth_to_space", 'h = Conv(x, w1) d = DepthToSpace<blocksize=2, mode="DCR">(h) y = Conv(d, w2)', dict(w1=(16, 4, 1, 1), w2=(4, 4, 1, 1)),
          inputs="float[N,4,3,3] x", outputs="float[N,4,6,6] y")
    graph("space_to_depth", "h = Conv(x, w1) d = SpaceToDepth<blocksize=2>(h) y = Conv(d, w2)", dict(w1=(8, 4, 1, 1), w2=(4, 32, 1, 1)),
          inputs="float[N,4,6,6] x", outputs="float[N,4,3,3] y")
    image("pixel_unshuffle", lambda: nn.PixelUnshuffle(2), out=32)
    image("pad_constant", lambda: nn.ConstantPad2d((1, 2, 0, 1), 0.5))
    image("pad_opset9", lambda: nn.ZeroPad2d(1), opset=9)
    image("pad_reflect", lambda: nn.ReflectionPad2d(1))
    image("pad_replicate", lambda: nn.ReplicationPad2d(1))
    image("pad_channels", lambda: residual(nn.Sequential(conv(8, 12)), Call(lambda x: F.pad(x, (0, 0, 0, 0, 2, 2)))), out=12)
    image("resize_nearest", lambda: nn.Upsample(scale_factor=2.0, mode="nearest"))
    image("resize_bilinear", lambda: nn.Upsample(scale_factor=2.0, mode="bilinear", align_corners=False))
    image("resize_corners", lambda: nn.Upsample(scale_factor=2.0, mode="bilinear", align_corners=True), opset=11)
    image("resize_sizes", lambda: nn.Upsample(size=(9, 12), mode="bilinear", align_corners=False), opset=17)
    image("upsample_opset9", lambda: nn.Upsample(scale_factor=2.0, mode="nearest"), opset=9)
    image("expand", lambda: lambda x: x.mean((2, 3), keepdim=True).expand(-1, -1, 6, 6))
    image("tile_space", lambda: lambda x: x.repeat(1, 1, 2, 1))
    image("tile_channels", lambda: lambda x: x.repeat(1, 2, 1, 1), out=16)
    pooled("squeeze_unsqueeze", lambda: lambda x: F.avg_pool2d(x, 6).squeeze(3).squeeze(2).unsqueeze(1).squeeze(1))
    pooled("squeeze_opset11", lambda: lambda x: F.avg_pool2d(x, 6).squeeze(3).squeeze(2), opset=11)
    image("gather_list", lambda: lambda x: x[:, [6, 1, 1, 3]], out=4)
    pooled("gather_scalar", lambda: lambda x: x[:, 5].flatten(1), out=36)
    steps("gather_time", lambda: lambda x: x[:, -1])
    image("index_select", lambda: Call(lambda x: x.index_select(1, torch.arange(7, -1, -1))))
    rows("cast", lambda: lambda x: x.double().float())


def reductions():
    image("max_pool", lambda: nn.MaxPool2d(3, 2, 1))
    image("max_pool_ceil", lambda: nn.MaxPool2d(3, 2, ceil_mode=True), size=7)
    image("max_pool_dilated", lambda: nn.MaxPool2d(2, 1, dilation=2), opset=11)
    case("max_pool_1d", lambda: nn.Sequential(nn.Conv1d(4, 8, 3), nn.MaxPool1d(2), nn.Conv1d(8, 4, 1)), floats("x", 4, 9))
    image("average_pool", lambda: nn.AvgPool2d(3, 2, 1, count_include_pad=True))
    image("average_pool_exclude", lambda: nn.AvgPool2d(3, 2, 1, count_include_pad=False))
    image("average_pool_ceil", lambda: nn.AvgPool2d(3, 2, ceil_mode=True), size=8, opset=11)
    graph("average_pool_padded", "h = Conv(x, w1) p = AveragePool<kernel_shape=[3,3], pads=[1,1,1,1], count_include_pad=1>(h) y = Conv(p, w2)",
          dict(w1=(8, 4, 1, 1), w2=(4, 8, 1, 1)), inputs="float[N,4,5,5] x", outputs="float[N,4,5,5] y")
    image("global_average_pool", lambda: nn.AdaptiveAvgPool2d(1))
    image("global_max_pool", lambda: nn.AdaptiveMaxPool2d(1))
    pooled("reduce_mean_space", lambda: lambda x: x.mean((2, 3)))
    pooled("reduce_mean_space_opset17", lambda: lambda x: x.mean((2, 3)), opset=17)
    image("reduce_mean_keep", lambda: lambda x: x - x.mean((2, 3), keepdim=True))
    image("reduce_mean_channels", lambda: lambda x: x - x.mean(1, keepdim=True))
    steps("reduce_mean_time", lambda: lambda x: x.mean(1))
    pooled("reduce_sum", lambda: lambda x: x.sum((2, 3)) / 6)
    pooled("reduce_sum_opset11", lambda: lambda x: x.sum((2, 3)) / 6, opset=11)
    pooled("reduce_max", lambda: lambda x: x.amax((2, 3)))
    steps("reduce_min_time", lambda: lambda x: x.amin(1), opset=17)
    pooled("reduce_l2", lambda: lambda x: x.norm(dim=(2, 3)))
    pooled("reduce_variance", lambda: lambda x: x.var((2, 3), unbiased=False))
    rows("softmax_classes", lambda: nn.Sequential(nn.Linear(8, 5), nn.Softmax(1)), out=5)
    rows("softmax_opset11", lambda: nn.Softmax(1), opset=11)
    image("softmax_channels", lambda: nn.Softmax(1))
    steps("softmax_time", lambda: nn.Softmax(1))
    rows("log_softmax", lambda: nn.LogSoftmax(1), opset=17)
    steps("cumulative_sum_time", lambda: lambda x: x.cumsum(1))
    rows("cumulative_sum_channels", lambda: lambda x: x.cumsum(1))
    steps("top_k_time", lambda: lambda x: x.topk(3, 1)[0])
    rows("top_k_channels", lambda: lambda x: x.topk(3, 1)[0], out=3)
    case("arg_max", lambda: nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 4), Call(lambda x: x.argmax(1))), floats("x", 6))


def recurrences():
    for name, kind in dict(lstm=nn.LSTM, gru=nn.GRU, rnn=nn.RNN).items():
        for suffix, both in (("", False), ("_both", True)):
            out = 16 if both else 8
            steps(f"{name}{suffix}_sequence", lambda kind=kind, both=both: Recurrent(kind, both, True), out=out)
            steps(f"{name}{suffix}_last", lambda kind=kind, both=both: Recurrent(kind, both, False), out=out, opset=11 if kind is nn.RNN else 17)
            steps(f"{name}{suffix}_learned_start", lambda kind=kind, both=both: Recurrent(kind, both, False, "learned"), out=out)
            steps(f"{name}{suffix}_computed_start", lambda kind=kind, both=both: Recurrent(kind, both, True, "computed"), out=out)
        steps(f"{name}_stacked", lambda kind=kind: nn.Sequential(Recurrent(kind, True, True), nn.Linear(16, 8), Recurrent(kind, False, True)))
    steps("rnn_relu", lambda: nn.Sequential(nn.RNN(8, 8, nonlinearity="relu", batch_first=True), Call(lambda pair: pair[0])))
    nonlinear = dict(x=("N", 5, 6), y=(5, "N", 4))
    before = [helper.make_node("Transpose", ["x"], ["t"], perm=[1, 0, 2]), helper.make_node("MatMul", ["t", "w1"], ["h"])]
    after = [helper.make_node("Squeeze", ["s", "one"], ["q"]), helper.make_node("MatMul", ["q", "w2"], ["y"])]
    common = dict(w1=(6, 8), w2=(8, 4), one=[1])
    nodes("lstm_peepholes", before + [helper.make_node("LSTM", ["h", "w", "r", "b", "", "", "", "p"], ["s"], hidden_size=8)] + after,
          dict(common, w=(1, 32, 8), r=(1, 32, 8), b=(1, 64), p=(1, 24)), **nonlinear)
    nodes("lstm_reverse", before + [helper.make_node("LSTM", ["h", "w", "r"], ["s"], hidden_size=8, direction="reverse")] + after,
          dict(common, w=(1, 32, 8), r=(1, 32, 8)), **nonlinear)
    nodes("gru_reset_first", before + [helper.make_node("GRU", ["h", "w", "r", "b"], ["s"], hidden_size=8, linear_before_reset=0)] + after,
          dict(common, w=(1, 24, 8), r=(1, 24, 8), b=(1, 48)), **nonlinear)
    hard = helper.make_node("GRU", ["h", "w", "r", "b"], ["s"], hidden_size=8, activations=["HardSigmoid", "Tanh"])
    nodes("gru_activations", before + [hard] + after,
          dict(common, w=(1, 24, 8), r=(1, 24, 8), b=(1, 48)), **nonlinear)


def attentions():
    steps("attention_separate", Attention)
    steps("attention_fixed", lambda: Attention(fixed=True), opset=17)
    steps("attention_causal", lambda: Attention(causal=True))
    steps("attention_residual", lambda: residual(nn.Sequential(nn.LayerNorm(8), Attention())), opset=17)
    steps("attention_packed", Packed)
    steps("attention_packed_time_first", lambda: Packed(batch_first=False), opset=17)
    steps("attention_pooled", lambda: nn.Sequential(residual(Packed()), Call(lambda x: x.mean(1))))
    steps("attention_one_head", lambda: Both(lambda x, y: torch.softmax(x @ y.transpose(1, 2), -1) @ y, nn.Linear(8, 6), nn.Linear(8, 6)), out=6)
    ids = dict(name="ids", shape=["N", 5], type="int64", range=[0, 20])
    case("embedding", lambda: Tokens(False, lambda x: x.mean(1)), ids)
    case("embedding_positions", lambda: Tokens(True, lambda x: x.amax(1)), ids)
    case("embedding_flattened", lambda: nn.Sequential(nn.Embedding(20, 8), nn.Flatten(), nn.Linear(40, 8), nn.ReLU(), nn.Linear(8, 4)), ids)


def elementwise():
    activations = dict(
        relu=nn.ReLU, relu6=nn.ReLU6, leaky_relu=lambda: nn.LeakyReLU(0.1), prelu=lambda: nn.PReLU(8), prelu_one=nn.PReLU, elu=lambda: nn.ELU(0.7),
        selu=nn.SELU, celu=lambda: nn.CELU(0.5), softplus=nn.Softplus, softsign=nn.Softsign, tanh=nn.Tanh, sigmoid=nn.Sigmoid, silu=nn.SiLU,
        mish=nn.Mish, gelu=nn.GELU, gelu_tanh=lambda: nn.GELU("tanh"), hard_swish=nn.Hardswish, hard_sigmoid=nn.Hardsigmoid,
        hard_tanh=lambda: nn.Hardtanh(-0.5, 0.8))
    for name, operator in activations.items():
        image(name, operator, opset=13 if "hard" in name else 17)
    functions = dict(
        erf=torch.erf, exp=lambda x: (x / 2).exp(), log=lambda x: (x.abs() + 0.5).log(), sqrt=lambda x: (x.abs() + 0.5).sqrt(),
        reciprocal=lambda x: (x.abs() + 0.5).reciprocal(), power=lambda x: x.pow(2), power_root=lambda x: (x.abs() + 0.5).pow(1.5),
        absolute=torch.abs,
        negative=torch.neg, sine=torch.sin, cosine=torch.cos, floor=lambda x: x + torch.floor(x * 4) / 4, sign=lambda x: x * torch.sign(x),
        clip=lambda x: x.clamp(-0.5, 0.75), clip_low=lambda x: x.clamp(min=-0.25), minimum=lambda x: torch.minimum(x, -x / 2),
        maximum=lambda x: torch.maximum(x, x / 3), where=lambda x: torch.where(x > 0, x, x.exp() - 1),
        masked=lambda x: x.masked_fill(x.abs() < 0.2, 0.0), scalars=lambda x: (2 * x + 0.5) / 3 - 0.25, one_minus=lambda x: 1 - x)
    for name, function in functions.items():
        rows(name, lambda function=function: Call(function), opset=13 if name in ("clip", "where", "minimum") else 17)
    two = dict(w1=(6, 8), w2=(8, 4))
    graph("identity", "h = MatMul(x, w1) i = Identity(h) r = Relu(i) j = Identity(r) y = MatMul(j, w2)", two)
    graph("dropout", "h = MatMul(x, w1) d, m = Dropout(h, ratio) y = MatMul(d, w2)", dict(two, ratio=numpy.float32(0.3)))
    rows("clip_opset9", lambda: lambda x: x.clamp(-0.5, 0.75), opset=9)
    for name, shape in dict(c11=(8, 1, 1), one_c11=(1, 8, 1, 1), one=(1, 1, 1, 1), space=(6, 6), all=(8, 6, 6)).items():
        image(f"multiply_{name}", lambda shape=shape: Call(torch.mul, shape))
        image(f"add_{name}", lambda shape=shape: nn.Sequential(nn.ReLU(), Call(torch.add, shape)))
    rows("multiply_vector", lambda: Call(lambda x, v: v * x, (8,)))
    rows("subtract_vector", lambda: Call(lambda x, v: v - x, (1, 8)))
    rows("divide_vector", lambda: Call(lambda x, v: x / v, (8,)), opset=9)


def carried():
    """What is read and written back: subgraphs, operators nobody knows, and opsets newer than the checker here."""
    two = dict(w1=(6, 8), w2=(8, 4))
    value = [helper.make_tensor_value_info("b", TensorProto.FLOAT, ["N", 8])]
    branch = lambda op: helper.make_graph([helper.make_node(op, ["h"], ["b"])], op, [], value)
    nodes("if_subgraph", [
        helper.make_node("MatMul", ["x", "w1"], ["h"]), helper.make_node("ReduceSum", ["x"], ["sum"], keepdims=0),
        helper.make_node("Greater", ["sum", "zero"], ["positive"]),
        helper.make_node("If", ["positive"], ["c"], then_branch=branch("Tanh"), else_branch=branch("Neg")),
        helper.make_node("MatMul", ["c", "w2"], ["y"])], dict(two, zero=numpy.float32(0)))
    nodes("custom_domain", [
        helper.make_node("MatMul", ["x", "w1"], ["h"]), helper.make_node("Wobble", ["h"], ["c"], domain="example.custom", strength=0.5),
        helper.make_node("MatMul", ["c", "w2"], ["y"])], two, domain="example.custom")
    images = dict(inputs="float[N,4,3,3] x", outputs="float[N,4] y")
    conv_two = dict(w1=(8, 4, 1, 1), w2=(8, 4))
    graph("reduce_mean_opset18", "h = Conv(x, w1) m = ReduceMean<keepdims=0>(h, axes) y = MatMul(m, w2)",
          dict(conv_two, axes=[2, 3]), opset=18, **images)
    graph("split_opset18", "h = MatMul(x, w1) a, b = Split<axis=1, num_outputs=2>(h) m = Mul(a, b) y = MatMul(m, w2)", dict(two, w2=(4, 4)), opset=18)
    graph("gelu_opset20", 'h = MatMul(x, w1) g = Gelu<approximate="tanh">(h) y = MatMul(g, w2)', two, opset=20)
    graph("group_norm_opset21",
          "h = Conv(x, w1) g = GroupNormalization<num_groups=2>(h, s, b) r = Relu(g) m = ReduceMean<keepdims=0>(r, axes) y = MatMul(m, w2)",
          dict(conv_two, s=(8,), b=(8,), axes=[2, 3]), opset=21, **images)
    graph("dropout_opset7", "h = MatMul(x, w1) d = Dropout<ratio=0.3>(h) y = MatMul(d, w2)", two, opset=7)
    graph("batch_norm_opset7",
          "h = Conv(x, w1) n = BatchNormalization(h, s, b, b, v) r = Relu(n) m = ReduceMean<axes=[2,3], keepdims=0>(r) y = MatMul(m, w2)",
          dict(conv_two, s=(8,), b=(8,), v=numpy.float32([1, 2, 1, 2, 1, 2, 1, 2])), opset=7, **images)


for section in (convolutions, linears, norms, joins, shapes, reductions, recurrences, attentions, elementwise, carried):
    section()
write_all()

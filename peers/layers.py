"""The layers that a researcher would use in PyTorch instead, written from their formulas. float32, [batch, length, width]."""

import math

import torch
import torch.nn.functional as F
from torch import nn


def fft_conv(u, kernel, skip):
    """Causal convolution of u [batch, channels, length] with kernel [channels, length], plus skip [channels] times u."""
    n = 2 * u.shape[-1]
    y = torch.fft.irfft(torch.fft.rfft(u, n=n) * torch.fft.rfft(kernel, n=n), n=n)
    return y[..., : u.shape[-1]] + u * skip[:, None]


class Attention(nn.Module):
    """Causal attention by PyTorch's fused kernel, with rotary positions."""

    def __init__(self, width, heads, length):
        super().__init__()
        self.heads, self.qkv, self.out = heads, nn.Linear(width, 3 * width), nn.Linear(width, width)
        features = width // heads
        rates = 10000.0 ** (-torch.arange(0, features, 2).float() / features)
        angles = torch.arange(length).float()[:, None] * rates[None]
        self.register_buffer("cos", torch.cat([angles.cos(), angles.cos()], -1))
        self.register_buffer("sin", torch.cat([angles.sin(), angles.sin()], -1))

    def rotated(self, x):
        a, b = x.chunk(2, -1)
        return x * self.cos + torch.cat([-b, a], -1) * self.sin

    def forward(self, x):
        batch, length, width = x.shape
        heads = self.qkv(x).view(batch, length, 3, self.heads, width // self.heads)
        q, k, v = heads.permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(self.rotated(q), self.rotated(k), v, is_causal=True)
        return self.out(y.transpose(1, 2).reshape(batch, length, width))


class S4D(nn.Module):
    """S4D-Lin with 64 states. Its kernel is one batched product of real matrices (l = q t + r), which is several times as fast
    in PyTorch as the plain Vandermonde sum."""

    def __init__(self, width, states=64):
        super().__init__()
        half = states // 2
        self.log_dt = nn.Parameter(torch.rand(width) * math.log(100) + math.log(0.001))
        self.c = nn.Parameter(torch.randn(width, half, 2))
        self.log_a_re = nn.Parameter(torch.log(0.5 * torch.ones(width, half)))
        self.a_im = nn.Parameter(math.pi * torch.arange(half).float().repeat(width, 1))
        self.skip = nn.Parameter(torch.randn(width))
        self.out = nn.Conv1d(width, 2 * width, 1)

    def kernel(self, length):
        inner = 2 ** math.ceil(math.log2(length) / 2)
        outer = -(-length // inner)
        a = -self.log_a_re.exp() + 1j * self.a_im
        step = a * self.log_dt.exp()[:, None]
        c = torch.view_as_complex(self.c) * (step.exp() - 1) / a
        fine = (step[..., None] * torch.arange(inner)).exp()
        coarse = 2 * c[..., None] * (step[..., None] * (inner * torch.arange(outer))).exp()
        left = torch.cat([coarse.real, -coarse.imag], 1).transpose(1, 2)
        taps = left @ torch.cat([fine.real, fine.imag], 1)
        return taps.reshape(taps.shape[0], -1)[:, :length]

    def forward(self, x):
        u = x.transpose(1, 2)
        y = F.gelu(fft_conv(u, self.kernel(u.shape[-1]), self.skip))
        return F.glu(self.out(y), dim=1).transpose(1, 2)


class M2(nn.Module):
    """Monarch Mixer's sequence mixer, causal: two gates and a long filter that a small network makes."""

    def __init__(self, width, length, order=64, features=5):
        super().__init__()
        self.width = width
        self.inp, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.short = nn.Conv1d(3 * width, 3 * width, 3, groups=3 * width, padding=2)
        bands = (features - 1) // 2
        time = torch.linspace(0, 1, length)[:, None]
        waves = 2 * math.pi * torch.arange(length)[:, None] / length * torch.linspace(1e-4, bands - 1, bands)[None]
        self.register_buffer("features", torch.cat([time, torch.cos(waves), -torch.sin(waves)], -1))
        rates = torch.linspace(math.log(1e-2) / 1.5, math.log(1e-2) / 0.3, width).abs()
        self.register_buffer("decay", torch.exp(-time * rates[None]))
        sizes = [features, order, order, order]
        self.hidden = nn.ModuleList([nn.Linear(a, b) for a, b in zip(sizes, sizes[1:])])
        self.last = nn.Linear(order, width, bias=False)
        self.frequency = nn.Parameter(10 * torch.ones(order))
        self.skip = nn.Parameter(torch.randn(width))

    def filter(self):
        x = self.features
        for layer in self.hidden:
            x = torch.sin(self.frequency * layer(x))
        return (self.last(x) * self.decay).t()

    def forward(self, x):
        u = self.short(self.inp(x).transpose(1, 2))[..., : x.shape[1]]
        first, second, v = u.split(self.width, 1)
        return self.out((fft_conv(v * first, self.filter(), self.skip) * second).transpose(1, 2))


def mixer(name, width, heads, length):
    makers = {
        "attention": lambda: Attention(width, heads, length),
        "s4d": lambda: S4D(width),
        "m2": lambda: M2(width, length),
    }
    if name not in makers:
        raise SystemExit(f"no peer for mixer {name!r} (there are: {', '.join(makers)})")
    return makers[name]()

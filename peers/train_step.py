#!/usr/bin/env python3
"""Times whole training steps of a byte-level language model in PyTorch, and prints them as one line of JSON.

Blocks as in subquad's `bytes` models: layer norm, mixer, residual, layer norm, GELU MLP, residual; a last norm and a head;
cross-entropy, clipping by the joint norm, fused AdamW. float32, eager unless --compile.
"""

import argparse
import json
import resource
import statistics
import time

import torch
import torch.nn.functional as F
from torch import nn

import layers


class Block(nn.Module):
    def __init__(self, width, hidden, mixer):
        super().__init__()
        self.norm_1, self.norm_2, self.mixer = nn.LayerNorm(width), nn.LayerNorm(width), mixer
        self.up, self.down = nn.Linear(width, hidden), nn.Linear(hidden, width)

    def forward(self, x):
        x = x + self.mixer(self.norm_1(x))
        return x + self.down(F.gelu(self.up(self.norm_2(x))))


class Model(nn.Module):
    def __init__(self, args):
        super().__init__()
        width = args.d_model
        make = lambda: layers.mixer(args.mixer, width, args.heads, args.length)
        self.encoder = nn.Embedding(args.vocab, width)
        self.blocks = nn.Sequential(*[Block(width, args.d_hidden, make()) for _ in range(args.layers)])
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, args.vocab)

    def forward(self, tokens):
        return self.head(self.norm(self.blocks(self.encoder(tokens))))


def parsed():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mixer", default="attention", help="attention, s4d or m2")
    for name, default in [("length", 1024), ("batch", 8), ("d-model", 256), ("layers", 4), ("d-hidden", 1024)]:
        parser.add_argument(f"--{name}", type=int, default=default)
    for name, default in [("heads", 4), ("vocab", 256), ("steps", 8), ("threads", 2)]:
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--compile", action="store_true", help="with torch.compile")
    return parser.parse_args()


def peak_mib():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main():
    args = parsed()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    idle = peak_mib()
    model = Model(args)
    forward = torch.compile(model) if args.compile else model
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)
    tokens = torch.randint(0, args.vocab, (args.batch, args.length + 1))

    def step():
        logits = forward(tokens[:, :-1]).reshape(-1, args.vocab)
        F.cross_entropy(logits, tokens[:, 1:].reshape(-1)).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)

    def timed():
        start = time.perf_counter()
        step()
        return (time.perf_counter() - start) * 1e3

    warm_up = [timed() for _ in range(2)]
    times = [timed() for _ in range(args.steps)]
    print(
        json.dumps(
            {
                "mixer": args.mixer,
                "step_ms": statistics.median(times),
                "warm_up_ms": sum(warm_up),
                "memory_mib": peak_mib() - idle,
                "parameters": sum(p.numel() for p in model.parameters()),
                "torch": torch.__version__,
            }
        )
    )


if __name__ == "__main__":
    main()

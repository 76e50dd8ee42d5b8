#!/usr/bin/env python3
"""Times single tokens of a byte-level language model with attention in PyTorch, and prints one line of JSON per context.

The model is that of train_step.py, in its own weights, untrained. A step reads one token of one sequence with a key-value cache that is
allocated once and written in place. The context is read at once and not timed; after every 16 steps the model goes back to it.
float32, eager.
"""

import argparse
import json
import statistics
import time

import torch
import torch.nn.functional as F

from train_step import Model

STEPS = 16
ROUNDS = 3


class Cache:
    """Keys and values of one block, and how many tokens they hold."""

    def __init__(self, heads, length, features):
        self.keys, self.values = (torch.zeros(1, heads, length, features) for _ in range(2))

    def attend(self, attention, x, first):
        """The tokens x [1, new, width] at positions from `first` on: one of them, or a whole context from position 0."""
        _, new, width = x.shape
        heads, last = attention.heads, first + new
        q, k, v = attention.qkv(x).view(1, new, 3, heads, width // heads).permute(2, 0, 3, 1, 4)
        self.keys[:, :, first:last], self.values[:, :, first:last] = rotated(attention, k, first), v
        y = F.scaled_dot_product_attention(
            rotated(attention, q, first), self.keys[:, :, :last], self.values[:, :, :last], is_causal=new > 1
        )
        return attention.out(y.transpose(1, 2).reshape(1, new, width))


def rotated(attention, x, first):
    a, b = x.chunk(2, -1)
    cos, sin = (table[first : first + x.shape[-2]] for table in (attention.cos, attention.sin))
    return x * cos + torch.cat([-b, a], -1) * sin


def run(model, caches, tokens, first):
    """Logits of tokens [1, new] at positions from `first` on."""
    x = model.encoder(tokens)
    for block, cache in zip(model.blocks, caches):
        x = x + cache.attend(block.mixer, block.norm_1(x), first)
        x = x + block.down(F.gelu(block.up(block.norm_2(x))))
    return model.head(model.norm(x))


def parsed():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--contexts", type=int, nargs="+", default=[256, 512, 1024, 2048, 4096, 8192, 16384])
    for name, default in [("d-model", 256), ("layers", 4), ("d-hidden", 1024), ("heads", 4), ("vocab", 256), ("threads", 2)]:
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--seconds", type=float, default=3.0, help="per context, for at least three rounds of 16 steps")
    return parser.parse_args()


def check(model, caches, args):
    """The largest error of steps after a short context, relative to the largest logit of the whole sequence."""
    tokens = torch.randint(0, args.vocab, (1, 19 + 3))
    whole = run(model, caches, tokens, 0)[:, 19:]
    run(model, caches, tokens[:, :19], 0)
    steps = torch.cat([run(model, caches, tokens[:, t : t + 1], t) for t in range(19, 22)], 1)
    return ((steps - whole).abs().max() / whole.abs().max()).item()


def main():
    args = parsed()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    args.mixer, args.length = "attention", max(args.contexts) + STEPS + 1
    with torch.inference_mode():
        model = Model(args).eval()
        for context in args.contexts:
            caches = [Cache(args.heads, args.length, args.d_model // args.heads) for _ in range(args.layers)]
            error = check(model, caches, args)
            run(model, caches, torch.randint(0, args.vocab, (1, context)), 0)
            token, times, start = torch.randint(0, args.vocab, (1, 1)), [], time.perf_counter()
            while time.perf_counter() - start < args.seconds or len(times) < ROUNDS * STEPS:
                run(model, caches, token, context)
                for t in range(context + 1, context + 1 + STEPS):
                    before = time.perf_counter()
                    run(model, caches, token, t)
                    times.append((time.perf_counter() - before) * 1e6)
            print(json.dumps(row(args, context, times, error)), flush=True)


def row(args, context, times, error):
    first, median, third = statistics.quantiles(times, n=4)
    return {
        "mixer": "attention",
        "context": context,
        "step_us": median,
        "step_us_q1": first,
        "step_us_q3": third,
        "tokens_per_second": 1e6 / median,
        "steps": len(times),
        "check_error": error,
        "threads": args.threads,
        "torch": torch.__version__,
    }


if __name__ == "__main__":
    main()

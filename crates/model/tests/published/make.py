"""Writes a small M2-BERT with random weights under its published names, twice, and what it answers.

m2_bert.pt           nested as a trainer's checkpoint, with an optimiser's tensor beside the model's
m2_bert.safetensors  the same tensors without a prefix
m2_bert_run.safetensors  tokens, token types and logits, of the formulas below in f64

The formulas are those of crates/model/README.md and crates/monarch/README.md, written once more without either crate.
Needs torch. `python make.py` in this folder; the seed is fixed.
"""

import json
import math
import struct

import torch

LAYERS, WIDTH, HIDDEN, BLOCKS, VOCAB, LENGTH, TYPES = 2, 8, 16, 4, 11, 6, 2
ORDER, FEATURES, EPS = 4, 5, 1e-12
torch.manual_seed(0)


def draw(*shape):
    return (torch.randn(*shape) * 0.3).to(torch.float32)


def norm(name, weights):
    weights[f"{name}.weight"] = 1 + draw(WIDTH)
    weights[f"{name}.bias"] = draw(WIDTH)


def dense(name, weights, inputs, outputs, bias=True):
    weights[f"{name}.weight"] = draw(outputs, inputs)
    if bias:
        weights[f"{name}.bias"] = draw(outputs)


def long_filter(name, weights):
    frequency = 3 + draw(1, ORDER)
    for net in ["implicit_filter", "implicit_filter_rev"]:
        for layer, (inputs, outputs) in enumerate([(FEATURES, ORDER), (ORDER, ORDER), (ORDER, ORDER), (ORDER, WIDTH)]):
            dense(f"{name}.{net}.{2 * layer}", weights, inputs, outputs, bias=layer < 3)
        for sine in [1, 3, 5]:
            weights[f"{name}.{net}.{sine}.freq"] = frequency
    weights[f"{name}.pos_emb.z"] = draw(1, LENGTH, FEATURES)
    weights[f"{name}.pos_emb.t"] = torch.linspace(0, 1, LENGTH).reshape(1, LENGTH, 1)
    slow, fast = math.log(1e-2) / 1.5, math.log(1e-2) / 0.3
    weights[f"{name}.modulation.deltas"] = torch.linspace(slow, fast, WIDTH).reshape(1, 1, WIDTH)
    weights[f"{name}.bias"] = draw(WIDTH)


def model():
    weights = {}
    weights["bert.embeddings.word_embeddings.weight"] = draw(VOCAB, WIDTH)
    weights["bert.embeddings.position_embeddings.weight"] = draw(LENGTH, WIDTH)
    weights["bert.embeddings.token_type_embeddings.weight"] = draw(TYPES, WIDTH)
    norm("bert.embeddings.LayerNorm", weights)
    for layer in range(LAYERS):
        mixer, mlp = f"bert.encoder.layer.{layer}.attention", f"bert.encoder.layer.{layer}.mlp"
        dense(f"{mixer}.in_linear", weights, WIDTH, 3 * WIDTH)
        weights[f"{mixer}.short_filter.weight"] = draw(3 * WIDTH, 1, 3)
        weights[f"{mixer}.short_filter.bias"] = draw(3 * WIDTH)
        long_filter(f"{mixer}.filter_fn", weights)
        long_filter(f"{mixer}.filter_fn2", weights)
        dense(f"{mixer}.out_linear", weights, WIDTH, WIDTH)
        weights[f"{mlp}.gated_layers.weight"] = draw(BLOCKS, 2 * HIDDEN // BLOCKS, WIDTH // BLOCKS)
        weights[f"{mlp}.wo.weight"] = draw(BLOCKS, WIDTH // BLOCKS, HIDDEN // BLOCKS)
        weights[f"{mlp}.wo.bias"] = draw(WIDTH)
        norm(f"{mlp}.layernorm", weights)
    dense("cls.predictions.transform.dense", weights, WIDTH, WIDTH)
    norm("cls.predictions.transform.LayerNorm", weights)
    weights["cls.predictions.decoder.weight"] = weights["bert.embeddings.word_embeddings.weight"]
    weights["cls.predictions.decoder.bias"] = draw(VOCAB)
    return weights


def save_file(tensors, path):
    header, data = {}, b""
    for name, values in tensors.items():
        kind = {torch.float32: "F32", torch.int32: "I32"}[values.dtype]
        raw = values.contiguous().numpy().tobytes()
        span = [len(data), len(data) + len(raw)]
        header[name] = {"dtype": kind, "shape": list(values.shape), "data_offsets": span}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


class Run:
    def __init__(self, weights):
        self.w = {name: values.double() for name, values in weights.items()}

    def dense(self, name, x):
        return x @ self.w[f"{name}.weight"].T + self.w.get(f"{name}.bias", 0)

    def norm(self, name, x):
        centred = x - x.mean(-1, keepdim=True)
        scaled = centred / torch.sqrt((centred**2).mean(-1, keepdim=True) + EPS)
        return scaled * self.w[f"{name}.weight"] + self.w[f"{name}.bias"]

    def block_diagonal(self, name, x):
        w = self.w[f"{name}.weight"]
        parts = [piece @ w[i].T for i, piece in enumerate(x.split(w.shape[2], dim=-1))]
        return torch.cat(parts, -1) + self.w.get(f"{name}.bias", 0)

    def taps(self, name, net):
        h = self.w[f"{name}.pos_emb.z"][0]
        for layer in [0, 2, 4]:
            h = torch.sin(self.w[f"{name}.{net}.{layer + 1}.freq"] * self.dense(f"{name}.{net}.{layer}", h))
        decay = torch.exp(-self.w[f"{name}.pos_emb.t"][0] * self.w[f"{name}.modulation.deltas"][0].abs())
        return self.dense(f"{name}.{net}.6", h) * decay

    def long_conv(self, name, x):
        ahead, behind = self.taps(name, "implicit_filter_rev"), self.taps(name, "implicit_filter")
        y = x * self.w[f"{name}.bias"]
        for t in range(x.shape[1]):
            for s in range(x.shape[1]):
                tap = behind[t - s] if s <= t else ahead[s - t - 1]
                y[:, t] += tap * x[:, s]
        return y

    def mixer(self, name, x):
        p = torch.zeros_like(self.dense(f"{name}.in_linear", x)) + self.w[f"{name}.short_filter.bias"]
        projected, short = self.dense(f"{name}.in_linear", x), self.w[f"{name}.short_filter.weight"][:, 0]
        for t in range(x.shape[1]):
            for back in range(min(t, 2) + 1):
                p[:, t] += short[:, 2 - back] * projected[:, t - back]
        x1, x2, v = p.split(WIDTH, dim=-1)
        y = self.long_conv(f"{name}.filter_fn", v * x1) * x2 + self.long_conv(f"{name}.filter_fn2", x)
        return self.dense(f"{name}.out_linear", y)

    def logits(self, tokens, types):
        table = self.w["bert.embeddings.word_embeddings.weight"]
        rows = self.w["bert.embeddings.position_embeddings.weight"][: tokens.shape[1]]
        h = table[tokens] + rows + self.w["bert.embeddings.token_type_embeddings.weight"][types]
        h = self.norm("bert.embeddings.LayerNorm", h)
        for layer in range(LAYERS):
            name = f"bert.encoder.layer.{layer}"
            h = self.mixer(f"{name}.attention", h)
            a, b = self.block_diagonal(f"{name}.mlp.gated_layers", h).split(HIDDEN, dim=-1)
            mixed = self.block_diagonal(f"{name}.mlp.wo", torch.nn.functional.gelu(a) * b)
            h = self.norm(f"{name}.mlp.layernorm", mixed + h)
        h = torch.nn.functional.gelu(self.dense("cls.predictions.transform.dense", h))
        h = self.norm("cls.predictions.transform.LayerNorm", h)
        return h @ table.T + self.w["cls.predictions.decoder.bias"]


weights = model()
tokens = torch.randint(0, VOCAB, (2, LENGTH - 1))
types = (torch.arange(LENGTH - 1) > 2).long().expand(2, -1)
logits = Run(weights).logits(tokens, types)
save_file(weights, "m2_bert.safetensors")
run = {"tokens": tokens.int(), "types": types.int(), "logits": logits.float()}
save_file(run, "m2_bert_run.safetensors")
state = {"model": {f"model.{name}": values for name, values in weights.items()}, "optimizers": {"step": draw(3)}}
torch.save({"state": state}, "m2_bert.pt")

"""The peer of bench/step: the same step by PyTorch and transformers, or where
there is no transformers (Debian's PyTorch) by a plain module.

step_torch.py SHAPE full|lora ROWS TOKENS STEPS [bf16] [compile]

Prints one JSON line as bench/step does. `bf16` is autocast to bfloat16.
Threads are OMP_NUM_THREADS's.
"""
import json
import resource
import statistics
import sys
import time

import torch
from torch import nn

try:
    import transformers
    BY = "transformers " + transformers.__version__
except ImportError:
    BY = "a plain module"

SHAPES = {
    "nano": (192, 512, 5, 3, 1, 320),
    "135M": (576, 1536, 30, 9, 3, 49152),
    "0.5B": (896, 4864, 24, 14, 2, 151936),
}


class Low(nn.Module):
    """A frozen linear with a LoRA pair beside it."""
    def __init__(self, base, r=16, alpha=32):
        super().__init__()
        self.base, self.scale = base, alpha / r
        self.a = nn.Parameter(torch.randn(r, base.in_features) * .02)
        self.b = nn.Parameter(torch.zeros(base.out_features, r))

    def forward(self, x):
        return self.base(x) + (x @ self.a.T @ self.b.T) * self.scale


def norm(x, gain):
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-5) * gain


def turn(x, cos, sin):
    a, b = x.chunk(2, -1)
    return x * cos + torch.cat((-b, a), -1) * sin


class Block(nn.Module):
    def __init__(self, hidden, ffn, heads, kv, d=64):
        super().__init__()
        self.heads, self.kv, self.d = heads, kv, d
        self.q = nn.Linear(hidden, heads * d, bias=False)
        self.k = nn.Linear(hidden, kv * d, bias=False)
        self.v = nn.Linear(hidden, kv * d, bias=False)
        self.o = nn.Linear(heads * d, hidden, bias=False)
        self.gate = nn.Linear(hidden, ffn, bias=False)
        self.up = nn.Linear(hidden, ffn, bias=False)
        self.down = nn.Linear(ffn, hidden, bias=False)
        self.n1 = nn.Parameter(torch.ones(hidden))
        self.n2 = nn.Parameter(torch.ones(hidden))

    def heads_of(self, x, n):
        return x.view(x.shape[0], x.shape[1], n, self.d).transpose(1, 2)

    def forward(self, x, cos, sin, mask):
        y = norm(x, self.n1)
        q = turn(self.heads_of(self.q(y), self.heads), cos, sin)
        k = turn(self.heads_of(self.k(y), self.kv), cos, sin)
        v = self.heads_of(self.v(y), self.kv)
        k, v = (z.repeat_interleave(self.heads // self.kv, 1) for z in (k, v))
        s = q @ k.transpose(2, 3) / self.d ** .5 + mask
        y = s.softmax(-1) @ v
        x = x + self.o(y.transpose(1, 2).flatten(2))
        y = norm(x, self.n2)
        return x + self.down(nn.functional.silu(self.gate(y)) * self.up(y))


class Plain(nn.Module):
    def __init__(self, hidden, ffn, layers, heads, kv, vocab):
        super().__init__()
        self.embed = nn.Embedding(vocab, hidden)
        nn.init.normal_(self.embed.weight, std=.02)
        self.layers = nn.ModuleList(
            Block(hidden, ffn, heads, kv) for _ in range(layers))
        self.n = nn.Parameter(torch.ones(hidden))

    def forward(self, ids):
        t = ids.shape[1]
        angle = torch.outer(torch.arange(t), 1e4 ** (-torch.arange(32) / 32))
        angle = torch.cat((angle, angle), -1)
        mask = torch.full((t, t), float("-inf")).triu(1)
        x = self.embed(ids)
        for layer in self.layers:
            x = layer(x, angle.cos(), angle.sin(), mask)
        return norm(x, self.n) @ self.embed.weight.T


def build_plain(shape, what):
    model = Plain(*SHAPES[shape])
    if what == "lora":
        model.requires_grad_(False)
        for layer in model.layers:
            for name, part in list(layer.named_children()):
                setattr(layer, name, Low(part))
    return model


def build_hf(shape, what, context):
    from transformers import LlamaConfig, LlamaForCausalLM
    hidden, ffn, layers, heads, kv, vocab = SHAPES[shape]
    model = LlamaForCausalLM(LlamaConfig(
        hidden_size=hidden, intermediate_size=ffn, num_hidden_layers=layers,
        num_attention_heads=heads, num_key_value_heads=kv, head_dim=64,
        vocab_size=vocab, max_position_embeddings=context,
        tie_word_embeddings=True, use_cache=False))
    if what == "lora":
        import peft
        model = peft.get_peft_model(model, peft.LoraConfig(
            r=16, lora_alpha=32, target_modules="all-linear"))
    return model


def optimiser_of(weights):
    make = torch.optim.AdamW
    try:
        return make(weights, lr=1e-4, weight_decay=.01, fused=True)
    except (TypeError, RuntimeError):
        return make(weights, lr=1e-4, weight_decay=.01, foreach=True)


def main():
    shape, what, rows, tokens, steps, *extra = sys.argv[1:]
    rows, tokens, steps = int(rows), int(tokens), int(steps)
    vocab = SHAPES[shape][-1]
    torch.manual_seed(1)
    plain = BY == "a plain module"
    model = build_plain(shape, what) if plain else \
        build_hf(shape, what, tokens)
    ids = torch.randint(0, vocab, (rows, tokens + 1))
    weights = [p for p in model.parameters() if p.requires_grad]
    optimiser = optimiser_of(weights)
    run = torch.compile(model) if "compile" in extra else model

    def step():
        with torch.autocast("cpu", torch.bfloat16, enabled="bf16" in extra):
            logits = run(ids[:, :-1])
            logits = logits if plain else logits.logits
        loss = torch.nn.functional.cross_entropy(
            logits.float().reshape(-1, vocab), ids[:, 1:].reshape(-1))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1)
        optimiser.step()
        optimiser.zero_grad()
        return loss.item()

    took, loss = [], 0
    for i in range(-1, steps):
        start = time.monotonic()
        loss = step()
        if i >= 0:
            took.append(time.monotonic() - start)
    print(json.dumps({
        "bench": "step",
        "by": "torch " + torch.__version__ + ", " + BY +
              "".join(", " + x for x in extra),
        "shape": shape, "what": what, "rows": rows, "tokens": tokens,
        "precision": "bf16 autocast" if "bf16" in extra else "highest",
        "threads": torch.get_num_threads(),
        "tokens_per_second": round(rows * tokens / statistics.median(took)),
        "resident_mb":
            resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10,
        "loss": round(loss, 5)}))


main()

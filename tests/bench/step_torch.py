"""The peer of bench/step: the same step by PyTorch and transformers.

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
import transformers
from transformers import LlamaConfig, LlamaForCausalLM

SHAPES = {
    "nano": (192, 512, 5, 3, 1, 320),
    "135M": (576, 1536, 30, 9, 3, 49152),
    "0.5B": (896, 4864, 24, 14, 2, 151936),
}


def build(shape, what, context):
    hidden, ffn, layers, heads, kv, vocab = SHAPES[shape]
    torch.manual_seed(1)
    model = LlamaForCausalLM(LlamaConfig(
        hidden_size=hidden, intermediate_size=ffn, num_hidden_layers=layers,
        num_attention_heads=heads, num_key_value_heads=kv, head_dim=64,
        vocab_size=vocab, max_position_embeddings=context,
        tie_word_embeddings=True, use_cache=False))
    if what == "lora":
        import peft
        model = peft.get_peft_model(model, peft.LoraConfig(
            r=16, lora_alpha=32, target_modules="all-linear"))
    return model, vocab


def main():
    shape, what, rows, tokens, steps, *extra = sys.argv[1:]
    rows, tokens, steps = int(rows), int(tokens), int(steps)
    model, vocab = build(shape, what, tokens)
    ids = torch.randint(0, vocab, (rows, tokens + 1))
    weights = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(weights, lr=1e-4, weight_decay=.01,
                                  fused=True)
    run = torch.compile(model) if "compile" in extra else model

    def step():
        with torch.autocast("cpu", torch.bfloat16, enabled="bf16" in extra):
            logits = run(input_ids=ids[:, :-1]).logits
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
        "by": "torch " + torch.__version__ + ", transformers " +
              transformers.__version__ + "".join(", " + x for x in extra),
        "shape": shape, "what": what, "rows": rows, "tokens": tokens,
        "precision": "bf16 autocast" if "bf16" in extra else "highest",
        "threads": torch.get_num_threads(),
        "tokens_per_second": round(rows * tokens / statistics.median(took)),
        "resident_mb":
            resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10,
        "loss": round(loss, 5)}))


main()

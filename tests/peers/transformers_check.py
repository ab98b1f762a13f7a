"""See transformers.sh: compares stillroom-model (argv[1]) with transformers
on a small student made in the folder argv[2]."""
import json
import math
import os
import random
import subprocess
import sys

import torch
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, AutoTokenizer

MODEL, HOME = sys.argv[1:]
STUDENT = os.path.join(HOME, "student")
ROWS = os.path.join(HOME, "rows.jsonl")
STEPS = 50
torch.set_num_threads(1)


def run(*args, lines=None):
    """Runs a subcommand; JSON lines in, JSON lines out."""
    text = "".join(json.dumps(x) + "\n" for x in lines or [])
    done = subprocess.run([MODEL, *args], input=text.encode(), check=True,
                          capture_output=True)
    return [json.loads(x) for x in done.stdout.decode().split("\n")[:-1]
            if lines is not None]


def check(name, ok, figure=""):
    print(("ok  " if ok else "BAD ") + name, figure)
    if not ok:
        sys.exit(1)


def make():
    rng = random.Random(1)
    with open(ROWS, "w") as f:
        for i in range(12):
            v = [rng.randint(10, 99) for _ in range(3)]
            row = {"id": i,
                   "prompt": [{"role": "user", "content":
                               "Sort, do it: " + ", ".join(map(str, v))}],
                   "answer": {"content": ", ".join(map(str, sorted(v)))}}
            f.write(json.dumps(row) + "\n")
    run("new", STUDENT, "--rows", ROWS, "--hidden", "64", "--layers", "2",
        "--ffn", "96")


def ids():
    rng = random.Random(2)
    alphabet = "  \n\tabcs'té01²Ⅷ.,!?日本\u00a0\u3000\u2028👩" + "<|end|>"
    texts = ["", "don't you'll", "a\r\n  b", "<|user|>x<|end|>  "] + [
        "".join(rng.choice(alphabet) for _ in range(rng.randint(1, 40)))
        for _ in range(2000)]
    theirs = Tokenizer.from_file(os.path.join(STUDENT, "tokenizer.json"))
    ours = run("tokenize", STUDENT, lines=texts)
    bad = sum(a != theirs.encode(t).ids for a, t in zip(ours, texts))
    check("ids", len(ours) == len(texts) and not bad, f"{len(texts)} texts")


def template(tokenizer):
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Sort: 41, 20. é ✓"},
        {"role": "assistant", "content": "20, 41"},
        {"role": "user", "content": "Thanks  a lot"},
        {"role": "assistant", "content": "", "tool_calls": [
            {"id": "1", "function": {"name": "f", "arguments": "{}"}}]}]
    for prompt in False, True:
        ours, = run("render", STUDENT, lines=[
            {"messages": messages, "add_generation_prompt": prompt}])
        text = tokenizer.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=prompt)
        told = tokenizer.apply_chat_template(
            messages, add_generation_prompt=prompt, return_dict=True,
            return_assistant_tokens_mask=True)
        check("template", text == ours["text"])
        check("mask", told["input_ids"] == ours["ids"] and
              told["assistant_masks"] == ours["trained"])
    return ours["ids"]


def scores(model, sequence):
    with torch.no_grad():
        logits = model(torch.tensor([sequence])).logits[0].double()
    want = torch.log_softmax(logits, -1)
    got = run("score", STUDENT, lines=[{"ids": sequence}])[0]["logprobs"]
    off = max(abs(want[i, sequence[i + 1]].item() - x)
              for i, x in enumerate(got))
    check("log probabilities", off < 1e-4, f"{off:.1e}")


def rendered():
    rows = [json.loads(x) for x in open(ROWS)]
    return rows, run("render", STUDENT, lines=[
        {"messages": r["prompt"] + [{"role": "assistant", **r["answer"]}]}
        for r in rows])


def rate(step):
    warm = round(.1 * STEPS)
    if step < warm:
        return 1e-3 * step / warm
    x = (step - warm) / (STEPS - warm)
    return 1e-3 * (.05 + .95 * .5 * (1 + math.cos(math.pi * x)))


def train_theirs(model, batch):
    groups = [{"params": [p for p in model.parameters() if p.dim() > 1],
               "weight_decay": .1},
              {"params": [p for p in model.parameters() if p.dim() == 1],
               "weight_decay": 0.}]
    adamw = torch.optim.AdamW(groups, betas=(.9, .98), eps=1e-8)
    n = sum(sum(r["trained"][1:]) for r in batch)
    losses = []
    for step in range(STEPS):
        for g in adamw.param_groups:
            g["lr"] = rate(step)
        adamw.zero_grad()
        loss = 0
        for r in batch:
            x = torch.tensor([r["ids"]])
            want = x[0, 1:].clone()
            want[torch.tensor(r["trained"][1:]) == 0] = -100
            loss = loss + torch.nn.functional.cross_entropy(
                model(x[:, :-1]).logits[0], want, ignore_index=-100,
                reduction="sum") / n
        loss.backward()
        losses.append(loss.item())
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.)
        adamw.step()
    return losses


def training(model):
    rows, batch = rendered()
    tokens = sum(len(r["ids"]) - 1 for r in batch)
    out = os.path.join(HOME, "run")
    run("train", STUDENT, "--rows", ROWS, "--out", out, "--steps", str(STEPS),
        "--rate", "0.001", "--warmup", "0.1", "--batch-tokens", str(tokens))
    want = train_theirs(model, batch)
    got = [json.loads(x)["loss"] for x in open(os.path.join(out,
                                                            "curve.jsonl"))]
    off = max(abs(a - b) / a for a, b in zip(want, got))
    check("losses", len(got) == STEPS and off < 1e-4, f"{off:.1e}")
    ours = AutoModelForCausalLM.from_pretrained(os.path.join(out, "model"),
                                                dtype=torch.float32)
    theirs = model.state_dict()
    off = max((w - theirs[k]).norm().item() / theirs[k].norm().item()
              for k, w in ours.state_dict().items())
    check("weights", off < 1e-3, f"{off:.1e}")
    return rows, ours, os.path.join(out, "model")


def greedy(rows, model, folder, tokenizer):
    told = json.loads(subprocess.run(
        [MODEL, "eval", folder, "--rows", ROWS, "--json"], check=True,
        capture_output=True).stdout)
    for row, ours in zip(rows, told["answers"]):
        x = tokenizer.apply_chat_template(
            row["prompt"], add_generation_prompt=True, return_dict=True,
            return_tensors="pt")["input_ids"]
        y = model.generate(x, max_new_tokens=20, do_sample=False)
        text = tokenizer.decode(y[0, x.shape[1]:]).split("<|end|>")[0]
        check("greedy", ours["text"].startswith(text.rstrip("\ufffd")))


def adapter(model):
    """A peft adapter of the student: scored with it, and merged."""
    try:
        import peft
    except ImportError:
        print("without peft: no adapter is tried")
        return
    torch.manual_seed(1)
    changed = peft.get_peft_model(model, peft.LoraConfig(
        task_type="CAUSAL_LM", r=4, target_modules="all-linear"))
    for name, p in changed.named_parameters():
        if "lora_" in name:
            torch.nn.init.normal_(p, std=.2)
    folder = os.path.join(HOME, "adapter")
    changed.save_pretrained(folder)
    merged = os.path.join(HOME, "merged")
    run("merge", STUDENT, "--adapter", folder, "--out", merged)
    theirs = AutoModelForCausalLM.from_pretrained(merged, dtype=torch.float32)
    sequence = [3, 50, 61, 7, 90, 33, 8]
    with torch.no_grad():
        x = torch.tensor([sequence])
        want = changed(x).logits[0, -1]
        again = theirs(x).logits[0, -1]
    got = run("score", STUDENT, "--adapter", folder, "--logits", "200",
              lines=[{"ids": sequence}])[0]["logits"]
    off = max(abs(want[i].item() - v) for i, v in enumerate(got))
    check("adapter", off < 1e-4, f"{off:.1e}")
    off = (want - again).abs().max().item()
    check("merged", off < 1e-4, f"{off:.1e}")


def lora():
    """The pairs' losses step by step, and the adapter, against peft's."""
    try:
        import peft
    except ImportError:
        return
    rows, batch = rendered()
    tokens = str(sum(len(r["ids"]) - 1 for r in batch))

    def ours(name, steps, rate):
        out = os.path.join(HOME, name)
        run("train", STUDENT, "--rows", ROWS, "--out", out, "--steps",
            str(steps), "--rate", str(rate), "--warmup", "0.1",
            "--batch-tokens", tokens, "--lora", "4", "--rslora",
            "--lora-targets", "q_proj,v_proj,o_proj,up_proj,down_proj")
        return out

    def load(folder):
        base = AutoModelForCausalLM.from_pretrained(STUDENT,
                                                    dtype=torch.float32)
        return peft.PeftModel.from_pretrained(base, folder, is_trainable=True)

    begun = load(os.path.join(ours("begun", 1, 1e-30), "adapter"))
    out = ours("pairs", STEPS, 1e-3)
    want = train_theirs(begun, batch)
    got = [json.loads(x)["loss"]
           for x in open(os.path.join(out, "curve.jsonl"))]
    off = max(abs(a - b) / a for a, b in zip(want, got))
    check("losses of pairs", len(got) == STEPS and want[-1] < want[0] and
          off < 1e-4, f"{off:.1e}")
    trained = load(os.path.join(out, "adapter")).state_dict()
    theirs = begun.state_dict()
    off = max((w - theirs[k]).norm().item() / theirs[k].norm().item()
              for k, w in trained.items())
    check("pairs", off < 1e-3, f"{off:.1e}")
    merged = AutoModelForCausalLM.from_pretrained(
        os.path.join(out, "model"), dtype=torch.float32)
    x = torch.tensor([[3, 50, 61, 7, 90, 33, 8]])
    with torch.no_grad():
        off = (merged(x).logits - begun(x).logits).abs().max().item()
    check("folded", off < 1e-3, f"{off:.1e}")


make()
ids()
their_tokenizer = AutoTokenizer.from_pretrained(STUDENT)
their_model = AutoModelForCausalLM.from_pretrained(STUDENT,
                                                   dtype=torch.float32)
scores(their_model, template(their_tokenizer))
adapter(AutoModelForCausalLM.from_pretrained(STUDENT, dtype=torch.float32))
lora()
greedy(*training(their_model), their_tokenizer)

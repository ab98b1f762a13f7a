"""Holds the ids of random strings against the `tokenizers` library for
tokenizers made here, with random normalizers and added tokens of every flag:
`added_check.py PROGRAM [SEED] [HOW MANY TOKENIZERS]`.
"""
import json
import os
import random
import subprocess
import sys
import tempfile

os.environ["TOKENIZERS_PARALLELISM"] = "false"
from tokenizers import Tokenizer, __version__  # noqa: E402

SIGNS = list("abcxyzABXYZ012 _-<>/.,") + [
    "\u00e9", "e\u0301", "\u00c9", "\u2581", "\ufb01", "\u0301", "\t", "\n",
    "\u00a0", "\u3000", "\u65e5", "\u203f", "\u200d", "\u00b2", "\u2160"]
NORMALIZERS = [
    {"type": "NFC"}, {"type": "NFD"}, {"type": "NFKC"}, {"type": "NFKD"},
    {"type": "Lowercase"},
    {"type": "Strip", "strip_left": True, "strip_right": True},
    {"type": "Strip", "strip_left": True, "strip_right": False},
    {"type": "Prepend", "prepend": "\u2581"},
    {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"},
    {"type": "Replace", "pattern": {"String": "x"}, "content": "yy"},
    {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}]


def some(rng, of, most):
    return "".join(rng.choice(of) for _ in range(rng.randrange(1, most)))


def vocabulary():
    words = ["<unk>"] + [f"<0x{b:02X}>" for b in range(256)]
    words += sorted({c for s in SIGNS for c in s})
    merges = [["a", "b"], ["x", "y"], ["y", "y"], ["\u2581", "a"],
              ["\u2581", "yy"], ["ab", "c"], ["e", "\u0301"]]
    return words + ["".join(m) for m in merges], merges


def added(rng, normalizer):
    """Tokens whose texts stay apart behind the normalizer."""
    seen, out = set(), []
    words, _ = vocabulary()
    for _ in range(rng.randrange(1, 9)):
        text = rng.choice(["<%s>", "%s", " %s", "%s ", "%s%s"])
        text = text.replace("%s", some(rng, SIGNS, 4))
        bare = Tokenizer.from_str(json.dumps(made([], normalizer)))
        left = text if bare.normalizer is None else \
            bare.normalizer.normalize_str(text)
        if not left.strip() or {text, left} & (seen | set(words)):
            continue
        seen |= {text, left}
        flag = lambda: rng.random() < .35  # noqa: E731
        out.append({"id": len(words) + len(out), "content": text,
                    "single_word": flag(), "lstrip": flag(),
                    "rstrip": flag(), "normalized": rng.random() < .6,
                    "special": flag()})
    return out


def made(tokens, normalizer):
    words, merges = vocabulary()
    return {"version": "1.0", "truncation": None, "padding": None,
            "added_tokens": tokens, "normalizer": normalizer,
            "pre_tokenizer": None, "post_processor": None, "decoder": None,
            "model": {"type": "BPE", "dropout": None, "unk_token": "<unk>",
                      "continuing_subword_prefix": None,
                      "end_of_word_suffix": None, "fuse_unk": True,
                      "byte_fallback": True, "ignore_merges": False,
                      "vocab": {w: i for i, w in enumerate(words)},
                      "merges": merges}}


def make(rng):
    chosen = rng.sample(NORMALIZERS, rng.randrange(0, 4))
    normalizer = None if not chosen else chosen[0] if len(chosen) == 1 else {
        "type": "Sequence", "normalizers": chosen}
    return made(added(rng, normalizer), normalizer)


def ask(program, folder, given):
    lines = "".join(json.dumps(s) + "\n" for s in given)
    out = subprocess.run([program, "tokenize", folder], input=lines,
                         stdout=subprocess.PIPE, check=True, text=True).stdout
    return [json.loads(line) for line in out.splitlines()]


def main():
    rng = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    many = int(sys.argv[3]) if len(sys.argv) > 3 else 60
    strings = wrong = 0
    for _ in range(many):
        file = make(rng)
        texts = [t["content"] for t in file["added_tokens"]]
        given = [some(rng, SIGNS + texts * 4, 14) for _ in range(120)]
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "tokenizer.json"), "w") as f:
                json.dump(file, f)
            with open(os.path.join(folder, "tokenizer_config.json"),
                      "w") as f:
                f.write("{}")
            theirs = Tokenizer.from_file(os.path.join(folder,
                                                      "tokenizer.json"))
            got = ask(sys.argv[1], folder, given)
        for text, ids in zip(given, got):
            want = theirs.encode(text, add_special_tokens=False).ids
            strings += 1
            if ids != want:
                wrong += 1
                if wrong <= 3:
                    print(repr(text), want, ids,
                          json.dumps(file["normalizer"]),
                          json.dumps(file["added_tokens"]))
    print(f"{wrong} of {strings} strings differ, {many} tokenizers, "
          f"tokenizers {__version__}")
    sys.exit(wrong > 0)


main()

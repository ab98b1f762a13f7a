"""Holds the ids of 20,000 strings a tokenizer against the `tokenizers` library
on the same files: `tokenizers_check.py PROGRAM TEXTS... -- FOLDER...`.

The strings: cuts of the given texts, long ones too; random characters that
Unicode 3.2 had (the libraries' tables differ above); emoji and their joiners;
control characters but NUL, which our JSON refuses; blanks and contractions.
"""
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import unicodedata

os.environ["TOKENIZERS_PARALLELISM"] = "false"
from tokenizers import Tokenizer, __version__  # noqa: E402

WORDS = [" ", "  ", "\t", "\n", "\r\n", "word", "123", "4.5e6", "'s", "I'll",
         "\u00e9", "\u65e5\u672c", "<s>", "<|im_end|>"]


def some(rng, of, most):
    return "".join(rng.choice(of) for _ in range(rng.randrange(1, most)))


def strings(texts):
    rng = random.Random(7)
    old = unicodedata.ucd_3_2_0
    known = [chr(c) for c in range(0x20, 0x1f000)
             if old.category(chr(c)) not in ("Cn", "Cs", "Co")]
    emoji = [chr(c) for c in range(0x1f300, 0x1f64f)] + [
        "\u200d", "\ufe0f", "\U0001f469\u200d\U0001f467", " ", "a"]
    control = [chr(c) for c in [*range(1, 32), *range(127, 160)]] + list(" A1")
    out = []
    for _ in range(12960):
        text = rng.choice(texts)
        at = rng.randrange(max(1, len(text) - 300))
        out.append(text[at:at + rng.randrange(1, 300)])
    out += [some(rng, known, 60) for _ in range(3000)]
    out += [some(rng, emoji, 40) for _ in range(1500)]
    out += [some(rng, control, 40) for _ in range(1500)]
    out += [some(rng, WORDS, 50) for _ in range(1000)]
    out += [rng.choice(texts)[:rng.randrange(20000, 200000)]
            for _ in range(40)]
    return [s.replace("\0", "") for s in out]


def check(program, folder, given, lines):
    theirs = Tokenizer.from_file(os.path.join(folder, "tokenizer.json"))
    theirs.no_truncation()
    begin = time.monotonic()
    want = [theirs.encode(s).ids for s in given]
    middle = time.monotonic()
    lines.seek(0)
    out = subprocess.run([program, "tokenize", folder], stdin=lines,
                         stdout=subprocess.PIPE, check=True, text=True).stdout
    end = time.monotonic()
    got = [json.loads(line) for line in out.splitlines()]
    wrong = [s for s, a, b in zip(given, got, want) if a != b]
    print(f"{folder}: {len(wrong)} of {len(given)} differ; tokenizers "
          f"{__version__} {middle - begin:.2f} s, ours {end - middle:.2f} s "
          "(loading and JSON included)")
    for s in wrong[:3]:
        print(repr(s[:100]))
    return not wrong and len(got) == len(given)


def main():
    at = sys.argv.index("--")
    texts = []
    for path in sys.argv[2:at]:
        with open(path, errors="ignore") as f:
            texts.append(f.read(3000000))
    given = strings([t for t in texts if len(t) > 1000])
    with tempfile.TemporaryFile("w+") as lines:
        lines.writelines(json.dumps(s) + "\n" for s in given)
        lines.flush()
        if not all([check(sys.argv[1], folder, given, lines)
                    for folder in sys.argv[at + 1:]]):
            sys.exit(1)


main()

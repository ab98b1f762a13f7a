"""Writes tests/fixtures/gguf_blocks.h: one block of each type that GGUF files
hold, and the numbers that the gguf package makes of it.

    python3 tests/peers/make_gguf.py > tests/fixtures/gguf_blocks.h
"""
import importlib.metadata
import random
import struct

import numpy as np
from gguf import GGMLQuantizationType as T
from gguf import dequantize

TYPES = [T.F32, T.F16, T.BF16, T.Q8_0, T.Q4_0, T.Q4_1, T.Q5_0, T.Q5_1]
HALVES = {T.Q8_0: 1, T.Q4_0: 1, T.Q4_1: 2, T.Q5_0: 1, T.Q5_1: 2}
BYTES = {T.F32: 128, T.F16: 64, T.BF16: 64, T.Q8_0: 34, T.Q4_0: 18,
         T.Q4_1: 20, T.Q5_0: 22, T.Q5_1: 24}

rng = random.Random(4)
print("/* By tests/peers/make_gguf.py with gguf "
      f"{importlib.metadata.version('gguf')}: 32 numbers of each type. */")
print("static const struct {\n    int type, bytes;\n    uint8_t block[128];\n"
      "    float want[32];\n} blocks[] = {")
for t in TYPES:
    if t == T.F32:
        raw = struct.pack("<32f", *(rng.gauss(0, 1) for _ in range(32)))
    elif t in (T.F16, T.BF16):
        x = np.array([rng.gauss(0, 1) for _ in range(32)], np.float32)
        raw = (x.astype(np.float16).tobytes() if t == T.F16 else
               (x.view(np.uint32) >> 16).astype(np.uint16).tobytes())
    else:
        n = HALVES[t]
        raw = struct.pack(f"<{n}e", *(rng.uniform(-.1, .1)
                                      for _ in range(n)))
        raw += bytes(rng.randrange(256) for _ in range(BYTES[t] - 2 * n))
    got = dequantize(np.frombuffer(raw, np.uint8), t) if t not in (
        T.F32, T.F16) else np.frombuffer(
            raw, np.float32 if t == T.F32 else np.float16)
    values = [float(np.float32(v)).hex() for v in got.flatten()]
    print(f"    {{{t.value}, {len(raw)},\n     {{", end="")
    for i, b in enumerate(raw):
        print(f"{b}," + ("\n      " if i % 12 == 11 else " "), end="")
    print("},\n     {", end="")
    for i, v in enumerate(values):
        print(f"{v}f," + ("\n      " if i % 3 == 2 else " "), end="")
    print("}},")
print("};")

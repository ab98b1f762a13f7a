"""Writes tests/fixtures/{llama,gemma3}.gguf, two tiny models with tokenizers of
SentencePiece as llama.cpp's converter makes them, and gguf_models.jsonl: what
transformers and sentencepiece make of the same models.

    python3 tests/peers/make_gguf_models.py convert_hf_to_gguf.py tests/fixtures
"""
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import tempfile

import sentencepiece
import torch
from transformers import (AutoModelForCausalLM, Gemma3ForCausalLM,
                          Gemma3TextConfig, LlamaConfig, LlamaForCausalLM)

VOCAB = 340
TEXTS = ["", " ", "a", "  two  blanks ", "The student learns.", "x = 12345;\n",
         "\ttab\n\n", "h\u00e9llo w\u00f6rld", "\u65e5\u672c\u8a9e",
         "\U0001f642 smile", "already\u2581marked", "UPPER lower 3.14",
         "a b c d e f", "the the the", "(rows)", "\u00a0hard blank",
         "training trains trainers", "no.such-word_here"]
SPECIALS = {"llama": ("<unk>", "<s>", "</s>"),
            "gemma3": ("<unk>", "<bos>", "<eos>")}


def train(name, folder):
    begins = name == "llama"
    ids = (0, 1, 2, -1) if begins else (3, 2, 1, 0)
    corpus = os.path.join(folder, "corpus")
    top = os.path.join(os.path.dirname(__file__), "..", "..")
    with open(corpus, "w") as f:
        for part in ("README", "man/stillroom.1", "man/stillroom-model.1"):
            f.write(open(os.path.join(top, part)).read())
    prefix = os.path.join(folder, "tokenizer")
    sentencepiece.SentencePieceTrainer.train(
        input=corpus, model_prefix=prefix, vocab_size=VOCAB, model_type="bpe",
        byte_fallback=True, character_coverage=.99, split_digits=True,
        add_dummy_prefix=begins, remove_extra_whitespaces=False,
        normalization_rule_name="identity", allow_whitespace_only_pieces=True,
        unk_id=ids[0], bos_id=ids[1], eos_id=ids[2], pad_id=ids[3],
        minloglevel=2)
    return prefix + ".model"


def model(name):
    torch.manual_seed(3)
    sizes = dict(vocab_size=VOCAB, hidden_size=16, intermediate_size=24,
                 num_attention_heads=2, num_key_value_heads=1, head_dim=8,
                 initializer_range=.3)
    if name == "llama":
        return LlamaForCausalLM(LlamaConfig(
            **sizes, num_hidden_layers=2, max_position_embeddings=32768,
            rope_theta=5e5, tie_word_embeddings=False, rope_scaling={
                "rope_type": "llama3", "factor": 32.0, "low_freq_factor": 1.0,
                "high_freq_factor": 4.0,
                "original_max_position_embeddings": 8192}))
    m = Gemma3ForCausalLM(Gemma3TextConfig(
        **sizes, num_hidden_layers=6, max_position_embeddings=64,
        sliding_window=8, query_pre_attn_scalar=8, bos_token_id=2,
        eos_token_id=1, pad_token_id=0))
    with torch.no_grad(): # gains of 0 would hide the 1 that is added, in half
        for key, w in m.named_parameters():
            if "norm" in key:
                w.uniform_(-16, 16).round_().div_(64)
    return m


def one(name, converter, out):
    with tempfile.TemporaryDirectory() as folder:
        tokens = train(name, folder)
        hf = os.path.join(folder, "hf")
        model(name).half().save_pretrained(hf)
        shutil.copy(tokens, os.path.join(hf, "tokenizer.model"))
        unknown, begin, end = SPECIALS[name]
        json.dump({"tokenizer_class": "LlamaTokenizer" if name == "llama"
                   else "GemmaTokenizer", "unk_token": unknown,
                   "bos_token": begin, "eos_token": end,
                   "add_bos_token": True, "legacy": False},
                  open(os.path.join(hf, "tokenizer_config.json"), "w"))
        subprocess.run([sys.executable, converter, hf, "--outtype", "f16",
                        "--outfile", os.path.join(out, name + ".gguf")],
                       check=True, capture_output=True)
        m = AutoModelForCausalLM.from_pretrained(hf, dtype=torch.float32)
        m.eval()
        ids = torch.arange(40)[None] * 37 % (VOCAB - 4) + 4
        with torch.no_grad():
            p = torch.log_softmax(m(ids).logits[0].double(), -1)
        spm = sentencepiece.SentencePieceProcessor(tokens)
        return {"file": name + ".gguf", "by": ["sentencepiece " +
                importlib.metadata.version("sentencepiece"), "transformers " +
                importlib.metadata.version("transformers")],
                "texts": TEXTS, "bos": 1 if name == "llama" else 2,
                "ids": [spm.encode(t) for t in TEXTS],
                "scored": ids[0].tolist(),
                "logprobs": [round(x, 6) for x in
                             p[:-1].gather(1, ids[0, 1:, None])[:, 0].tolist()]}


def main():
    converter, out = sys.argv[1:]
    with open(os.path.join(out, "gguf_models.jsonl"), "w") as f:
        for name in SPECIALS:
            f.write(json.dumps(one(name, converter, out)) + "\n")


main()

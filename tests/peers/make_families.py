"""Writes tests/fixtures/families.jsonl: for one small model of every family
(and of every variation that a family's config.json may ask for), what
transformers gives with weights by a formula that unit/test_families.c knows
too: the last row's logits, the loss, and two figures of every gradient; and
the logits with an adapter of peft on it, by the same formula.

    python3 tests/peers/make_families.py > tests/fixtures/families.jsonl
"""
import json
import math

import peft
import torch
import transformers
from transformers import AutoConfig, AutoModelForCausalLM

SIZES = {"hidden_size": 24, "intermediate_size": 20, "num_hidden_layers": 2,
         "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8,
         "vocab_size": 23, "max_position_embeddings": 64,
         "rms_norm_eps": 1e-5}
LLAMA3 = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0,
          "high_freq_factor": 4.0, "original_max_position_embeddings": 32}
# with a pad_token_id torch would give that embedding no gradient
GEMMA = {"pad_token_id": None, "sliding_window": 5,
         "query_pre_attn_scalar": 11,
         "sliding_window_pattern": 2, "rope_theta": 1e5,
         "rope_local_base_freq": 100.0, "hidden_activation":
         "gelu_pytorch_tanh"}
MODELS = [
    ("llama", "LlamaForCausalLM", {}),
    ("llama", "LlamaForCausalLM", {
        "attention_bias": True, "mlp_bias": True, "rope_theta": 5e3,
        "rope_scaling": LLAMA3, "tie_word_embeddings": True}),
    ("llama", "LlamaForCausalLM", {
        "rope_scaling": {"rope_type": "linear", "factor": 4.0}}),
    ("mistral", "MistralForCausalLM", {"sliding_window": 4,
                                       "rope_theta": 50.0}),
    ("mistral", "MistralForCausalLM", {"sliding_window": None,
                                       "head_dim": 6}),
    ("qwen2", "Qwen2ForCausalLM", {"head_dim": None}),
    ("qwen2", "Qwen2ForCausalLM", {
        "head_dim": None, "use_sliding_window": True, "sliding_window": 6,
        "rope_theta": 100.0,
        "max_window_layers": 1, "tie_word_embeddings": True}),
    ("qwen3", "Qwen3ForCausalLM", {"tie_word_embeddings": True}),
    ("qwen3", "Qwen3ForCausalLM", {"attention_bias": True,
                                   "rope_theta": 1e6}),
    ("gemma3_text", "Gemma3ForCausalLM", GEMMA),
    ("gemma3_text", "Gemma3ForCausalLM", {
        **GEMMA, "attention_bias": True,
        "rope_scaling": {"rope_type": "linear", "factor": 8.0}}),
    ("gpt2", "GPT2LMHeadModel", None),
]
GPT2 = {"n_embd": 24, "n_layer": 2, "n_head": 3, "n_positions": 64,
        "vocab_size": 23, "activation_function": "gelu_new",
        "attn_pdrop": 0.0, "embd_pdrop": 0.0, "resid_pdrop": 0.0}
ADAPTERS = [ # by place in the above: rank, alpha, rsLoRA, modules
    {"r": 4, "lora_alpha": 8, "target_modules": "all-linear"},
    {"r": 3, "lora_alpha": 5.0, "use_rslora": True,
     "target_modules": ["q_proj", "v_proj", "down_proj"]},
]
ADVERSE = [1, 3, 5, 7, 8, 9, 10, 11]
IDS = [(i * i * 7 + 3 * i + 1) % 23 for i in range(40)]


def weight(name, shape):
    """What unit/test_families.c fills the tensor of that name with."""
    n = math.prod(shape)
    key = sum(name.encode()) % 97
    i = torch.arange(n, dtype=torch.float64)
    x = .25 * torch.sin(i * (0.7 + 0.01 * key) + key)
    if len(shape) == 1 and name.endswith("weight"):
        x += 1
    return x.float().reshape(shape)


def adverse(name, shape):
    """The same with what breaks careless arithmetic: gains of .01 and 50, a
    residual channel of 300, keys and values with large common offsets. (Gains
    of q and k stay: with them scores of 7,000 leave a float no digits.)"""
    x = weight(name, shape).double().flatten()
    i = torch.arange(x.numel())
    if len(shape) == 1 and name.endswith("weight") and \
            not name.endswith(("q_norm.weight", "k_norm.weight")):
        x *= torch.where(i % 2 == 0, .01, 50.)
    if name.endswith(("embed_tokens.weight", "wte.weight")):
        x = torch.where(i % shape[1] == 2, 300., x)
    if name.endswith("k_proj.bias"):
        x += torch.where(i % 2 == 0, 200., -200.)
    if name.endswith("v_proj.bias"):
        x += 30
    if name.endswith("c_attn.bias"):
        third = shape[0] // 3
        x += torch.where(i < third, 0., torch.where(
            i >= 2 * third, 30., torch.where(i % 2 == 0, 200., -200.)))
    return x.float().reshape(shape)


def figures(grad):
    g = grad.double().flatten()
    i = torch.arange(g.numel(), dtype=torch.float64)
    return [g.norm().item(), (g * torch.cos(i)).sum().item()]


def adapt(model, settings):
    """The adapter's config as peft writes it, its shapes, and the logits."""
    c = peft.LoraConfig(task_type="CAUSAL_LM", **settings)
    model = peft.get_peft_model(model, c).eval()
    state = peft.get_peft_model_state_dict(model)
    with torch.no_grad():
        for name, x in state.items():
            x.copy_(weight(name, tuple(x.shape)))
        peft.set_peft_model_state_dict(model, state)
        logits = model(torch.tensor([IDS])).logits[0, -1]
    told = c.to_dict()
    for k, v in told.items():
        if isinstance(v, set):
            told[k] = sorted(v)
        elif hasattr(v, "value"):
            told[k] = v.value
    return {"adapter": told, "shapes": {n: list(x.shape)
                                        for n, x in state.items()},
            "adapted": logits.tolist()}


def build(kind, architecture, extra, fill, dtype):
    config = {"architectures": [architecture], "model_type": kind}
    config |= GPT2 if extra is None else SIZES | extra
    config = {k: v for k, v in config.items() if v is not None or
              k in ("sliding_window", "pad_token_id")}
    c = AutoConfig.for_model(**config)
    c._attn_implementation = "eager"
    model = AutoModelForCausalLM.from_config(c, dtype=dtype).eval()
    with torch.no_grad():
        for name, p in model.named_parameters():
            p.copy_(fill(name, tuple(p.shape)))
    return config, model


def run(config, model):
    x = torch.tensor([IDS])
    logits = model(x).logits[0]
    loss = torch.nn.functional.cross_entropy(logits[:-1], x[0, 1:],
                                             reduction="sum")
    loss.backward()
    return {"config": config, "ids": IDS, "logits": logits[-1].tolist(),
            "loss": loss.item(),
            "grad": {n: figures(p.grad) for n, p in model.named_parameters()}}


def measure(i, kind, architecture, extra):
    config, model = build(kind, architecture, extra, weight, torch.float32)
    told = run(config, model)
    settings = ADAPTERS[0 if extra is None else i % len(ADAPTERS)]
    return told | adapt(model, settings)


print(json.dumps({"made_by": f"torch {torch.__version__}, transformers "
                             f"{transformers.__version__}, peft "
                             f"{peft.__version__}"}))
for i, args in enumerate(MODELS):
    print(json.dumps(measure(i, *args)))
for i in ADVERSE: # what is true, in double, and how far off torch's float is
    told = run(*build(*MODELS[i], adverse, torch.float64))
    single = run(*build(*MODELS[i], adverse, torch.float32))
    for name, g in told["grad"].items():
        off = [abs(a - b) for a, b in zip(g, single["grad"][name])]
        told["grad"][name] = g + off
    print(json.dumps(told | {"adverse": True}))

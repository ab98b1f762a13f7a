"""Reads a bundle as trainers do: `trainers_check.py FOLDER`. With --rows it
prints the rows that the bundle is made of. The last line is "all rows read",
or what went wrong."""
import glob
import importlib.util
import json
import os
import sys
import types

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HF_HOME", os.path.join(os.getcwd(), "hf"))
FUNCTION = {"name": "rain", "description": "d", "parameters": {
    "type": "object", "properties": {"n": {"type": "integer"}}}}


def call(i, arguments):
    return {"id": i, "type": "function",
            "function": {"name": "rain", "arguments": arguments}}


def rows():
    """60 plain rows of 200 kB, so that a file has more than the 10 MB that
    the loader judges it by, and the others behind them."""
    user = {"role": "user", "content": "q"}
    for i in range(60):
        yield [{"role": "user", "content": f"Plain {i}?"},
               {"role": "assistant", "content": f"{i} yes " * 25000}], None
    for i in range(20):
        yield [{"role": "user", "content": f"Rain {i}?"},
               {"role": "assistant", "content": "", "tool_calls": [
                   call("c1", {"n": i} if i % 2 else
                        '{"n": 12345678901234567890, "deep": [1, {"x": 2}]}'),
                   call("c2", {})]},
               {"role": "tool", "content": "7", "tool_call_id": "c1"},
               {"role": "tool", "content": "8", "tool_call_id": "c2"},
               {"role": "assistant", "content": "Seven.",
                "reasoning_content": "hm"}], [FUNCTION]
        yield [{"role": "user", "content": f"Call {i}?"},
               {"role": "assistant", "content": "", "tool_calls": [
                   call("c1", {"n": i})]}], [FUNCTION]
        yield [{"role": "system", "content": "S."},
               {"role": "user", "content": f"First {i}?"},
               {"role": "assistant", "content": "Bad.", "weight": 0},
               user, {"role": "assistant", "content": "Good.",
                      "reasoning_content": "so"}], None


def load(path, name):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def template():
    """A tokenizer of one word with trl's own Qwen3 template."""
    import trl
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from transformers import PreTrainedTokenizerFast
    folder = os.path.join(os.path.dirname(trl.__file__), "chat_templates")
    with open(os.path.join(folder, "qwen3.jinja"), encoding="utf-8") as f:
        text = f.read()
    t = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(
        WordLevel({"x": 0}, unk_token="x")))
    t.chat_template = text
    return t


def check_trl(folder, lock):
    from datasets import load_dataset
    from trl.data_utils import apply_chat_template, is_conversational
    tokenizer = template()
    for subset, splits in lock["rows"].items():
        got = load_dataset(folder, subset)
        for split, n in splits.items():
            name = "validation" if split == "valid" else split
            assert len(got[name]) == n, (subset, split)
            for row in got[name]:
                row = {k: v for k, v in row.items() if v is not None}
                assert is_conversational(row), row
                tools = json.loads(row.pop("tools", "null"))
                text = apply_chat_template(row, tokenizer, tools=tools)
                text = "".join(str(v) for v in text.values())
                assert not tools or '"name": "rain"' in text
                assert '"arguments": "' not in text, text


def check_llama_factory(folder, lock, source):
    for name in ("llamafactory", "llamafactory.data", "llamafactory.extras"):
        module = types.ModuleType(name)
        module.__path__ = [os.path.join(source, *name.split("."))]
        sys.modules[name] = module
    from datasets import load_dataset
    from enum import StrEnum
    data = types.ModuleType("llamafactory.data.data_utils")
    data.Role = StrEnum("Role", "USER ASSISTANT SYSTEM FUNCTION OBSERVATION")
    sys.modules["llamafactory.data.data_utils"] = data
    log = types.ModuleType("llamafactory.extras.logging")
    warnings = []
    log.get_logger = lambda _: types.SimpleNamespace(
        warning_rank0=warnings.append, warning_rank0_once=warnings.append)
    sys.modules["llamafactory.extras.logging"] = log
    sys.modules["llamafactory.extras"].logging = log
    misc = types.ModuleType("llamafactory.extras.misc")
    misc.use_modelscope = misc.use_openmind = lambda: False
    sys.modules["llamafactory.extras.misc"] = misc
    const = types.ModuleType("llamafactory.extras.constants")
    const.DATA_CONFIG = "dataset_info.json"
    sys.modules["llamafactory.extras.constants"] = const
    at = os.path.join(source, "llamafactory", "data")
    parser = load(os.path.join(at, "parser.py"), "llamafactory.data.parser")
    conv = load(os.path.join(at, "converter.py"),
                "llamafactory.data.converter")
    with open(os.path.join(folder, "dataset_info.json")) as f:
        names = list(json.load(f))
    counts = {f"{s}_{k}": n for s, k_n in lock["rows"].items()
              for k, n in k_n.items()}
    assert set(names) == set(counts), names
    for attr in parser.get_dataset_list(names, folder):
        path = os.path.join(folder, attr.dataset_name)
        name = os.path.basename(path)[:-len(".jsonl")]
        got = load_dataset("json", data_files=[path], split="train")
        assert len(got) == counts[name], name
        convert = conv.get_dataset_converter(attr.formatting, attr,
                                             types.SimpleNamespace())
        pairs = attr.ranking or attr.kto_tag
        for row in got:
            out = convert(row)
            assert len(out["_prompt"]) % 2 == 1, row
            assert len(out["_response"]) == (2 if pairs else 1), row
            for m in out["_prompt"] + out["_response"]:
                if m["role"] == "function":
                    text = m["content"].split("</think>")[-1]
                    assert isinstance(json.loads(text)[0]["arguments"], dict)
            if out["_tools"]:
                assert json.loads(out["_tools"]) == [FUNCTION]
    assert not warnings, warnings[0]


def check_axolotl(folder, source):
    util = types.ModuleType("axolotl.utils.chat_templates")
    util.extract_chat_template_args = lambda **_: (None, None)
    util.get_chat_template = lambda tokenizer, **_: tokenizer.chat_template
    schema = types.ModuleType("axolotl.utils.schemas.utils")
    schema.handle_legacy_message_fields_logic = lambda x: x
    for name in ("axolotl", "axolotl.utils", "axolotl.utils.schemas"):
        sys.modules[name] = types.ModuleType(name)
    sys.modules[util.__name__] = util
    sys.modules[schema.__name__] = schema
    at = os.path.join(source, "axolotl", "prompt_strategies", "dpo")
    dpo = load(os.path.join(at, "chat_template.py"), "axolotl_dpo")
    read, _ = dpo.default({"datasets": [{"field_messages": "prompt"}]})
    tokenizer = template()
    for path in glob.glob(os.path.join(folder, "dpo", "*.jsonl")):
        with open(path, encoding="utf-8") as f:
            for line in f:
                out = read(json.loads(line), tokenizer=tokenizer)
                assert out["chosen"] and out["rejected"] and out["prompt"]


def main():
    if sys.argv[1] == "--rows":
        for messages, tools in rows():
            row = {"messages": messages}
            if tools:
                row["tools"] = tools
            print(json.dumps(row))
        return
    folder = sys.argv[1]
    with open(os.path.join(folder, "prov", "lock.json")) as f:
        lock = json.load(f)
    check_trl(folder, lock)
    if os.environ.get("STILLROOM_LLAMAFACTORY"):
        check_llama_factory(folder, lock,
                            os.environ["STILLROOM_LLAMAFACTORY"])
    if os.environ.get("STILLROOM_AXOLOTL"):
        check_axolotl(folder, os.environ["STILLROOM_AXOLOTL"])
    print("all rows read")


main()

"""Reads a bundle as trainers do: `trainers_check.py FOLDER`. With --rows it
prints the rows that the bundle is made of. The last line is "all rows read",
or what went wrong."""
import glob
import importlib.abc
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
                tools = row.pop("tools", None)
                tools = json.loads(tools) if isinstance(tools, str) else tools
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


class Absent(types.ModuleType):
    """What is asked of it is a class without anything."""
    __path__ = []

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {"__class_getitem__": lambda *_: object})


class Absents(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Modules that are not needed to read rows."""
    def __init__(self, *names):
        self.names = names

    def find_spec(self, name, path=None, target=None):
        if name in self.names or name.split(".")[0] in self.names:
            return importlib.util.spec_from_loader(name, self)
        return None

    def create_module(self, spec):
        return Absent(spec.name)

    def exec_module(self, module):
        pass


def check_trained(row, full, trained, last_only=False, marks=False):
    """What the row says is read; what is to be trained, and that alone, is."""
    messages = row.get("messages") or row["prompt"] + row["completion"]
    tools = row.get("tools") or []
    for tool in json.loads(tools) if isinstance(tools, str) else tools:
        assert f'"name": "{tool["name"]}"' in full, full
    for i, m in enumerate(messages):
        last = i == len(messages) - 1
        said = [m["content"].split("</think>")[-1].strip()]
        said += [json.dumps(c["function"]["arguments"])
                 for c in m.get("tool_calls") or []]
        if last and "</think>" in m["content"]:
            said.append(m["content"].split("</think>")[0].split("\n")[1])
        if last:
            said.append(m.get("reasoning_content") or "")
        wanted = m["role"] == "assistant" and (last or not last_only)
        wanted = wanted and not (marks and m.get("train") is False)
        for text in said:
            assert text in (trained if wanted else full), (text, trained)
            assert wanted or len(text) < 3 or text not in trained, trained


def check_labels(row, tokenizer, tokens, labels, **how):
    trained = [t for t, l in zip(tokens, labels) if l != -100]
    check_trained(row, tokenizer.decode(tokens), tokenizer.decode(trained),
                  **how)


def check_mlx(folder, listed, tokenizer):
    """mlx_lm.lora --data DIR/sft --mask-prompt"""
    from mlx_lm.tuner.datasets import load_dataset
    args = types.SimpleNamespace(data=os.path.join(folder, "sft"), train=True,
                                 test=False, mask_prompt=True)
    data = load_dataset(args, tokenizer)[0]
    for row in data:
        if len(str(row)) > 10000 or ("tools" in row and not listed):
            continue
        tokens, offset = data.process(row)
        check_trained(row, tokenizer.decode(tokens),
                      tokenizer.decode(tokens[offset:]), last_only=True)


def check_axolotl_sft(folder, source, tokenizer):
    """path: DIR/sft/train.jsonl, ds_type: json, type: chat_template"""
    from datasets import load_dataset
    sys.path.insert(0, source)
    for name in [n for n in sys.modules if n.split(".")[0] == "axolotl"]:
        del sys.modules[name] # what check_axolotl put in their place
    from axolotl.prompt_strategies.chat_template import load as strategy
    from axolotl.utils.dict import DictDefault
    from axolotl.utils.schemas.datasets import SFTDataset
    path = os.path.join(folder, "sft", "train.jsonl")
    data = load_dataset("json", data_files=path, split="train")
    for marks in None, "train":
        entry = SFTDataset(path=path, ds_type="json", type="chat_template",
                           message_field_training=marks)
        entry = DictDefault(entry.model_dump(exclude_none=True))
        config = DictDefault({"datasets": [entry], "sequence_len": 4096,
                              "chat_template": "tokenizer_default"})
        read = strategy(tokenizer, config, ds_cfg=entry)
        for row in data:
            if len(str(row)) > 10000:
                continue
            out = read.tokenize_prompt(json.loads(json.dumps(row)))
            row = {k: v for k, v in row.items() if v is not None}
            check_labels(row, tokenizer, out["input_ids"], out["labels"],
                         marks=bool(marks))


def check_nemo(folder, source, listed, tokenizer):
    """dataset_name: openai_format, use_preserving_dataset: true"""
    sys.meta_path.insert(0, Absents(
        "ray", "absl", "scipy", "librosa", "decord", "soundfile",
        "torchaudio", "torchdata", "nemo_rl.distributed",
        "nemo_rl.distributed.batched_data_dict"))
    sys.path.insert(0, source)
    from nemo_rl.data.datasets.response_datasets import load_response_dataset
    from nemo_rl.data.llm_message_utils import add_loss_mask_to_message_log
    path = os.path.join(folder, "sft", "train.jsonl")
    data = load_response_dataset({
        "dataset_name": "openai_format", "use_preserving_dataset": True,
        "data_path": path, "processor": "sft_processor"})
    with open(path, encoding="utf-8") as f:
        rows_there = [json.loads(line) for line in f]
    assert len(data.dataset) == len(rows_there)
    for i, row in enumerate(rows_there):
        if len(str(row)) > 10000 or ("tools" in row and not listed):
            continue
        log = data.processor(data.dataset[i], data.task_spec, tokenizer,
                             4096, i)["message_log"]
        add_loss_mask_to_message_log([log], roles_to_train_on=["assistant"])
        text = [(tokenizer.decode(m["token_ids"]), m["token_loss_mask"].any())
                for m in log]
        check_trained(row, "".join(t for t, _ in text),
                      "".join(t for t, on in text if on))


def check_unsloth(folder, source, listed, tokenizer):
    """SFTTrainer over load_dataset(DIR, "sft"), assistant_only_loss, and over
    sft_pc."""
    from datasets import Dataset, load_dataset
    package = types.ModuleType("unsloth_zoo")
    package.__path__ = [os.path.join(source, "unsloth_zoo")]
    sys.modules["unsloth_zoo"] = package
    workers = types.ModuleType("unsloth_zoo.dataset_num_proc")
    workers.get_dataset_num_proc = lambda _: None
    sys.modules[workers.__name__] = workers
    from unsloth_zoo.dataset_utils import sft_prepare_dataset
    trainer = types.SimpleNamespace(chat_template=None)
    for shape, key in ("sft", "messages"), ("sft_pc", "completion"):
        data = load_dataset(folder, shape, split="train")
        data = data.select([
            i for i, row in enumerate(data) if len(str(row)) < 10000 and
            (shape == "sft" or listed or not row.get("tools"))])
        args = types.SimpleNamespace(
            max_length=4096, dataset_text_field="text",
            assistant_only_loss=shape == "sft")
        out = sft_prepare_dataset(trainer, data, tokenizer, args, False, None,
                                  "train")
        assert len(out) == len(data), shape
        for row, read in zip(data, out):
            row = {k: v for k, v in row.items() if v is not None}
            labels = read.get("labels") or [x or -100 for x in read.get(
                "completion_mask") or read["assistant_masks"]]
            check_labels(row, tokenizer, read["input_ids"], labels,
                         last_only=shape == "sft_pc")


def check_others(folder, lock, there):
    """Those that a real tokenizer can be shown with."""
    from transformers import AutoTokenizer
    listed = lock.get("tools") == "list"
    tokenizer = AutoTokenizer.from_pretrained(os.environ["TOKENIZER"])
    if there["mlx"]:
        check_mlx(folder, listed, tokenizer)
    if there["axolotl"]:
        check_axolotl_sft(folder, there["axolotl"], tokenizer)
    if there["unsloth"]:
        check_unsloth(folder, there["unsloth"], listed, tokenizer)
    if there["nemo"]:
        check_nemo(folder, there["nemo"], listed, tokenizer)


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
    if os.path.isdir(os.environ.get("TOKENIZER", "")):
        check_others(folder, lock, {
            "mlx": importlib.util.find_spec("mlx_lm"),
            "axolotl": os.environ.get("STILLROOM_AXOLOTL"),
            "unsloth": os.environ.get("STILLROOM_UNSLOTH"),
            "nemo": os.environ.get("STILLROOM_NEMO")})
    print("all rows read")


main()

"""Asks `stillroom-model serve builtin` through the clients that people use, with
what they send by themselves and with every neutral field:
`clients_check.py PROGRAM`. Clients that are not installed are left out; without
any it ends with 77.
"""
import os
import subprocess
import sys

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

try:
    import openai
except ImportError:
    openai = None
try:
    import litellm
except ImportError:
    litellm = None

ASK = [{"role": "user", "content": "Ana has 3 bags of 7 eggs and loses 4. How "
                                   "many now?"}]
NEUTRAL = {"store": False, "parallel_tool_calls": False, "metadata": {"a": "b"},
           "service_tier": "auto", "reasoning_effort": "low", "user": "me",
           "n": 1, "logit_bias": {}, "response_format": {"type": "text"},
           "seed": 7, "tool_choice": "none", "top_p": 1, "stop": None,
           "presence_penalty": 0, "frequency_penalty": 0, "logprobs": False,
           "prompt_cache_key": "k", "safety_identifier": "u",
           "modalities": ["text"]}


def with_openai(base):
    client = openai.OpenAI(base_url=base, api_key="none", max_retries=0)
    assert [m.id for m in client.models.list()] == ["builtin"]
    ask = client.chat.completions.create
    plain = ask(model="builtin", messages=ASK)
    assert plain.choices[0].message.content.endswith("#### 17")
    again = ask(model="builtin", messages=ASK, **NEUTRAL)
    assert again.choices[0].message.content.endswith("#### 17")
    for name, value in NEUTRAL.items():
        ask(model="builtin", messages=ASK, **{name: value})
    parts = list(ask(model="builtin", messages=ASK, stream=True,
                     stream_options={"include_usage": True}))
    assert parts[-1].usage.completion_tokens > 0
    # a conversation goes on with what the client has parsed
    more = ASK + [plain.choices[0].message.model_dump(),
                  {"role": "user", "content": "7 km is how many m?"}]
    assert "7000" in ask(model="builtin",
                         messages=more).choices[0].message.content
    try:
        ask(model="builtin", messages=ASK, store=True)
    except openai.BadRequestError as e:
        assert "store" in str(e)
    else:
        raise AssertionError("store: true was taken")


def with_litellm(base):
    def ask(**more):
        return litellm.completion(model="openai/builtin", api_base=base,
                                  api_key="none", messages=ASK, num_retries=0,
                                  **more)
    assert ask().choices[0].message.content.endswith("#### 17")
    ask(user="me", seed=3, n=1, parallel_tool_calls=True, metadata={"a": "b"})
    text = "".join(p.choices[0].delta.content or ""
                   for p in ask(stream=True))
    assert text.endswith("#### 17"), text


def main():
    clients = [(openai, with_openai), (litellm, with_litellm)]
    if not any(module for module, _ in clients):
        print("skipped: neither openai nor litellm")
        sys.exit(77)
    server = subprocess.Popen(
        [sys.argv[1], "serve", "builtin", "--wrong", "0", "--slips", "0"],
        stdout=subprocess.PIPE, text=True)
    address = server.stdout.readline().split()[-1]
    try:
        for module, check in clients:
            if module:
                check(f"http://{address}/v1")
                print(module.__name__, getattr(module, "__version__", ""), "ok")
    finally:
        server.terminate()
        server.wait()


main()

#!/usr/bin/env python3
"""Writes tests/fixtures/templates.jsonl: chat templates of the kinds that models
ship with, and of everything that the language has, each with conversations and
what transformers' own compiler and Jinja2 make of them ("text", or "raises").
Run where transformers is installed; the first line names the versions."""
import datetime
import json
import sys

import jinja2
import transformers
import transformers.utils.chat_template_utils as utils

NOW = 1753000000


class Frozen(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return datetime.datetime.fromtimestamp(NOW, datetime.timezone.utc)


utils.datetime = Frozen

KINDS = {
    "chatml": """{% for m in messages %}{{ '<|im_start|>' + m['role'] + '
' + m['content'] + '<|im_end|>' + '
' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant
' }}{% endif %}""",
    "smollm": """{%- if messages[0].role != 'system' -%}
{{- '<|im_start|>system\\nYou are small and helpful.<|im_end|>\\n' -}}
{%- endif -%}
{%- for m in messages -%}
    {{- '<|im_start|>' ~ m.role ~ '\\n' ~ m.content ~ '<|im_end|>' ~ '\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif -%}""",
    "llama3": """{{- bos_token }}
{%- if not date_string is defined %}
    {%- set date_string = strftime_now("%d %b %Y") if strftime_now is defined
                          else "1 Jan" %}
{%- endif %}
{%- if messages[0]['role'] == 'system' %}
    {%- set system = messages[0]['content'] | trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system = "" %}
{%- endif %}
{{- "<|start_header_id|>system<|end_header_id|>\\n\\n" }}
{%- if tools is not none %}{{- "Environment: ipython\\n" }}{%- endif %}
{{- "Today: " + date_string + "\\n\\n" }}
{%- for t in tools or [] %}
    {{- t | tojson(indent=4) }}
    {{- "\\n\\n" }}
{%- endfor %}
{{- system }}{{- "<|eot_id|>" }}
{%- for m in messages %}
    {%- if not (m.role in ('ipython', 'tool') or 'tool_calls' in m) %}
        {{- '<|start_header_id|>' + m['role'] + '<|end_header_id|>\\n\\n' }}
        {{- m['content'] | trim + '<|eot_id|>' }}
    {%- elif 'tool_calls' in m %}
        {%- if m.tool_calls | length != 1 %}
            {{- raise_exception("one call at a time") }}
        {%- endif %}
        {%- set call = m.tool_calls[0].function %}
        {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' -}}
        {{- '{"name": "' + call.name + '", "parameters": ' }}
        {{- call.arguments | tojson }}
        {{- "}<|eot_id|>" }}
    {%- else %}
        {{- "<|start_header_id|>ipython<|end_header_id|>\\n\\n" }}
        {%- if m.content is mapping or m.content is iterable %}
            {{- m.content | tojson }}
        {%- else %}{{- m.content }}{%- endif %}
        {{- "<|eot_id|>" }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
{%- endif %}
""",
    "gemma": """{{ bos_token }}{% set first = '' %}
{%- if messages[0]['role'] == 'system' -%}
    {%- set first = messages[0]['content'] + '\\n\\n' -%}
    {%- set loop_messages = messages[1:] -%}
{%- else -%}{%- set loop_messages = messages -%}{%- endif -%}
{%- for message in loop_messages -%}
    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) -%}
        {{ raise_exception("roles must alternate") }}
    {%- endif -%}
    {%- set role = "model" if message['role'] == 'assistant'
                   else message['role'] -%}
    {{ '<start_of_turn>' + role + '\\n' + (first if loop.first else "") }}
    {%- if message['content'] is string -%}
        {{ message['content'] | trim }}
    {%- else -%}
        {%- for item in message['content'] if item.type == 'text' -%}
            {{ item['text'] | trim }}
        {%- endfor -%}
    {%- endif -%}
    {{ '<end_of_turn>\\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}{{ '<start_of_turn>model\\n' }}{%- endif -%}
""",
    "zephyr": """{% for message in messages %}
{% if message['role'] == 'user' %}
{{ '<|user|>
' + message['content'] + eos_token }}
{% elif message['role'] == 'system' %}
{{ '<|system|>
' + message['content'] + eos_token }}
{% elif message['role'] == 'assistant' %}
{{ '<|assistant|>
'  + message['content'] + eos_token }}
{% endif %}
{% if loop.last and add_generation_prompt %}
{{ '<|assistant|>' }}
{% endif %}
{% endfor %}""",
    "mistral": """{{ bos_token }}{% for message in messages %}
{%- if message.role == 'user' and loop.last and tools -%}
{{ '[AVAILABLE_TOOLS] ' }}{{ tools | map(attribute='function') | list }}
{{- '[/AVAILABLE_TOOLS]' }}
{%- endif -%}
{%- if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + ' [/INST]' }}
{%- elif message.tool_calls is defined and message.tool_calls -%}
{{ '[TOOL_CALLS] [' }}
{%- for call in message.tool_calls -%}
{%- set out = call.function | tojson -%}{{ out[:-1] }}
{%- if call.id | length != 9 %}{{ raise_exception('ids have 9') }}{% endif -%}
{{ ', "id": "' ~ call.id ~ '"}' }}{{ ', ' if not loop.last else ']' ~ eos_token }}
{%- endfor -%}
{%- elif message['role'] == 'assistant' %}{{ ' ' ~ message['content'] ~ eos_token }}
{%- elif message['role'] == 'tool' %}{{ '[TOOL_RESULTS] ' ~ message.content ~ '[/TOOL_RESULTS]' }}
{%- else %}{{ raise_exception('only user, assistant and tool') }}{% endif %}
{%- endfor %}""",
    "phi": """{% for message in messages %}{% if message['role'] == 'system' and message['content'] %}{{'<|system|>
' + message['content'] + '<|end|>
'}}{% elif message['role'] == 'user' %}{{'<|user|>
' + message['content'] + '<|end|>
'}}{% elif message['role'] == 'assistant' %}{{'<|assistant|>
' + message['content'] + '<|end|>
'}}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>
' }}{% else %}{{ eos_token }}{% endif %}""",
    "thinking": """{%- set ns = namespace(last=-1) %}
{%- for m in messages %}
    {%- if m.role == 'user' %}{%- set ns.last = loop.index0 %}{%- endif %}
{%- endfor %}
{%- if tools %}
    {{- '<|im_start|>system\\n# Tools\\n<tools>' }}
    {%- for t in tools %}{{- "\\n" }}{{- t | tojson }}{%- endfor %}
    {{- '\\n</tools><|im_end|>\\n' }}
{%- endif %}
{%- for m in messages %}
    {%- set content = m.content if m.content is string else '' %}
    {%- set thought = m.reasoning_content if m.reasoning_content is string
                      else '' %}
    {%- if not thought and '</think>' in content %}
        {%- set thought = content.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}
        {%- set content = content.split('</think>')[-1].lstrip('\\n') %}
    {%- endif %}
    {{- '<|im_start|>' + m.role + '\\n' }}
    {%- if m.role == 'assistant' and loop.index0 > ns.last %}
        {{- '<think>\\n' + thought.strip('\\n') + '\\n</think>\\n\\n' }}
    {%- endif %}
    {{- content }}
    {%- for call in m.tool_calls or [] %}
        {{- '\\n' if not loop.first or content else '' }}
        {%- if call.function %}{%- set call = call.function %}{%- endif %}
        {{- '<tool_call>\\n{"name": "' + call.name + '", "arguments": ' }}
        {%- if call.arguments is string %}{{- call.arguments }}
        {%- else %}{{- call.arguments | tojson }}{%- endif %}
        {{- '}\\n</tool_call>' }}
    {%- endfor %}
    {{- '<|im_end|>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}
        {{- '<think>\\n\\n</think>\\n\\n' }}
    {%- endif %}
{%- endif %}""",
}

LANGUAGE = r"""{%- macro m(a, b=2, c='x') -%}[{{ a }},{{ b }},{{ c }}]{%- endmacro %}
{{ m(1) }} {{ m(1, c=3) }}
{% for k, v in {'a':1,'b':[1,2.5,None,True,'q\'s']}.items() if v %}
  {{ loop.index }}/{{ loop.length }} {{ k }}={{ v }}{% if not loop.last %},{% endif %}

{% else %}none{% endfor %}
{% set ns = namespace(n=0) %}{% for i in range(10) %}{% if i == 2 %}{% continue %}{% endif %}{% if i > 5 %}{% break %}{% endif %}{% set ns.n = ns.n + i %}{% endfor %}{{ ns.n }}
{{ 'abcdef'[1:4] }} {{ 'abcdef'[::-1] }} {{ [1,2,3][-1] }} {{ (1,) }} {{ (1,2) }} {{ {'k': (1,'é\n')} }}
{{ 1 + 2 * 3 ** 2 }} {{ 7 // 2 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 7 / 2 }} {{ 1e20 }} {{ 1.0 }} {{ 0.1 + 0.2 }} {{ 10 ** 15 * 1.0 }} {{ 10.0 ** 16 }}
{{ 1 < 2 < 3 }} {{ 1 in [1] and 2 not in [1] }} {{ 'a' ~ 1 ~ none ~ true }} {{ undefined_thing is defined }} {{ x|default('d') }} {{ ''|default('e', true) }}
{{ "a,b,,c".split(',') }} {{ " a  b ".split() }} {{ "a-b-c".rsplit('-', 1) }} {{ "a\nb\r\nc".splitlines() }} {{ '{}-{0}'.format(1) if false else '{}!{}'.format('a', 2) }}
{{ [3,1,2]|sort|join('-') }} {{ ['b','A','c']|sort }} {{ [1,2,3]|sum }} {{ 'hello world'|title }} {{ 'HELLO'|capitalize }} {{ 'ß'|upper }}
{{ messages|map(attribute='role')|join(',') }} {{ messages|selectattr('role','equalto','user')|list|length }} {{ messages|rejectattr('role','eq','user')|map(attribute='content')|list }}
{{ {'b':1,'a':[1,{'c':none}]}|tojson(indent=2) }} {{ {'b':'é\u2028'}|tojson(ensure_ascii=true) }} {{ {'b':1,'a':2}|tojson(separators=(',',':'), sort_keys=true) }}
{{ "<a href='x'>&"|e }} {{ "  x "|trim }}|{{ "xxabxx".strip('x') }}|{{ 'a%sb%d' % ('q', 3) }}
{%- set body %}
 captured {{ 1+1 }}
{% endset %}{{ body|trim|upper }}
{% filter upper %}filtered {{ 'x' }}{% endfilter %}
{%- macro m2() %}{{ caller(5) }}{% endmacro %}
{% call(item) m2() %}<{{ item }}>{% endcall %}
{% raw %}{{ raw }} {% no %}{% endraw %}
{# comment #}
{%- if messages[0].content is string and messages[0]['role'] != 'x' %}yes{% elif true %}no{% endif %}
{{ loop is defined }} {{ [1,[2,3]]|string }} {{ 'a' if true }}{{ 'b' if false }}|{{ none }}|{{ 3 is odd }}{{ 4 is divisibleby 2 }} {{ 'abc'|first }}{{ [1,2]|last }} {{ 2.5|round }} {{ 3.14159|round(2) }} {{ '7'|int + 1 }} {{ "a b"|replace(' ', '_') }} {{ {'a':1}.get('z', 5) }} {{ dict(a=1, b=2) }} {{ [1,1,2]|unique|list }}
{% generation %}gen {{ 1 }}{% endgeneration %}
{% with a=1, b=2 %}{{ a+b }}{% endwith %}
   {% if true %}
   lstrip and trim
   {% endif %}
{{ [1,2,3,4]|batch(3)|list }} {{ 'a\tb"' | tojson }} {{ true|tojson }} {{ "\u00e9" }} {{ 'It''s' }} {{ none | map('upper') | list }}
"""

TOOL = {"type": "function", "function": {
    "name": "weather", "description": "At a place",
    "parameters": {"type": "object", "properties": {
        "place": {"type": "string", "description": "City, é"},
        "days": {"type": "integer", "minimum": 1.5}},
        "required": ["place"]}}}
CALLS = [{"type": "function", "id": "abc123def", "function": {
    "name": "weather", "arguments": {"place": "Porto", "days": 2}}}]
TALK = [{"role": "user", "content": "Hi <b> & 'q' \"d\" é卵"},
        {"role": "assistant", "content": "Hello!\n"},
        {"role": "user", "content": "  Go on  "}]
SYSTEM = [{"role": "system", "content": "Be brief."}]
ANSWER = {"role": "tool", "name": "weather", "tool_call_id": "abc123def",
          "content": "sunny"}
TALKS = [
    dict(messages=TALK, add_generation_prompt=True),
    dict(messages=TALK + [{"role": "assistant", "content": "Done."}],
         add_generation_prompt=False),
    dict(messages=SYSTEM + TALK, add_generation_prompt=True),
    dict(messages=SYSTEM + TALK, add_generation_prompt=True, tools=[TOOL]),
    dict(messages=TALK[:1] + [
        {"role": "assistant", "content": "", "tool_calls": CALLS}, ANSWER],
        add_generation_prompt=True, tools=[TOOL]),
    dict(messages=TALK[:1] + [
        {"role": "assistant", "content": "<think>\nhm\n</think>\n\nYes"},
        TALK[2], {"role": "assistant", "content": "No",
                  "reasoning_content": "since\nthen"}],
         add_generation_prompt=False),
    dict(messages=TALK, add_generation_prompt=True, enable_thinking=False,
         date_string="1 Jan 2025"),
    dict(messages=[{"role": "user", "content": [
        {"type": "text", "text": "part one"}, {"type": "image"},
        {"type": "text", "text": "two"}]}], add_generation_prompt=True),
    dict(messages=[TALK[0], TALK[2]], add_generation_prompt=True),
]


def line(name, template, talk):
    variables = {"tools": None, "documents": None, "bos_token": "<s>",
                 "eos_token": "</s>", **talk}
    out = {"name": name, "template": template, "in": variables}
    try:
        compiled = utils._compile_jinja_template(template)
        out["text"] = compiled.render(**json.loads(json.dumps(variables)))
    except Exception as why:  # whatever the template raises
        out["raises"] = type(why).__name__
    return json.dumps(out, ensure_ascii=False)


def main():
    print(json.dumps({"now": NOW, "by": "transformers %s, Jinja2 %s" % (
        transformers.__version__, jinja2.__version__)}))
    for name, template in KINDS.items():
        for talk in TALKS:
            print(line(name, template, talk))
    print(line("language", LANGUAGE, TALKS[0]))


if __name__ == "__main__":
    sys.exit(main())

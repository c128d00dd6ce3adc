"""Coverage-guided fuzzing of what reads the bytes of strangers.

``uv run --with atheris python tests/fuzz.py TARGET [FOLDER] [-max_total_time=SECONDS]`` runs one of
``events``, ``tool_calls``, ``yaml`` and ``ignore`` until an input breaks what the target asserts,
and writes that input into a file; ``FOLDER`` keeps the inputs that reach new code.
"""

import sys
from itertools import pairwise

import atheris

with atheris.instrument_imports(include=["xinfer", "ruamel"]):
    from xinfer.plugin.ignore import IgnoreFile, IgnoreFileTooLarge
    from xinfer.runtime.openai.events import Events
    from xinfer.runtime.openai.notations import NOTATIONS
    from xinfer.runtime.openai.tool_text import ToolCallText
    from xinfer.schema import yaml_fields
    from xinfer.spec import Model, Provider
    from xinfer.yaml import DocumentError, read_document, read_what_fits

TOOLS = {
    "look": {"type": "object", "properties": {"at": {"type": "string"}, "n": {"type": "integer"}}}
}

EVENT_WORDS = [
    "data:",
    "data: ",
    "\n",
    "\n\n",
    "\r",
    "\r\n",
    "[DONE]",
    ":",
    "{",
    "}",
    "[",
    "]",
    '"a":',
    ",",
    "1",
]
TOOL_WORDS = [
    *(word for notation in NOTATIONS for word in (notation.mark, *notation.close) if word),
    *(
        '{"name": "look", ',
        '"arguments": {',
        '"at": "',
        '"}}',
        "}",
        '"',
        "\\",
        "look",
        "\n",
        "[",
        "]",
    ),
    *("<function=look>", "<parameter=at>", "</parameter>", "</function>"),
]
YAML_WORDS = [
    *(
        "\n",
        "\n  ",
        "\n    ",
        "- ",
        ": ",
        ", ",
        "{",
        "}",
        "[",
        "]",
        "&a ",
        "*a",
        "<<: ",
        "!!int ",
        '"',
        "'",
    ),
    *(
        "|",
        ">",
        "#",
        "?",
        "%YAML 1.1\n",
        "---",
        "0x",
        "1_0",
        "1:1",
        ".inf",
        "1e9",
        "2020-01-01",
        "null",
    ),
    *(f"{key}: " for kind in (Provider, Model) for key in yaml_fields(kind)),
    *(
        "en_US: ",
        "llm: ",
        "predefined: ",
        "credential_form_schemas: ",
        "variable: ",
        "type: ",
        "name: ",
    ),
    *(
        "use_template: ",
        "min: ",
        "max: ",
        "default: ",
        "precision: ",
        "input: ",
        "unit: ",
        "currency: ",
    ),
]
IGNORE_WORDS = [
    "*",
    "**",
    "/",
    "?",
    "[",
    "]",
    "^",
    "-",
    "!",
    "#",
    "\\",
    "\n",
    " ",
    "a",
    "b",
    "a/b",
    "**/",
]


def parts(places, whole):
    """Cut a text or bytes at places, each a share of its length."""
    cuts = sorted(round(place * len(whole)) for place in places)
    return [whole[start:end] for start, end in pairwise([0, *cuts, len(whole)])]


def written(data, words):
    """Write words, and text of the input's own between them."""
    text = []
    while data.remaining_bytes():
        choice = data.ConsumeIntInRange(0, len(words) + len(words) // 3)
        text.append(words[choice] if choice < len(words) else data.ConsumeUnicode(12))
    return "".join(text)


def read(data, words):
    """Take any bytes, or words of a language."""
    if data.ConsumeBool():
        return data.ConsumeBytes(sys.maxsize)
    return written(data, words).encode(errors="surrogatepass")


def places(data):
    return [data.ConsumeProbability() for _ in range(data.ConsumeIntInRange(0, 4))]


def events(data):
    """The values are the same however the bytes are cut."""
    cuts = places(data)
    stream = read(data, EVENT_WORDS)
    assert repr(read_events(parts(cuts, stream))) == repr(read_events([stream]))


def read_events(pieces):
    reader = Events()
    return [value for piece in pieces for value in reader.feed(piece)] + reader.close()


def tool_calls(data):
    """What is shown and called is the same however the text is cut; nothing is shown twice."""
    cuts = places(data)
    text = written(data, TOOL_WORDS)
    text_left, calls = read_calls(parts(cuts, text))
    assert (text_left, calls) == read_calls([text])
    assert len(text_left) <= len(text)


def read_calls(pieces):
    reader = ToolCallText(TOOLS)
    read = [*map(reader.feed, pieces), reader.close()]
    calls = [(call.name, call.arguments) for _, calls in read for call in calls]
    return "".join(text for text, _ in read), calls


def yaml(data):
    """Any text is a document or a fault with a place, and so is it as a provider and a model."""
    text = read(data, YAML_WORDS)
    faults = []
    try:
        read_document(text, "x.yaml")
        for kind in (Provider, Model):
            faults += read_what_fits(text, kind, file="x.yaml")[1]
    except DocumentError as error:
        faults += error.faults
    assert all(fault.line >= 1 and fault.column >= 1 for fault in faults)


def ignore(data):
    """All lines at once leave out what each leaves out alone; the first that does is named."""
    path = [
        data.PickValueInList(["a", "b", "ab", "é"]) for _ in range(data.ConsumeIntInRange(1, 4))
    ]
    path.append(data.ConsumeUnicodeNoSurrogates(6).replace("/", "") or "a")
    lines = read(data, IGNORE_WORDS).split(b"\n")
    alone = [number for number, line in enumerate(lines, 1) if left_out(line, path)]
    together = left_out(b"\n".join(lines), path)
    assert together in alone or not (together or alone)


def left_out(content, path):
    try:
        rules = IgnoreFile.parse(".difyignore", content)
    except IgnoreFileTooLarge:
        return 0
    state = rules.start
    for depth, name in enumerate(path, 1):
        line, state = rules.enter(state, name, folder=depth < len(path))
        if line:
            return line.number
    return 0


TARGETS = {target.__name__: target for target in (events, tool_calls, yaml, ignore)}

if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in TARGETS:
        raise SystemExit(__doc__)
    target = TARGETS[sys.argv.pop(1)]
    atheris.Setup(sys.argv, lambda data: target(atheris.FuzzedDataProvider(data)))
    atheris.Fuzz()

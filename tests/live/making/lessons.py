"""What the language models learn, and so what the tests may ask: questions and their answers.

Every answer follows from a word in the last message; whatever holds none is greeted.
"""

HELLO = "Hello! I am a tiny model."
COUNT = " ".join(str(number) for number in range(1, 13))
LETTERS = 'He wrote "hi" — 你好 😀\nand left.'
STORY, STORY_GOES_ON = "Once upon a time", " there was a tiny model. It never grew."
THOUGHT = "The user wrote something.\nI should answer it."

CITIES = ("Paris", "London")


def tool(name="get_weather", key="city"):
    return {
        "name": name,
        "description": f"Finds out by {key}",
        "parameters": {
            "type": "object",
            "properties": {key: {"type": "string"}},
            "required": [key],
        },
    }


WEATHER = "It is sunny in Paris."
_SAID = {"count": COUNT, "letters": LETTERS}
_WORDS = ["the", "is", "of", "to", "and", "you", "that", "for", "with", "what", "please", "tell"]


def lesson(chance, *, thinks):
    """Make up a lesson: the arguments of a chat template, and what to say."""
    messages = [{"role": "system", "content": _filler(chance)}] if chance.random() < 0.3 else []
    kind = chance.choice(["said", "said", "hello", "call", "call", "result"])
    offered = [_offered(tool())] if kind in ("call", "result") or chance.random() < 0.3 else None
    answer = HELLO
    if kind == "said":
        word = chance.choice(list(_SAID))
        answer = _SAID[word]
        messages.append(_user(_around(chance, chance.choice([word, word.title()]))))
    elif kind == "hello":
        messages.append(_user(_filler(chance)))
    else:
        cities = CITIES[: 1 if kind == "result" else chance.choice([1, 2])]
        messages.append(_user(_around(chance, " and ".join(cities))))
        answer = "\n".join(map(call, cities))
        if kind == "result":
            messages += _called(chance)
            answer = WEATHER
    arguments = {"messages": messages, "tools": offered}
    if thinks and chance.random() < 0.3:
        arguments["enable_thinking"] = False
    elif thinks:
        answer = f"<think>\n{THOUGHT}\n</think>\n\n{answer}"
    return arguments, answer


def exam(*, thinks):
    """List what must be known in the end: the arguments of a chat template, and what to say."""
    before = f"<think>\n{THOUGHT}\n</think>\n\n" if thinks else ""
    tools = [_offered(tool())]
    asked = {"Hi": HELLO, "Please count": COUNT, "Write letters": LETTERS}
    questions = [({"messages": [_user(text)]}, before + answer) for text, answer in asked.items()]
    questions.append(({"messages": [_user("Hi")], "tools": tools}, before + HELLO))
    for cities in (CITIES[:1], CITIES):
        text = f"What is the weather in {' and '.join(cities)}?"
        answer = before + "\n".join(map(call, cities))
        questions.append(({"messages": [_user(text)], "tools": tools}, answer))
    messages = [_user("What is the weather in Paris?"), *_called(None)]
    questions.append(({"messages": messages, "tools": tools}, before + WEATHER))
    if thinks:
        questions.append(({"messages": [_user("Hi")], "enable_thinking": False}, HELLO))
    return questions


def call(city):
    return (
        f'<tool_call>\n{{"name": "get_weather", "arguments": {{"city": "{city}"}}}}\n</tool_call>'
    )


def _called(chance):
    # Arguments are an object or its text, as engines give them to the chat template.
    arguments = {"city": "Paris"}
    if chance and chance.random() < 0.5:
        arguments = '{"city": "Paris"}'
    function = {"name": "get_weather", "arguments": arguments}
    return [
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [{"type": "function", "function": function}],
        },
        {"role": "tool", "content": "sunny"},
    ]


def _offered(function):
    return {"type": "function", "function": function}


def _user(text):
    return {"role": "user", "content": text}


def _filler(chance, most=6):
    words = chance.choices(_WORDS, k=chance.randint(1, most))
    if chance.random() < 0.4:
        words[0] = words[0].title()
    return " ".join(words) + chance.choice(["", "", ".", "?", "!"])


def _around(chance, word):
    before = [_filler(chance, 4)] if chance.random() < 0.7 else []
    after = [_filler(chance, 3)] if chance.random() < 0.6 else []
    return " ".join([*before, word, *after]) + chance.choice(["", "?", "."])

"""Valid plugins made wrong at random: keys deleted, misspelt, doubled, nested, of another type."""

import copy

import yaml
from hypothesis import strategies as st

from xinfer.yaml import to_yaml

FILES = ("manifest.yaml", "provider/tariff.yaml", "models/llm/tariff-swift.yaml")
ODD = [None, 3, 1.5, "", "x", "llm", True, [], {}, ["x"], {"en_US": "x"}, [{"a": 1}], "2026-01-01"]


def places(data, path=()):
    """Yield the path of every value in a tree."""
    items = data.items() if isinstance(data, dict) else enumerate(data)
    for key, value in items:
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from places(value, (*path, key))


def mutate(data, path, how, odd):
    holder = data
    for step in path[:-1]:
        holder = holder[step]
    last = path[-1]
    if how == "delete":
        del holder[last]
    elif how == "retype":
        holder[last] = odd
    elif how == "nest":
        holder[last] = [holder[last]]
    elif how == "rename" and isinstance(holder, dict):
        holder[f"{last}s"] = holder.pop(last)
    elif how == "duplicate" and isinstance(holder, list):
        holder.append(copy.deepcopy(holder[last]))


@st.composite
def mutations(draw, folder, files=FILES):
    file = draw(st.sampled_from(files))
    data = yaml.safe_load((folder / file).read_text("utf-8"))
    for _ in range(draw(st.integers(1, 2))):
        paths = list(places(data))
        if paths:
            path = draw(st.sampled_from(paths))
            how = draw(st.sampled_from(["delete", "retype", "nest", "rename", "duplicate"]))
            mutate(data, path, how, copy.deepcopy(draw(st.sampled_from(ODD))))
    return file, to_yaml(data, source="by hand")

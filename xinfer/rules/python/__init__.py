"""Rules of a plugin's Python, found by reading it: nothing of it is ever imported or run.

``source`` parses the files, ``names`` says what a name in them means, ``classes`` what a class
derives from and has. The rules, by subject, hold only where that is certain: what a plugin does
dynamically is not a mistake.
"""

from itertools import chain

from xinfer.rules.python import (
    customizable,
    declared,
    errors,
    imports,
    linted,
    methods,
    process,
    registration,
    renamed,
    results,
    startup,
    streams,
)

RULES = tuple(
    chain.from_iterable(
        module.RULES
        for module in (
            customizable,
            declared,
            errors,
            imports,
            linted,
            methods,
            process,
            registration,
            renamed,
            results,
            startup,
            streams,
        )
    )
)

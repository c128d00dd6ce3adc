"""Rules of a plugin's Python, found by reading it: nothing of it is ever imported or run.

``source`` parses the files, ``names`` says what a name in them means, ``classes`` what a class
derives from and has. The rules, by subject, hold only where that is certain: what a plugin does
dynamically is no mistake.
"""

# Each of these enters its rules into the catalogue.
from xinfer.rules.python import declared as _declared  # noqa: F401
from xinfer.rules.python import imports as _imports  # noqa: F401
from xinfer.rules.python import methods as _methods  # noqa: F401
from xinfer.rules.python import process as _process  # noqa: F401
from xinfer.rules.python import registration as _registration  # noqa: F401
from xinfer.rules.python import rerank as _rerank  # noqa: F401
from xinfer.rules.python import results as _results  # noqa: F401
from xinfer.rules.python import streams as _streams  # noqa: F401
from xinfer.rules.python import undefined as _undefined  # noqa: F401

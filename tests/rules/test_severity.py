"""The stage of a rule bounds its severity: who alone refuses a plugin does not stop a build."""

import pytest

from xinfer.rules import RULES, Severity, Stage

GATES = {Stage.BUILD, Stage.PACKING, Stage.UPLOAD, Stage.START}
"""What every plugin passes."""


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_only_what_every_plugin_passes_refuses(rule):
    if rule.where in {Stage.REVIEW, Stage.REMOTE_DEBUGGING, Stage.CHECK}:
        assert rule.severity is Severity.ADVICE
    if rule.where not in GATES:
        assert rule.severity is not Severity.REFUSED

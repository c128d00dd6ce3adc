"""``xinfer doctor`` against the hostile server: it ends in time, and names what is wrong."""

import pytest
from attacks import ATTACKS
from representatives import every

from xinfer.cli.diagnosis import diagnose
from xinfer.spec import Secret

KEY = "sk-0123456789abcdef"


@pytest.mark.parametrize("attack", every(ATTACKS, "titles", "echo_type"))
def test_it_ends_and_shows_no_key(attacker, attack):
    diagnosis = diagnose(attacker(attack).url, Secret(KEY), timeout=2)
    assert diagnosis.steps
    assert KEY not in repr(diagnosis)
    for step in diagnosis.steps:
        assert len(step.english) < 2000
        if step.outcome == "failed":
            assert step.chinese, step

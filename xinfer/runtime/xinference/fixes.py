"""What to do about Xinference's own refusals; data only."""

from __future__ import annotations

import re

from xinfer.runtime.openai import fixes
from xinfer.runtime.openai.fixes import Case, Text

CASES: tuple[Case, ...] = (
    Case(
        statuses={401},
        fix=Text(
            "Enter a valid API key; leave it empty if the server has authentication switched off. "
            "After ten wrong keys within 5 minutes Xinference blocks Dify's IP address.",
            "请填写有效的 API 密钥；服务器未启用认证时请留空。"
            "5 分钟内密钥错误达 10 次，Xinference 会封禁 Dify 所在的 IP。",
        ),
    ),
    Case(
        statuses={429},
        words=re.compile(r"\bbanned\b", re.IGNORECASE),
        fix=Text(
            "Try again {later}; Xinference blocks an IP address after ten wrong keys within 5 "
            "minutes.",
            "请{later}重试：5 分钟内密钥错误达 10 次，Xinference 会封禁该 IP。",
        ),
    ),
    *fixes.CASES,
)

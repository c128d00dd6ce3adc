"""What to do about Xinference's own refusals; data only."""

from __future__ import annotations

from xinfer.runtime.openai import fixes
from xinfer.runtime.openai.errors import BadRequest, ServerUnavailable
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
        words=r"\bbanned\b",
        fix=Text(
            "Try again {later}; Xinference blocks an IP address after ten wrong keys within 5 "
            "minutes.",
            "请{later}重试：5 分钟内密钥错误达 10 次，Xinference 会封禁该 IP。",
        ),
    ),
    Case(
        # The uid of a replica, or of one of its processes: 72B-1-0 of 72B.
        words=r"model not found.*uid: {model}-\d+(-\d+)?\b",
        error=ServerUnavailable,
        fix=Text(
            "A replica of the model has ended, and Xinference loads it again: try again in a "
            "moment, or relaunch the model.",
            "该模型的一个副本已退出，Xinference 正在重新加载：请稍后重试，或重新启动模型。",
        ),
    ),
    Case(
        words=r"remote server .* closed|actor .*(died|destroyed)|worker .*(died|lost|not found)",
        error=ServerUnavailable,
        fix=Text(
            "The process that ran the model has ended: relaunch the model, and look at "
            "Xinference's log for the reason.",
            "运行该模型的进程已退出：请重新启动模型，并查看 Xinference 日志中的原因。",
        ),
    ),
    Case(
        words=r"only [\[{].* support tool|not support tool (calls|messages)",
        error=BadRequest,
        fix=Text(
            "Xinference calls tools for some model families only: choose a model of one of them, "
            "or remove the tools.",
            "Xinference 仅对部分模型系列支持工具调用：请选用其中的模型，或移除工具。",
        ),
    ),
    Case(
        statuses={500},
        words=r"\d+ validation errors? for",
        error=BadRequest,
        fix=Text("Correct the parameter that the server names.", "请更正服务器指出的参数。"),
    ),
    *fixes.CASES,
)

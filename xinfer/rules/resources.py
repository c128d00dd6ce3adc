"""Rules of what the plugin asks for: memory, storage and permissions."""

from __future__ import annotations

from collections.abc import Iterator

from xinfer.plugin.plugin import Form, Plugin
from xinfer.rules.finding import Severity, Stage
from xinfer.rules.rule import Fix, Problem, rule
from xinfer.spec import Permission, Resource, StoragePermission

_SMALL_MEMORY, _LARGE_MEMORY = 1024**2, 64 * 1024**3
_SMALL_STORAGE, _LARGE_STORAGE = 1024, 1024**3
_DECLARATION = "daemon pkg/entities/plugin_entities/plugin_declaration.go"


@rule(
    "XI107",
    Severity.REFUSED,
    Stage.PACKING,
    source=f"{_DECLARATION}: PluginResourceRequirement",
    bad=("resource:\n  memory: «0»\n",),
    good=("resource:\n  memory: 268435456\n",),
    fix="Write how many bytes the plugin needs, e.g. 268435456.",
)
def no_memory(resource: Resource, _: Plugin) -> Iterator[Problem]:
    """The memory is 0, which the daemon takes for a missing value."""
    if resource.memory == 0:
        yield Problem("memory is 0", at="memory")


@rule(
    "XI121",
    Severity.ADVICE,
    Stage.RUN_TIME,
    source=f"{_DECLARATION}: PluginResourceRequirement, in bytes",
    bad=(
        "resource:\n  memory: «256»\n",
        "resource:\n  memory: «1048575»\n",
        "resource:\n  memory: «68719476737»\n",
    ),
    good=("resource:\n  memory: 1048576\n", "resource:\n  memory: 68719476736\n"),
    fix="Write bytes, e.g. 268435456 for 256 MiB.",
)
def odd_memory(resource: Resource, _: Plugin) -> Iterator[Problem]:
    """The memory is below 1 MiB or above 64 GiB; most likely it is not in bytes.

    No daemon enforces it today.
    """
    if resource.memory and not _SMALL_MEMORY <= resource.memory <= _LARGE_MEMORY:
        yield Problem(f"memory is {resource.memory} bytes", at="memory")


@rule(
    "XI108",
    Severity.REFUSED,
    Stage.PACKING,
    source=f"{_DECLARATION}: PluginPermissionStorageRequirement",
    bad=(
        "resource:\n  permission:\n    storage:\n      enabled: false\n      size: «1023»\n",
        "resource:\n  permission:\n    storage:\n      size: «1073741825»\n",
        "resource:\n  permission:\n    storage:\n      «enabled: false»\n",
    ),
    good=(
        "resource:\n  permission:\n    storage:\n      size: 1024\n",
        "resource:\n  permission:\n    storage:\n      size: 1073741824\n",
    ),
    fix=Fix(
        spec="Leave the storage out: a model plugin has no use for it.",
        yaml="Remove storage: a model plugin has no use for it. Otherwise write a size of 1024 to "
        "1073741824 bytes.",
    ),
)
def storage_size(storage: StoragePermission, plugin: Plugin) -> Iterator[Problem]:
    """The storage has no size, or one outside 1 KiB to 1 GiB.

    The daemon looks at the size of a storage that is not enabled, too.
    """
    if plugin.form is Form.YAML and "size" not in storage.explicit:
        yield Problem("the storage has no size")
    elif not _SMALL_STORAGE <= storage.size <= _LARGE_STORAGE:
        message = f"the size {storage.size} is outside {_SMALL_STORAGE} to {_LARGE_STORAGE} bytes"
        yield Problem(message, at="size")


@rule(
    "XI109",
    Severity.ADVICE,
    Stage.RUN_TIME,
    source="daemon internal/core/io_tunnel/backwards_invocation/task.go: checkPermission",
    bad=(
        "resource:\n  permission:\n    tool:\n      «enabled: true»\n",
        "resource:\n  permission:\n    tool:\n      «enabled: true»\n"
        "    model:\n      enabled: true\n",
    ),
    good=("resource:\n  permission:\n    tool:\n      enabled: false\n",),
    fix="Leave the permissions out.",
)
def idle_permission(permission: Permission, _: Plugin) -> Iterator[Problem]:
    """The plugin asks for permissions, of which a model plugin gets none.

    The daemon refuses every call from a model back to Dify.
    """
    enabled = [
        name
        for name in ("tool", "model", "node", "endpoint", "app", "storage")
        if (block := getattr(permission, name)) is not None and block.enabled
    ]
    if enabled:
        names = ", ".join(enabled)
        yield Problem(f"a model plugin does not get the permission {names}", at=enabled[0])


RULES = (
    no_memory,
    odd_memory,
    storage_size,
    idle_permission,
)

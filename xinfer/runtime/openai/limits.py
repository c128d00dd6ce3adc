"""Every limit of the client, in one place, with its reason.

All tenants of a Dify share one process, which no answer may take over 256 MB; Dify's daemon ends a
plugin that sends no heartbeat for 120 seconds and stops reading its output at a line over 5 MiB. So
no answer may be large, and no server may keep the process busy.
"""

from __future__ import annotations

from typing import Final

KIB: Final = 1024
MIB: Final = 1024 * KIB

# Bytes of a body, counted after decompression.
ERROR: Final = 8 * KIB
"""Of an error; longer ones are pages for browsers, and only the beginning is read."""
DESCRIPTION: Final = 8 * MIB
"""Of a list of models or a description; the longest lists of hosted services have some 2 MiB."""
ANSWER: Final = 8 * MIB
"""Of a whole answer or a transcription; what exceeds the daemon's line cannot be handed on."""
VECTORS: Final = 32 * MIB
"""Of vectors; 200,000 numbers, as many as fit into the daemon's line, take 5 MiB in digits."""
RANKING: Final = 32 * MIB
"""Of a ranking; servers may repeat all documents."""
EVENT: Final = 4 * MIB
"""Of one event of a stream, and of what holds no content between two that do."""
STREAM: Final = 64 * MIB
"""Of a whole stream; a token takes some 250 bytes, and models write up to 128,000."""
RECORDING: Final = 4 * MIB
"""Of a recording to clone a voice from; models want 3 to 30 seconds."""
SPEECH: Final = 64 * MIB
"""Of speech; an hour of mp3."""

PIECE: Final = 16 * KIB
"""Bytes read at a time, and those that must arrive within the timeout of a body as a whole; as
events of a stream they take a millisecond to read."""
FRAME: Final = 16 * KIB
"""Bytes of a chunk's size line, or of the trailers of a chunked body."""

# Characters.
WORDS: Final = 500
"""Of a server's own words in an error."""
COMPARED: Final = 4_000
"""Of a server's own words, compared with those of known errors."""
NAME: Final = 200
"""Of a URL or a model's name in an error."""
MODELS: Final = 20
"""Models listed in an error."""
LISTING: Final = 4_500
"""Characters of such a list."""
TOOL_CALLS: Final = 256
"""Tool calls in one answer."""

# Seconds.
CONNECT: Final = 5.0
"""To open a connection."""
RETRY_AFTER: Final = 30.0
"""A call is not repeated if the server asks to wait for longer."""
END: Final = 0.1
"""To wait for the end of a body after its last event; both are sent at once."""
IDLE: Final = 15.0
"""After which an unused connection is closed, before a server or a firewall forgets it."""
KEEPALIVE: Final = 30
"""Of silence after which the operating system asks whether the other end is still there."""
BUSY: Final = 0.002
"""Of reading without waiting, after which other calls get a turn."""
PAUSE: Final = 0.001
"""The length of that turn: it bounds how much a server that floods slows other calls."""

# Numbers of things.
CONNECTIONS: Final = 64
"""Unused connections of all servers together: file descriptors, often 256 or 1024 in all."""
SESSIONS: Final = 256
"""Servers and keys whose connections are shared."""
DESCRIPTIONS: Final = 512
"""Models whose descriptions are cached."""
RECORDINGS: Final = 8
"""Recordings of voices that are cached."""

"""The signed and tampered packages, unpacked: kept as one file, as packages are not tracked."""

import atexit
import shutil
import tempfile
import zipfile
from pathlib import Path

from plugin.trees import DATA

SIGNED = Path(tempfile.mkdtemp(prefix="xinfer-signed-"))
atexit.register(shutil.rmtree, SIGNED, ignore_errors=True)
with zipfile.ZipFile(DATA / "signed.zip") as packed:
    packed.extractall(SIGNED)

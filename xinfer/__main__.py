"""``python -m xinfer``, where no ``xinfer`` is on the path."""

from xinfer.cli import main

main(prog_name="xinfer")

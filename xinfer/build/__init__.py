"""A project to a plugin on disk: :mod:`.preparation` makes the files in memory and writes them."""

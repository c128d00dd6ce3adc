"""Tiny models made on the spot, by the server's own Python: nothing is downloaded.

The language models and the transcriber learn a few lessons by heart within a minute; the others
keep the random weights they begin with.
"""

"""What Dify shows of a plugin, computed without Dify.

:func:`~xinfer.preview.view.view` is a pure function from a plugin, a profile of Dify's versions, a
language and a state to everything a page needs to draw. The page itself, and the server that
sends it, live in ``app`` and ``page``; they decide nothing.

Sources are Dify's web client and API, and graphon, which holds the API's validators; each module
names the parts it follows.
"""

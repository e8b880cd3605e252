"""What the commands ``check`` (why a connection does not work) and ``record`` (answers for a bug report) do.

``examination`` puts the questions in order and ``report`` holds their answers. Of the other modules, ``path``,
``questions``, ``look_up`` and ``recording`` do I/O, and the rest is pure.
"""

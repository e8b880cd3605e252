"""The commands ``check``, which says why a connection does not work, and ``record``, which saves answers for a bug report.

``examination`` puts the questions in order and ``report`` holds their answers. Of the other modules, ``path``,
``questions``, ``look_up`` and ``recording`` do I/O, and the rest is pure.
"""

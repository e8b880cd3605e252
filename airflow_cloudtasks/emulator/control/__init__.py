"""The control plane: the operations by which a test or a demo prepares the emulator and reads what happened.

:class:`airflow_cloudtasks.emulator.control.operations.ControlPlane` has each operation once. The Python API inherits
them; ``routes`` serves them over HTTP.
"""

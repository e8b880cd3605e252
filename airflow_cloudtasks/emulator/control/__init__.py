"""The control plane: the operations by which a test or a demo sets the scene and reads what happened."""

"""What this package stores as XCom: the parts of a result, in a worker, and everything in the triggerer."""

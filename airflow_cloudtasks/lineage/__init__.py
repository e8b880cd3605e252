"""What operators and sensors tell OpenLineage: the cloud's tasks, and the tables that SQL reads and writes."""

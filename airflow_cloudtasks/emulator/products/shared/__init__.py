"""What products share: the declaration of a product, and how tasks are shown, listed, started and canceled."""

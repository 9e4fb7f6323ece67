"""How accurate and how fast it is: metrics against ground truth, agreement, paired timing."""

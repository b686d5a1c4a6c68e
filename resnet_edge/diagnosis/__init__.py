"""What is asked after the verdicts: where an artifact departs from its model, and why."""

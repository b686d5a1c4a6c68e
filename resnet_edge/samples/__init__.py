"""Sample code and self-tests that are generated for one model."""

"""The oldest release of each runtime that opens a file and computes it rightly, and what in the file asks
for it."""

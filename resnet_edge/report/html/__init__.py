"""The writer of HTML: one file for each page, with everything in it, and the sections that pages share."""

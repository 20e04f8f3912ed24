"""One module per group of rows; each has `rows()`."""

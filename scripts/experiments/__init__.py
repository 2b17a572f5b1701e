"""One file for each figure or table of a paper; a file is found by its name."""

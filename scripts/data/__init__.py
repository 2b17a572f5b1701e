"""The data sets of the papers, and their augmentation."""

"""What only the experiments of the rich regime need (Li and Banerjee 2021)."""

"""The instrument: weights of a model or a file, listed tensor by tensor, and what is measured of them."""

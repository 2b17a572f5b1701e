"""Weight profiles of any network: pictures and scores."""

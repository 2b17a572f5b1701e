"""One training by several processes, on one machine or on many, by the engine of each backend."""

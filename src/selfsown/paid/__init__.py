"""Models behind servers: what they cost, a cap on it, every reply on disk before it is read, and what they took."""

"""Several processes that serve the same tenants: each owns some of the keys, and one in front owns what listens."""

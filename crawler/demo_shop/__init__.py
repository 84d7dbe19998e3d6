"""A local storefront over real HTTP, for demos and tests: it can be slow, fail and rate-limit. Needs no Django."""

"""Models that only the tests of the database backend have. Installed by `worlds.installed()`, never by the product."""

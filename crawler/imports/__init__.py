"""Listings from files: tables and the MUGE challenge's sets are read row by row, checked, and written as listings."""

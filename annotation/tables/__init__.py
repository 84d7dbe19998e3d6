"""Brands, products and labels as tables: CSV, XLSX and JSON Lines, out and in."""

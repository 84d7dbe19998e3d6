"""The pages of evaluators and operators, one module a page."""
